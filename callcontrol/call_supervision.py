"""A supervisor in a talk, from their own open leg: who listens, whispers or speaks to all; and who takes the call over.

It is the agent's leg that is supervised, so what is whispered is in no recording of the citizen. It ends with the talk.
"""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import NotNow, Turn, Watcher
from callcontrol.model import AgentId


def begin(turn: Turn, e: inp.Supervise) -> None:
    """Also of one who is there already: another mode."""
    s = turn.s
    asked = None if s.consult is None else s.consult.agent
    if s.agent_channel is None or e.by in (s.agent, asked):
        raise NotNow("the agent's audio is away, or it is one's own call")
    turn.set(watchers={**s.watchers, e.by: Watcher(e.channel, e.mode)})
    turn.fact(ev.SupervisionStarted(supervisor=e.by, mode=e.mode.value))
    turn.do(cmd.SuperviseLeg(e.channel, s.agent_channel, e.mode))


def stop(turn: Turn, e: inp.StopSupervising) -> None:
    if e.by not in turn.s.watchers:
        raise NotNow("you are not in this call")
    end(turn, e.by, "left")


def end(turn: Turn, supervisor: AgentId, why: str) -> None:
    watcher = turn.s.watchers.get(supervisor)
    if watcher is None:
        return
    turn.set(watchers={who: w for who, w in turn.s.watchers.items() if who != supervisor})
    turn.fact(ev.SupervisionEnded(supervisor=supervisor, mode=watcher.mode.value, why=why))
    if why != "leg_lost":
        turn.do(cmd.StopSupervision(watcher.channel))


def end_all(turn: Turn, why: str = "talk_over") -> None:
    for supervisor in list(turn.s.watchers):
        end(turn, supervisor, why)


def again(turn: Turn) -> None:
    """The agent's leg is in another pair, or is another leg: the switch ended it with the old one."""
    if turn.s.agent_channel is None:
        return
    for watcher in turn.s.watchers.values():
        turn.do(cmd.SuperviseLeg(watcher.channel, turn.s.agent_channel, watcher.mode))


def leg_lost(turn: Turn, channel: str) -> bool:
    """Whether it was a supervisor's."""
    for supervisor, watcher in turn.s.watchers.items():
        if watcher.channel == channel:
            end(turn, supervisor, "leg_lost")
            return True
    return False


def refused(turn: Turn, e: inp.CommandFailed, channel: str) -> None:
    for supervisor, watcher in turn.s.watchers.items():
        if watcher.channel == channel:
            return end(turn, supervisor, e.code)
    return None
