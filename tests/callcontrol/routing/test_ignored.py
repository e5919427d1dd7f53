"""What changes nothing is counted by what it was and why: a fixed set of codes, seen through the desk."""

from __future__ import annotations

from typing import get_args

import pytest

from callcontrol.desk import Desk
from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId
from callcontrol.routing import terms as t
from callcontrol.routing.rules import QueueRules
from foundation.clock import VirtualClock
from foundation.metrics import Metrics

ANA, EVA, NOBODY = AgentId("ana"), AgentId("eva"), AgentId("nobody")
TALK, LINE, NONE = InteractionId("talk"), InteractionId("line"), InteractionId("none")


def item(name: InteractionId, queue: str = "q") -> t.WorkItem:
    return t.WorkItem(id=name, medium=Medium.VOICE, queue=queue, queued_at=0.0)


_CASES: list[tuple[t.RouterEvent, str]] = [
    (t.ItemQueued(at=9, item=item(LINE)), "already_waits"),
    (t.ItemQueued(at=9, item=item(TALK)), "already_in_hand"),
    (t.ItemWithdrawn(at=9, item=NONE), "not_waiting"),
    (t.PlaceHeld(at=9, item=NONE), "not_waiting"),
    (t.PlaceHeld(at=9, item=InteractionId("offered")), "being_offered"),
    (t.ItemMoved(at=9, item=LINE, queue="gone"), "unknown_queue"),
    (t.ItemMoved(at=9, item=LINE, queue="q"), "already_there"),
    (t.ItemRaised(at=9, item=NONE, priority=1), "not_waiting"),
    (t.ItemAssigned(at=9, item=LINE, agent=NOBODY), "unknown_agent"),
    (t.ItemAssigned(at=9, item=LINE, agent=AgentId("out")), "signed_out"),
    (t.AgentAsked(at=9, agent=NOBODY, state=AgentState.READY), "unknown_agent"),
    (t.AgentAsked(at=9, agent=ANA, state=AgentState.INTERACTING), "no_such_state"),
    (t.StateForced(at=9, agent=ANA, state=AgentState.RESERVED), "no_such_state"),
    (t.OfferAnswered(at=9, offer=OfferId("x.o1"), how=OfferEnd.ACCEPTED), "offer_over"),
    (t.WorkEnded(at=9, item=NONE, agent=ANA), "not_working_on_it"),
    (t.WrapUpFinished(at=9, agent=ANA), "not_wrapping_up"),
    (t.WrapUpExtended(at=9, agent=EVA, seconds=0), "not_wrapping_up"),
    (t.WorkRestored(at=9, item=NONE, agent=ANA, queue="q"), "no_room"),
    (t.WorkRestored(at=9, item=TALK, agent=EVA, queue="q"), "already_in_hand"),
    (t.WorkRenamed(at=9, agent=ANA, item=TALK, becomes=LINE, queue="q"), "name_taken"),
]


@pytest.fixture
def told() -> tuple[Desk, Metrics]:
    metrics = Metrics()
    nobody: list[object] = []
    desk = Desk(
        [QueueRules(name="q"), QueueRules(name="empty")],
        VirtualClock(9.0),
        metrics,
        to_call=lambda *_: nobody.append(0),
        to_agent=nobody.append,
        to_supervisors=nobody.append,
    )
    for name in ("ana", "eva", "out"):
        desk.tell(t.AgentSignedIn(at=1, agent=AgentId(name), queues=frozenset({"q"} if name != "out" else {"empty"})))
    desk.tell(t.AgentAsked(at=1, agent=ANA, state=AgentState.READY))
    desk.tell(t.ItemQueued(at=1, item=item(TALK)))
    desk.tell(t.OfferAnswered(at=1, offer=OfferId("talk.o1"), how=OfferEnd.ACCEPTED))
    desk.tell(t.AgentAsked(at=1, agent=EVA, state=AgentState.READY))
    desk.tell(t.ItemQueued(at=1, item=item(InteractionId("offered"))))
    desk.tell(t.ItemQueued(at=1, item=item(LINE)))
    desk.tell(t.AgentAsked(at=1, agent=AgentId("out"), state=AgentState.SIGNED_OUT))
    return desk, metrics


@pytest.mark.parametrize(("event", "why"), _CASES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_each_is_counted_with_its_reason(told: tuple[Desk, Metrics], event: t.RouterEvent, why: str) -> None:
    desk, metrics = told
    desk.tell(event)
    lines = [line for line in metrics.render().decode().splitlines() if "routing_ignored_events_total{" in line]
    assert len(lines) == 1
    assert f'why="{why}"' in lines[0]
    assert lines[0].endswith(" 1.0")
    desk.close()


def test_the_reasons_are_a_fixed_set() -> None:
    assert {why for _, why in _CASES} <= set(get_args(t.IgnoredWhy))
