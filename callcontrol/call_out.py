"""A call out: from the agent's open leg, on which they hear it ring. The citizen is whom they call."""

from __future__ import annotations

from callcontrol import call_queue as queue
from callcontrol import call_talk as talk
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import Turn
from callcontrol.model import Direction, ExitReason, InitiationMethod, Medium, Phase, Role
from callcontrol.routing.rules import PERSONAL
from pbx import events as pbx
from pbx.terms import HangupCause

RING_S = 45.0


def place(turn: Turn, e: inp.PlaceCall) -> None:
    channel, _ = turn.new_leg()
    _, participant = turn.new_leg()
    turn.set(
        phase=Phase.DIALING,
        channel=channel,
        customer_up=True,
        from_number=e.number,
        queue=e.queue,
        queued_at=turn.at,
        agent=e.by,
        working=e.by,
        agent_channel=e.leg,
        agent_open=True,
        agent_participant=participant,
    )
    turn.fact(
        ev.Started(
            medium=Medium.VOICE,
            direction=Direction.OUTBOUND,
            initiation_method=InitiationMethod.OUTBOUND,
            channel=channel,
            from_address="",
            from_name="",
            to_address=e.number,
            trunk=None,
            queue=e.queue,
            customer=e.customer,
        )
    )
    turn.fact(ev.ParticipantJoined(participant=turn.customer, role=Role.CUSTOMER, address=e.number, channel=channel))
    turn.fact(
        ev.ParticipantJoined(participant=participant, role=Role.AGENT, address=str(e.by), channel=e.leg, agent=e.by)
    )
    turn.fact(ev.Dialing(agent=e.by, participant=participant))
    turn.do(cmd.BeginWork(e.by, e.queue or f"{PERSONAL}{e.by}"), cmd.TransferLeg(e.leg, channel, e.number, "", RING_S))


def answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    if e.channel == turn.s.channel and not turn.s.answered:
        turn.set(answered=True)
        turn.fact(ev.Answered())


def bridged(turn: Turn, e: pbx.Bridged) -> None:
    talk.bridged(turn, e)


def give_up(turn: Turn, _e: inp.AgentHangup | inp.LegLost) -> None:
    """The agent, or their page, does not wait: the hang-up that follows ends it."""
    turn.set(hangup_by="agent")
    turn.do(cmd.HangupLeg(turn.s.channel, HangupCause.CANCELLED))


def not_reached(turn: Turn) -> ExitReason:
    """What it was is still written down: nobody was there is a result, too."""
    if turn.s.working is not None:
        turn.end_work(turn.s.working)
    queue.drop_agent_leg(turn, "not_reached")
    return ExitReason.NOT_REACHED


def resume(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if s.agent_channel is None or not e.lives(s.agent_channel):
        turn.do(cmd.HangupLeg(s.channel, HangupCause.CANCELLED))
    elif e.customer_answered:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))
