"""How a call ends, well or badly; and how it is taken up again by a daemon that was away."""

from __future__ import annotations

from callcontrol import call_conference as conference
from callcontrol import call_consult as consult
from callcontrol import call_leg as open_leg
from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import call_out as out
from callcontrol import call_supervision as supervision
from callcontrol import call_systems as systems
from callcontrol import call_transfer as transfer
from callcontrol import call_wait as wait
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import customer_gone, end_flow, hang_up, route, tell
from callcontrol.call_queue import abandoned, agent_leg_down, drop_agent_leg, lost_before_talk
from callcontrol.call_state import Turn, open_channels
from callcontrol.call_talk import agent_left, customer_left, failed, joined, start_recording
from callcontrol.model import ExitReason, OfferEnd, Phase
from ivr_flows import protocol as flow
from pbx import events as pbx
from pbx.terms import HangupCause

# A switch tells a recording's end within a second or so of the hang-up; after this we make the file whole ourselves.
FINISH_AFTER_S = 10.0


def hung_up(turn: Turn, e: pbx.ChannelHungUp) -> None:
    """A leg is gone: the citizen's, the agent's, or one that was on its way out."""
    s = turn.s
    if e.channel == s.channel:
        if not s.customer_up:
            return None  # told late: we knew
        return switch_died(turn, e) if e.cause is HangupCause.SWITCH_LOST else _customer_hung_up(turn, e)
    if e.channel in s.leaving:
        return turn.set(leaving=tuple(c for c in s.leaving if c != e.channel))
    if e.channel == s.far and e.cause is not HangupCause.SWITCH_LOST:
        return transfer.far_left(turn, e.cause.value)
    if e.channel == s.agent_channel:
        if e.cause is HangupCause.SWITCH_LOST and s.customer_up:
            return None  # the citizen's leg is gone with it, which is told next
        return _AGENT_LEG_GONE[s.phase](turn, e)
    if e.cause is not HangupCause.SWITCH_LOST and consult.far_gone(turn, e.channel, e.cause):
        return None
    if s.onward is not None and e.channel == s.onward.channel and e.cause is not HangupCause.SWITCH_LOST:
        return onward.hung_up(turn, e)
    return None


def _agent_gone_while_queued(turn: Turn, e: pbx.ChannelHungUp) -> None:
    agent_leg_down(turn, e)


def _agent_gone_while_connecting(turn: Turn, e: pbx.ChannelHungUp) -> None:
    turn.set(agent_channel=None)
    lost_before_talk(turn, e.cause.value)


def _agent_gone_while_talking(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    turn.set(agent_channel=None)
    agent_left(turn, "agent")


def _agent_gone_while_transferring(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    turn.set(agent_channel=None)
    transfer.part(turn)


def _agent_gone_while_asking(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    consult.agent_gone(turn)


def _agent_gone_from_conference(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    conference.agent_gone(turn)


def _agent_gone_otherwise(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    turn.set(agent_channel=None)


_AGENT_LEG_GONE = {
    Phase.ARRIVING: _agent_gone_otherwise,
    Phase.FLOW: _agent_gone_otherwise,
    Phase.SCHEDULED: _agent_gone_otherwise,
    Phase.QUEUED: _agent_gone_while_queued,
    Phase.CONNECTING: _agent_gone_while_connecting,
    Phase.TALKING: _agent_gone_while_talking,
    Phase.CONSULT: _agent_gone_while_asking,
    Phase.CONFERENCE: _agent_gone_from_conference,
    Phase.DIALING: _agent_gone_otherwise,  # a call out has an open leg, whose end is told otherwise
    Phase.TRANSFER: _agent_gone_while_transferring,
    Phase.WRAP_UP: _agent_gone_while_queued,
    Phase.ENDING: _agent_gone_while_queued,
    Phase.CLOSED: _agent_gone_otherwise,
}


def _customer_hung_up(turn: Turn, e: pbx.ChannelHungUp) -> None:
    by = "system" if turn.s.hangup_by else "customer"
    reason = _leave(turn, e, by)
    ended(turn, reason, e.cause, by, e.mos)


def _leave(turn: Turn, e: pbx.ChannelHungUp, by: str) -> ExitReason:
    """What the citizen's leaving means in this phase."""
    s = turn.s
    turn.set(customer_up=False)
    if s.phase is Phase.QUEUED:
        abandoned(turn)
        end_flow(turn, "caller_left")
        return ExitReason.ABANDONED_IN_QUEUE
    if s.phase is Phase.CONNECTING:
        if s.working is not None:
            turn.end_work(s.working)
        drop_agent_leg(turn, "customer_left")
        end_flow(turn, "caller_left")
        return ExitReason.ABANDONED_IN_QUEUE
    if s.phase is Phase.TALKING:
        customer_left(turn, by)
        return ExitReason.COMPLETED
    if s.phase is Phase.TRANSFER:
        transfer.customer_left(turn)
        return ExitReason.COMPLETED
    if s.phase in _WITH_OTHERS:
        _WITH_OTHERS[s.phase](turn, by)
        return ExitReason.COMPLETED
    if s.phase is Phase.DIALING:
        return out.not_reached(turn)
    talked_onward = s.onward is not None and s.onward.talks
    onward.drop(turn, "customer_left")
    reason = customer_gone(turn, e)
    if talked_onward:
        return ExitReason.COMPLETED
    # Somebody talked before the flow went on: however that ended, the contact was completed.
    return ExitReason.COMPLETED if s.agent is not None and reason is not ExitReason.REJECTED else reason


_WITH_OTHERS = {Phase.CONSULT: consult.customer_left, Phase.CONFERENCE: conference.customer_left}


def ended(turn: Turn, reason: ExitReason, cause: HangupCause, by: str, mos: float | None = None) -> None:
    turn.fact(ev.ParticipantLeft(participant=turn.customer, reason=reason.value))
    turn.fact(ev.Ended(exit_reason=reason, cause=cause.value, by=by, mos=mos))
    turn.set(phase=Phase.ENDING, customer_up=False)
    turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))


def finish_timer(turn: Turn, e: inp.TimerFired) -> None:
    """What should have ended by itself by now is ended by us."""
    if e.name != "finish" or turn.s.phase is not Phase.ENDING:
        return
    for leg in turn.s.leaving:
        turn.do(cmd.HangupLeg(leg))
    turn.set(leaving=())
    _finish_recording(turn)


def close_if_done(turn: Turn) -> None:
    """Closed when the citizen is gone, no agent is held, no leg is left and no recording is open."""
    s = turn.s
    left = s.message if s.message is not None and s.message.recording else None
    open_ends = (s.working, s.offer, s.agent_channel, s.recording, s.onward, left)
    if (
        s.phase is Phase.ENDING
        and not s.leaving
        and not s.wrapping
        and not s.others
        and all(x is None for x in open_ends)
    ):
        turn.set(phase=Phase.CLOSED)
        turn.fact(ev.Closed())


def switch_died(turn: Turn, _e: inp.SwitchDied | pbx.ChannelHungUp) -> None:
    """Every leg is gone with it. The recording is kept up to that moment."""
    s = turn.s
    onward.lost(turn, "switch_lost")
    turn.set(leaving=(), agent_channel=None, customer_up=False)
    if s.phase is Phase.ENDING:
        _finish_recording(turn)
        return
    if s.phase is Phase.TALKING:
        customer_left(turn, "system")
    elif s.phase in _WITH_OTHERS:
        consult.lost(turn)
        customer_left(turn, "system")
    elif s.phase is Phase.DIALING:
        out.not_reached(turn)
    elif s.phase is Phase.TRANSFER:
        turn.set(far=None)
        transfer.customer_left(turn)
    elif s.phase is Phase.QUEUED:
        abandoned(turn)
    elif s.phase is Phase.CONNECTING and s.working is not None:
        turn.end_work(s.working)
        drop_agent_leg(turn, "switch_lost")
    end_flow(turn, "switch_lost")
    _finish_recording(turn)
    ended(turn, ExitReason.SWITCH_LOST, HangupCause.SWITCH_LOST, "system")


def _finish_recording(turn: Turn) -> None:
    left = turn.s.message
    if left is not None and left.recording:
        turn.do(cmd.FinishRecording(left.id, left.path))
    if turn.s.recording is not None:
        turn.do(cmd.FinishRecording(turn.s.recording, turn.s.recording_path or ""))


# --- taken up again --------------------


def reattach(turn: Turn, e: inp.Reattach) -> None:
    turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
    settle_legs(turn, e)
    s = turn.s
    if e.restarted and s.working is not None and s.phase not in _AT_WORK:
        turn.end_work(s.working)  # the talk was over, and the router was not told any more
    if s.phase is Phase.ENDING:
        if e.restarted:
            forget_offer(turn)
        _finish_recording(turn)
        turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))
    elif e.customer_up:
        if e.customer_answered and not s.answered:
            turn.set(answered=True)
            turn.fact(ev.Answered())
        _TAKE_UP[s.phase](turn, e)
    else:
        _gone_unseen(turn, e)


_AT_WORK = frozenset({Phase.CONNECTING, Phase.TALKING, Phase.TRANSFER, Phase.CONSULT, Phase.CONFERENCE, Phase.DIALING})


def settle_legs(turn: Turn, e: inp.Reattach) -> None:
    """Legs that should be gone and are not are hung up (again); of those that are gone nothing more is awaited."""
    s = turn.s
    onward_leg = s.onward.channel if s.onward is not None else None
    asked = s.consult.channel if s.consult is not None else None
    wanted = {s.channel, s.agent_channel, s.far, onward_leg, asked, *open_channels(s)}
    left = tuple(leg for leg in e.legs if leg not in wanted)
    for leg in left:
        turn.do(cmd.HangupLeg(leg, HangupCause.CANCELLED))
    turn.set(leaving=left)


def forget_offer(turn: Turn) -> None:
    """A new router knows nothing of an old one's offer."""
    s = turn.s
    if s.offer is not None and s.agent is not None:
        turn.fact(ev.OfferEnded(offer=s.offer, agent=s.agent, how=OfferEnd.WITHDRAWN, detail="daemon_lost"))
    if s.offer is not None:
        drop_agent_leg(turn, "daemon_lost", HangupCause.CANCELLED)
        turn.set(offer=None, agent=None)


def _gone_unseen(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    talked_onward = s.onward is not None and s.onward.talks
    onward.drop(turn, "customer_left")
    by = "system" if s.hangup_by else "customer"
    reason = ExitReason.DAEMON_LOST
    if s.agent_channel is not None and not e.lives(s.agent_channel):
        turn.set(agent_channel=None)
    if s.phase is Phase.TALKING:
        customer_left(turn, by)
        reason = ExitReason.COMPLETED
    elif s.phase is Phase.TRANSFER:
        transfer.customer_left(turn)
        reason = ExitReason.COMPLETED
    elif s.phase in _WITH_OTHERS:
        _WITH_OTHERS[s.phase](turn, by)
        reason = ExitReason.COMPLETED
    elif s.phase is Phase.DIALING:
        reason = out.not_reached(turn)
    elif s.phase is Phase.QUEUED:
        abandoned(turn)
        if e.restarted:
            forget_offer(turn)
    elif s.phase is Phase.CONNECTING:
        if s.working is not None:
            turn.end_work(s.working)
        drop_agent_leg(turn, "daemon_lost")
    elif s.agent is not None or talked_onward:
        reason = ExitReason.COMPLETED  # the talk was over
    end_flow(turn, "caller_left")
    _finish_recording(turn)
    ended(turn, reason, HangupCause.OTHER, by)


def _resume_flow(turn: Turn, e: inp.Reattach) -> None:
    if turn.s.flow is None:  # it had ended, and the hang-up was lost on the way
        return hang_up(turn, HangupCause.NORMAL)
    s = turn.s
    if s.request is not None and not e.restarted:  # the answer comes whatever the switch does
        return systems.comforted(turn) if s.comforting is not None else None
    # Whatever was told in the gap is lost: the flow asks again for what it waited for.
    turn.set(prompt=None, collecting=False)
    if s.onward is not None:
        return onward.resume(turn, s.onward, e)
    if s.message is not None and s.message.recording:  # what was said so far is kept; its end may have been told
        return turn.do(cmd.StopRecording(s.channel, s.message.id), cmd.FinishRecording(s.message.id, s.message.path))
    turn.set(message=None)
    return tell(turn, flow.Resume())


def _resume_queue(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if e.restarted:
        forget_offer(turn)
        if s.handed:  # whoever was waited for: now it is anybody's
            turn.set(hand=None, handed=False)
        route(turn)
    else:
        offer_after_gap(turn, e)
    if s.comforting is not None and not e.restarted:
        return wait.comforted(turn)
    turn.set(comforting=None)
    turn.do(cmd.StartMusic(s.channel, s.music))  # which may have been lost on the way
    return None


def offer_after_gap(turn: Turn, e: inp.Reattach) -> None:
    """What became of the agent's phone, or leg, while nobody watched."""
    s = turn.s
    if s.agent_channel is None or s.offer is None or (s.agent_open and e.lives(s.agent_channel)):
        return  # on the page: the agent has not said anything yet
    if e.legs.get(s.agent_channel):
        turn.do(cmd.AnswerOffer(s.offer, OfferEnd.ACCEPTED))
    elif not e.lives(s.agent_channel):
        turn.set(agent_channel=None)
        turn.do(cmd.AnswerOffer(s.offer, OfferEnd.FAILED, "lost"))


def _resume_connecting(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if s.agent_channel is None or not e.lives(s.agent_channel) or s.agent is None or s.agent_participant is None:
        turn.set(agent_channel=None)
        lost_before_talk(turn, "lost")
    elif e.bridged_to == s.agent_channel:
        joined(turn, s.agent, s.agent_participant)
    else:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))


def _resume_talk(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if s.away or (s.agent_open and not e.lives(s.agent_channel)):
        return open_leg.miss_again(turn)
    if s.agent_channel is None or not e.lives(s.agent_channel):
        turn.set(agent_channel=None)
        return agent_left(turn, "agent")
    if e.bridged_to != s.agent_channel and not s.held:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))
    return start_recording(turn)  # again, where the order to do so was lost or failed


def _resume_arriving(turn: Turn, _e: inp.Reattach) -> None:
    turn.set(hangup_by="system")
    hang_up(turn, HangupCause.CONGESTION)


_TAKE_UP = {
    Phase.ARRIVING: _resume_arriving,
    Phase.SCHEDULED: _resume_arriving,  # only of a callback that was reached already, which cannot be
    Phase.FLOW: _resume_flow,
    Phase.QUEUED: _resume_queue,
    Phase.CONNECTING: _resume_connecting,
    Phase.TALKING: _resume_talk,
    Phase.TRANSFER: transfer.resume,
    Phase.CONSULT: consult.resume,
    Phase.CONFERENCE: conference.resume,
    Phase.DIALING: out.resume,
}


# --- commands that were not carried out --------------------


# These say more than that their leg is gone: somebody waits for what they would have brought.
_TOLD_WHEN_GONE = (cmd.RingAgent, cmd.StartRecording, cmd.FinishRecording)


def _is_message(turn: Turn, command: cmd.StartRecording | cmd.FinishRecording) -> bool:
    return turn.s.message is not None and command.recording == turn.s.message.id


def command_failed(turn: Turn, e: inp.CommandFailed) -> None:
    """What is not done is told to whoever waits for it. A leg that is gone says so itself, by its hang-up."""
    gone, unreachable = e.code == "switch.channel_gone", e.code == "switch.unreachable"
    if gone and not isinstance(e.command, _TOLD_WHEN_GONE):
        return None
    if isinstance(e.command, cmd.FinishRecording) and unreachable:
        return turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))
    turn.fact(ev.CommandFailed(command=type(e.command).__name__, code=e.code, message=e.message))
    match e.command:
        case cmd.RingAgent() if turn.s.offer is not None and e.command.channel == turn.s.agent_channel:
            turn.set(agent_channel=None)
            if unreachable:  # it may ring all the same
                turn.set(leaving=(*turn.s.leaving, e.command.channel))
                turn.do(cmd.HangupLeg(e.command.channel, HangupCause.CANCELLED))
            turn.do(cmd.AnswerOffer(turn.s.offer, OfferEnd.FAILED, e.code))
        case cmd.StartRecording() if e.command.recording == turn.s.recording and gone:
            turn.set(recording=None, recording_path=None)  # the talk was over before it could begin
        case cmd.StartRecording() | cmd.FinishRecording() if e.command.recording == turn.s.recording:
            failed(turn, e.message, None)
        case cmd.StartRecording() if gone and _is_message(turn, e.command):
            turn.set(message=None)  # hung up at the tone
        case cmd.StartRecording() | cmd.FinishRecording() if _is_message(turn, e.command):
            message.lost(turn, e.message)
        case cmd.CallOut() if turn.s.onward is not None and e.command.channel == turn.s.onward.channel:
            onward.failed(turn, e.code)
        case cmd.BridgeLegs() if (
            turn.s.onward is not None and e.command.agent == turn.s.onward.channel and not unreachable
        ):
            onward.failed(turn, e.code, leg=True)
        case cmd.PauseRecording() if e.command.recording == turn.s.recording:
            # What must not be recorded may be: the record does not claim otherwise, and somebody is told.
            turn.fact(ev.RecordingResumed(recording=e.command.recording))
            turn.do(cmd.Alert("recording_not_paused", e.message))
        case cmd.ResumeRecording() if e.command.recording == turn.s.recording:
            turn.fact(ev.RecordingPaused(recording=e.command.recording))
            turn.do(cmd.Alert("recording_not_resumed", e.message))
        case cmd.HoldLeg() if turn.s.held and turn.s.phase is Phase.TALKING and not unreachable:
            turn.set(held=False)
            turn.fact(ev.Resumed(by=None))
        case cmd.AnswerLeg() | cmd.RejectLeg() if not unreachable:
            hang_up(turn, HangupCause.CONGESTION)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable and turn.s.message is not None:
            message.prompted(turn, turn.s.message)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable:
            turn.set(prompt=None)
            tell(turn, flow.Played(ok=False, detail=e.message))
        case cmd.PlayTo() if e.command.playback == turn.s.comforting and not unreachable:
            (wait if turn.s.phase is Phase.QUEUED else systems).comforted(turn)
        case cmd.CollectFrom() if turn.s.collecting and not unreachable:
            turn.set(collecting=False)
            tell(turn, flow.Collected("", flow.CollectEnd.TIMEOUT))
        case cmd.TransferLeg() if e.command.new_leg == turn.s.channel and not unreachable:
            ended(turn, out.not_reached(turn), HangupCause.REJECTED, "system")
        case cmd.TransferLeg() if turn.s.consult and e.command.new_leg == turn.s.consult.channel and not unreachable:
            consult.not_called(turn, e)
        case cmd.SuperviseLeg() if not unreachable:
            supervision.refused(turn, e, e.command.supervisor)
        case cmd.RingAgent() if turn.s.consult and e.command.channel == turn.s.consult.channel and not unreachable:
            consult.not_rung(turn, e)
        case cmd.BridgeLegs() if turn.s.phase is Phase.CONSULT and not unreachable:
            consult.back(turn, "failed", e.code)
        case cmd.TransferLeg() if e.command.new_leg == turn.s.far and not unreachable:
            transfer.not_taken(turn, e)
        case cmd.BridgeLegs() if turn.s.phase is Phase.CONNECTING and not unreachable:
            lost_before_talk(turn, e.code)
        case _:
            pass  # nobody waits for it; when the switch was away, `Reattach` brings the truth
    return None
