"""Random organisations and random days for the router: small, so that every corner is met, and many."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router
from callcontrol.routing.rules import (
    DEFAULT_CAPACITY,
    DEFAULT_CRITICALITY,
    Blend,
    Capacity,
    Overflow,
    QueueRules,
    Ring,
    Strategy,
    When,
    Where,
)
from tests.support.routing_oracle import Oracle

SKILLS = ("internet", "agua", "english")
NEEDS = ("", "", "internet", "internet >= 2", "internet >= 3 and english", "english or agua >= 2", "not agua")
MEDIA = (*[Medium.VOICE] * 3, Medium.CHAT, Medium.EMAIL, Medium.MESSAGE, Medium.VIDEO, Medium.CALLBACK)
STEPS = (0.0, 0.0, 0.5, 1.0, 3.0, 10.0, 40.0)
CAPACITIES = (
    DEFAULT_CAPACITY,
    DEFAULT_CAPACITY,
    Capacity(limits={Medium.VOICE: 1}, weights={Medium.VOICE: 100}),
    Capacity(
        limits={Medium.VOICE: 2, Medium.CHAT: 3, Medium.EMAIL: 3, Medium.CALLBACK: 1},
        weights={Medium.VOICE: 50, Medium.CHAT: 30, Medium.EMAIL: 20, Medium.CALLBACK: 50},
        interrupts={Medium.VOICE: frozenset({Medium.EMAIL, Medium.CHAT}), Medium.CHAT: frozenset({Medium.EMAIL})},
    ),
)
START = 1_795_000_000.0


class Alternating:
    """Hours for tests: open in every other half minute."""

    def is_open(self, at: float) -> bool:
        return int(at / 30) % 2 == 0

    def next_close(self, at: float) -> float:
        here = int(at / 30)
        return 30.0 * (here + (1 if here % 2 == 0 else 2))


def random_rules(r: Random, name: str, names: list[str]) -> QueueRules:
    rings = tuple(
        Ring(
            after_s=5.0 * (n + 1) * r.choice((1, 2)) + 10 * n,
            loosen={r.choice(SKILLS): r.choice((1, 2))} if r.random() < 0.5 else {},
            drop=frozenset({r.choice(SKILLS)}) if r.random() < 0.5 else frozenset(),
            drop_all=r.random() < 0.15,
        )
        for n in range(r.choice((0, 0, 1, 2)))
    )
    over = {When.TIME: 15.0, When.LENGTH: 2.0, When.EXPECTED_WAIT: 60.0, When.CLOSED: 0.0, When.NO_AGENTS: 20.0}
    overflow = tuple(
        Overflow(
            when=when, over=value, to=r.choice((Where.QUEUE, Where.QUEUE, Where.VOICEMAIL)), target=r.choice(names)
        )
        for when, value in over.items()
        if r.random() < 0.15
    )
    return QueueRules(
        name=name,
        strategy=r.choice(list(Strategy)),
        offer_s=r.choice((5.0, 20.0)),
        wrap_up_s=r.choice((0.0, 5.0, 30.0)),
        max_wait_s=r.choice((None, None, 60.0)),
        priority=r.choice((0, 0, 1)),
        ageing_per_min=r.choice((0.0, 0.0, 1.0, 6.5)),
        target_s=r.choice((20.0, 20.0, 30.0)),
        requires=r.choice(("", "", "agua")),
        rings=rings,
        overflow=overflow,
        max_length=r.choice((None, None, None, 3)),
        hours=Alternating() if r.random() < 0.2 else None,
        auto_accept=r.random() < 0.15,
        preferred_wait_s=r.choice((0.0, 6.0)),
        stranded_s=r.choice((300.0, 25.0)),
        keep_free=r.choice((0, 0, 0, 1)),
        wrap_up_most_s=40.0,
        disposition_required=r.random() < 0.3,
    )


@dataclass
class Scenario:
    """Events are made one by one, from what the router has decided so far."""

    seed: int
    events: list[t.RouterEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.r = Random(self.seed)
        self.names = [f"q{n}" for n in range(r.choice((1, 2, 2, 3)))]
        self.rules = [random_rules(r, name, self.names) for name in self.names]
        self.agents = [AgentId(f"a{n}") for n in range(r.choice((1, 2, 3, 4)))]
        self.at = START + r.choice((0.0, 15.0))
        self.items = 0
        self.offers: dict[str, Any] = {}
        self.talks: dict[str, Any] = {}

    def watch(self, decisions: list[t.Decision]) -> None:
        for d in decisions:
            match d:
                case t.MakeOffer():
                    self.offers[d.offer] = d
                case t.OfferOver():
                    self.offers.pop(d.offer, None)
                case t.Assign():
                    self.offers.pop(d.offer, None)
                    self.talks[d.item] = d.agent

    def sign_in(self, agent: AgentId) -> t.AgentSignedIn:
        r = self.r
        queues = frozenset(name for name in self.names if r.random() < 0.8)
        return t.AgentSignedIn(
            at=self.at,
            agent=agent,
            queues=queues,
            skills={skill: r.choice((1, 2, 3, 4)) for skill in SKILLS if r.random() < 0.6},
            ring={name: r.choice((1, 2)) for name in queues},
            capacity=r.choice(CAPACITIES),
            blend=r.choice((Blend.BOTH, Blend.BOTH, Blend.BOTH, Blend.INBOUND, Blend.OUTBOUND)),
            auto_accept=r.random() < 0.1,
        )

    def item(self) -> t.WorkItem:
        r = self.r
        self.items += 1
        return t.WorkItem(
            id=InteractionId(f"i{self.items}"),
            medium=r.choice(MEDIA),
            queue=r.choice(self.names),
            queued_at=self.at - (0.0 if r.random() < 0.8 else r.choice((2.0, 12.0))),
            priority=r.choice((0, 0, 0, 1, 5)),
            skills={r.choice(SKILLS): r.choice((1, 2))} if r.random() < 0.3 else {},
            requires=r.choice(NEEDS),
            give_up_at=self.at + 45.0 if r.random() < 0.1 else None,
            criticality=r.choice(("", "", "", "", "outage", "vulnerable")),
            target_s=r.choice((None, None, None, 7.0, 10.0, 60.0)),
            preferred=tuple(r.sample(self.agents, 1)) if r.random() < 0.2 else (),
            preferred_wait_s=r.choice((None, 0.0, 8.0)),
            agent=r.choice(self.agents) if r.random() < 0.06 else None,
            hand=r.choice(self.agents) if r.random() < 0.04 else None,
            outbound=r.random() < 0.12,
        )

    def next(self) -> t.RouterEvent:
        r = self.r
        self.at += r.choice(STEPS)
        roll = r.random()
        agent = r.choice(self.agents)
        item = InteractionId(f"i{r.randint(1, max(1, self.items))}")
        if roll < 0.33:
            return t.ItemQueued(at=self.at, item=self.item())
        if roll < 0.53 and self.offers:
            offer = r.choice(list(self.offers.values()))
            how = OfferEnd.ACCEPTED if r.random() < 0.75 else r.choice((OfferEnd.REJECTED, OfferEnd.FAILED))
            return t.OfferAnswered(at=self.at, offer=offer.offer, how=how)
        if roll < 0.63 and self.talks:
            item, agent = r.choice(list(self.talks.items()))
            if r.random() < 0.9:
                del self.talks[item]
            return t.WorkEnded(at=self.at, item=item, agent=agent)
        if roll < 0.75:
            state = r.choice((AgentState.READY,) * 6 + (AgentState.NOT_READY, AgentState.SIGNED_OUT))
            return t.AgentAsked(at=self.at, agent=agent, state=state, reason="pausa" * (state is AgentState.NOT_READY))
        return self.rare(r.random(), agent, item)

    def rare(self, roll: float, agent: AgentId, item: InteractionId) -> t.RouterEvent:
        r, at = self.r, self.at
        if roll < 0.2:
            return t.TimePassed(at=at)
        if roll < 0.35:
            return t.ItemWithdrawn(at=at, item=item)
        if roll < 0.38:
            return t.Disposed(at=at, agent=agent, item=item)
        if roll < 0.45:
            return t.WrapUpFinished(at=at, agent=agent, disposition="ok")
        if roll < 0.5:
            return t.WrapUpExtended(at=at, agent=agent, seconds=r.choice((10.0, 60.0)))
        if roll < 0.58:
            return t.ItemMoved(at=at, item=item, queue=r.choice((*self.names, "none")))
        if roll < 0.66:
            return t.ItemRaised(at=at, item=item, priority=r.choice((0, 3, 9)))
        if roll < 0.74:
            return t.ItemAssigned(at=at, item=item, agent=agent)
        if roll < 0.8:
            return t.PlaceHeld(at=at, item=item)
        if roll < 0.86:
            state = r.choice((AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT))
            return t.StateForced(at=at, agent=agent, state=state, reason="forced")
        if roll < 0.9:
            until = r.choice((None, at + 9.0))
            queue, medium = r.choice(self.names), r.choice(MEDIA)
            return t.WorkRestored(at=at, item=item, agent=agent, queue=queue, wrap_up_until=until, medium=medium)
        if roll < 0.93:
            return self.renamed(agent, item)
        if roll < 0.96:
            return t.OfferAnswered(at=at - 1.0, offer=f"{item}.o1", how=OfferEnd.ACCEPTED)  # type: ignore[arg-type]
        return self.sign_in(agent)

    def renamed(self, agent: AgentId, item: InteractionId) -> t.RouterEvent:
        r = self.r
        becomes = InteractionId(r.choice((f"{item}.c", f"i{r.randint(1, max(1, self.items))}")))
        if self.talks and r.random() < 0.8:
            item = r.choice(list(self.talks))
            agent = self.talks.pop(item)
            self.talks[becomes] = agent
        return t.WorkRenamed(at=self.at, agent=agent, item=item, becomes=becomes, queue=r.choice(self.names))

    def first(self) -> list[t.RouterEvent]:
        events: list[t.RouterEvent] = []
        for agent in self.agents:
            events.append(self.sign_in(agent))
            events.append(t.AgentAsked(at=self.at, agent=agent, state=AgentState.READY))
        return events


def same(ours: list[t.Decision], theirs: list[t.Decision]) -> bool:
    """But for the explanation and the wording of what was ignored."""
    return len(ours) == len(theirs) and all(map(_one_same, ours, theirs))


def _one_same(a: t.Decision, b: t.Decision) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, t.MakeOffer):
        return msgspec.structs.replace(a, why=None) == b
    if isinstance(a, t.Ignored) and isinstance(b, t.Ignored):
        return a.event == b.event
    return a == b


def disagreement(seed: int, length: int = 24, *, why: bool = False) -> str:
    """Runs one scenario on both; what they decided at the first step in which they differ, else ''."""
    scenario = Scenario(seed)
    core = Router(scenario.rules, why=why)
    oracle = Oracle(scenario.rules, dict(DEFAULT_CRITICALITY))
    first = scenario.first()
    for number in range(length + len(first)):
        if scenario.r.random() < 0.02:  # the organisation gives other points
            points = {"outage": scenario.r.choice((0, 4, 90))}
            ours, _ = core.renew(scenario.at, scenario.rules, points)
            theirs = oracle.renew(scenario.at, points)
            scenario.watch(ours)
            if not same(ours, theirs):
                return f"seed {seed}, before step {number}: {points}\n core   {ours}\n oracle {theirs}"
        event = first[number] if number < len(first) else scenario.next()
        ours, theirs = core.step(event), oracle.step(event)
        scenario.watch(ours)
        if not same(ours, theirs):
            return f"seed {seed}, step {number}: {event}\n core   {ours}\n oracle {theirs}"
    return ""
