"""The agent asks somebody while the citizen hears music: a colleague, through the router and by an offer of their own,
or a number. Then the citizen is given on, or taken back, or all three talk (`call_conference`).

On the switch: the citizen's leg alone with music, the agent's leg in a pair with whom they ask; the other way round
while the agent has gone back to the citizen (`with_customer`).
"""

from __future__ import annotations

from msgspec.structs import replace

from callcontrol import call_leg as open_leg
from callcontrol import call_queue as queue
from callcontrol import call_talk as talk
from callcontrol import call_transfer as transfer
from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol import inputs as inp
from callcontrol.call_state import Consult, NotNow, Turn, without
from callcontrol.model import AgentId, InteractionId, Medium, OfferEnd, Phase, Role, Target
from callcontrol.routing import terms as routing
from callcontrol.routing.rules import PERSONAL
from pbx import events as pbx
from pbx.terms import RING_TONE, HangupCause

RING_S = 30.0
ITEM = ".k"  # the router's name of a consultation is <interaction>.k<n>


class NotTalking(NotNow):
    """Whom the agent asks has not answered yet."""

    code = "consult.not_talking"


def begin(turn: Turn, e: inp.AskColleague) -> None:
    s = turn.s
    if s.away or s.agent_channel is None or s.agent is None:
        raise NotNow("the agent's audio is away")
    number = s.consults + 1
    turn.set(phase=Phase.CONSULT, held=False, consults=number)
    leg, participant = turn.new_leg()
    if e.kind is Target.NUMBER:
        turn.set(consult=Consult(participant=participant, kind=e.kind, to=e.to, channel=leg, state="ringing"))
        turn.fact(ev.ParticipantJoined(participant=participant, role=Role.EXTERNAL, address=e.to, channel=leg))
        # The agent hears it ring; the citizen is alone from then on.
        turn.do(cmd.TransferLeg(s.agent_channel, leg, e.to, s.from_number, RING_S))
    else:
        item, colleague = f"{s.id}{ITEM}{number}", AgentId(e.to)
        turn.set(consult=Consult(participant=participant, kind=e.kind, to=e.to, agent=colleague, item=item))
        turn.fact(
            ev.ParticipantJoined(participant=participant, role=Role.AGENT, address=e.to, channel=None, agent=colleague)
        )
        turn.do(cmd.PartLegs(s.channel), cmd.StartMusic(s.agent_channel, RING_TONE))
        turn.do(cmd.RouteItem(_item(turn, item, colleague)))
    turn.fact(ev.ConsultBegun(by=s.agent, kind=e.kind, to=e.to, participant=participant))
    turn.do(cmd.StartMusic(s.channel, s.music))


def _item(turn: Turn, item: str, colleague: AgentId) -> routing.WorkItem:
    return routing.WorkItem(
        id=InteractionId(item),
        medium=Medium.VOICE,
        queue=f"{PERSONAL}{colleague}",
        queued_at=turn.at,
        priority=queue.AHEAD_OF_ALL,
        give_up_at=turn.at + RING_S,
        reason=turn.s.reason,
    )


# --- the router's word on a colleague --------------------


def decided(turn: Turn, e: inp.ConsultDecision) -> None:
    consult = turn.s.consult
    if consult is None or e.decision.item != consult.item:
        return decided_late(turn, e)
    match e.decision:
        case routing.MakeOffer():
            return _offered(turn, consult, e.decision, e)
        case routing.Assign():
            turn.set(consult=replace(consult, offer=None), others={**turn.s.others, e.decision.agent: consult.item})
            turn.set(items={**turn.s.items, e.decision.agent: consult.item})
            if turn.s.agent_channel is None or consult.channel is None:
                return back(turn, "lost")
            return turn.do(cmd.BridgeLegs(turn.s.agent_channel, consult.channel))
        case routing.OfferOver():
            turn.do(cmd.WithdrawItem(consult.item))
            return back(turn, "failed", e.decision.how.value)
        case routing.GiveUp():
            return back(turn, "failed", e.decision.why)


def _offered(turn: Turn, consult: Consult, d: routing.MakeOffer, e: inp.ConsultDecision) -> None:
    if not e.on_page:
        leg, _ = turn.new_leg()
        turn.set(consult=replace(consult, offer=d.offer, channel=leg, state="ringing"))
        turn.do(cmd.RingAgent(leg, d.agent, turn.s.from_number, max(1.0, d.expires_at - turn.at)))
        return
    turn.set(consult=replace(consult, offer=d.offer, channel=e.leg, is_open=e.leg is not None, state="ringing"))
    if e.leg is None:
        turn.do(cmd.AnswerOffer(d.offer, OfferEnd.FAILED, "leg_down"))


def decided_late(turn: Turn, e: inp.ConsultDecision) -> None:
    """Of a consultation that is over: who took it in that instant is let go."""
    d = e.decision
    if isinstance(d, routing.MakeOffer):
        turn.do(cmd.AnswerOffer(d.offer, OfferEnd.WITHDRAWN), cmd.WithdrawItem(d.item))
    elif isinstance(d, routing.Assign):
        turn.do(cmd.EndWork(d.agent, d.item, wrap_up=False))


# --- the switch's --------------------


def answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    """A desk phone, or the number: whose pair the switch then makes by itself."""
    consult = turn.s.consult
    if consult is not None and e.channel == consult.channel and not consult.is_open:
        if consult.offer is not None:
            turn.do(cmd.AnswerOffer(consult.offer, OfferEnd.ACCEPTED))
        return
    queue.stray_answered(turn, e)


def bridged(turn: Turn, e: pbx.Bridged) -> None:
    s = turn.s
    if s.consult is not None and {e.channel, e.peer} == {s.agent_channel, s.consult.channel}:
        connected(turn, s.consult)


def connected(turn: Turn, consult: Consult) -> None:
    if not consult.talks:
        turn.set(consult=replace(consult, state="talking"))
        turn.fact(ev.ConsultAnswered(participant=consult.participant))


def far_gone(turn: Turn, channel: str, cause: HangupCause) -> bool:
    """Whether it was the leg of who is asked."""
    consult = turn.s.consult
    if consult is None or channel != consult.channel:
        return False
    turn.set(consult=replace(consult, channel=None))
    if consult.offer is not None:  # the router's word ends it
        how = OfferEnd.REJECTED if cause in (HangupCause.BUSY, HangupCause.REJECTED) else OfferEnd.FAILED
        turn.do(cmd.AnswerOffer(consult.offer, how, cause.value))
    else:
        back(turn, "left" if consult.talks else "failed", cause.value)
    return True


# --- what becomes of it --------------------


def back(turn: Turn, how: str, detail: str = "") -> None:
    """Only the citizen and the agent are left, and joined again."""
    s = turn.s
    if s.consult is None:
        return
    talk.unhold(turn)  # of a conference
    turn.set(phase=Phase.TALKING)
    if s.agent_channel is not None:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))
    elif s.phase is Phase.CONFERENCE:  # the agent is away, and was not missed while the others talked
        turn.do(cmd.LeaveRoom(s.channel), cmd.StartMusic(s.channel, s.music))
    drop(turn, how, detail)


def drop(turn: Turn, how: str, detail: str = "") -> None:
    """Who was asked is let go; a colleague after the pair is apart, for they may be in the next call at once."""
    consult = turn.s.consult
    if consult is None:
        return
    if consult.channel is not None and not consult.is_open:
        cause = HangupCause.NORMAL if consult.talks else HangupCause.CANCELLED
        turn.do(cmd.HangupLeg(consult.channel, cause))
        turn.set(leaving=(*turn.s.leaving, consult.channel))
    elif consult.channel is not None and consult.with_customer:
        turn.do(cmd.StopMusic(consult.channel))
    turn.fact(ev.ConsultEnded(participant=consult.participant, how=how, detail=detail))
    turn.fact(ev.ParticipantLeft(participant=consult.participant, reason=how))
    _let_go(turn, consult)
    turn.set(consult=None)


def _let_go(turn: Turn, consult: Consult) -> None:
    if consult.agent is None:
        return
    if consult.agent in turn.s.others:
        turn.set(others=without(turn.s.others, consult.agent), items=without(turn.s.items, consult.agent))
        turn.do(cmd.EndWork(consult.agent, consult.item, wrap_up=False))
    else:
        turn.do(cmd.WithdrawItem(consult.item))


def cancel(turn: Turn, _e: inp.ConsultCancel | inp.AgentHangup) -> None:
    back(turn, "cancelled")


def swap(turn: Turn, _e: inp.ConsultSwap) -> None:
    s, consult = turn.s, _talking(turn)
    if s.agent_channel is None or consult.channel is None:
        raise NotNow("somebody's audio is away")
    turn.set(consult=replace(consult, with_customer=not consult.with_customer))
    turn.fact(ev.ConsultSwapped(with_customer=not consult.with_customer))
    if consult.with_customer:
        turn.do(cmd.BridgeLegs(s.agent_channel, consult.channel), cmd.StartMusic(s.channel, s.music))
    else:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel), cmd.StartMusic(consult.channel, s.music))


def _talking(turn: Turn) -> Consult:
    consult = turn.s.consult
    if consult is None or not consult.talks:
        raise NotTalking("whom you ask has not answered yet")
    return consult


def complete(turn: Turn, _e: inp.ConsultComplete) -> None:
    give_on(turn, _talking(turn))


def give_on(turn: Turn, consult: Consult) -> None:
    """The citizen goes on with who was asked; the agent's share is done. Also of a conference."""
    s = turn.s
    if consult.channel is None or s.agent is None:
        raise NotNow("who was asked is gone")
    talk.unhold(turn)  # of a conference
    turn.fact(ev.ConsultEnded(participant=consult.participant, how="completed"))
    turn.do(cmd.BridgeLegs(s.channel, consult.channel))
    turn.set(consult=None)
    if consult.agent is None:
        turn.fact(ev.TransferBegun(by=s.agent, to=consult.to, participant=consult.participant))
        turn.set(phase=Phase.TRANSFER, far=consult.channel, far_participant=consult.participant, far_up=False)
        transfer.connected(turn)
        return
    talk.part(turn, "agent")
    parting = s.working
    queue.drop_agent_leg(turn, "transferred")
    turn.do(cmd.TakeWork(consult.agent, consult.item, s.queue or f"{PERSONAL}{consult.agent}"))
    others = without(turn.s.others, consult.agent)
    if parting is not None:
        others[parting] = turn.s.items.get(parting, s.id)
    turn.set(
        phase=Phase.CONNECTING,
        others=others,
        items=without(turn.s.items, consult.agent),
        working=consult.agent,
        agent=consult.agent,
        agent_channel=consult.channel,
        agent_participant=consult.participant,
        agent_open=consult.is_open,
    )


# --- somebody leaves --------------------


def customer_left(turn: Turn, by: str) -> None:
    s = turn.s
    if s.consult is not None and s.agent_channel is not None:
        if not s.consult.talks and s.consult.agent is not None:
            turn.do(cmd.StopMusic(s.agent_channel))  # of the ringing
        elif s.consult.is_open:
            turn.do(cmd.PartLegs(s.agent_channel))
    drop(turn, "left")
    talk.customer_left(turn, by)


def agent_gone(turn: Turn) -> None:
    """The agent's own leg is down: an open one may come back, a phone was put down."""
    was_open = turn.s.agent_open
    turn.set(agent_channel=None, phase=Phase.TALKING)
    drop(turn, "lost")
    if was_open:
        open_leg.miss(turn)
    else:
        talk.agent_left(turn, "agent")


def lost(turn: Turn) -> None:
    """Every leg went down with the switch."""
    consult = turn.s.consult
    if consult is not None:
        turn.fact(ev.ConsultEnded(participant=consult.participant, how="lost"))
        turn.fact(ev.ParticipantLeft(participant=consult.participant, reason="switch_lost"))
        _let_go(turn, consult)
        turn.set(consult=None)


def not_called(turn: Turn, e: inp.CommandFailed) -> None:
    """The dial rules, or the switch, said no: the pair is as it was."""
    consult = turn.s.consult
    if consult is not None:
        turn.set(consult=replace(consult, channel=None))
        back(turn, "refused", e.code)


def not_rung(turn: Turn, e: inp.CommandFailed) -> None:
    consult = turn.s.consult
    if consult is not None and consult.offer is not None:
        turn.set(consult=replace(consult, channel=None))
        turn.do(cmd.AnswerOffer(consult.offer, OfferEnd.FAILED, e.code))


def resume(turn: Turn, e: inp.Reattach) -> None:
    """A daemon that was away: what stood still stands; what was under way is given up."""
    s = turn.s
    consult = s.consult
    if consult is None or s.agent_channel is None or not e.lives(s.agent_channel):
        return agent_gone(turn)
    if consult.talks and e.lives(consult.channel):
        return None
    if e.restarted or not e.lives(consult.channel):
        return back(turn, "lost")
    if consult.offer is None and consult.agent is None and e.legs.get(consult.channel or ""):
        return turn.do(cmd.BridgeLegs(s.agent_channel, consult.channel or ""))
    return None
