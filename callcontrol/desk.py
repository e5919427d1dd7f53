"""The routing desk: the one router, its clock, and who must be told of its decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from callcontrol.model import AgentId, InteractionId, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router
from foundation.clock import Clock, Timer
from foundation.logs import get_logger
from foundation.metrics import Metrics

log = get_logger(__name__)

ItemDecision: TypeAlias = (
    t.MakeOffer
    | t.OfferOver
    | t.Assign
    | t.GiveUp
    | t.Moved
    | t.Released
    | t.Relaxed
    | t.WrapUpBegun
    | t.WrapUpOver
    | t.WorkSuspended
    | t.WorkResumed
)


@dataclass(frozen=True, slots=True)
class StandingOffer:
    id: OfferId
    expires_at: float
    auto_accept: bool


class Desk:
    """All events reach the router through `tell`, one after the other: its decisions are exact because nothing runs
    beside it. `to_call`, `to_agent` and `to_supervisors` must not call back into the desk at once; they only post."""

    def __init__(
        self,
        rules: Iterable[t.QueueRules],
        clock: Clock,
        metrics: Metrics,
        *,
        to_call: Callable[[InteractionId, ItemDecision], None],
        to_agent: Callable[[t.AgentChanged], None],
        to_supervisors: Callable[[t.Alert], None],
    ) -> None:
        self.router = Router(rules)
        # Skills, capacity and the rest of who an agent is, where an organisation says it.
        self.profile: Callable[[AgentId, float], t.AgentSignedIn | None] = _no_profile
        self._clock = clock
        self._to_call = to_call
        self._to_agent = to_agent
        self._to_supervisors = to_supervisors
        self._timer: Timer | None = None
        self._due: float | None = None
        self._offers: dict[OfferId, StandingOffer] = {}
        self._ignored = metrics.counter("routing_ignored_events_total", "Events that changed nothing", ("event", "why"))
        self._decided = metrics.counter("routing_decisions_total", "Decisions of the router", ("kind",))

    def tell(self, event: t.RouterEvent) -> None:
        self._carry_out(self.router.step(event))

    def now(self) -> float:
        return self._clock.now()

    def renew(self, rules: Iterable[t.QueueRules], criticality: Mapping[str, int]) -> list[str]:
        """New rules; the names of the queues that are gone from them and stay until they are empty."""
        decisions, kept = self.router.renew(self._clock.now(), rules, criticality)
        self._carry_out(decisions)
        return kept

    def _carry_out(self, decisions: Iterable[t.Decision]) -> None:
        for decision in decisions:
            self._decided.labels(type(decision).__name__).inc()
            match decision:
                case t.AgentChanged():
                    self._to_agent(decision)
                case t.Alert():
                    self._to_supervisors(decision)
                case t.Ignored():
                    self._ignored.labels(decision.event, decision.why).inc()
                    log.info("routing.ignored", event_kind=decision.event, why=decision.why)
                case _:
                    self._note_offer(decision)
                    self._to_call(decision.item, decision)
        self._arm()

    def _note_offer(self, decision: ItemDecision) -> None:
        if isinstance(decision, t.MakeOffer):
            self._offers[decision.offer] = StandingOffer(decision.offer, decision.expires_at, decision.auto_accept)
        elif isinstance(decision, t.OfferOver | t.Assign):
            self._offers.pop(decision.offer, None)

    def _arm(self) -> None:
        """One timer, for the next thing that is due."""
        due = self.router.next_due()
        if due == self._due and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None
        if due is not None:
            self._timer = self._clock.call_later(max(0.0, due - self._clock.now()), self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        # A timer may fire a little early against the wall clock; what was due is due.
        at = max(self._clock.now(), self._due or 0.0)
        self.tell(t.TimePassed(at=at))

    def place(self, item: InteractionId) -> tuple[int | None, float | None]:
        """The item's place in its queue, from 1, and how long it may still wait; None for what is not known."""
        place = self.router.place(item, self._clock.now())
        return (None, None) if place is None else (place.position, place.expected_s)

    def offer(self, offer: OfferId) -> StandingOffer | None:
        """One that is out now."""
        return self._offers.get(offer)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sign_in(self, agent: AgentId, queues: frozenset[str]) -> None:
        now = self._clock.now()
        self.tell(self.profile(agent, now) or t.AgentSignedIn(at=now, agent=agent, queues=queues))


def _no_profile(_agent: AgentId, _at: float) -> None:
    return None
