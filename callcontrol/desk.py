"""The routing desk: the one router, its clock, and who must be told of its decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from callcontrol.model import AgentId, InteractionId
from callcontrol.queue_pace import QueuePace
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router
from foundation.clock import Clock, Timer
from foundation.logs import get_logger
from foundation.metrics import Metrics

log = get_logger(__name__)

ItemDecision: TypeAlias = t.MakeOffer | t.OfferOver | t.Assign | t.GiveUp | t.WrapUpBegun | t.WrapUpOver


class Desk:
    """All events reach the router through `tell`, one after the other: its decisions are exact because nothing runs
    beside it. `to_call` and `to_agent` must not call back into the desk at once; they only post."""

    def __init__(
        self,
        rules: Iterable[t.QueueRules],
        clock: Clock,
        metrics: Metrics,
        *,
        to_call: Callable[[InteractionId, ItemDecision], None],
        to_agent: Callable[[t.AgentChanged], None],
    ) -> None:
        self.router = Router(rules)
        self._pace = QueuePace()
        self._clock = clock
        self._to_call = to_call
        self._to_agent = to_agent
        self._timer: Timer | None = None
        self._due: float | None = None
        self._ignored = metrics.counter("routing_ignored_events_total", "Events that changed nothing", ("event",))
        self._decided = metrics.counter("routing_decisions_total", "Decisions of the router", ("kind",))

    def tell(self, event: t.RouterEvent) -> None:
        waiting = {item.id: item.queue for item in self.router.waiting()} if isinstance(event, t.OfferAnswered) else {}
        for decision in self.router.step(event):
            self._decided.labels(type(decision).__name__).inc()
            match decision:
                case t.AgentChanged():
                    self._to_agent(decision)
                case t.Ignored():
                    self._ignored.labels(decision.event).inc()
                    log.info("routing.ignored", event_kind=decision.event, why=decision.why)
                case _:
                    if isinstance(decision, t.Assign) and decision.item in waiting:
                        self._pace.served(waiting[decision.item], event.at)
                    self._to_call(decision.item, decision)
        self._arm()

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

    def place(self, item: InteractionId, queue: str) -> tuple[int | None, float | None]:
        """The item's place in its queue, from 1, and how long it may still wait; None for what is not known."""
        line = [each.id for each in self.router.waiting(queue)]
        position = line.index(item) + 1 if item in line else None
        return position, None if position is None else self._pace.wait_s(queue, position, self._clock.now())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sign_in(self, agent: AgentId, queues: frozenset[str]) -> None:
        self.tell(t.AgentSignedIn(at=self._clock.now(), agent=agent, queues=queues))
