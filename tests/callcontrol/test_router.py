"""The router: exactly one agent an offer, places kept, nobody lost — by example, and by random histories."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router

RULES = [t.QueueRules(name="a", offer_s=10, wrap_up_s=5), t.QueueRules(name="b", offer_s=20, wrap_up_s=0)]


def item(name: str, at: float, queue: str = "a", priority: int = 0, give_up_at: float | None = None) -> t.WorkItem:
    return t.WorkItem(
        id=InteractionId(name),
        medium=Medium.VOICE,
        queue=queue,
        queued_at=at,
        priority=priority,
        give_up_at=give_up_at,
    )


def signed_in(router: Router, *names: str, at: float = 0.0, queues: str = "ab") -> None:
    for name in names:
        router.step(t.AgentSignedIn(at=at, agent=AgentId(name), queues=frozenset(queues)))
        router.step(t.AgentAsked(at=at, agent=AgentId(name), state=AgentState.READY))


def offers(decisions: list[t.Decision]) -> list[tuple[str, str]]:
    return [(d.item, d.agent) for d in decisions if isinstance(d, t.MakeOffer)]


def queue_up(router: Router, name: str, at: float, **more: object) -> list[t.Decision]:
    return router.step(t.ItemQueued(at=at, item=item(name, at, **more)))  # type: ignore[arg-type]


def test_longest_idle_agent_first() -> None:
    router = Router(RULES)
    signed_in(router, "first", at=0)
    signed_in(router, "second", at=1)
    assert offers(queue_up(router, "i1", 2)) == [("i1", "first")]
    assert offers(queue_up(router, "i2", 3)) == [("i2", "second")]


def test_a_pause_does_not_cost_an_agent_their_turn() -> None:
    router = Router(RULES)
    signed_in(router, "first", at=0)
    signed_in(router, "second", at=1)
    router.step(t.AgentAsked(at=2, agent=AgentId("first"), state=AgentState.NOT_READY, reason="pausa"))
    router.step(t.AgentAsked(at=3, agent=AgentId("first"), state=AgentState.READY))
    assert offers(queue_up(router, "i1", 4)) == [("i1", "first")]


def test_priority_then_arrival() -> None:
    router = Router(RULES)
    for name, at, priority in (("late", 3.0, 0), ("early", 1.0, 0), ("urgent", 5.0, 1)):
        router.step(t.ItemQueued(at=5, item=item(name, at, priority=priority)))
    assert [i.id for i in router.waiting("a")] == ["urgent", "early", "late"]


def test_an_expired_offer_keeps_the_items_place_and_takes_the_agent_out() -> None:
    router = Router(RULES)
    signed_in(router, "ana")
    queue_up(router, "i1", 1)
    queue_up(router, "i2", 2)
    assert router.next_due() == 11
    decisions = router.step(t.TimePassed(at=11))
    assert [d.how for d in decisions if isinstance(d, t.OfferOver)] == [OfferEnd.EXPIRED]
    assert router.agents[AgentId("ana")].state is AgentState.NOT_READY
    assert [i.id for i in router.waiting()] == ["i1", "i2"]


def test_acceptance_after_expiry_changes_nothing() -> None:
    router = Router(RULES)
    signed_in(router, "ana")
    queue_up(router, "i1", 1)
    router.step(t.TimePassed(at=11))
    late = router.step(t.OfferAnswered(at=11, offer=OfferId("i1.o1"), how=OfferEnd.ACCEPTED))
    assert [type(d) for d in late] == [t.Ignored]


def test_wrap_up_ends_by_timer_and_the_next_item_comes_at_once() -> None:
    router = Router(RULES)
    signed_in(router, "ana")
    queue_up(router, "i1", 1)
    router.step(t.OfferAnswered(at=2, offer=OfferId("i1.o1"), how=OfferEnd.ACCEPTED))
    queue_up(router, "i2", 3)
    router.step(t.WorkEnded(at=10, item=InteractionId("i1"), agent=AgentId("ana")))
    assert router.next_due() == 15
    assert offers(router.step(t.TimePassed(at=15))) == [("i2", "ana")]


def test_a_pause_asked_for_in_a_talk_comes_after_the_wrap_up() -> None:
    router = Router(RULES)
    signed_in(router, "ana")
    queue_up(router, "i1", 1)
    router.step(t.OfferAnswered(at=2, offer=OfferId("i1.o1"), how=OfferEnd.ACCEPTED))
    router.step(t.AgentAsked(at=3, agent=AgentId("ana"), state=AgentState.NOT_READY, reason="almuerzo"))
    assert router.agents[AgentId("ana")].state is AgentState.INTERACTING
    router.step(t.WorkEnded(at=4, item=InteractionId("i1"), agent=AgentId("ana")))
    router.step(t.TimePassed(at=9))
    view = router.agents[AgentId("ana")]
    assert (view.state, view.reason) == (AgentState.NOT_READY, "almuerzo")


@pytest.mark.parametrize("queue", ["none", ""])
def test_an_unknown_queue_is_told_at_once(queue: str) -> None:
    decisions = queue_up(Router(RULES), "i1", 1, queue=queue)
    assert decisions == [t.GiveUp(item=InteractionId("i1"), why="unknown_queue")]


def test_giving_up_waits_for_an_offer_that_is_out() -> None:
    router = Router(RULES)
    signed_in(router, "ana")
    queue_up(router, "i1", 1, give_up_at=5.0)
    assert router.step(t.TimePassed(at=6)) == []
    gave_up = router.step(t.OfferAnswered(at=7, offer=OfferId("i1.o1"), how=OfferEnd.REJECTED))
    assert not [d for d in gave_up if isinstance(d, t.GiveUp)]
    assert [type(d) for d in router.step(t.TimePassed(at=8))] == [t.GiveUp]


class Histories(RuleBasedStateMachine):
    """Random agents, arrivals, answers, losses. The model: what must be true of any correct router."""

    def __init__(self) -> None:
        super().__init__()
        self.router = Router(RULES)
        self.now = 0.0
        self.count = 0
        self.open: dict[str, t.MakeOffer] = {}
        self.working: dict[str, str] = {}
        self.state: dict[str, str] = {}  # of items: waiting, assigned, gone

    def tell(self, event: t.RouterEvent) -> None:
        for d in self.router.step(event):
            match d:
                case t.MakeOffer():
                    assert self.state[d.item] == "waiting"
                    assert d.item not in {o.item for o in self.open.values()}
                    assert d.agent not in {o.agent for o in self.open.values()}
                    assert d.agent not in self.working
                    self.open[d.offer] = d
                case t.OfferOver():
                    assert self.open.pop(d.offer).agent == d.agent
                case t.Assign():
                    assert self.open.pop(d.offer).item == d.item
                    self.state[d.item] = "assigned"
                    self.working[d.agent] = d.item
                case t.GiveUp():
                    assert self.state[d.item] == "waiting"
                    self.state[d.item] = "gone"
                case t.WrapUpOver():
                    assert self.working.pop(d.agent) == d.item
                case _:
                    pass

    @rule(seconds=st.floats(0, 30))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.tell(t.TimePassed(at=self.now))

    @rule(agent=st.sampled_from("xyz"), queues=st.sets(st.sampled_from("ab"), min_size=1))
    def sign_in(self, agent: str, queues: set[str]) -> None:
        self.tell(t.AgentSignedIn(at=self.now, agent=AgentId(agent), queues=frozenset(queues)))

    @rule(agent=st.sampled_from("xyzu"), state=st.sampled_from(list(AgentState)))
    def ask(self, agent: str, state: AgentState) -> None:
        self.tell(t.AgentAsked(at=self.now, agent=AgentId(agent), state=state, reason="r"))

    @rule(queue=st.sampled_from("abc"), priority=st.integers(0, 2), patience=st.none() | st.floats(0, 60))
    def arrive(self, queue: str, priority: int, patience: float | None) -> None:
        self.count += 1
        name = f"i{self.count}"
        self.state[name] = "waiting"
        give_up_at = None if patience is None else self.now + patience
        self.tell(t.ItemQueued(at=self.now, item=item(name, self.now, queue, priority, give_up_at)))

    @rule(number=st.integers(1, 40))
    def leave(self, number: int) -> None:
        self.tell(t.ItemWithdrawn(at=self.now, item=InteractionId(f"i{number}")))
        if self.state.get(f"i{number}") == "waiting":
            self.state[f"i{number}"] = "gone"

    @rule(pick=st.integers(0, 5), how=st.sampled_from(list(OfferEnd)))
    def answer(self, pick: int, how: OfferEnd) -> None:
        known = sorted(self.open)
        offer = known[pick % len(known)] if known else "nobody.o1"
        self.tell(t.OfferAnswered(at=self.now, offer=OfferId(offer), how=how))

    @rule(agent=st.sampled_from("xyz"))
    def finish(self, agent: str) -> None:
        work = self.working.get(agent, "i1")
        self.tell(t.WorkEnded(at=self.now, item=InteractionId(work), agent=AgentId(agent)))

    @rule(agent=st.sampled_from("xyz"))
    def end_wrap_up(self, agent: str) -> None:
        self.tell(t.WrapUpFinished(at=self.now, agent=AgentId(agent)))

    @invariant()
    def nobody_is_lost(self) -> None:
        assert {i.id for i in self.router.waiting()} == {n for n, s in self.state.items() if s == "waiting"}

    @invariant()
    def states_say_what_is(self) -> None:
        for view in self.router.agents.values():
            offered = view.id in {o.agent for o in self.open.values()}
            assert offered == (view.state is AgentState.RESERVED)
            assert (view.id in self.working) == (view.state in (AgentState.INTERACTING, AgentState.WRAP_UP))

    @invariant()
    def nobody_waits_beside_a_free_agent(self) -> None:
        offered = {o.item for o in self.open.values()}
        free = [v for v in self.router.agents.values() if v.state is AgentState.READY]
        for waiting in self.router.waiting():
            assert waiting.id in offered or not any(waiting.queue in v.queues for v in free)

    @invariant()
    def one_offer_each(self) -> None:
        assert all(n == 1 for n in Counter(o.agent for o in self.open.values()).values())


Histories.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestHistories = Histories.TestCase
