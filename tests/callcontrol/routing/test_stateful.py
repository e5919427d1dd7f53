"""Hypothesis plays the day: agents come, vanish and crash, items of every medium come and go. What must always hold
is looked for in the router's public face and in what it decided, not in its own bookkeeping."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.agents import active, room
from callcontrol.routing.router import Router
from callcontrol.routing.rules import DEFAULT_CAPACITY, Capacity, QueueRules, Strategy
from callcontrol.routing.skills import parse, satisfied
from tests.support.routing import START, Floor

AGENTS = [AgentId(name) for name in ("ana", "luis", "eva", "juan")]
MEDIA = st.sampled_from([Medium.VOICE, Medium.CHAT, Medium.EMAIL, Medium.MESSAGE])
NEEDS = st.sampled_from(["", "internet", "internet >= 2"])


class Day(RuleBasedStateMachine):
    @initialize(
        strategy=st.sampled_from(Strategy),
        ageing=st.sampled_from([0.0, 2.0]),
        levels=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    )
    def opens(self, strategy: Strategy, ageing: float, levels: list[int]) -> None:
        self.rules = [
            QueueRules(name="a", strategy=strategy, ageing_per_min=ageing, wrap_up_s=5, stranded_s=1e6),
            QueueRules(name="b", priority=1, wrap_up_s=0, stranded_s=1e6),
        ]
        self.router = Router(self.rules)
        self.now = START
        self.events: list[t.RouterEvent] = []
        self.log: list[t.Decision] = []
        self.offers: dict[OfferId, t.MakeOffer] = {}
        self.talks: dict[InteractionId, AgentId] = {}
        self.waits: set[InteractionId] = set()
        self.queued: dict[InteractionId, t.WorkItem] = {}
        self.levels = dict(zip(AGENTS, levels, strict=True))
        for agent in AGENTS:
            self.come(agent)

    def come(self, agent: AgentId) -> None:
        queues = frozenset({"a", "b"}) if agent != "juan" else frozenset({"b"})
        self.tell(t.AgentSignedIn(at=self.now, agent=agent, queues=queues, skills={"internet": self.levels[agent]}))

    def tell(self, event: t.RouterEvent) -> None:
        self.events.append(event)
        for d in self.router.step(event):
            self.log.append(d)
            self.saw(d)

    def saw(self, d: t.Decision) -> None:
        match d:
            case t.MakeOffer():
                assert d.item in self.waits, "offered, but it does not wait"
                assert d.item not in {o.item for o in self.offers.values()}, "two agents for one item"
                assert d.agent not in {o.agent for o in self.offers.values()}, "two offers to one agent"
                self.fair(d)
                self.offers[d.offer] = d
            case t.OfferOver():
                del self.offers[d.offer]
            case t.Assign():
                del self.offers[d.offer]
                assert d.item not in self.talks, "two agents for one item"
                self.talks[d.item] = d.agent
                self.waits.remove(d.item)
            case t.GiveUp():
                self.waits.remove(d.item)

    def fair(self, d: t.MakeOffer) -> None:
        """Nobody in the same queue who asks for the same was passed over who came before, with the same priority."""
        mine = self.queued[d.item]
        taken = {o.item for o in self.offers.values()}
        for other in self.waits - taken - {d.item}:
            item = self.queued[other]
            equal = (item.queue, item.medium, item.requires, item.priority)
            if equal == (mine.queue, mine.medium, mine.requires, mine.priority):
                assert item.queued_at >= mine.queued_at, "passed over"

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 4.0, 19.0, 60.0]))
    def time(self, seconds: float) -> None:
        self.now += seconds
        self.tell(t.TimePassed(at=self.now))

    @rule(medium=MEDIA, queue=st.sampled_from("ab"), requires=NEEDS, priority=st.sampled_from([0, 0, 2]))
    def arrives(self, medium: Medium, queue: str, requires: str, priority: int) -> None:
        item = t.WorkItem(
            id=InteractionId(f"i{len(self.queued)}"),
            medium=medium,
            queue=queue,
            queued_at=self.now,
            requires=requires,
            priority=priority,
        )
        self.queued[item.id] = item
        self.waits.add(item.id)
        self.tell(t.ItemQueued(at=self.now, item=item))

    @rule(agent=st.sampled_from(AGENTS), state=st.sampled_from([AgentState.READY] * 4 + [AgentState.NOT_READY]))
    def asks(self, agent: AgentId, state: AgentState) -> None:
        self.tell(t.AgentAsked(at=self.now, agent=agent, state=state))

    @precondition(lambda self: self.offers)
    @rule(data=st.data(), how=st.sampled_from([OfferEnd.ACCEPTED] * 3 + [OfferEnd.REJECTED, OfferEnd.FAILED]))
    def answers(self, data: Any, how: OfferEnd) -> None:
        offer = data.draw(st.sampled_from(sorted(self.offers)))
        self.tell(t.OfferAnswered(at=self.now, offer=offer, how=how))

    @precondition(lambda self: self.waits)
    @rule(data=st.data())
    def hangs_up(self, data: Any) -> None:
        item = data.draw(st.sampled_from(sorted(self.waits)))
        self.waits.remove(item)  # first: in the same step their agent may be offered the next
        self.tell(t.ItemWithdrawn(at=self.now, item=item))

    @precondition(lambda self: self.talks)
    @rule(data=st.data())
    def ends(self, data: Any) -> None:
        item = data.draw(st.sampled_from(sorted(self.talks)))
        self.tell(t.WorkEnded(at=self.now, item=item, agent=self.talks.pop(item)))

    @rule(agent=st.sampled_from(AGENTS))
    def crashes(self, agent: AgentId) -> None:
        """The browser dies and the supervisor clears up."""
        self.tell(t.StateForced(at=self.now, agent=agent, state=AgentState.SIGNED_OUT))
        self.come(agent)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert {i.id for i in self.router.waiting()} == self.waits

    @invariant()
    def capacity_is_kept(self) -> None:
        for agent in self.router.agents.values():
            works = list(agent.works.values())
            assert active(agent) <= DEFAULT_CAPACITY.total
            for medium in Medium:
                assert sum(w.medium is medium for w in works) <= DEFAULT_CAPACITY.limits[medium]

    @invariant()
    def no_free_agent_beside_a_waiting_item_they_could_take(self) -> None:
        taken = {o.item for o in self.offers.values()}
        for item in self.router.waiting():
            for agent in self.router.agents.values():
                fits = satisfied(parse(item.requires), agent.skills) and item.queue in agent.queues
                assert item.id in taken or not (agent.willing and fits and room(agent, item.medium))

    def teardown(self) -> None:
        if not hasattr(self, "router"):
            return
        again = Router(self.rules)
        assert [d for event in self.events for d in again.step(event)] == self.log, "a replay decided otherwise"


TestDay = Day.TestCase
TestDay.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_under_ageing_the_first_is_not_overtaken_for_ever() -> None:
    """A stream of important items as fast as one agent works: after ten minutes the old one has aged enough."""
    floor = Floor(QueueRules(name="a", ageing_per_min=1.0, wrap_up_s=0))
    one = Capacity(limits={Medium.TASK: 1}, weights={})
    floor.agent("ana", "a", auto_accept=True, capacity=one)
    for n in range(30):
        floor.item(f"vip{n}", "a", Medium.TASK, priority=10)
        if n == 0:
            floor.item("vip", "a", Medium.TASK, priority=10)
            floor.item("old", "a", Medium.TASK)
        floor.now += 60
        floor.ends(floor.all_of(t.Assign)[-1].item, "ana")
    served = [d.item for d in floor.all_of(t.Assign)]
    assert 9 <= served.index(InteractionId("old")) <= 13
