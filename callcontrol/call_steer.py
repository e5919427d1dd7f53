"""A supervisor's hand on a call: into another queue, forward in the line, to one agent, or to its end."""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import end_flow
from callcontrol.call_queue import waited
from callcontrol.call_state import Turn
from callcontrol.model import Phase, Steering
from pbx.terms import HangupCause


def waiting(turn: Turn, e: inp.Steer) -> None:
    """Of one who waits in a queue."""
    match e.act:
        case Steering.MOVE:
            turn.fact(ev.Steered(act=e.act, by=e.by, queue=e.queue))
            turn.do(cmd.MoveItem(e.queue, e.by))
        case Steering.RAISE:
            turn.set(priority=e.priority)
            turn.fact(ev.Steered(act=e.act, by=e.by, priority=e.priority))
            turn.do(cmd.RaiseItem(e.priority, e.by))
        case Steering.ASSIGN if e.agent is not None:
            turn.set(hand=e.agent)
            turn.fact(ev.Steered(act=e.act, by=e.by, agent=e.agent))
            turn.do(cmd.AssignItem(e.agent, e.by))
        case _:
            turn.fact(ev.Steered(act=e.act, by=e.by))
            turn.fact(ev.Dequeued(queue=turn.s.queue or "", how="ended", waited_s=waited(turn)))
            turn.do(cmd.WithdrawItem())
            turn.set(phase=Phase.FLOW, queue=None)
            _end(turn)


def elsewhere(turn: Turn, e: inp.Steer) -> None:
    """Only its end can still be asked for; the rest came a moment too late, and the record says nothing of it."""
    if e.act is Steering.END and turn.s.customer_up:
        turn.fact(ev.Steered(act=e.act, by=e.by))
        _end(turn)


def _end(turn: Turn) -> None:
    """The citizen's leg is taken down; what that means in each phase is `call_end`'s to say."""
    if turn.s.phase is Phase.FLOW:
        end_flow(turn, "supervisor")
    turn.set(hangup_by="supervisor")
    turn.do(cmd.HangupLeg(turn.s.channel, HangupCause.NORMAL))
