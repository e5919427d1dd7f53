"""A promised callback: it waits in the line in the caller's place, and when an agent takes it, the citizen is dialled.

Theory of operation
-------------------
It is an interaction of its own, linked to the one in which it was promised. Until the citizen is reached there is no
leg of theirs, so what the phases mean is another than for a call that came in: `TABLE` here is looked at first while
`state.callback.reached` is false. From the first word on it is a call like any other.

    asked -> SCHEDULED -> QUEUED -> (an agent takes it) -> DIALING -> TALKING
                 ^___________________________________________|  not reached, tried again later
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callcontrol import call_end as end
from callcontrol import call_failed as failed
from callcontrol import call_out as out
from callcontrol import call_queue as queue
from callcontrol import call_reattach as again
from callcontrol import call_steer as steer
from callcontrol import call_talk as talk
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import queued, route
from callcontrol.call_state import Callback, Turn
from callcontrol.model import (
    Direction,
    ExitReason,
    InitiationMethod,
    Medium,
    OfferEnd,
    Phase,
    Role,
    Steering,
)
from callcontrol.routing import terms as routing
from pbx import events as pbx
from pbx.terms import HangupCause

DUE = "callback"
# Nobody answers there, ever: not tried again.
_FOR_EVER = frozenset({HangupCause.UNALLOCATED})


def asked(turn: Turn, e: inp.CallbackAsked) -> None:
    order, policy = e.order, e.policy
    turn.set(
        from_number=order.number,
        queue=order.queue,
        queued_at=order.queued_at,
        priority=order.priority,
        skills=dict(order.skills),
        criticality=order.criticality,
        target_s=order.target_s,
        preferred=order.preferred,
        reason=order.reason,
        callback=Callback(attempts=policy.attempts, retry_s=policy.retry_s, ring_s=policy.ring_s),
    )
    turn.fact(
        ev.Started(
            medium=Medium.CALLBACK,
            direction=Direction.OUTBOUND,
            initiation_method=InitiationMethod.CALLBACK,
            channel="",
            from_address="",
            from_name="",
            to_address=order.number,
            trunk=None,
            queue=order.queue,
            origin=order.origin,
        )
    )
    turn.fact(ev.ParticipantJoined(participant=turn.customer, role=Role.CUSTOMER, address=order.number, channel=None))
    if e.due > turn.at:
        _schedule(turn, e.due, "")
    else:
        _line_up(turn)


def _callback(turn: Turn) -> Callback:
    assert turn.s.callback is not None  # noqa: S101 - `TABLE` is asked for callbacks only
    return turn.s.callback


def _schedule(turn: Turn, at: float, cause: str) -> None:
    callback = _callback(turn).scheduled(at)
    turn.set(phase=Phase.SCHEDULED, callback=callback)
    turn.fact(ev.CallbackScheduled(at=at, attempt=callback.tried, cause=cause))
    turn.do(cmd.SetTimer(f"{DUE}:{callback.schedules}", at))


def _due(turn: Turn, e: inp.TimerFired) -> None:
    if e.name == f"{DUE}:{_callback(turn).schedules}":
        _line_up(turn)


def _line_up(turn: Turn) -> None:
    """In the place that the caller had: by when they came."""
    turn.set(phase=Phase.QUEUED, waits_since=turn.at, agent=None)
    queued(turn, callback=True)
    route(turn)


def _postponed(turn: Turn, e: inp.CallbackPostponed) -> None:
    """Its queue has closed since it was promised, or since the last try."""
    turn.fact(ev.Dequeued(queue=turn.s.queue or "", how="closed", waited_s=queue.waited(turn)))
    _schedule(turn, e.until, "closed")


# --- an agent takes it --------------------


def _assigned(turn: Turn, d: routing.Assign) -> None:
    s = turn.s
    turn.set(offer=None, working=d.agent, hand=None)
    turn.fact(ev.OfferEnded(offer=d.offer, agent=d.agent, how=OfferEnd.ACCEPTED))
    turn.fact(ev.Dequeued(queue=s.queue or "", how="answered", waited_s=queue.waited(turn)))
    if d.offer != s.offer or s.agent_channel is None or s.agent_participant is None:
        turn.end_work(d.agent)
        queue.drop_agent_leg(turn, "lost")
        return _line_up(turn)
    channel, _ = turn.new_leg()
    callback = _callback(turn)
    turn.set(phase=Phase.DIALING, channel=channel, customer_up=True, callback=callback.dialled())
    turn.fact(ev.Dialing(agent=d.agent, participant=s.agent_participant))
    return turn.do(cmd.TransferLeg(s.agent_channel, channel, s.from_number, "", callback.ring_s))


def _gave_up(turn: Turn, d: routing.GiveUp) -> None:
    """The router never gives a promise up, but for a queue that is there no more."""
    turn.fact(ev.Dequeued(queue=turn.s.queue or "", how=d.why, waited_s=queue.waited(turn)))
    turn.do(cmd.Alert("callback_lost", f"a callback waits for the queue {turn.s.queue!r}, which does not exist"))
    end.ended(turn, ExitReason.FAILED, HangupCause.OTHER, "system")


def _bridged(turn: Turn, e: pbx.Bridged) -> None:
    """Reached: a call like any other from now on."""
    talk.bridged(turn, e)
    if turn.s.phase is Phase.TALKING:
        turn.set(callback=_callback(turn).answered())


# --- not reached --------------------


def _hung_up(turn: Turn, e: pbx.ChannelHungUp) -> None:
    s = turn.s
    if e.channel == s.channel and s.customer_up:
        _not_reached(turn, e.cause)
    elif e.channel == s.agent_channel:  # a desk phone that was put down while it rang
        turn.set(agent_channel=None, hangup_by="agent")
        turn.do(cmd.HangupLeg(s.channel, HangupCause.CANCELLED))
    else:
        end.hung_up(turn, e)


def _not_reached(turn: Turn, cause: HangupCause) -> None:
    """Tried again later, in the same place; or given up, with the reason of the last attempt."""
    s, callback = turn.s, _callback(turn)
    by_supervisor = s.hangup_by == "supervisor"
    turn.set(customer_up=False, answered=False, hangup_by=None)
    reason = out.not_reached(turn)
    if by_supervisor:
        end.ended(turn, ExitReason.ENDED_BY_SUPERVISOR, cause, "system")
    elif callback.tried >= callback.attempts or cause in _FOR_EVER:
        end.ended(turn, reason, cause, "system")
    else:
        _schedule(turn, turn.at + callback.retry_s, cause.value)


def _command_failed(turn: Turn, e: inp.CommandFailed) -> None:
    """Our own rules, or the switch, will not call there: nor will they later."""
    s = turn.s
    if isinstance(e.command, cmd.TransferLeg) and e.command.new_leg == s.channel and e.code != "switch.unreachable":
        turn.fact(ev.CommandFailed(command="TransferLeg", code=e.code, message=e.message))
        turn.set(customer_up=False)
        end.ended(turn, out.not_reached(turn), HangupCause.REJECTED, "system")
    else:
        failed.command_failed(turn, e)


# --- a supervisor's hand, a switch that died, a daemon that was away --------------------


def _steered(turn: Turn, e: inp.Steer) -> None:
    if e.act is not Steering.END:
        if turn.s.phase is Phase.QUEUED:
            steer.waiting(turn, e)
        return
    turn.fact(ev.Steered(act=e.act, by=e.by))
    if turn.s.phase is Phase.QUEUED:
        turn.fact(ev.Dequeued(queue=turn.s.queue or "", how="ended", waited_s=queue.waited(turn)))
        turn.do(cmd.WithdrawItem())
    end.ended(turn, ExitReason.ENDED_BY_SUPERVISOR, HangupCause.NORMAL, "system")


def _late(_turn: Turn, _e: object) -> None:
    """Of no consequence for a promise."""


def _switch_died_waiting(turn: Turn, _e: inp.SwitchDied) -> None:
    """The promise stands; only an agent's phone that rang is gone."""
    offer = turn.s.offer
    turn.set(leaving=(), agent_channel=None)
    if offer is not None:
        turn.do(cmd.AnswerOffer(offer, OfferEnd.FAILED, "switch_lost"))


def _switch_died_dialing(turn: Turn, _e: inp.SwitchDied) -> None:
    turn.set(leaving=(), agent_channel=None)
    _not_reached(turn, HangupCause.SWITCH_LOST)


def _resume_scheduled(turn: Turn, e: inp.Reattach) -> None:
    turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
    again.settle_legs(turn, e)
    callback = _callback(turn)
    if e.restarted and callback.due is not None:
        turn.do(cmd.SetTimer(f"{DUE}:{callback.schedules}", max(turn.at, callback.due)))


def _resume_queue(turn: Turn, e: inp.Reattach) -> None:
    turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
    again.settle_legs(turn, e)
    if e.restarted:
        again.forget_offer(turn)
        route(turn)
    else:
        again.offer_after_gap(turn, e)


def _resume_dialing(turn: Turn, e: inp.Reattach) -> None:
    if not e.customer_up:
        turn.fact(ev.Reattached(gap_s=round(e.gap_s, 3)))
        again.settle_legs(turn, e)
        return _not_reached(turn, HangupCause.OTHER)
    return again.reattach(turn, e)


TABLE: dict[tuple[Phase, type[Any]], Callable[[Turn, Any], None]] = {
    (Phase.SCHEDULED, inp.TimerFired): _due,
    (Phase.SCHEDULED, inp.Steer): _steered,
    (Phase.SCHEDULED, inp.SwitchDied): _late,
    (Phase.SCHEDULED, inp.Reattach): _resume_scheduled,
    (Phase.SCHEDULED, pbx.ChannelAnswered): queue.stray_answered,
    (Phase.SCHEDULED, pbx.Bridged): _late,
    (Phase.QUEUED, inp.CallbackPostponed): _postponed,
    (Phase.QUEUED, routing.Assign): _assigned,
    (Phase.QUEUED, routing.GiveUp): _gave_up,
    (Phase.QUEUED, inp.Steer): _steered,
    (Phase.QUEUED, inp.SwitchDied): _switch_died_waiting,
    (Phase.QUEUED, inp.Reattach): _resume_queue,
    (Phase.DIALING, pbx.Bridged): _bridged,
    (Phase.DIALING, pbx.ChannelHungUp): _hung_up,
    (Phase.DIALING, inp.CommandFailed): _command_failed,
    (Phase.DIALING, inp.SwitchDied): _switch_died_dialing,
    (Phase.DIALING, inp.Reattach): _resume_dialing,
}
