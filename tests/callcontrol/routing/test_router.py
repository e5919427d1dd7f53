"""What the router decides, case by case, in words that a supervisor would use."""

from __future__ import annotations

import pytest

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.rules import Blend, Capacity, Overflow, QueueRules, Ring, Strategy, When, Where
from callcontrol.routing.why import sentence
from tests.support.routing import Floor

PLAIN = QueueRules(name="agua", offer_s=10, wrap_up_s=20)


def test_a_promise_to_call_does_not_lapse_by_the_rules_that_made_it() -> None:
    class Closed:
        def is_open(self, at: float) -> bool:
            return False

        def next_close(self, at: float) -> float | None:
            return None

    rules = QueueRules(
        name="a",
        hours=Closed(),
        max_length=0,
        max_wait_s=5,
        stranded_s=5,
        overflow=(
            Overflow(when=When.CLOSED, to=Where.CALLBACK),
            Overflow(when=When.TIME, over=5, to=Where.VOICEMAIL),
            Overflow(when=When.EXPECTED_WAIT, over=1, to=Where.CALLBACK),
        ),
    )
    floor = Floor(rules)
    floor.item("x", "a", Medium.CALLBACK, queued_at=floor.now - 60)
    floor.go(3600)
    assert floor.all_of(t.GiveUp) == []
    floor.agent("ana", "a")
    assert floor.offered == [("x", "ana")]


def test_who_came_first_gets_who_is_longest_idle() -> None:
    floor = Floor(PLAIN)
    for name in ("ana", "luis"):
        floor.agent(name, "agua")
        floor.now += 1
    floor.item("i1", "agua")
    floor.item("i2", "agua")
    floor.item("i3", "agua")
    assert floor.offered == [("i1", "ana"), ("i2", "luis")]
    assert [i.id for i in floor.router.waiting("agua")] == ["i1", "i2", "i3"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (OfferEnd.REJECTED, "rejected_offer"),
        (OfferEnd.FAILED, "device_unreachable"),
        (OfferEnd.EXPIRED, "missed_offer"),
    ],
)
def test_an_offer_that_fails_costs_the_agent_their_place_not_the_caller(how: OfferEnd, reason: str) -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.item("i1", "agua")
    floor.item("i2", "agua")
    if how is OfferEnd.EXPIRED:
        floor.go(10)
    else:
        floor.answer(how)
    assert floor.state("ana") == (AgentState.NOT_READY, reason)
    floor.agent("luis", "agua")
    assert floor.offered == [("i1", "ana"), ("i1", "luis")]


def test_a_pause_asked_for_in_a_talk_takes_effect_after_it() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.item("i1", "agua")
    floor.answer()
    floor.ask("ana", AgentState.NOT_READY, "almuerzo")
    assert floor.state("ana")[0] is AgentState.INTERACTING
    floor.ends("i1", "ana")
    assert floor.state("ana")[0] is AgentState.WRAP_UP
    floor.go(20)
    assert floor.state("ana") == (AgentState.NOT_READY, "almuerzo")


def test_wrap_up_is_extended_but_not_for_ever_and_finished_early() -> None:
    floor = Floor(QueueRules(name="agua", wrap_up_s=20, wrap_up_most_s=50))
    floor.agent("ana", "agua")
    floor.item("i1", "agua")
    floor.answer()
    floor.ends("i1", "ana")
    began = floor.now
    for until in (40, 50):
        floor.tell(t.WrapUpExtended(at=floor.now, agent=AgentId("ana"), seconds=20))
        assert floor.of(t.WrapUpBegun)[0].until == began + until
    floor.tell(t.WrapUpExtended(at=floor.now, agent=AgentId("ana"), seconds=20))
    assert floor.of(t.Ignored)
    floor.go(30)
    assert floor.state("ana")[0] is AgentState.WRAP_UP
    floor.tell(t.WrapUpFinished(at=floor.now, agent=AgentId("ana"), disposition="reclamo"))
    assert floor.of(t.WrapUpOver)[0].disposition == "reclamo"
    assert floor.state("ana")[0] is AgentState.READY


def test_a_supervisor_forces_a_state_but_cuts_no_talk() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.item("i1", "agua")
    force = t.StateForced(at=floor.now, agent=AgentId("ana"), state=AgentState.NOT_READY, reason="reunion", by="eva")
    floor.tell(force)
    assert floor.of(t.OfferOver)[0].how is OfferEnd.WITHDRAWN
    assert floor.state("ana") == (AgentState.NOT_READY, "reunion")
    floor.ask("ana", AgentState.READY)
    floor.answer()
    floor.tell(force)
    assert floor.state("ana")[0] is AgentState.INTERACTING
    floor.ends("i1", "ana")
    floor.tell(force)
    assert floor.state("ana") == (AgentState.NOT_READY, "reunion")


@pytest.mark.parametrize(
    ("strategy", "first"),
    [
        (Strategy.LONGEST_IDLE, "ana"),
        (Strategy.BEST_SKILL, "luis"),
        (Strategy.RING_ORDER, "eva"),
        (Strategy.ROUND_ROBIN, "ana"),
    ],
)
def test_strategies(strategy: Strategy, first: str) -> None:
    floor = Floor(QueueRules(name="agua", strategy=strategy))
    for name, level, ring in (("ana", 1, 3), ("luis", 4, 2), ("eva", 2, 1)):
        floor.agent(name, "agua", skills={"agua": level}, ring={"agua": ring})
        floor.now += 1
    floor.item("i1", "agua", skills={"agua": 1})
    assert floor.offered == [("i1", first)]


def test_the_fastest_is_measured_not_believed() -> None:
    floor = Floor(QueueRules(name="agua", strategy=Strategy.FASTEST, wrap_up_s=0, handle_s=100))
    for name, seconds in (("ana", 60), ("luis", 30)):
        floor.agent(name, "agua")
        floor.item(name, "agua")
        floor.answer()
        floor.now += seconds
        floor.ends(name, name)
        floor.ask(name, AgentState.NOT_READY, "pausa")
    for name in ("ana", "luis"):
        floor.ask(name, AgentState.READY)
    floor.item("i9", "agua")
    assert floor.offered[-1] == ("i9", "luis")


def test_rings_loosen_what_is_asked_and_say_so() -> None:
    rings = (Ring(after_s=20, loosen={"internet": 1}), Ring(after_s=40, drop=frozenset({"english"})))
    floor = Floor(QueueRules(name="net", rings=rings))
    floor.agent("ana", "net", skills={"internet": 2})
    floor.item("i1", "net", requires="internet >= 3 and english")
    assert not floor.offered
    floor.go(39)
    assert not floor.offered
    floor.go(1)
    assert floor.offered == [("i1", "ana")]
    assert [(d.ring, d.requires) for d in floor.all_of(t.Relaxed)] == [
        (1, "internet >= 2 and english"),
        (2, "internet >= 2"),
    ]
    why = floor.of(t.MakeOffer)[0].why
    assert why is not None
    assert (why.ring, why.relaxed_from, why.requires) == (2, "internet >= 3 and english", "internet >= 2")
    assert "se relajó" in sentence(why)


def test_nobody_has_the_skill_an_alert_and_the_rule() -> None:
    rule = Overflow(when=When.NO_AGENTS, over=30, to=Where.CALLBACK)
    floor = Floor(QueueRules(name="net", overflow=(rule,), rings=(Ring(after_s=300, loosen={"kichwa": 1}),)))
    floor.agent("ana", "net", skills={"internet": 5})
    floor.item("i1", "net", skills={"kichwa": 2})
    floor.go(30)
    assert [(d.kind, d.detail) for d in floor.all_of(t.Alert)] == [("no_qualified_agent", "kichwa")]
    assert floor.all_of(t.GiveUp) == [t.GiveUp(item=InteractionId("i1"), why="no_agents", to="callback")]


def test_without_a_rule_nobody_waits_for_ever_either() -> None:
    floor = Floor(QueueRules(name="net", stranded_s=60))
    floor.agent("ana", "net", skills={"internet": 5})
    floor.item("i1", "net", skills={"internet": 2})
    floor.answer(OfferEnd.REJECTED)
    floor.go(100)
    assert [i.id for i in floor.router.waiting()] == ["i1"]
    floor.ask("ana", AgentState.SIGNED_OUT)
    floor.go(100)
    assert [d.why for d in floor.all_of(t.GiveUp)] == ["no_agents"]


class Closed:
    def is_open(self, at: float) -> bool:
        return False

    def next_close(self, at: float) -> float | None:
        return None


@pytest.mark.parametrize(
    ("rules", "medium", "end"),
    [
        (QueueRules(name="q", hours=Closed()), Medium.VOICE, ("closed", "")),
        (QueueRules(name="q", hours=Closed()), Medium.EMAIL, None),
        (QueueRules(name="q", max_length=0), Medium.VOICE, ("full", "")),
        (
            QueueRules(name="q", overflow=(Overflow(when=When.CLOSED, to=Where.VOICEMAIL),), hours=Closed()),
            Medium.EMAIL,
            ("closed", "voicemail"),
        ),
        (
            QueueRules(name="q", overflow=(Overflow(when=When.EXPECTED_WAIT, over=60, to=Where.MESSAGE),)),
            Medium.VOICE,
            ("expected_wait", "message"),
        ),
    ],
)
def test_turned_away_on_arrival(rules: QueueRules, medium: Medium, end: tuple[str, str] | None) -> None:
    floor = Floor(rules)
    floor.item("i1", "q", medium)
    assert [(d.why, d.to) for d in floor.all_of(t.GiveUp)] == ([end] if end else [])


def test_sent_on_by_time_keeping_its_claim_and_never_round_in_a_circle() -> None:
    def onto(queue: str) -> tuple[Overflow, ...]:
        return (Overflow(when=When.TIME, over=30, to=Where.QUEUE, target=queue),)

    floor = Floor(QueueRules(name="a", overflow=onto("b")), QueueRules(name="b", overflow=onto("a"), stranded_s=1e6))
    floor.item("i1", "a")
    floor.go(29)
    floor.item("i2", "b")
    floor.go(1)
    assert floor.out == [t.Moved(item=InteractionId("i1"), queue="b", came_from="a", why="time")]
    floor.go(200)
    assert [i.queue for i in floor.router.waiting()] == ["b", "a"]
    floor.agent("ana", "a", "b")
    assert floor.offered == [("i1", "ana")]


# --- capacity --------------------


def test_four_chats_or_one_call_and_an_email_gives_way() -> None:
    floor = Floor(QueueRules(name="q", wrap_up_s=0))
    floor.agent("ana", "q", auto_accept=True)
    for n in range(5):
        floor.item(f"c{n}", "q", Medium.CHAT)
    floor.item("call", "q")
    assert [d.item for d in floor.all_of(t.Assign)] == ["c0", "c1", "c2", "c3"]
    for n in range(4):
        floor.ends(f"c{n}", "ana")
    assert [d.item for d in floor.all_of(t.Assign)] == ["c0", "c1", "c2", "c3", "c4"]
    assert floor.offered[-1] == ("c4", "ana")
    floor.ends("c4", "ana")
    assert floor.offered[-1] == ("call", "ana")


def test_three_chats_and_two_emails_a_call_interrupts_only_the_emails() -> None:
    floor = Floor(QueueRules(name="q", wrap_up_s=0))
    floor.agent("ana", "q", auto_accept=True)
    for n in range(3):
        floor.item(f"e{n}", "q", Medium.EMAIL)
    assert [d.item for d in floor.all_of(t.Assign)] == ["e0", "e1"]
    floor.item("call", "q")
    floor.answer()
    assert [d.item for d in floor.all_of(t.WorkSuspended)] == ["e1", "e0"]
    floor.item("chat", "q", Medium.CHAT)
    assert floor.offered[-1][0] == "call"
    floor.ends("call", "ana")
    assert [d.item for d in floor.all_of(t.WorkResumed)] == ["e0", "e1"]
    assert floor.offered[-1] == ("chat", "ana")
    for n in range(4):
        floor.item(f"d{n}", "q", Medium.CHAT)
    assert [d.item for d in floor.all_of(t.Assign)][-2:] == ["d0", "d1"]
    floor.item("call2", "q")
    assert floor.offered[-1][0] == "d1"


def test_blending_keeps_agents_free_for_who_calls_in() -> None:
    floor = Floor(QueueRules(name="q", keep_free=1))
    floor.agent("ana", "q")
    floor.item("out", "q", outbound=True)
    assert not floor.offered
    floor.agent("eva", "q", blend=Blend.INBOUND)
    assert floor.offered == [("out", "ana")]


# --- named agents --------------------


def test_preferred_first_alone_for_a_while_then_anybody() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.agent("luis", "agua", ready=False)
    floor.item("i1", "agua", preferred=(AgentId("luis"),), preferred_wait_s=15)
    assert not floor.offered
    floor.go(15)
    assert floor.offered == [("i1", "ana")]


def test_nobody_waits_for_who_is_not_at_work() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.agent("luis", "agua")
    floor.ask("luis", AgentState.SIGNED_OUT)
    floor.item("i1", "agua", preferred=(AgentId("luis"), AgentId("nadie")), preferred_wait_s=15)
    assert floor.offered == [("i1", "ana")]


def test_direct_and_personal_lines_reach_one_agent_whatever_their_queues() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.agent("luis")
    floor.item("i1", "agua", agent=AgentId("luis"))
    floor.item("i2", "agent:ana")
    floor.item("i3", "agent:nadie")
    assert floor.offered == [("i1", "luis"), ("i2", "ana")]
    assert [d.why for d in floor.all_of(t.GiveUp)] == ["unknown_queue"]
    assert "agent:ana" in floor.router.queues
    floor.answer()
    assert "agent:ana" not in floor.router.queues


# --- priority --------------------


def test_who_must_be_answered_sooner_ages_faster() -> None:
    floor = Floor(QueueRules(name="agua", ageing_per_min=1, target_s=60))
    floor.item("ordinary", "agua")
    floor.go(30)
    floor.item("urgent", "agua", target_s=20)  # 3 points a minute to the other's 1, half a minute later
    floor.item("patient", "agua", target_s=600)
    floor.go(16)
    floor.agent("ana", "agua")
    assert floor.offered == [("urgent", "ana")]


def test_a_target_of_its_own_changes_nothing_where_nobody_ages() -> None:
    floor = Floor(PLAIN)
    floor.item("first", "agua")
    floor.item("second", "agua", target_s=1)
    floor.agent("ana", "agua")
    assert floor.offered == [("first", "ana")]


def test_criticality_goes_before_and_ageing_lets_nobody_starve() -> None:
    floor = Floor(QueueRules(name="q", ageing_per_min=1.0, stranded_s=1e6))
    floor.item("old", "q")
    floor.now += 60 * 21
    floor.item("outage", "q", criticality="outage")
    floor.item("special", "q", criticality="special_capacities")
    assert [i.id for i in floor.router.waiting()] == ["special", "old", "outage"]


def test_supervisors_move_raise_and_assign() -> None:
    floor = Floor(PLAIN, QueueRules(name="net"))
    for name in ("i1", "i2", "i3"):
        floor.item(name, "agua")
        floor.now += 1
    floor.tell(t.ItemRaised(at=floor.now, item=InteractionId("i3"), priority=9, by="eva"))
    assert [i.id for i in floor.router.waiting()] == ["i3", "i1", "i2"]
    floor.tell(t.ItemMoved(at=floor.now, item=InteractionId("i1"), queue="net", by="eva"))
    assert [i.id for i in floor.router.waiting("net")] == ["i1"]
    floor.agent("luis", ready=False)
    floor.tell(t.ItemAssigned(at=floor.now, item=InteractionId("i2"), agent=AgentId("luis"), by="eva"))
    floor.ask("luis", AgentState.READY)
    assert floor.offered == [("i2", "luis")]
    why = floor.of(t.MakeOffer)[0].why
    assert why is not None
    assert why.how == "by_hand"


def test_virtual_hold_keeps_the_place() -> None:
    floor = Floor(QueueRules(name="q", max_wait_s=60, stranded_s=1e6))
    for name in ("i1", "i2"):
        floor.item(name, "q")
        floor.now += 1
    floor.tell(t.PlaceHeld(at=floor.now, item=InteractionId("i1")))
    floor.go(120)
    assert [(i.id, i.medium) for i in floor.router.waiting()] == [("i1", Medium.CALLBACK)]
    floor.item("i3", "q")
    floor.agent("ana", "q")
    assert floor.offered == [("i1", "ana")]


def test_position_and_expected_wait_say_how_they_were_computed() -> None:
    floor = Floor(QueueRules(name="q", handle_s=120))
    floor.item("i1", "q")
    place = floor.router.place(InteractionId("i1"), floor.now + 7)
    assert place is not None
    assert (place.position, place.waited_s, place.expected_s) == (1, 7, None)
    for name in ("ana", "luis"):
        floor.agent(name, "q")
        floor.item(f"for {name}", "q")
        floor.answer()
    floor.item("i5", "q")
    place = floor.router.place(InteractionId("i5"), floor.now)
    assert place is not None
    assert (place.position, place.expected_s) == (2, 120.0)
    assert "mean handling time" in place.method


# --- bad input, late input --------------------


def test_what_is_late_or_twice_or_unknown_changes_nothing() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.item("i1", "agua")
    floor.answer()
    before = floor.router.agents[AgentId("ana")].state
    item, ana, nobody = InteractionId("i1"), AgentId("ana"), AgentId("nadie")
    at = floor.now - 50  # a clock that is behind
    for event in (
        t.OfferAnswered(at=at, offer="i1.o1", how=OfferEnd.ACCEPTED),  # type: ignore[arg-type]
        t.ItemQueued(at=at, item=t.WorkItem(id=item, medium=Medium.VOICE, queue="agua", queued_at=at)),
        t.ItemWithdrawn(at=at, item=item),
        t.WorkEnded(at=at, item=item, agent=nobody),
        t.WorkRestored(at=at, item=item, agent=ana, queue="agua"),
        t.WrapUpFinished(at=at, agent=ana),
        t.WrapUpExtended(at=at, agent=ana, seconds=5),
        t.AgentAsked(at=at, agent=nobody, state=AgentState.READY),
        t.AgentAsked(at=at, agent=ana, state=AgentState.RESERVED),
        t.StateForced(at=at, agent=nobody, state=AgentState.READY),
        t.ItemMoved(at=at, item=item, queue="agua"),
        t.ItemRaised(at=at, item=item, priority=3),
        t.ItemAssigned(at=at, item=item, agent=ana),
        t.PlaceHeld(at=at, item=item),
    ):
        floor.tell(event)
        assert [type(d) for d in floor.out] == [t.Ignored], event
        assert floor.of(t.Ignored)[0].why
    assert floor.router.agents[ana].state is before
    assert floor.router.agents[ana].since == floor.now


def test_a_slip_in_an_items_expression_loses_nobody() -> None:
    floor = Floor(PLAIN)
    floor.agent("ana", "agua")
    floor.item("i1", "agua", requires="internet >=")
    assert floor.offered == [("i1", "ana")]
    assert floor.all_of(t.Alert)[0].kind == "bad_expression"


def test_why_this_agent_in_data_and_in_words() -> None:
    floor = Floor(QueueRules(name="net", strategy=Strategy.BEST_SKILL))
    floor.agent("ana", "net", skills={"internet": 2})
    floor.agent("luis", "net", skills={"internet": 4})
    floor.agent("eva", "net", skills={"agua": 4})
    floor.agent("juan", "net", skills={"internet": 5}, ready=False)
    floor.agent("rosa", "net", skills={"internet": 5}, capacity=Capacity(limits={}, weights={}))
    floor.item("i1", "net", requires="internet >= 2", criticality="outage")
    why = floor.of(t.MakeOffer)[0].why
    assert why is not None
    assert [(c.agent, c.measure) for c in why.candidates] == [("luis", -4), ("ana", -2)]
    assert {e.agent: (e.why, e.detail) for e in why.excluded} == {
        "eva": ("skill", "internet >= 2"),
        "juan": ("not_ready", "signed_in"),
        "rosa": ("no_room", "0"),
    }
    assert sentence(why) == (
        "Se ofreció a luis después de 0 s en la cola net; porque de 2 personas disponibles tiene el mejor nivel en lo "
        "que se pide; la atención es prioritaria (corte o avería); se pedía «internet nivel 2». Del resto, 1 no tiene "
        "la habilidad, 1 no está disponible, 1 está en su capacidad máxima."
    )
    assert sentence(why, "en") == (
        "Offered to luis after 0 s in the queue net; because of 2 people who were free this one has the best level in "
        "what is required; the contact has priority (outage); “internet level 2” was required. Of the others, 1 lacks "
        "the skill, 1 is not ready, 1 is at full capacity."
    )


def test_new_rules_take_effect_without_losing_a_place() -> None:
    floor = Floor(PLAIN, QueueRules(name="gone"), QueueRules(name="empty"))
    floor.item("i1", "agua", skills={"agua": 2})
    floor.item("i2", "gone")
    floor.agent("ana", "agua", "new", skills={"agua": 1})
    assert not floor.offered
    rules = [QueueRules(name="agua", rings=(Ring(after_s=0, drop_all=True),)), QueueRules(name="new")]
    decisions, kept = floor.router.renew(floor.now, rules)
    assert kept == ["gone"]
    assert [d.item for d in decisions if isinstance(d, t.MakeOffer)] == ["i1"]
    assert sorted(floor.router.queues) == ["agua", "gone", "new"]
