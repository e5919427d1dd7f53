"""The call in a queue: offers to agents, one at a time, until one has it."""

from __future__ import annotations

from callcontrol import commands as cmd
from callcontrol import events as ev
from callcontrol.call_flow import back_to_flow, queued, route
from callcontrol.call_state import Turn, without
from callcontrol.model import OfferEnd, ParticipantId, Phase, Role
from callcontrol.routing import terms as routing
from ivr_flows.protocol import QueueExit
from pbx import events as pbx
from pbx.terms import HangupCause

# How an agent's phone that did not answer is read. Everything else is the device's failure, not the agent's.
_LEG_END: dict[HangupCause, OfferEnd] = {
    HangupCause.NO_ANSWER: OfferEnd.EXPIRED,
    HangupCause.CANCELLED: OfferEnd.EXPIRED,
    HangupCause.BUSY: OfferEnd.REJECTED,
    HangupCause.REJECTED: OfferEnd.REJECTED,
}
# Above what criticality and ageing give.
AHEAD_OF_ALL = 100
# How the flow hears it. Closed, full or too long a wait: nobody is there for this caller now, and where a rule of the
# queue says what then, the flow knows its own way there.
_QUEUE_EXIT = {"timeout": QueueExit.TIMEOUT, "unknown_queue": QueueExit.UNKNOWN_QUEUE}
_SENT_TO = {to.value: to for to in (QueueExit.VOICEMAIL, QueueExit.CALLBACK, QueueExit.MESSAGE)}


def waited(turn: Turn) -> float:
    """In this line, this time."""
    return round(turn.at - (turn.s.waits_since or turn.s.queued_at), 3)


def offer_stands(turn: Turn, d: routing.MakeOffer, channel: str | None) -> ParticipantId:
    """`channel` is the agent's open leg; without one the leg is to be made, and gets the participant's number."""
    own, participant = turn.new_leg()
    channel = channel or own
    turn.set(
        offer=d.offer,
        agent=d.agent,
        agent_channel=channel,
        agent_participant=participant,
        agent_open=False,
        offers_made=turn.s.offers_made + 1,
    )
    turn.fact(
        ev.ParticipantJoined(
            participant=participant, role=Role.AGENT, address=str(d.agent), channel=channel, agent=d.agent
        )
    )
    return participant


def offered(turn: Turn, d: routing.MakeOffer) -> None:
    """The agent's phone rings."""
    participant = offer_stands(turn, d, None)
    channel = turn.s.agent_channel or ""
    turn.fact(ev.Offered(offer=d.offer, agent=d.agent, participant=participant, expires_at=d.expires_at, why=d.why))
    turn.do(cmd.RingAgent(channel, d.agent, turn.s.from_number, max(1.0, d.expires_at - turn.at)))


def late_offer(turn: Turn, d: routing.MakeOffer) -> None:
    """The citizen left while the offer was on its way."""
    turn.do(cmd.AnswerOffer(d.offer, OfferEnd.WITHDRAWN))


def agent_answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    if e.channel == turn.s.agent_channel and turn.s.offer is not None:
        turn.do(cmd.AnswerOffer(turn.s.offer, OfferEnd.ACCEPTED))
    stray_answered(turn, e)


def stray_answered(turn: Turn, e: pbx.ChannelAnswered) -> None:
    """A leg that we had given up (its hang-up was lost on the way, say) is not left in silence."""
    if e.channel not in (turn.s.channel, turn.s.agent_channel, turn.s.far):
        turn.do(cmd.HangupLeg(e.channel, HangupCause.CANCELLED))


def agent_leg_down(turn: Turn, e: pbx.ChannelHungUp) -> None:
    """The phone did not answer, or refused. The router decides what that means; its word comes as `OfferOver`."""
    turn.set(agent_channel=None)
    if turn.s.offer is not None:
        turn.do(cmd.AnswerOffer(turn.s.offer, _LEG_END.get(e.cause, OfferEnd.FAILED), e.cause.value))


def offer_over(turn: Turn, d: routing.OfferOver) -> None:
    if d.offer != turn.s.offer:
        return
    turn.fact(ev.OfferEnded(offer=d.offer, agent=d.agent, how=d.how, detail=d.detail))
    drop_agent_leg(turn, d.how.value, HangupCause.CANCELLED)
    turn.set(offer=None, agent=None)


def drop_agent_leg(turn: Turn, why: str, cause: HangupCause = HangupCause.NORMAL) -> None:
    """Take the agent's leg away; the participant leaves now, the leg is watched until it is gone."""
    s = turn.s
    if s.agent_channel is not None and not s.agent_open:
        turn.do(cmd.HangupLeg(s.agent_channel, cause))
        turn.set(leaving=(*s.leaving, s.agent_channel))
    if s.agent_participant is not None:
        turn.fact(ev.ParticipantLeft(participant=s.agent_participant, reason=why))
    turn.set(agent_channel=None, agent_participant=None, agent_open=False)


def assigned(turn: Turn, d: routing.Assign) -> None:
    s = turn.s
    items = without(s.items, d.agent)
    if s.handed:
        turn.do(cmd.TakeWork(d.agent, "", s.queue or ""))
    turn.set(phase=Phase.CONNECTING, offer=None, working=d.agent, hand=None, handed=False, items=items)
    turn.fact(ev.OfferEnded(offer=d.offer, agent=d.agent, how=OfferEnd.ACCEPTED))
    turn.fact(ev.Dequeued(queue=s.queue or "", how="answered", waited_s=waited(turn)))
    if d.offer == s.offer and s.agent_channel is not None:
        turn.do(cmd.BridgeLegs(s.channel, s.agent_channel))
    else:
        # Accepted and lost in the same instant: nobody else would get this call, which the router has let go.
        lost_before_talk(turn, "lost")


def late_assign(turn: Turn, d: routing.Assign) -> None:
    """The agent answered in the instant in which the citizen left: there was no talk, only an accepted offer."""
    turn.set(offer=None, working=d.agent)
    turn.fact(ev.OfferEnded(offer=d.offer, agent=d.agent, how=OfferEnd.ACCEPTED, detail="citizen left"))
    turn.end_work(d.agent)
    drop_agent_leg(turn, "customer_left")


def gave_up(turn: Turn, d: routing.GiveUp) -> None:
    turn.fact(ev.Dequeued(queue=turn.s.queue or "", how=d.why, waited_s=waited(turn)))
    turn.do(cmd.StopMusic(turn.s.channel))
    if d.why == "unknown_queue":
        turn.do(cmd.Alert("unknown_queue", f"a flow asked for the queue {turn.s.queue!r}, which does not exist"))
    exit_ = _SENT_TO.get(d.to) or _QUEUE_EXIT.get(d.why, QueueExit.NO_AGENTS)
    back_to_flow(turn, exit_, why=d.why if d.to else "", target=d.target)


def moved(turn: Turn, d: routing.Moved) -> None:
    """Into another line; the caller hears nothing of it."""
    turn.fact(ev.Dequeued(queue=d.came_from, how=f"moved:{d.why}", waited_s=waited(turn)))
    turn.set(queue=d.queue, hand=None)
    queued(turn)


def relaxed(turn: Turn, d: routing.Relaxed) -> None:
    turn.fact(ev.Relaxed(queue=turn.s.queue or "", ring=d.ring, requires=d.requires, waited_s=waited(turn)))


def released(turn: Turn, d: routing.Released) -> None:
    """Whom a supervisor had chosen has signed out. The place is the old one; the supervisor hears of it."""
    if turn.s.hand == d.agent and not turn.s.handed:
        turn.set(hand=None)
    text = "Quien debía atender este contacto cerró su sesión: el contacto volvió a su lugar en la cola"
    turn.do(cmd.Alert("assignment_released", text))


def lost_before_talk(turn: Turn, why: str) -> None:
    """Accepted, but the legs were never joined: the citizen goes back to their place."""
    if turn.s.working is not None:
        turn.end_work(turn.s.working)
    drop_agent_leg(turn, why)
    queue_again(turn)


def queue_again(turn: Turn, *, first: bool = False) -> None:
    """In the place that the first arrival in this queue gives; `first`: before all who wait, for the agent was lost."""
    if turn.s.queue is None:  # a call out: there is no line it came from
        return back_to_flow(turn, QueueExit.TALKED)
    more = AHEAD_OF_ALL if first else 0
    turn.set(phase=Phase.QUEUED, agent=None, waits_since=turn.at, give_up_at=None, priority=turn.s.priority + more)
    queued(turn)
    turn.do(cmd.StartMusic(turn.s.channel, turn.s.music))
    return route(turn)


def abandoned(turn: Turn) -> None:
    turn.fact(ev.Dequeued(queue=turn.s.queue or "", how="abandoned", waited_s=waited(turn)))
    turn.do(cmd.WithdrawItem())
