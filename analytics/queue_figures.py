"""The figures of queues as a fold over the event log: pure, so that a restart and a recount give the same numbers.

A *stretch* is a contact's way from its first queue until a person talks with it, it leaves, or it is sent elsewhere;
moving between queues does not end it, so its wait is what the citizen waited. It is *offered* to each queue that it
enters, and answered or abandoned in the one where that happened. Everything is counted in quarters of an hour, in the
one in which it happened. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callcontrol import events as ev
from callcontrol.model import AgentId, InteractionId
from callcontrol.routing.service_level import ServiceLevel

STEP_S = 900
# Longer than the longest history that is shown (a day) and than any talk that is still to be counted.
KEEP_S = 48 * 3600

# The facts that bear on these figures: what has to be read to recount them.
FACTS = ("queued", "dequeued", "connected", "disconnected", "wrap_up_ended", "ended", "closed")


@dataclass(slots=True)
class Counts:
    """Of one queue in one quarter, or added up. `met`, `early` and `short`: answered within the threshold, abandoned
    within it, abandoned so soon that it was no waiting. `sent_on`: neither answered nor abandoned."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    sent_on: int = 0
    met: int = 0
    early: int = 0
    short: int = 0
    wait_s: float = 0.0  # of those answered
    handled: int = 0
    handle_s: float = 0.0  # talk, hold and wrap-up
    waiting_max: int = 0
    waiting_last: int = 0

    def add(self, other: Counts) -> None:
        for name in _ADDED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.waiting_max = max(self.waiting_max, other.waiting_max)
        self.waiting_last = other.waiting_last

    def level(self, by: ServiceLevel) -> float | None:
        return by.of_counts(self.answered, self.abandoned, self.met, self.early, self.short)

    @property
    def asa_s(self) -> float | None:
        return self.wait_s / self.answered if self.answered else None

    @property
    def aht_s(self) -> float | None:
        return self.handle_s / self.handled if self.handled else None


_ADDED = ("offered", "answered", "abandoned", "sent_on", "met", "early", "short", "wait_s", "handled", "handle_s")


@dataclass(slots=True)
class _Work:
    queue: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class _Contact:
    """`came` is None outside of a stretch; `waits`: in a line now. A `callback` waits in the line and is handled, and
    is neither offered nor answered nor abandoned: nobody waits on it, and the call that promised it was counted."""

    callback: bool = False
    queue: str = ""
    came: float | None = None
    waits: bool = False
    works: dict[AgentId, _Work] = field(default_factory=dict)


class QueueFigures:
    """`tell` it every event once, in each interaction's order."""

    def __init__(self, levels: Mapping[str, ServiceLevel]) -> None:
        self._levels = dict(levels)
        self._quarters: dict[str, dict[int, Counts]] = {}
        self._waiting: dict[str, int] = {}
        self._contacts: dict[InteractionId, _Contact] = {}
        self._newest = 0

    def level_of(self, queue: str) -> ServiceLevel:
        return self._levels.get(queue) or _DEFAULT

    def tell(self, event: ev.InteractionEvent) -> str | None:
        """The queue whose figures changed."""
        handler = _HANDLERS.get(type(event.fact))
        if handler is None:
            return None
        contact = self._contacts.get(event.interaction)
        if contact is None:
            if isinstance(event.fact, ev.Ended | ev.Closed):
                return None
            contact = self._contacts[event.interaction] = _Contact()
        handler(self, contact, event.fact, event.at)
        if isinstance(event.fact, ev.Closed):
            del self._contacts[event.interaction]
        return contact.queue or None

    # --- what is asked of it --------------------

    def total(self, queue: str, since: float, until: float) -> Counts:
        """The quarters that begin in [since, until)."""
        found = Counts()
        for at, counts in sorted(self._quarters.get(queue, {}).items()):
            if since <= at < until:
                found.add(counts)
        return found

    def points(self, queue: str, since: float, until: float) -> list[tuple[int, Counts]]:
        """Every quarter from the one that holds `since` to the one that holds `until`, empty ones too."""
        quarters = self._quarters.get(queue, {})
        first = _quarter(since)
        before = max((at for at in quarters if at < first), default=None)
        still = quarters[before].waiting_last if before is not None else 0
        points = []
        for at in range(first, _quarter(until) + STEP_S, STEP_S):
            counts = quarters.get(at) or Counts(waiting_max=still, waiting_last=still)
            still = counts.waiting_last
            points.append((at, counts))
        return points

    # --- counting --------------------

    def _counts(self, queue: str, at: float) -> Counts:
        start = _quarter(at)
        quarters = self._quarters.setdefault(queue, {})
        counts = quarters.get(start)
        if counts is None:
            waiting = self._waiting.get(queue, 0)
            counts = quarters[start] = Counts(waiting_max=waiting, waiting_last=waiting)
        if start > self._newest:
            self._newest = start
            self._forget(start - KEEP_S)
        return counts

    def _forget(self, before: float) -> None:
        for queue, quarters in self._quarters.items():
            self._quarters[queue] = {at: counts for at, counts in quarters.items() if at >= before}

    def _line(self, queue: str, at: float, change: int) -> None:
        counts = self._counts(queue, at)
        waiting = self._waiting[queue] = max(0, self._waiting.get(queue, 0) + change)
        counts.waiting_max = max(counts.waiting_max, waiting)
        counts.waiting_last = waiting

    def _queued(self, c: _Contact, f: ev.Queued, at: float) -> None:
        # Accepted and lost before they talked: back in the same line, and offered to it only once.
        again = c.came is not None and not c.waits and c.queue == f.queue
        if c.came is None:
            c.came = at
        if c.waits:
            self._line(c.queue, at, -1)  # its leaving was not told
        c.queue, c.waits, c.callback = f.queue, True, f.callback
        self._line(f.queue, at, 1)
        if f.callback:
            c.came = None
            return
        self._counts(f.queue, at).offered += not again

    def _dequeued(self, c: _Contact, f: ev.Dequeued, at: float) -> None:
        if c.callback:
            if c.waits:
                self._line(c.queue, at, -1)
            c.waits = False
            return
        if c.came is None:  # it came before the first event that we know
            c.came = at - f.waited_s
        elif c.waits:
            self._line(c.queue, at, -1)
        c.queue, c.waits = f.queue, False
        if f.how == "abandoned":
            self._abandoned(c, at)
        elif f.how not in ("answered", "raised"):
            self._counts(f.queue, at).sent_on += 1
            if not f.how.startswith("moved:"):
                c.came = None

    def _abandoned(self, c: _Contact, at: float) -> None:
        counts, level = self._counts(c.queue, at), self.level_of(c.queue)
        waited = at - (at if c.came is None else c.came)
        counts.abandoned += 1
        counts.early += waited <= level.threshold_s
        counts.short += waited <= level.short_s
        c.came = None

    def _connected(self, c: _Contact, f: ev.Connected, at: float) -> None:
        if c.came is not None and c.queue:
            counts, waited = self._counts(c.queue, at), at - c.came
            counts.answered += 1
            counts.met += waited <= self.level_of(c.queue).threshold_s
            counts.wait_s += waited
            c.came = None
        if c.queue and f.agent not in c.works:
            c.works[f.agent] = _Work(c.queue, at)

    def _disconnected(self, c: _Contact, f: ev.Disconnected, at: float) -> None:
        if (work := c.works.get(f.agent)) is not None:
            work.ended = at

    def _wrapped_up(self, c: _Contact, f: ev.WrapUpEnded, at: float) -> None:
        if (work := c.works.pop(f.agent, None)) is not None:
            self._handled(work, at, at)

    def _handled(self, work: _Work, until: float, at: float) -> None:
        counts = self._counts(work.queue, at)
        counts.handled += 1
        counts.handle_s += max(0.0, until - work.began)

    def _ended(self, c: _Contact, _f: ev.Ended, at: float) -> None:
        if c.came is not None:  # between the agent's yes and the first word
            self._abandoned(c, at)

    def _closed(self, c: _Contact, _f: ev.Closed, at: float) -> None:
        if c.waits:
            self._line(c.queue, at, -1)
        for work in c.works.values():
            self._handled(work, at if work.ended is None else work.ended, at)


_DEFAULT = ServiceLevel()

_HANDLERS: dict[type[ev.Fact], Callable[[QueueFigures, _Contact, Any, float], None]] = {
    ev.Queued: QueueFigures._queued,
    ev.Dequeued: QueueFigures._dequeued,
    ev.Connected: QueueFigures._connected,
    ev.Disconnected: QueueFigures._disconnected,
    ev.WrapUpEnded: QueueFigures._wrapped_up,
    ev.Ended: QueueFigures._ended,
    ev.Closed: QueueFigures._closed,
}


def _quarter(at: float) -> int:
    return int(at // STEP_S) * STEP_S
