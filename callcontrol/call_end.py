"""How a call ends, well or badly."""

from __future__ import annotations

from callcontrol import call_conference as conference
from callcontrol import call_consult as consult
from callcontrol import call_message as message
from callcontrol import call_onward as onward
from callcontrol import call_out as out
from callcontrol import call_transfer as transfer
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import customer_gone, end_flow
from callcontrol.call_queue import abandoned, agent_leg_down, drop_agent_leg, lost_before_talk
from callcontrol.call_state import Turn
from callcontrol.call_talk import agent_left, customer_left
from callcontrol.model import ExitReason, Phase
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
    if s.phase in WITH_OTHERS:
        WITH_OTHERS[s.phase](turn, by)
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


WITH_OTHERS = {Phase.CONSULT: consult.customer_left, Phase.CONFERENCE: conference.customer_left}


def ended(turn: Turn, reason: ExitReason, cause: HangupCause, by: str, mos: float | None = None) -> None:
    turn.fact(ev.ParticipantLeft(participant=turn.customer, reason=reason.value))
    turn.fact(ev.Ended(exit_reason=reason, cause=cause.value, by=by, mos=mos))
    turn.set(phase=Phase.ENDING, customer_up=False)
    message.settle(turn)
    turn.do(cmd.SetTimer("finish", turn.at + FINISH_AFTER_S))


def finish_timer(turn: Turn, e: inp.TimerFired) -> None:
    """What should have ended by itself by now is ended by us."""
    if e.name != "finish" or turn.s.phase is not Phase.ENDING:
        return
    for leg in turn.s.leaving:
        turn.do(cmd.HangupLeg(leg))
    turn.set(leaving=())
    finish_recording(turn)


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
        finish_recording(turn)
        return
    if s.phase is Phase.TALKING:
        customer_left(turn, "system")
    elif s.phase in WITH_OTHERS:
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
    finish_recording(turn)
    ended(turn, ExitReason.SWITCH_LOST, HangupCause.SWITCH_LOST, "system")


def finish_recording(turn: Turn) -> None:
    left = turn.s.message
    if left is not None and left.recording:
        turn.do(cmd.FinishRecording(left.id, left.path))
    if turn.s.recording is not None:
        turn.do(cmd.FinishRecording(turn.s.recording, turn.s.recording_path or ""))
