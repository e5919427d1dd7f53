"""What the router knows, and the small moves that keep it true: places in lines, dues, agents' states."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from callcontrol.model import AgentId, AgentState, InteractionId, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.agents import AgentView, Work, seen_state, takes
from callcontrol.routing.line import POINT, ClassKey, Klass, Line, Waiting, personal_agent
from callcontrol.routing.rules import Blend, QueueRules
from callcontrol.routing.skills import ANY, Need, satisfied

BUSY = frozenset({AgentState.RESERVED, AgentState.INTERACTING, AgentState.WRAP_UP})
STAFFED = BUSY | {AgentState.READY}
# Classes without an item are kept for the next one that asks for the same; past this many, the empty ones go.
MOST_CLASSES = 2048
_SLACK = 64
# How much a new handling time weighs in the measured mean: about the last twenty count.
LEARN = 0.05


@dataclass(slots=True, eq=False)
class Offer:
    id: OfferId
    order: int
    waiting: Waiting
    agent: AgentView
    expires: int


Due: TypeAlias = Offer | Work | Waiting


def micros(at: float) -> int:
    return round(at * 1_000_000)


class Board:
    """`now` is the step's time in microseconds, `at` in seconds; `out` are its decisions so far."""

    def __init__(self, queues: Iterable[QueueRules], criticality: Mapping[str, int]) -> None:
        self.criticality = criticality
        self.lines: dict[str, Line] = {q.name: Line(q) for q in queues}
        self.blends = any(line.rules.keep_free for line in self.lines.values())
        self.agents: dict[AgentId, AgentView] = {}
        self.waiting: dict[InteractionId, Waiting] = {}
        self.offers: dict[OfferId, Offer] = {}
        self.works: dict[int, tuple[Work, AgentView]] = {}  # in wrap-up
        self.hands: dict[InteractionId, AgentView] = {}  # who talks with whom
        self.now = 0
        self.at = 0.0
        self.out: list[t.Decision] = []
        self.touched: dict[AgentId, AgentView] = {}  # may be able to take something now
        self.fresh: dict[InteractionId, Waiting] = {}  # may be takeable now
        self.arrivals = 0
        self.offered = 0
        self.begun = 0
        self._only: dict[AgentId, dict[Klass, None]] = {}  # classes for named agents, by each of them
        self._classes = 0
        self._dues: list[tuple[int, int, int, int, Due]] = []
        self._due_n = 0

    def say(self, decision: t.Decision) -> None:
        self.out.append(decision)

    def ignore(self, event: str, why: t.IgnoredWhy) -> None:
        self.out.append(t.Ignored(event=event, why=why))

    # --- lines and classes --------------------

    def line(self, queue: str) -> Line | None:
        """Personal lines come into being when somebody asks for them."""
        line = self.lines.get(queue)
        if line is None and personal_agent(queue) in self.agents:
            line = self.lines[queue] = Line(QueueRules(name=queue))
        return line

    def place(self, w: Waiting) -> None:
        """Into the class that fits it now. Whoever calls has taken it out of the old one."""
        line = self.lines[w.item.queue]
        key = _key(w)
        klass = line.classes.get(key)
        if klass is None:
            klass = self._open(line, key)
        w.klass = klass
        klass.count += 1
        w.claim = w.priority * POINT - w.rate * w.queued
        if w.offer is None:
            self.line_up(w)

    def line_up(self, w: Waiting) -> None:
        assert w.klass is not None  # noqa: S101 - placed before
        w.version += 1
        w.klass.push(w)
        self.fresh[w.item.id] = w

    def unplace(self, w: Waiting) -> None:
        klass = w.klass
        assert klass is not None  # noqa: S101 - placed before
        w.klass = None
        w.version += 1
        self.fresh.pop(w.item.id, None)
        klass.count -= 1
        if klass.count == 0 and (klass.key.only or self._classes > MOST_CLASSES):
            self._close(klass)

    def leave(self, w: Waiting) -> None:
        """Out of the line altogether."""
        self.unplace(w)
        del self.waiting[w.item.id]
        line = self.lines[w.item.queue]
        line.waiting -= 1
        if line.waiting == 0 and personal_agent(line.rules.name) and not line.agents:
            self.close_all(line)
            del self.lines[line.rules.name]

    def _open(self, line: Line, key: ClassKey) -> Klass:
        klass = line.classes[key] = Klass(key, line.rules)
        self._classes += 1
        for name in key.only:
            self._only.setdefault(name, {})[klass] = None
        named = (self.agents[name] for name in key.only if name in self.agents)
        for agent in list(named) if key.only else line.agents.values():
            self._join(klass, agent)
        return klass

    def _join(self, klass: Klass, agent: AgentView) -> None:
        if suits(klass.key, agent):
            klass.members[agent.id] = agent
            agent.classes[klass] = None
            if klass.can(agent):
                klass.add_free(agent)

    def _close(self, klass: Klass) -> None:
        if self.lines[klass.key.queue].classes.pop(klass.key, None) is None:
            return
        self._classes -= 1
        for agent in klass.members.values():
            agent.classes.pop(klass, None)
        for name in klass.key.only:
            self._only[name].pop(klass, None)
            if not self._only[name]:
                del self._only[name]

    def close_all(self, line: Line) -> None:
        for klass in list(line.classes.values()):
            self._close(klass)

    def recount(self, line: Line, agent: AgentView) -> None:
        """A line that is new counts those who were there before it."""
        line.staffed += agent.state in STAFFED
        line.ready += agent.state is AgentState.READY

    def profile(self, agent: AgentView, event: t.AgentSignedIn) -> None:
        """Anew in all that depends on who the agent is."""
        self._leave_queues(agent)
        agent.queues, agent.skills, agent.ring = event.queues, event.skills, event.ring
        agent.capacity, agent.blend, agent.auto_accept = event.capacity, event.blend, event.auto_accept
        self._count(agent, agent.state, +1)
        for name in sorted(agent.queues & self.lines.keys()):
            line = self.lines[name]
            line.agents[agent.id] = agent
            for klass in line.classes.values():
                if not klass.key.only:
                    self._join(klass, agent)
        for klass in self._only.get(agent.id, ()):
            self._join(klass, agent)
        self.touch(agent)

    def _leave_queues(self, agent: AgentView) -> None:
        self._count(agent, agent.state, -1)
        for name in agent.queues & self.lines.keys():
            self.lines[name].agents.pop(agent.id, None)
        for klass in agent.classes:
            klass.members.pop(agent.id, None)
        agent.classes.clear()

    # --- agents --------------------

    def touch(self, agent: AgentView) -> None:
        agent.version += 1
        self.touched[agent.id] = agent

    def settle(self, agent: AgentView) -> None:
        """After every change: what was wanted is taken up when nothing holds it off, and the state is told."""
        if agent.wanted is not None and not agent.works and agent.offer is None:
            agent.presence, agent.presence_reason = agent.wanted
            agent.wanted = None
        self.touch(agent)
        state, reason, item = seen_state(agent)
        if (state, reason, item) == (agent.state, agent.reason, agent.item):
            return
        if (state, reason) != (agent.state, agent.reason):
            agent.since = self.at
        if state is not agent.state:
            self._count(agent, agent.state, -1)
            self._count(agent, state, +1)
        agent.state, agent.reason, agent.item = state, reason, item
        self.say(t.AgentChanged(agent=agent.id, state=state, reason=reason, since=agent.since, item=item))
        if state is AgentState.SIGNED_OUT:
            self._release(agent)

    def _release(self, agent: AgentView) -> None:
        """What a supervisor had assigned to them goes back to its place in the queue."""
        theirs = {
            w.order: w
            for klass in self._only.get(agent.id, ())
            for _, _, _, version, w in klass.items
            if version == w.version and w.hand == agent.id
        }
        for _, w in sorted(theirs.items()):
            self.release(w)

    def release(self, w: Waiting) -> None:
        assert w.hand is not None  # noqa: S101 - who calls has looked
        self.say(t.Released(item=w.item.id, agent=w.hand, queue=w.item.queue))
        w.hand = None
        self.unplace(w)
        self.place(w)

    def _count(self, agent: AgentView, state: AgentState, by: int) -> None:
        if state not in STAFFED:
            return
        for name in agent.queues:
            line = self.lines.get(name)
            if line is not None:
                line.staffed += by
                line.ready += by if state is AgentState.READY else 0

    def anyone(self, w: Waiting, need: Need) -> bool:
        """Whether somebody who is signed in could ever take it, if this were asked."""
        line = self.lines[w.item.queue]
        key = _key(w)
        if not key.anywhere:
            key = key._replace(need=need, only=())
        named = [self.agents[name] for name in key.only if name in self.agents]
        people = named if key.anywhere else line.agents.values()
        medium = w.item.medium
        return any(takes(agent, medium) and suits(key, agent) for agent in people)

    # --- dues: offers first, then wrap-ups, then items; each in the order in which it came --------------------

    def due(self, kind: int, at: int, order: int, what: Due) -> None:
        live = len(self.offers) + len(self.works) + len(self.waiting)
        if len(self._dues) > 2 * live + _SLACK:
            self._dues = [entry for entry in self._dues if self._holds(entry)]
            heapq.heapify(self._dues)
        self._due_n += 1
        heapq.heappush(self._dues, (at, kind, order, self._due_n, what))

    def _holds(self, entry: tuple[int, int, int, int, Any]) -> bool:
        at, kind, order, _, what = entry
        if kind == OFFER:
            return self.offers.get(what.id) is what
        if kind == WRAP_UP:
            return order in self.works and what.until == at
        held = self.waiting.get(what.item.id)
        return held is not None and held is what and held.due == at and held.offer is None

    def next_due(self) -> tuple[int, int, Any] | None:
        dues = self._dues
        while dues and not self._holds(dues[0]):
            heapq.heappop(dues)
        return (dues[0][0], dues[0][1], dues[0][4]) if dues else None

    def take_due(self) -> None:
        heapq.heappop(self._dues)

    # --- how long it takes --------------------

    def expected_s(self, line: Line, ahead: int) -> float | None:
        """For one who has so many before them: their place in line times the mean handling time, shared among the
        agents who work in the queue now. None when nobody works there."""
        if line.staffed == 0:
            return None
        handle = line.rules.handle_s if line.handle is None else line.handle
        return max(0, ahead + 1 - line.ready) * handle / line.staffed

    def learn(self, agent: AgentView, queue: str, seconds: float) -> None:
        before = agent.handle.get(queue)
        agent.handle[queue] = seconds if before is None else before + (seconds - before) * LEARN
        line = self.lines.get(queue)
        if line is not None:
            line.handle = seconds if line.handle is None else line.handle + (seconds - line.handle) * LEARN


OFFER, WRAP_UP, ITEM = 0, 1, 2


def _key(w: Waiting) -> ClassKey:
    item = w.item
    alone = w.hand or item.agent or personal_agent(item.queue)
    if alone is not None:
        return ClassKey(item.queue, item.medium, ANY, item.outbound, w.rate, (alone,), anywhere=True)
    if w.prefers is not None:
        return ClassKey(item.queue, item.medium, w.need, item.outbound, w.rate, item.preferred)
    return ClassKey(item.queue, item.medium, w.need, item.outbound, w.rate)


_WRONG_WAY = {True: Blend.INBOUND, False: Blend.OUTBOUND}


def suits(key: ClassKey, agent: AgentView) -> bool:
    """For good: what does not depend on what the agent does now."""
    if key.anywhere:
        return agent.id in key.only
    return (
        key.queue in agent.queues
        and (not key.only or agent.id in key.only)
        and agent.blend is not _WRONG_WAY[key.outbound]
        and satisfied(key.need, agent.skills)
    )


def free_for(klass: Klass, name: AgentId) -> AgentView | None:
    agent = klass.members.get(name)
    return agent if agent is not None and klass.can(agent) else None
