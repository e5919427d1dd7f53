"""The agent's phone gives the citizen to somebody else (SIP REFER), blind: another phone, or a number we may dial.

While the third party rings the agent may hang up: who transferred has done their part. When nobody answers the citizen
goes back to the agent, where there still is one, else to the head of the queue they came from.
"""

from __future__ import annotations

from callcontrol import call_supervision as supervision
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import back_to_flow, end_flow
from callcontrol.call_queue import drop_agent_leg, queue_again
from callcontrol.call_state import Turn
from callcontrol.model import Phase, Role
from ivr_flows.protocol import QueueExit
from pbx import events as pbx

# As long as a caller listens to ringing before they believe that nobody is there.
RING_S = 30.0


def asked(turn: Turn, e: pbx.TransferAsked) -> None:
    s = turn.s
    if e.channel != s.agent_channel or s.agent is None:
        return refused(turn, e)
    if e.consult is not None:
        # Its consultation is a call of its own, with a record of its own: two records cannot become one.
        return _refuse(turn, "attended")
    return begin(turn, e.target)


def begin(turn: Turn, target: str) -> None:
    s = turn.s
    assert s.agent is not None  # noqa: S101 - a talk has an agent
    far, participant = turn.new_leg()
    turn.set(phase=Phase.TRANSFER, far=far, far_participant=participant, far_up=False, held=False)
    turn.fact(ev.ParticipantJoined(participant=participant, role=Role.EXTERNAL, address=target, channel=far))
    turn.fact(ev.TransferBegun(by=s.agent, to=target, participant=participant))
    turn.do(cmd.TransferLeg(s.channel, far, target, s.from_number, RING_S))


def refused(turn: Turn, _e: pbx.TransferAsked) -> None:
    """By a phone that talks with nobody, or no longer."""
    _refuse(turn, "no talk")


def _refuse(turn: Turn, why: str) -> None:
    turn.fact(ev.TransferEnded(participant=None, how="refused", detail=why))


def not_taken(turn: Turn, e: inp.CommandFailed) -> None:
    """The dial rules, or the switch, said no: the pair is as it was."""
    turn.fact(ev.TransferEnded(participant=turn.s.far_participant, how="refused", detail=e.code))
    _far_gone(turn, "refused")
    if turn.s.agent_channel is not None:
        turn.set(phase=Phase.TALKING)
    else:
        _nobody_left(turn)


def joined(turn: Turn, e: pbx.Bridged) -> None:
    if {e.channel, e.peer} == {turn.s.channel, turn.s.far}:
        connected(turn)


def connected(turn: Turn) -> None:
    if not turn.s.far_up:
        part(turn)
        turn.set(far_up=True)
        turn.fact(ev.TransferEnded(participant=turn.s.far_participant, how="connected"))


def part(turn: Turn) -> None:
    """The agent's share is done."""
    s = turn.s
    if s.agent is not None and s.agent_participant is not None:
        supervision.end_all(turn)
        # Whom the switch has joined with the third party is parted from the agent already.
        turn.fact(ev.Disconnected(agent=s.agent, participant=s.agent_participant, by="agent"))
        turn.end_work(s.agent)
        drop_agent_leg(turn, "transferred")


def far_left(turn: Turn, why: str) -> None:
    """The third party did not answer, or hung up."""
    if turn.s.far_up:
        if turn.s.recording is not None:
            turn.do(cmd.StopRecording(turn.s.channel, turn.s.recording))
        _far_gone(turn, "left")
        back_to_flow(turn, QueueExit.TALKED)
        return
    turn.fact(ev.TransferEnded(participant=turn.s.far_participant, how="failed", detail=why))
    _far_gone(turn, why)
    if turn.s.agent_channel is not None:
        turn.set(phase=Phase.TALKING)
        turn.do(cmd.BridgeLegs(turn.s.channel, turn.s.agent_channel))
    else:
        _nobody_left(turn)


def _nobody_left(turn: Turn) -> None:
    if turn.s.recording is not None:
        turn.do(cmd.StopRecording(turn.s.channel, turn.s.recording))
    queue_again(turn)


def _far_gone(turn: Turn, why: str) -> None:
    if turn.s.far_participant is not None:
        turn.fact(ev.ParticipantLeft(participant=turn.s.far_participant, reason=why))
    turn.set(far=None, far_participant=None, far_up=False)


def customer_left(turn: Turn) -> None:
    part(turn)
    if turn.s.far is not None:
        turn.do(cmd.HangupLeg(turn.s.far))
        turn.set(leaving=(*turn.s.leaving, turn.s.far))
    _far_gone(turn, "customer_left")
    end_flow(turn, "talk_over")


def resume(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if s.agent_channel is not None and not e.lives(s.agent_channel):
        turn.set(agent_channel=None)
        part(turn)
    if not e.lives(s.far):
        far_left(turn, "lost")
    elif e.bridged_to == s.far:
        connected(turn)
