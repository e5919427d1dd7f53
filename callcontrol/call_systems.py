"""The call while a system of the customer's is asked: a late answer is none, and nobody waits in silence."""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol.call_flow import run_actions, tell, wishes_person
from callcontrol.call_state import Turn
from callcontrol.model import Phase
from ivr_flows import protocol as flow
from ivr_flows.state import action_from_json

COMFORT = "comfort"


def fetched(turn: Turn, e: inp.Fetched) -> None:
    if e.request != turn.s.request:
        return  # the caller went on to a person, or hung up
    turn.set(request=None, asked=None, comforting=None)
    tell(turn, e.response)


def comfort_due(turn: Turn, request: str) -> None:
    """The answer takes its time: say so, then play music until it comes."""
    s = turn.s
    if s.phase is not Phase.FLOW or request != s.request or s.asked is None:
        return
    asked = action_from_json(s.asked)
    if not isinstance(asked, flow.Request) or not asked.comfort:
        return
    playback = turn.new_playback()
    turn.set(comforting=playback)
    turn.do(cmd.PlayTo(s.channel, playback, tuple(asked.comfort)))


def comforted(turn: Turn) -> None:
    """Also where the prompt could not be played: music is better than silence."""
    turn.set(comforting=None)
    turn.do(cmd.StartMusic(turn.s.channel, "default"))


def wished(turn: Turn, wish: flow.Collected) -> None:
    """Who wants a person waits for no system."""
    run_actions(turn, wishes_person(turn, wish))
