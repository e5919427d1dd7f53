"""A supervisor takes a call over: the citizen is joined with them, and the agent writes down what there was."""

from __future__ import annotations

from callcontrol import call_queue as queue
from callcontrol import call_supervision as supervision
from callcontrol import call_talk as talk
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import NotNow, Turn
from callcontrol.model import Phase, Role
from callcontrol.routing.rules import PERSONAL


def take_over(turn: Turn, e: inp.TakeOver) -> None:
    s = turn.s
    if s.agent is None or s.agent == e.by:
        raise NotNow("it is one's own call")
    turn.fact(ev.TakenOver(by=e.by, of=s.agent))
    supervision.end(turn, e.by, "took_over")
    # The citizen's old pair ends with it, before the router hears that the agent is free.
    turn.do(cmd.BridgeLegs(s.channel, e.channel))
    parting = s.working
    talk.part(turn, "supervisor")
    queue.drop_agent_leg(turn, "taken_over")
    others = dict(turn.s.others)
    if parting is not None:
        others[parting] = turn.s.items.get(parting, s.id)
    _, participant = turn.new_leg()
    turn.set(
        phase=Phase.CONNECTING,
        others=others,
        agent=e.by,
        working=e.by,
        agent_channel=e.channel,
        agent_open=True,
        agent_participant=participant,
    )
    turn.fact(
        ev.ParticipantJoined(participant=participant, role=Role.AGENT, address=str(e.by), channel=e.channel, agent=e.by)
    )
    turn.do(cmd.BeginWork(e.by, s.queue or f"{PERSONAL}{e.by}"))
