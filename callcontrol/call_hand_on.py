"""Blind transfer from the page: the agent is done at once, and the citizen goes to a queue, to one agent, or is called
through to a number."""

from __future__ import annotations

from callcontrol import call_queue as queue
from callcontrol import call_talk as talk
from callcontrol import call_transfer as transfer
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_flow import back_to_flow, route
from callcontrol.call_state import NotNow, Turn
from callcontrol.model import AgentId, Phase, Target
from callcontrol.routing.rules import PERSONAL
from ivr_flows.protocol import QueueExit
from pbx import events as pbx

HAND = "hand"
# As long as one agent is waited for, before whoever is free in the queue gets the citizen.
HAND_S = 30.0


def hand_on(turn: Turn, e: inp.HandOn) -> None:
    s = turn.s
    if s.agent is None or s.away:
        raise NotNow("the agent's audio is away")
    if e.kind is Target.NUMBER:
        return transfer.begin(turn, e.to)
    turn.fact(ev.Transferred(by=s.agent, kind=e.kind, to=e.to))
    talk.part_open(turn)
    talk.part(turn, "agent")
    if s.recording is not None:
        turn.do(cmd.StopRecording(s.channel, s.recording))
    queue.drop_agent_leg(turn, "transferred")
    if e.kind is Target.QUEUE:
        turn.set(queue=e.to, hand=None, handed=False)
    else:
        hand = AgentId(e.to)
        turn.set(queue=s.queue or f"{PERSONAL}{hand}", hand=hand, handed=True, hands=s.hands + 1)
        turn.do(cmd.SetTimer(f"{HAND}:{turn.s.hands}", turn.at + HAND_S))
    return queue.queue_again(turn)


def rings(turn: Turn, e: pbx.ChannelRinging) -> None:
    """The number rings: the agent, who gave it there blindly, is done."""
    if e.channel == turn.s.far and turn.s.agent_open:
        transfer.part(turn)


def waited_enough(turn: Turn, number: str) -> None:
    if number == str(turn.s.hands) and turn.s.phase is Phase.QUEUED and turn.s.offer is None:
        to_all(turn)


def to_all(turn: Turn) -> None:
    """That one agent did not take it."""
    s = turn.s
    if not s.handed or s.queue is None:
        return
    turn.set(hand=None, handed=False)
    turn.do(cmd.WithdrawItem())
    if s.queue.startswith(PERSONAL):  # a call out: there is no queue behind that one agent's own line
        turn.fact(ev.Dequeued(queue=s.queue, how="no_agents", waited_s=queue.waited(turn)))
        turn.do(cmd.StopMusic(s.channel))
        back_to_flow(turn, QueueExit.NO_AGENTS)
    else:
        route(turn)
