"""The flow connects the caller with somebody outside of the queues; afterwards the flow goes on."""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import run_actions, tell, wishes_person
from callcontrol.call_state import Onward, Turn
from ivr_flows import protocol as flow
from pbx import events as pbx
from pbx.terms import HangupCause

_ENDS = {
    HangupCause.NO_ANSWER: flow.TransferExit.NO_ANSWER,
    HangupCause.CANCELLED: flow.TransferExit.NO_ANSWER,
    HangupCause.BUSY: flow.TransferExit.BUSY,
    HangupCause.REJECTED: flow.TransferExit.BUSY,
}


def answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    onward = turn.s.onward
    if onward is not None and e.channel == onward.channel:
        turn.do(cmd.BridgeLegs(turn.s.channel, onward.channel))


def bridged(turn: Turn, e: pbx.Bridged) -> None:
    onward = turn.s.onward
    if onward is not None and {e.channel, e.peer} == {turn.s.channel, onward.channel}:
        _connected(turn, onward)


def _connected(turn: Turn, onward: Onward) -> None:
    if not onward.talks:
        turn.set(onward=onward.talking())
        turn.fact(ev.FlowNoted(kind="transfer.talking", data={"participant": str(onward.participant)}))


def resume(turn: Turn, onward: Onward, e: inp.Reattach) -> None:
    if not e.lives(onward.channel):
        over(turn, flow.TransferExit.TALKED if onward.talks else flow.TransferExit.FAILED)
    elif e.bridged_to == onward.channel:
        _connected(turn, onward)
    elif e.legs.get(onward.channel):  # answered, and the order to join them may be lost
        turn.do(cmd.BridgeLegs(turn.s.channel, onward.channel))


def hung_up(turn: Turn, e: pbx.ChannelHungUp) -> None:
    """The other party's leg is gone."""
    onward = turn.s.onward
    if onward is None or e.channel != onward.channel:
        return
    how = flow.TransferExit.TALKED if onward.talks else _ENDS.get(e.cause, flow.TransferExit.FAILED)
    over(turn, how)


def over(turn: Turn, how: flow.TransferExit) -> None:
    onward = turn.s.onward
    if onward is None:
        return
    turn.fact(ev.ParticipantLeft(participant=onward.participant, reason=how.value))
    turn.set(onward=None)
    if not onward.talks:
        turn.do(cmd.StopMusic(turn.s.channel))
    tell(turn, flow.TransferEnded(how))


def wished(turn: Turn, wish: flow.Collected) -> None:
    """Who wants a person while it rings does not wait for the other one. In a talk keys are for the other party."""
    onward = turn.s.onward
    wishes = () if onward is None or onward.talks else wishes_person(turn, wish)
    if wishes:
        drop(turn, "cancelled")
        turn.do(cmd.StopMusic(turn.s.channel))
        run_actions(turn, wishes)


def drop(turn: Turn, why: str) -> None:
    """The caller is gone, or goes elsewhere: so goes the other party."""
    onward = turn.s.onward
    if onward is None:
        return
    turn.do(cmd.HangupLeg(onward.channel, HangupCause.NORMAL if onward.talks else HangupCause.CANCELLED))
    turn.fact(ev.ParticipantLeft(participant=onward.participant, reason=why))
    turn.set(onward=None, leaving=(*turn.s.leaving, onward.channel))


def lost(turn: Turn, why: str) -> None:
    """The leg went down with its switch."""
    if turn.s.onward is not None:
        turn.fact(ev.ParticipantLeft(participant=turn.s.onward.participant, reason=why))
        turn.set(onward=None)


def failed(turn: Turn, code: str, *, leg: bool = False) -> None:
    """The switch would not call, or not connect; `leg`: the other party may be there, and would hear nothing."""
    refused = code in ("switch.dial_refused", "switch.command_refused")
    onward = turn.s.onward
    if onward is not None and (leg or not refused):
        turn.do(cmd.HangupLeg(onward.channel, HangupCause.CANCELLED))
        turn.set(leaving=(*turn.s.leaving, onward.channel))
    over(turn, flow.TransferExit.REFUSED if refused else flow.TransferExit.FAILED)
