"""How a call ends, well or badly; and how it is taken up again by a daemon that was away."""

from __future__ import annotations

from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import customer_gone, end_flow, hang_up, route, tell
from callcontrol.call_queue import abandoned, agent_leg_down, drop_agent_leg, lost_before_talk
from callcontrol.call_state import Turn
from callcontrol.call_talk import agent_left, customer_left, failed
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
        return _customer_hung_up(turn, e)
    if e.channel in s.leaving:
        return turn.set(leaving=tuple(c for c in s.leaving if c != e.channel))
    if e.channel == s.agent_channel:
        return _AGENT_LEG_GONE[s.phase](turn, e)
    if s.onward is not None and e.channel == s.onward.channel:
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


def _agent_gone_otherwise(turn: Turn, _e: pbx.ChannelHungUp) -> None:
    turn.set(agent_channel=None)


_AGENT_LEG_GONE = {
    Phase.ARRIVING: _agent_gone_otherwise,
    Phase.FLOW: _agent_gone_otherwise,
    Phase.QUEUED: _agent_gone_while_queued,
    Phase.CONNECTING: _agent_gone_while_connecting,
    Phase.TALKING: _agent_gone_while_talking,
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
            turn.do(cmd.EndWork(s.working))
        drop_agent_leg(turn, "customer_left")
        end_flow(turn, "caller_left")
        return ExitReason.ABANDONED_IN_QUEUE
    if s.phase is Phase.TALKING:
        customer_left(turn, by)
        return ExitReason.COMPLETED
    talked_onward = s.onward is not None and s.onward.talks
    onward.drop(turn, "customer_left")
    reason = customer_gone(turn, e)
    if talked_onward:
        return ExitReason.COMPLETED
    # Somebody talked before the flow went on: however that ended, the contact was completed.
    return ExitReason.COMPLETED if s.agent is not None and reason is not ExitReason.REJECTED else reason


def ended(turn: Turn, reason: ExitReason, cause: HangupCause, by: str, mos: float | None = None) -> None:
    turn.fact(ev.ParticipantLeft(participant=turn.customer, reason=reason.value))
    turn.fact(ev.Ended(exit_reason=reason, cause=cause.value, by=by, mos=mos))
    turn.set(phase=Phase.ENDING, customer_up=False)
    turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))


def finish_timer(turn: Turn, e: inp.TimerFired) -> None:
    """What should have ended by itself by now is ended by us."""
    if e.name != "finish" or turn.s.phase is not Phase.ENDING:
        return
    turn.set(leaving=())
    _finish_recording(turn)


def close_if_done(turn: Turn) -> None:
    """Closed when the citizen is gone, no agent is held, no leg is left and no recording is open."""
    s = turn.s
    left = s.message if s.message is not None and s.message.recording else None
    open_ends = (s.working, s.offer, s.agent_channel, s.recording, s.onward, left)
    if s.phase is Phase.ENDING and not s.leaving and all(x is None for x in open_ends):
        turn.set(phase=Phase.CLOSED)
        turn.fact(ev.Closed())


def switch_died(turn: Turn, _e: inp.SwitchDied) -> None:
    """Every leg is gone with it. The recording is kept up to that moment."""
    s = turn.s
    turn.set(leaving=(), agent_channel=None, customer_up=False, onward=None)
    if s.phase is Phase.ENDING:
        _finish_recording(turn)
        return
    if s.phase is Phase.TALKING:
        customer_left(turn, "system")
    elif s.phase is Phase.QUEUED:
        abandoned(turn)
    elif s.phase is Phase.CONNECTING and s.working is not None:
        turn.do(cmd.EndWork(s.working))
        drop_agent_leg(turn, "switch_lost")
    end_flow(turn, "switch_lost")
    _finish_recording(turn)
    ended(turn, ExitReason.SWITCH_LOST, HangupCause.SWITCH_LOST, "system")


def _finish_recording(turn: Turn) -> None:
    left = turn.s.message
    if left is not None:
        turn.do(cmd.FinishRecording(left.id, left.path))
        turn.set(message=None)
    if turn.s.recording is not None:
        turn.do(cmd.FinishRecording(turn.s.recording, turn.s.recording_path or ""))


# --- taken up again --------------------


def reattach(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
    turn.set(leaving=())
    if e.restarted and s.working is not None:
        turn.do(cmd.RestoreWork(s.working, s.queue or "", s.wrap_up_until))
    if s.phase is Phase.ENDING:
        _finish_recording(turn)
        turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))
    elif e.customer_up:
        _TAKE_UP[s.phase](turn, e)
    else:
        _gone_unseen(turn, e)


def _gone_unseen(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    reason = ExitReason.DAEMON_LOST
    if s.phase is Phase.TALKING:
        if not e.agent_up:
            turn.set(agent_channel=None)
        customer_left(turn, "customer")
        reason = ExitReason.COMPLETED
    elif s.phase is Phase.QUEUED:
        abandoned(turn)
        if e.restarted:  # the router is new too and knows of no offer
            drop_agent_leg(turn, "daemon_lost")
            turn.set(offer=None)
    elif s.phase is Phase.CONNECTING:
        if s.working is not None:
            turn.do(cmd.EndWork(s.working))
        drop_agent_leg(turn, "daemon_lost")
    end_flow(turn, "caller_left")
    _finish_recording(turn)
    ended(turn, reason, HangupCause.OTHER, "customer")


def _resume_flow(turn: Turn, e: inp.Reattach) -> None:
    # Whatever was told in the gap is lost: the flow asks again for what it waited for.
    turn.set(prompt=None, collecting=False)
    if turn.s.onward is not None:
        return None if e.onward_up else onward.over(turn, flow.TransferExit.FAILED)
    if turn.s.message is not None:  # the flow asks for another one
        turn.do(cmd.StopRecording(turn.s.channel, turn.s.message.id))
        turn.set(message=None)
    return tell(turn, flow.Resume())


def _resume_queue(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if not e.restarted:
        if s.agent_channel is not None and e.agent_answered and s.offer is not None:
            turn.do(cmd.AnswerOffer(s.offer, OfferEnd.ACCEPTED))
        elif s.agent_channel is not None and not e.agent_up and s.offer is not None:
            turn.set(agent_channel=None)
            turn.do(cmd.AnswerOffer(s.offer, OfferEnd.FAILED, "lost"))
        return
    if s.offer is not None and s.agent is not None:
        turn.fact(ev.OfferEnded(offer=s.offer, agent=s.agent, how=OfferEnd.WITHDRAWN, detail="daemon_lost"))
    drop_agent_leg(turn, "daemon_lost", HangupCause.CANCELLED)
    turn.set(offer=None, agent=None)
    route(turn)


def _resume_connecting(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if e.bridged and s.agent is not None and s.agent_participant is not None:
        turn.set(phase=Phase.TALKING)
        turn.fact(ev.Connected(agent=s.agent, participant=s.agent_participant))
        recording, path = turn.new_recording()
        turn.set(recording=recording, recording_path=path)
        turn.do(cmd.StartRecording(s.channel, recording, path))
    elif e.agent_up and s.agent_channel is not None:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))
    else:
        turn.set(agent_channel=None)
        lost_before_talk(turn, "lost")


def _resume_talk(turn: Turn, e: inp.Reattach) -> None:
    if e.agent_up:
        return  # they never noticed
    turn.set(agent_channel=None)
    agent_left(turn, "agent")


def _resume_arriving(turn: Turn, _e: inp.Reattach) -> None:
    turn.set(hangup_by="system")
    hang_up(turn, HangupCause.CONGESTION)


_TAKE_UP = {
    Phase.ARRIVING: _resume_arriving,
    Phase.FLOW: _resume_flow,
    Phase.QUEUED: _resume_queue,
    Phase.CONNECTING: _resume_connecting,
    Phase.TALKING: _resume_talk,
}


# --- commands that were not carried out --------------------


def command_failed(turn: Turn, e: inp.CommandFailed) -> None:
    """What is not done is told to whoever waits for it. A leg that is gone says so itself, by its hang-up."""
    if e.code == "switch.channel_gone" and not isinstance(e.command, cmd.RingAgent):
        return
    turn.fact(ev.CommandFailed(command=type(e.command).__name__, code=e.code, message=e.message))
    unreachable = e.code == "switch.unreachable"
    match e.command:
        case cmd.RingAgent() if turn.s.offer is not None and e.command.channel == turn.s.agent_channel:
            turn.set(agent_channel=None)
            if unreachable:  # it may ring all the same
                turn.do(cmd.HangupLeg(e.command.channel, HangupCause.CANCELLED))
            turn.do(cmd.AnswerOffer(turn.s.offer, OfferEnd.FAILED, e.code))
        case cmd.StartRecording() if e.command.recording == turn.s.recording:
            failed(turn, e.message, None)
        case cmd.StartRecording() if turn.s.message is not None and e.command.recording == turn.s.message.id:
            message.lost(turn, e.message)
        case cmd.CallOut() if turn.s.onward is not None and e.command.channel == turn.s.onward.channel:
            onward.failed(turn, e.code)
        case cmd.BridgeLegs() if turn.s.onward is not None and e.command.agent == turn.s.onward.channel:
            onward.failed(turn, e.code)
        case cmd.AnswerLeg() | cmd.RejectLeg() if not unreachable:
            hang_up(turn, HangupCause.CONGESTION)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable and turn.s.message is not None:
            message.prompted(turn, turn.s.message)
        case cmd.PlayTo() if e.command.playback == turn.s.prompt and not unreachable:
            turn.set(prompt=None)
            tell(turn, flow.Played(ok=False, detail=e.message))
        case cmd.CollectFrom() if turn.s.collecting and not unreachable:
            turn.set(collecting=False)
            tell(turn, flow.Collected("", flow.CollectEnd.TIMEOUT))
        case cmd.BridgeLegs() if turn.s.phase is Phase.CONNECTING and not unreachable:
            lost_before_talk(turn, e.code)
        case _:
            pass  # nobody waits for it; when the switch was away, `Reattach` brings the truth
