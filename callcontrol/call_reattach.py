"""How a call is taken up again, by a new daemon or after a lost connection: by the switch's truth about its legs."""

from __future__ import annotations

from msgspec.structs import replace

from callcontrol import call_conference as conference
from callcontrol import call_consult as consult
from callcontrol import call_leg as open_leg
from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import call_out as out
from callcontrol import call_systems as systems
from callcontrol import call_transfer as transfer
from callcontrol import call_wait as wait
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_end import FINISH_AFTER_S, WITH_OTHERS, ended, finish_recording
from callcontrol.call_flow import end_flow, hang_up, route, tell
from callcontrol.call_queue import abandoned, drop_agent_leg, lost_before_talk
from callcontrol.call_state import Turn, open_channels
from callcontrol.call_talk import agent_left, customer_left, joined, start_recording
from callcontrol.model import ExitReason, OfferEnd, Phase
from ivr_flows import protocol as flow
from pbx.terms import HangupCause


def reattach(turn: Turn, e: inp.Reattach) -> None:
    turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
    if turn.s.owed is not None:  # the daemon died between the caller's yes and the first fact of the promise
        turn.do(cmd.PlaceCallback(turn.s.owed))
    settle_legs(turn, e)
    s = turn.s
    if e.restarted and s.working is not None and s.phase not in _AT_WORK:
        turn.end_work(s.working)  # the talk was over, and the router was not told any more
    if s.phase is Phase.ENDING:
        if e.restarted:
            forget_offer(turn)
        finish_recording(turn)
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
    elif s.phase in WITH_OTHERS:
        WITH_OTHERS[s.phase](turn, by)
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
    finish_recording(turn)
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
    if s.message is not None and s.message.seconds is not None:
        return message.go_on(turn, s.message.id)
    if s.message is not None and s.message.recording:  # what was said so far is kept; its end may have been told
        turn.set(message=replace(s.message, stopping=True))
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
