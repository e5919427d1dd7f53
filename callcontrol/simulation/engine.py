"""The discrete-event simulation: one heap of moments, and the same router as in production deciding at each.

Every contact has its own random numbers, drawn in the order of arrival: the same contacts come whoever works and
whatever the rules are, so two plans are compared on the same day (common random numbers)."""

from __future__ import annotations

import heapq
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from callcontrol.model import AgentId, AgentState, InteractionId, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.router import Router
from callcontrol.routing.rules import DEFAULT_CAPACITY
from callcontrol.simulation.scenario import Arrivals, Crew, Scenario, Shape
from callcontrol.simulation.sister import misses


@dataclass(frozen=True, slots=True)
class Contact:
    at: float
    stream: Arrivals
    handle: float  # in units of the mean
    patience: float


@dataclass(slots=True)
class Tally:
    """Of one queue in which contacts came: their waits by how they ended; seconds."""

    offered: int = 0
    answered: array[float] = field(default_factory=lambda: array("d"))
    abandoned: array[float] = field(default_factory=lambda: array("d"))
    turned_away: int = 0
    handled_s: float = 0.0


@dataclass(slots=True)
class Day:
    """One replication. `busy_s` and `present_s` are by crew."""

    queues: dict[str, Tally] = field(default_factory=dict)
    busy_s: dict[str, float] = field(default_factory=dict)
    present_s: dict[str, float] = field(default_factory=dict)
    events: int = 0
    misses: dict[str, dict[str, float]] = field(default_factory=dict)  # by queue and figure: `sister`


def contacts(scenario: Scenario, seed: int) -> list[Contact]:
    """All of a day, by arrival: a Poisson stream whose rate changes with the interval."""
    found = []
    for number, stream in enumerate(scenario.arrivals):
        r = Random(f"{seed}/{number}")
        for at in _poisson(stream, scenario.duration_s, r):
            handle = _handle(stream, r)
            patience = r.expovariate(1.0) * stream.patience_s if stream.patience_s else math.inf
            found.append(Contact(at, stream, handle, patience))
    found.sort(key=lambda c: c.at)
    return found


def _poisson(stream: Arrivals, until: float, r: Random) -> Iterator[float]:
    """By the integral of the rate: exponential steps of one arrival each."""
    at, left = 0.0, r.expovariate(1.0)
    interval = 0
    while at < until:
        rate = stream.per_interval[interval % len(stream.per_interval)] / stream.interval_s
        end = (interval + 1) * stream.interval_s
        if rate * (end - at) > left:
            at += left / rate
            if at < until:
                yield at
            left = r.expovariate(1.0)
        else:
            left -= rate * (end - at)
            at = end
            interval += 1


def _handle(stream: Arrivals, r: Random) -> float:
    match stream.handle_shape:
        case Shape.EXPONENTIAL:
            return r.expovariate(1.0)
        case Shape.LOGNORMAL:
            spread = math.log(1 + stream.handle_cv**2)
            return r.lognormvariate(-spread / 2, math.sqrt(spread))
        case _:
            return 1.0


class Simulation:
    def __init__(self, scenario: Scenario, config: RoutingConfig, seed: int) -> None:
        self.scenario = scenario
        # Nobody forgets to say how a contact ended: who is simulated is not made to wait for it.
        rules = [replace(rule, disposition_required=False) for rule in config.rules()]
        self.router = Router(rules, criticality=config.criticality, why=False)
        self.config = config
        self.start = scenario.starts_at
        self.day = Day()
        self.contacts = contacts(scenario, seed)
        self.crew_of: dict[AgentId, str] = {}
        self.skills: dict[AgentId, dict[str, int]] = {}
        self.waits: list[float | None] = [None] * len(self.contacts)  # of those who were answered
        self._moments: list[tuple[float, int, t.RouterEvent]] = []
        self._n = 0

    def run(self) -> Day:
        for stream in self.scenario.arrivals:
            self.day.queues.setdefault(stream.queue, Tally())
        for crew in self.scenario.crews:
            self._come(crew)
        for number, contact in enumerate(self.contacts):
            at = self.start + contact.at
            self._until(at)
            if contact.at >= self.scenario.warm_up_s:
                self.day.queues[contact.stream.queue].offered += 1
            item = t.WorkItem(
                id=InteractionId(str(number)),
                medium=contact.stream.medium,
                queue=contact.stream.queue,
                queued_at=at,
                priority=contact.stream.priority,
                skills=contact.stream.skills,
            )
            self._tell(t.ItemQueued(at=at, item=item))
            if self.waits[number] is None and contact.patience < math.inf:
                self._later(t.ItemWithdrawn(at=at + contact.patience, item=item.id))
        self._until(math.inf)
        self.day.misses = misses(self.scenario, self.config, self.contacts)
        return self.day

    def _later(self, event: t.RouterEvent) -> None:
        self._n += 1
        heapq.heappush(self._moments, (event.at, self._n, event))

    def _until(self, end: float) -> None:
        """Everything up to there, the router's own dues between."""
        while True:
            due = self.router.next_due()
            at = self._moments[0][0] if self._moments else math.inf
            if due is not None and due <= at and due <= end:
                self._tell(t.TimePassed(at=due))
            elif at <= end and self._moments:
                self._tell(heapq.heappop(self._moments)[2])
            else:
                return

    def _come(self, crew: Crew) -> None:
        capacity = self.config.capacities[crew.capacity].build() if crew.capacity else DEFAULT_CAPACITY
        end = self.scenario.duration_s if crew.to_s is None else min(crew.to_s, self.scenario.duration_s)
        counted = max(0.0, end - max(crew.from_s, self.scenario.warm_up_s))
        self.day.present_s[crew.name] = self.day.present_s.get(crew.name, 0.0) + counted * crew.count
        self.day.busy_s.setdefault(crew.name, 0.0)
        for n in range(crew.count):
            agent = AgentId(f"{crew.name}-{n:04}")
            self.crew_of[agent] = crew.name
            self.skills[agent] = crew.skills
            at = self.start + crew.from_s
            queues = frozenset(crew.queues)
            self._later(t.AgentSignedIn(at=at, agent=agent, queues=queues, skills=crew.skills, capacity=capacity))
            self._later(t.AgentAsked(at=at, agent=agent, state=AgentState.READY))
            if crew.to_s is not None:
                self._later(t.AgentAsked(at=self.start + end, agent=agent, state=AgentState.SIGNED_OUT))
        self._until(self.start)

    # --- what was decided --------------------

    def _tell(self, event: t.RouterEvent) -> None:
        self.day.events += 1
        decisions = self.router.step(event)
        if isinstance(event, t.ItemWithdrawn) and not any(isinstance(d, t.Ignored) for d in decisions):
            self._left(int(event.item), event.at)
        for d in decisions:
            if isinstance(d, t.MakeOffer):
                offer = d.offer
                if not any(isinstance(o, t.Assign) and o.offer == offer for o in decisions):
                    self._tell(t.OfferAnswered(at=event.at, offer=offer, how=OfferEnd.ACCEPTED))
            elif isinstance(d, t.Assign):
                self._answered(int(d.item), d.agent, event.at)
            elif isinstance(d, t.GiveUp):
                self._turned_away(int(d.item))

    def _answered(self, number: int, agent: AgentId, at: float) -> None:
        contact = self.contacts[number]
        wait = max(0.0, at - self.start - contact.at)  # the router's clock has whole microseconds
        self.waits[number] = wait
        took = contact.handle * self._mean(contact.stream, agent)
        self._later(t.WorkEnded(at=at + took, item=InteractionId(str(number)), agent=agent))
        begun, ended = at - self.start, min(at - self.start + took, self.scenario.duration_s)
        crew = self.crew_of[agent]
        self.day.busy_s[crew] += max(0.0, ended - max(begun, self.scenario.warm_up_s))
        if contact.at >= self.scenario.warm_up_s:
            tally = self.day.queues[contact.stream.queue]
            tally.answered.append(wait)
            tally.handled_s += took

    def _mean(self, stream: Arrivals, agent: AgentId) -> float:
        by_level = stream.handle_by_level
        if by_level is None:
            return stream.handle_s
        level = self.skills[agent].get(by_level.skill, 0)
        fits = [given for given in sorted(by_level.seconds) if given <= level]
        return by_level.seconds[fits[-1]] if fits else stream.handle_s

    def _left(self, number: int, at: float) -> None:
        contact = self.contacts[number]
        if contact.at >= self.scenario.warm_up_s:
            self.day.queues[contact.stream.queue].abandoned.append(at - self.start - contact.at)

    def _turned_away(self, number: int) -> None:
        contact = self.contacts[number]
        if contact.at >= self.scenario.warm_up_s:
            self.day.queues[contact.stream.queue].turned_away += 1


def run(scenario: Scenario, config: RoutingConfig, seed: int) -> list[Day]:
    """Every replication with numbers of its own."""
    return [Simulation(scenario, config, seed * 1_000_003 + n).run() for n in range(scenario.replications)]
