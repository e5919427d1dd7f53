"""The waiting line. Items that ask for the same are one class, and every agent either suits all of a class or none.

So two heaps a class are enough for exact decisions without looking at everybody: its items in the order of their
claims, and the free agents who suit it in the order of the queue's strategy. Entries that a later change made untrue
are left in the heaps and thrown away when they come to the top, or all together when they outnumber the true ones.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from callcontrol.model import AgentId, Medium, OfferId
from callcontrol.routing.agents import AgentView, room
from callcontrol.routing.rules import LIVE, PERSONAL, QueueRules, Strategy
from callcontrol.routing.skills import Need, names
from callcontrol.routing.terms import WorkItem

# One point of priority, in the unit in which ageing is counted: a thousandth of a point a minute, by microseconds.
# Whole numbers: sums of floats depend on their order, and two ways of computing a claim must agree to the last bit.
POINT = 60_000_000 * 1000
# Rebuilt when more than this and half of its entries are stale.
_SLACK = 32

Rank: TypeAlias = tuple[float, int, AgentId]  # the strategy's measure, idle since, name


class ClassKey(NamedTuple):
    """`only`: these agents and no others; `anywhere`: whether or not they work in the queue. `rate`: one class ages
    alike, so that its order never changes."""

    queue: str
    medium: Medium
    need: Need
    outbound: bool
    rate: int
    only: tuple[AgentId, ...] = ()
    anywhere: bool = False


@dataclass(slots=True, eq=False)
class Waiting:
    """`claim` is the time-free part of its priority; `entered` is when it came into this queue; `queued` is when it
    began to wait at all. Times are whole microseconds."""

    item: WorkItem
    order: int
    offers: int
    queued: int
    entered: int
    need: Need
    asked: Need
    claim: int = 0
    priority: int = 0
    rate: int = 0  # of ageing
    offer: OfferId | None = None
    klass: Klass | None = None
    version: int = 0
    ring: int = 0
    hand: AgentId | None = None
    prefers: int | None = None  # until then the preferred agents alone
    overflowed: bool = False
    stranded: int | None = None  # when it is looked for anybody who could take it
    stuck: bool = False  # nobody was found, and it has been told
    closes: int | None = None  # when the queue's rule for closing is to be followed
    due: int | None = None
    visited: frozenset[str] = frozenset()


class Klass:
    __slots__ = ("count", "free", "items", "key", "members", "rate", "rules", "skills")

    def __init__(self, key: ClassKey, rules: QueueRules) -> None:
        self.key = key
        self.rules = rules
        self.rate = key.rate
        self.skills = sorted(names(key.need))
        self.members: dict[AgentId, AgentView] = {}
        self.items: list[tuple[int, int, int, int, Waiting]] = []
        self.free: list[tuple[Rank, int, AgentView]] = []
        self.count = 0  # items of this class, offered ones too

    # --- items --------------------

    def push(self, w: Waiting) -> None:
        if len(self.items) > 2 * self.count + _SLACK:
            self.items = [entry for entry in self.items if entry[3] == entry[4].version]
            heapq.heapify(self.items)
        heapq.heappush(self.items, (-w.claim, w.queued, w.order, w.version, w))

    def head(self) -> Waiting | None:
        items = self.items
        while items and items[0][3] != items[0][4].version:
            heapq.heappop(items)
        return items[0][4] if items else None

    def standing(self, w: Waiting, now: int) -> tuple[int, int, int]:
        """Smaller is served first; to be compared between classes."""
        return -(w.claim + self.rate * now), w.queued, w.order

    # --- agents --------------------

    def rank(self, agent: AgentView) -> Rank:
        queue = self.key.queue
        measure: float
        match self.rules.strategy:
            case Strategy.LONGEST_IDLE:
                measure = agent.idle
            case Strategy.LEAST_OCCUPIED:
                measure = sum(w.weight for w in agent.works.values()) / agent.capacity.total
            case Strategy.BEST_SKILL:
                measure = -sum(agent.skills.get(skill, 0) for skill in self.skills)
            case Strategy.FASTEST:
                measure = agent.handle.get(queue, self.rules.handle_s)
            case Strategy.ROUND_ROBIN:
                measure = agent.given.get(queue, 0)
            case _:
                measure = agent.ring.get(queue, 1_000_000)
        return measure, agent.idle, agent.id

    def can(self, agent: AgentView) -> bool:
        """Now: a member who is willing and has room."""
        return agent.willing and room(agent, self.key.medium)

    def add_free(self, agent: AgentView) -> None:
        if len(self.free) > 2 * len(self.members) + _SLACK:
            self.free = [entry for entry in self.free if entry[1] == entry[2].version]
            heapq.heapify(self.free)
        heapq.heappush(self.free, (self.rank(agent), agent.version, agent))

    def best(self) -> AgentView | None:
        free = self.free
        while free:
            _, version, agent = free[0]
            if version == agent.version and agent.id in self.members:
                return agent
            heapq.heappop(free)
        return None


@dataclass(slots=True)
class Line:
    """One queue: its rules, who works in it, how many wait. `ready` and `staffed` count its agents: idle and willing;
    at work or willing to."""

    rules: QueueRules
    agents: dict[AgentId, AgentView] = field(default_factory=dict)
    classes: dict[ClassKey, Klass] = field(default_factory=dict)
    waiting: int = 0
    ready: int = 0
    staffed: int = 0
    handle: float | None = None  # measured mean handling time, seconds
    closes: int = 0  # microseconds; the next closing, once it was asked for


def is_live(medium: Medium) -> bool:
    return medium in LIVE


def personal_agent(queue: str) -> AgentId | None:
    return AgentId(queue[len(PERSONAL) :]) if queue.startswith(PERSONAL) and len(queue) > len(PERSONAL) else None
