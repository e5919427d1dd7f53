"""All three talk: citizen, agent, and who was asked, in one room of the switch. One may leave, and the others go on."""

from __future__ import annotations

from callcontrol import call_consult as consult
from callcontrol import call_leg as open_leg
from callcontrol import call_talk as talk
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import NotNow, Turn
from callcontrol.model import Phase
from pbx.terms import HangupCause


def begin(turn: Turn, _e: inp.ConsultConference) -> None:
    s = turn.s
    asked = s.consult
    if asked is None or not asked.talks:
        raise consult.NotTalking("whom you ask has not answered yet")
    if s.agent is None or s.agent_channel is None or asked.channel is None:
        raise NotNow("somebody's audio is away")
    turn.set(phase=Phase.CONFERENCE)
    turn.fact(ev.ConferenceBegun(by=s.agent))
    turn.do(*(cmd.EnterRoom(leg, s.id) for leg in (s.channel, s.agent_channel, asked.channel)))


def leave(turn: Turn, _e: inp.ConferenceLeave | None) -> None:
    """The agent goes; the others talk on."""
    s = turn.s
    if s.consult is None:
        raise NotNow("nobody would be left")
    if s.agent_channel is not None and s.agent_open:
        turn.do(cmd.LeaveRoom(s.agent_channel))
    consult.give_on(turn, s.consult)


def hangs_up(turn: Turn, e: inp.AgentHangup) -> None:
    """Also the colleague who was asked may."""
    asked = turn.s.consult
    if asked is not None and asked.agent == e.by:
        remove(turn, inp.ConferenceRemove(e.by, asked.participant))
    else:
        leave(turn, None)


def remove(turn: Turn, e: inp.ConferenceRemove) -> None:
    """Who was asked goes; citizen and agent are a pair again."""
    if turn.s.consult is None or e.participant != turn.s.consult.participant:
        raise NotNow("only who was asked can be taken out of the conference")
    _part_asked(turn)
    consult.back(turn, "cancelled")


def _part_asked(turn: Turn) -> None:
    asked = turn.s.consult
    if asked is not None and asked.channel is not None and asked.is_open:
        turn.do(cmd.LeaveRoom(asked.channel))


def far_gone(turn: Turn, channel: str, cause: HangupCause) -> bool:
    return consult.far_gone(turn, channel, cause)


def customer_left(turn: Turn, by: str) -> None:
    _part_asked(turn)
    s = turn.s
    if s.agent_channel is not None and s.agent_open:
        turn.do(cmd.LeaveRoom(s.agent_channel))
    consult.drop(turn, "left")
    talk.customer_left(turn, by)


def agent_gone(turn: Turn) -> None:
    """The others talk on: an open leg that comes back enters the room again, a phone that was put down has left."""
    if turn.s.agent_open:
        turn.set(agent_channel=None)
        open_leg.miss(turn)
    else:
        turn.set(agent_channel=None)
        leave(turn, None)


def grace_over(turn: Turn, number: str) -> None:
    """The agent's page did not come back: the others go on without."""
    s = turn.s
    if s.away and number == str(s.aways) and s.phase is Phase.CONFERENCE:
        turn.set(away=False)
        leave(turn, None)


def resume(turn: Turn, e: inp.Reattach) -> None:
    s = turn.s
    if s.consult is None or not e.lives(s.consult.channel):
        return consult.back(turn, "lost")
    if s.agent_channel is None or not e.lives(s.agent_channel):
        return agent_gone(turn)
    return None
