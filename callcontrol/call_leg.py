"""A call and its agent's open leg: offered on the page, joined at once, missed when it breaks off, joined again.

The leg is never the call's own: it is bridged and parted, and hung up by nobody but its page.
"""

from __future__ import annotations

from collections.abc import Callable

from callcontrol import call_queue as queue
from callcontrol import call_talk as talk
from callcontrol import call_transfer as transfer
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import Turn
from callcontrol.model import OfferEnd, Phase
from pbx.terms import HangupCause

AWAY = "away"


def offered(turn: Turn, e: inp.OfferMade) -> None:
    """No phone rings: the agent takes it on the page. Where the leg is down, the next agent gets it."""
    d = e.offer
    participant = queue.offer_stands(turn, d, e.leg)
    turn.set(agent_open=True)
    turn.fact(ev.Offered(offer=d.offer, agent=d.agent, participant=participant, expires_at=d.expires_at, why=d.why))
    if e.leg is None:
        turn.do(cmd.AnswerOffer(d.offer, OfferEnd.FAILED, "leg_down"))
    elif d.auto_accept:
        turn.do(cmd.AnswerOffer(d.offer, OfferEnd.ACCEPTED))


def late_offer(turn: Turn, e: inp.OfferMade) -> None:
    queue.late_offer(turn, e.offer)


# --- lost --------------------


def lost(turn: Turn, e: inp.LegLost) -> None:
    s = turn.s
    if e.channel != s.agent_channel or not s.agent_open:
        return
    if e.cause is HangupCause.SWITCH_LOST and s.customer_up:
        return  # the citizen's leg is gone with it, which is told next
    turn.set(agent_channel=None)
    _LOST[s.phase](turn, e)


def _while_offered(turn: Turn, _e: inp.LegLost) -> None:
    if turn.s.offer is not None:
        turn.do(cmd.AnswerOffer(turn.s.offer, OfferEnd.FAILED, "leg_down"))


def _while_connecting(turn: Turn, e: inp.LegLost) -> None:
    queue.lost_before_talk(turn, e.cause.value)


def _while_talking(turn: Turn, _e: inp.LegLost) -> None:
    miss(turn)


def miss(turn: Turn) -> None:
    """Music for the citizen, never silence; and a while for the page to come back."""
    s = turn.s
    if s.away or s.agent is None or s.agent_participant is None:
        return
    if s.phase is Phase.CONFERENCE:
        talk.unhold(turn)  # who is left in the room talks
    until = turn.at + s.grace_s
    turn.set(away=True, aways=s.aways + 1, held=False, agent_channel=None)
    turn.fact(ev.AgentAway(agent=s.agent, participant=s.agent_participant, until=until))
    if s.phase is not Phase.CONFERENCE:  # there the others talk on
        turn.do(cmd.PartLegs(s.channel), cmd.StartMusic(s.channel, s.music))
    turn.do(cmd.SetTimer(f"{AWAY}:{turn.s.aways}", until))


def miss_again(turn: Turn) -> None:
    """Found out by a daemon that was away, or whose connection was: where it was known, the grace begins anew."""
    turn.set(away=False)
    miss(turn)


def _while_transferring(turn: Turn, _e: inp.LegLost) -> None:
    transfer.part(turn)


def _otherwise(_turn: Turn, _e: inp.LegLost) -> None:
    pass


_LOST: dict[Phase, Callable[[Turn, inp.LegLost], None]] = {
    Phase.ARRIVING: _otherwise,
    Phase.FLOW: _otherwise,
    Phase.SCHEDULED: _otherwise,
    Phase.QUEUED: _while_offered,
    Phase.CONNECTING: _while_connecting,
    Phase.TALKING: _while_talking,
    Phase.TRANSFER: _while_transferring,
    Phase.WRAP_UP: _while_offered,
    Phase.ENDING: _while_offered,
    Phase.CLOSED: _otherwise,
}


# --- back --------------------


def back(turn: Turn, e: inp.LegBack) -> None:
    s = turn.s
    if s.away and e.agent == s.agent:
        turn.set(agent_channel=e.channel)
        if s.phase is Phase.CONFERENCE:
            turn.do(cmd.EnterRoom(e.channel, s.id))
            joined_again(turn)
        else:
            turn.do(cmd.BridgeLegs(s.channel, e.channel))


def joined_again(turn: Turn) -> None:
    s = turn.s
    if s.away and s.agent is not None and s.agent_participant is not None:
        turn.set(away=False)
        turn.fact(ev.AgentBack(agent=s.agent, participant=s.agent_participant))


def grace_over(turn: Turn, number: str) -> None:
    """The agent did not end it: the citizen goes to the head of the line they came from."""
    s = turn.s
    if not s.away or number != str(s.aways) or s.phase is not Phase.TALKING:
        return
    turn.set(away=False)
    talk.part(turn, "system")
    if turn.s.recording is not None:
        turn.do(cmd.StopRecording(s.channel, turn.s.recording))
    queue.drop_agent_leg(turn, "leg_lost")
    queue.queue_again(turn, first=True)
