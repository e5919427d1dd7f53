"""What lasts in a line: nobody who can take it, a queue that closes, new points, and one who was chosen by hand."""

from __future__ import annotations

import pytest

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.rules import Overflow, QueueRules, When, Where
from callcontrol.routing.why import asked_in_words, criticality_title, sentence
from tests.support.routing import START, Floor


@pytest.mark.parametrize("medium", [Medium.CALLBACK, Medium.EMAIL, Medium.MESSAGE, Medium.TASK])
def test_what_lies_and_waits_and_nobody_can_take_is_told_once_and_waits_on(medium: Medium) -> None:
    floor = Floor(QueueRules(name="q", requires="kichwa", stranded_s=60))
    floor.agent("ana", "q")
    floor.item("i1", "q", medium)
    floor.go(600)
    told = floor.all_of(t.Alert)
    assert [(a.kind, a.detail, a.medium) for a in told] == [("no_qualified_agent", "kichwa", medium)]
    assert [(item.id, need) for item, need in floor.router.unqualified()] == [("i1", "kichwa")]
    floor.agent("inti", "q", skills={"kichwa": 1}, ready=False)
    assert floor.router.unqualified() == []
    floor.ask("inti", AgentState.READY)
    assert floor.offered == [("i1", "inti")]
    assert not floor.all_of(t.GiveUp)


class UntilFive:
    """Open for an hour from the start, closed for an hour, and so on."""

    def is_open(self, at: float) -> bool:
        return (at - START) % 7200 < 3600

    def next_close(self, at: float) -> float | None:
        hour = (at - START) // 3600
        return START + 3600 * (hour + 1 if hour % 2 == 0 else hour + 2)


def closing(to: Where = Where.VOICEMAIL, target: str = "") -> QueueRules:
    return QueueRules(name="q", hours=UntilFive(), overflow=(Overflow(when=When.CLOSED, to=to, target=target),))


def test_a_queue_that_closes_over_who_waits_follows_its_rule() -> None:
    floor = Floor(closing())
    floor.agent("ana", "q", ready=False)
    floor.go(3000)
    floor.item("i1", "q")
    floor.item("i2", "q", Medium.CALLBACK)  # promised: it does not lapse
    floor.item("i3", "q", Medium.EMAIL)
    floor.go(599)
    assert len(floor.router.waiting()) == 3
    floor.go(2)
    assert [(d.item, d.why, d.to) for d in floor.all_of(t.GiveUp)] == [
        ("i1", "closed", "voicemail"),
        ("i3", "closed", "voicemail"),
    ]


def test_without_a_rule_for_closing_who_waits_is_served_by_those_still_there() -> None:
    floor = Floor(QueueRules(name="q", hours=UntilFive()))
    floor.agent("ana", "q", ready=False)
    floor.item("i1", "q")
    floor.go(3700)
    floor.ask("ana", AgentState.READY)
    assert floor.offered == [("i1", "ana")]


def test_who_is_being_offered_when_it_closes_is_sent_on_only_if_nobody_takes_it() -> None:
    floor = Floor(closing(Where.QUEUE, "noche"), QueueRules(name="noche"))
    floor.agent("ana", "q")
    floor.go(3595)
    floor.item("i1", "q")
    floor.go(10)
    assert floor.router.waiting("q")
    floor.answer(OfferEnd.REJECTED)
    floor.go(0)
    assert [(d.item, d.queue, d.why) for d in floor.all_of(t.Moved)] == [("i1", "noche", "closed")]


def test_new_points_of_criticality_reach_those_who_wait() -> None:
    floor = Floor(QueueRules(name="q"))
    floor.item("plain", "q", priority=5)
    floor.item("urgent", "q", criticality="mine")
    assert [i.id for i in floor.router.waiting()] == ["plain", "urgent"]
    floor.router.renew(floor.now, [QueueRules(name="q")], {"mine": 10})
    assert [i.id for i in floor.router.waiting()] == ["urgent", "plain"]
    floor.agent("ana", "q")
    assert floor.offered == [("urgent", "ana")]


def test_assigned_to_one_who_signs_out_it_stands_in_its_old_place_again() -> None:
    floor = Floor(QueueRules(name="q"))
    for name in ("ana", "luis"):
        floor.agent(name, "q", ready=False)
    floor.item("i1", "q")
    floor.item("i2", "q")
    floor.tell(t.ItemAssigned(at=floor.now, item=InteractionId("i1"), agent=AgentId("ana")))
    floor.go(5)
    floor.ask("ana", AgentState.SIGNED_OUT)
    assert [(d.item, d.agent, d.queue) for d in floor.of(t.Released)] == [("i1", "ana", "q")]
    floor.ask("luis", AgentState.READY)
    assert floor.offered == [("i1", "luis")]
    assert not floor.all_of(t.GiveUp)


def test_assigned_before_a_restart_to_one_who_does_not_come_back_it_is_anybodys() -> None:
    floor = Floor(QueueRules(name="q", stranded_s=60))
    floor.agent("luis", "q")
    floor.item("i1", "q", hand=AgentId("ana"))
    floor.go(59)
    assert not floor.offered
    floor.go(2)
    assert floor.offered == [("i1", "luis")]


def test_a_tie_that_only_the_names_decide_says_so() -> None:
    floor = Floor(QueueRules(name="q"))
    floor.item("i1", "q")
    floor.agent("eva", "q", ready=False)
    floor.agent("ana", "q", ready=False)
    floor.tell(t.ItemWithdrawn(at=floor.now, item=InteractionId("i1")))
    for name in ("eva", "ana"):
        floor.ask(name, AgentState.READY)
    floor.item("i2", "q")
    why = floor.of(t.MakeOffer)[0].why
    assert why is not None
    assert (why.agent, why.tie, why.tie_by_name) == ("ana", True, True)
    assert "decidió el orden de los nombres" in sentence(why)
    assert "the order of names decided" in sentence(why, "en")


def test_names_of_people_stand_for_codes_in_the_sentence() -> None:
    titles = {"internet": "Internet", "ingles": "Inglés"}
    assert (
        asked_in_words("internet >= 3 and (ingles or not kichwa)", titles) == "Internet nivel 3 y (Inglés o sin kichwa)"
    )
    assert asked_in_words("internet < 3", titles, "en") == "Internet level < 3"
    assert criticality_title("special_capacities") == "capacidades especiales"
    assert criticality_title("adulto_mayor") == "adulto mayor"
