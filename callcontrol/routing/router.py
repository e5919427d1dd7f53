"""The router: who waits, who is free, who gets whom. Pure and deterministic: ``step(event) -> decisions``.

The first version: one line a queue, higher priority first and then who has waited longest, given to the agent who has
been idle longest. An item and an agent that meet are reserved for each other by exactly one offer until it is accepted,
rejected, expires, fails or is withdrawn; the item keeps its place all that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from callcontrol.model import AgentId, AgentState, InteractionId, OfferEnd, OfferId
from callcontrol.routing import terms as t

_FREE_TO_ASK = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT})


@dataclass(slots=True)
class AgentView:
    """What the router knows of an agent. `wanted` is a state asked for during work, taken up after it."""

    id: AgentId
    queues: frozenset[str]
    state: AgentState = AgentState.SIGNED_OUT
    reason: str = ""
    since: float = 0.0
    idle_since: float = 0.0  # end of the last work: a pause does not move an agent back in the line
    item: InteractionId | None = None
    item_queue: str | None = None
    offer: OfferId | None = None
    wrap_up_until: float | None = None
    wanted: tuple[AgentState, str] | None = None


@dataclass(slots=True)
class _Offer:
    id: OfferId
    item: InteractionId
    agent: AgentId
    expires_at: float


@dataclass(slots=True)
class _Waiting:
    item: t.WorkItem
    order: int
    offers: int
    offer: OfferId | None = None


@dataclass(slots=True)
class _Turn:
    at: float
    decisions: list[t.Decision] = field(default_factory=list)


class Router:
    def __init__(self, queues: Iterable[t.QueueRules]) -> None:
        self.queues: dict[str, t.QueueRules] = {q.name: q for q in queues}
        self._agents: dict[AgentId, AgentView] = {}
        self._waiting: dict[InteractionId, _Waiting] = {}
        self._offers: dict[OfferId, _Offer] = {}
        self._arrivals = 0

    # --- what it tells of itself --------------------

    @property
    def agents(self) -> Mapping[AgentId, AgentView]:
        return self._agents

    def waiting(self, queue: str | None = None) -> list[t.WorkItem]:
        """Those who wait, in the order in which they will be served; offered ones keep their place."""
        return [w.item for w in self._line() if queue is None or w.item.queue == queue]

    def next_due(self) -> float | None:
        """When `TimePassed` must come at the latest."""
        dues = [o.expires_at for o in self._offers.values()]
        dues += [a.wrap_up_until for a in self._agents.values() if a.wrap_up_until is not None]
        dues += [w.item.give_up_at for w in self._waiting.values() if w.item.give_up_at is not None and not w.offer]
        return min(dues, default=None)

    # --- the step --------------------

    def step(self, event: t.RouterEvent) -> list[t.Decision]:
        turn = _Turn(event.at)
        _HANDLERS[type(event)](self, turn, event)
        self._match(turn)
        return turn.decisions

    def _signed_in(self, turn: _Turn, e: t.AgentSignedIn) -> None:
        known = self._agents.get(e.agent)
        if known is not None and known.state is not AgentState.SIGNED_OUT:
            known.queues = e.queues
            return
        if known is None:
            known = self._agents[e.agent] = AgentView(e.agent, e.queues, idle_since=turn.at)
        known.queues = e.queues
        self._set(turn, known, AgentState.NOT_READY, "signed_in")

    def _asked(self, turn: _Turn, e: t.AgentAsked) -> None:
        agent = self._agents.get(e.agent)
        if agent is None:
            return self._ignore(turn, "agent_asked", "unknown agent")
        if e.state not in _FREE_TO_ASK:
            return self._ignore(turn, "agent_asked", f"{e.state} is not a state to ask for")
        if agent.state in _FREE_TO_ASK:
            if agent.state is AgentState.SIGNED_OUT and e.state is not AgentState.SIGNED_OUT:
                agent.idle_since = turn.at
            return self._set(turn, agent, e.state, e.reason)
        agent.wanted = (e.state, e.reason)
        if agent.state is AgentState.WRAP_UP and e.state in (AgentState.READY, AgentState.SIGNED_OUT):
            self._wrap_up_over(turn, agent, "finished" if e.state is AgentState.READY else "signed_out", None)
        return None

    def _queued(self, turn: _Turn, e: t.ItemQueued) -> None:
        item = e.item
        if item.id in self._waiting:
            return self._ignore(turn, "item_queued", "already waits")
        rules = self.queues.get(item.queue)
        if rules is None:
            turn.decisions.append(t.GiveUp(item=item.id, why="unknown_queue"))
            return None
        if rules.max_wait_s is not None:
            latest = item.queued_at + rules.max_wait_s
            item = replace(item, give_up_at=latest if item.give_up_at is None else min(item.give_up_at, latest))
        self._arrivals += 1
        self._waiting[item.id] = _Waiting(item, self._arrivals, item.offers_made)
        return None

    def _withdrawn(self, turn: _Turn, e: t.ItemWithdrawn) -> None:
        waiting = self._waiting.pop(e.item, None)
        if waiting is None:
            return self._ignore(turn, "item_withdrawn", "does not wait")
        if waiting.offer is not None:
            self._end_offer(turn, self._offers[waiting.offer], OfferEnd.WITHDRAWN, "")
        return None

    def _answered(self, turn: _Turn, e: t.OfferAnswered) -> None:
        offer = self._offers.get(e.offer)
        if offer is None:
            return self._ignore(turn, "offer_answered", "the offer is over")
        if e.how is not OfferEnd.ACCEPTED:
            return self._end_offer(turn, offer, e.how, e.detail)
        del self._offers[offer.id]
        item = self._waiting.pop(offer.item).item
        agent = self._agents[offer.agent]
        agent.offer, agent.item, agent.item_queue = None, item.id, item.queue
        self._set(turn, agent, AgentState.INTERACTING, "")
        turn.decisions.append(t.Assign(offer=offer.id, item=offer.item, agent=agent.id))
        return None

    def _work_ended(self, turn: _Turn, e: t.WorkEnded) -> None:
        agent = self._agents.get(e.agent)
        if agent is None or agent.item != e.item or agent.state is not AgentState.INTERACTING:
            return self._ignore(turn, "work_ended", "this agent does not work on this item")
        rules = self.queues.get(agent.item_queue or "")
        return self._begin_wrap_up(turn, agent, turn.at + (rules.wrap_up_s if rules else 0.0))

    def _begin_wrap_up(self, turn: _Turn, agent: AgentView, until: float) -> None:
        assert agent.item is not None  # noqa: S101 - both callers set it
        agent.wrap_up_until = until
        self._set(turn, agent, AgentState.WRAP_UP, "")
        turn.decisions.append(t.WrapUpBegun(item=agent.item, agent=agent.id, until=until))
        if until <= turn.at:
            self._wrap_up_over(turn, agent, "timer", None)

    def _wrap_up_finished(self, turn: _Turn, e: t.WrapUpFinished) -> None:
        agent = self._agents.get(e.agent)
        if agent is None or agent.state is not AgentState.WRAP_UP:
            return self._ignore(turn, "wrap_up_finished", "this agent does not wrap up")
        return self._wrap_up_over(turn, agent, "finished", e.disposition)

    def _restored(self, turn: _Turn, e: t.WorkRestored) -> None:
        agent = self._agents.get(e.agent)
        if agent is None:
            return self._ignore(turn, "work_restored", "unknown agent")
        if agent.item is not None:
            return self._ignore(turn, "work_restored", "this agent works already")
        # The state that the agent had asked for before the restart waits for the end of the work.
        agent.wanted = (agent.state, agent.reason) if agent.state in _FREE_TO_ASK else agent.wanted
        agent.item, agent.item_queue = e.item, e.queue
        if e.wrap_up_until is not None:
            return self._begin_wrap_up(turn, agent, e.wrap_up_until)
        return self._set(turn, agent, AgentState.INTERACTING, "")

    def _time_passed(self, turn: _Turn, _e: t.TimePassed) -> None:
        for offer in sorted(self._offers.values(), key=lambda o: o.expires_at):
            if offer.expires_at <= turn.at:
                self._end_offer(turn, offer, OfferEnd.EXPIRED, "")
        for agent in self._agents.values():
            if agent.wrap_up_until is not None and agent.wrap_up_until <= turn.at:
                self._wrap_up_over(turn, agent, "timer", None)
        for waiting in list(self._waiting.values()):
            due = waiting.item.give_up_at
            # One that is on an agent's device now is not taken away under their hand.
            if due is not None and due <= turn.at and waiting.offer is None:
                del self._waiting[waiting.item.id]
                turn.decisions.append(t.GiveUp(item=waiting.item.id, why="timeout"))

    # --- pieces --------------------

    def _set(self, turn: _Turn, agent: AgentView, state: AgentState, reason: str) -> None:
        if (agent.state, agent.reason) == (state, reason) and state in _FREE_TO_ASK:
            return
        agent.state, agent.reason, agent.since = state, reason, turn.at
        turn.decisions.append(
            t.AgentChanged(agent=agent.id, state=state, reason=reason, since=turn.at, item=agent.item)
        )

    def _ignore(self, turn: _Turn, event: str, why: str) -> None:
        turn.decisions.append(t.Ignored(event=event, why=why))

    def _end_offer(self, turn: _Turn, offer: _Offer, how: OfferEnd, detail: str) -> None:
        del self._offers[offer.id]
        waiting = self._waiting.get(offer.item)
        if waiting is not None:
            waiting.offer = None
        agent = self._agents[offer.agent]
        agent.offer = None
        turn.decisions.append(t.OfferOver(offer=offer.id, item=offer.item, agent=agent.id, how=how, detail=detail))
        state, reason = agent.wanted or _AFTER_OFFER[how]
        agent.wanted = None
        self._set(turn, agent, state, reason)

    def _wrap_up_over(self, turn: _Turn, agent: AgentView, how: str, disposition: str | None) -> None:
        assert agent.item is not None  # noqa: S101 - wrap-up is of an item
        turn.decisions.append(t.WrapUpOver(item=agent.item, agent=agent.id, how=how, disposition=disposition))
        agent.item = agent.item_queue = agent.wrap_up_until = None
        agent.idle_since = turn.at
        state, reason = agent.wanted or (AgentState.READY, "")
        agent.wanted = None
        self._set(turn, agent, state, reason)

    def _line(self) -> list[_Waiting]:
        return sorted(self._waiting.values(), key=lambda w: (-w.item.priority, w.item.queued_at, w.order))

    def _match(self, turn: _Turn) -> None:
        """Give every waiting item, in its order, to the longest idle agent of its queue, while there is one."""
        free = sorted(
            (a for a in self._agents.values() if a.state is AgentState.READY), key=lambda a: (a.idle_since, a.id)
        )
        if not free:
            return
        for waiting in self._line():
            if waiting.offer is not None:
                continue
            agent = next((a for a in free if waiting.item.queue in a.queues), None)
            if agent is None:
                continue
            free.remove(agent)
            self._offer(turn, waiting, agent)

    def _offer(self, turn: _Turn, waiting: _Waiting, agent: AgentView) -> None:
        item = waiting.item
        waiting.offers += 1
        offer = _Offer(
            OfferId(f"{item.id}.o{waiting.offers}"), item.id, agent.id, turn.at + self.queues[item.queue].offer_s
        )
        self._offers[offer.id] = offer
        waiting.offer = agent.offer = offer.id
        self._set(turn, agent, AgentState.RESERVED, "")
        turn.decisions.append(t.MakeOffer(offer=offer.id, item=item.id, agent=agent.id, expires_at=offer.expires_at))


# Where an agent stands after an offer that did not become work. Who lets one expire, refuses it or cannot be reached is
# taken out of the line: else the same call would come back at once, for ever.
_AFTER_OFFER: dict[OfferEnd, tuple[AgentState, str]] = {
    OfferEnd.REJECTED: (AgentState.NOT_READY, "rejected_offer"),
    OfferEnd.EXPIRED: (AgentState.NOT_READY, "missed_offer"),
    OfferEnd.FAILED: (AgentState.NOT_READY, "device_unreachable"),
    OfferEnd.WITHDRAWN: (AgentState.READY, ""),
}

_HANDLERS: dict[type[Any], Callable[[Router, _Turn, Any], None]] = {
    t.AgentSignedIn: Router._signed_in,
    t.AgentAsked: Router._asked,
    t.ItemQueued: Router._queued,
    t.ItemWithdrawn: Router._withdrawn,
    t.OfferAnswered: Router._answered,
    t.WorkEnded: Router._work_ended,
    t.WrapUpFinished: Router._wrap_up_finished,
    t.WorkRestored: Router._restored,
    t.TimePassed: Router._time_passed,
}
