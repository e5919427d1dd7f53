"""An agent's day, folded from what happened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from callcontrol.agent_day import AgentDay, StateChange, Window, fold_day
from callcontrol.events import (
    AnyFact,
    Connected,
    Disconnected,
    Held,
    InteractionEvent,
    Offered,
    OfferEnded,
    Resumed,
    WrapUpEnded,
    WrapUpStarted,
)
from callcontrol.model import AgentId, AgentState, InteractionId, OfferEnd, OfferId, ParticipantId

ANA, LUIS = AgentId("ana"), AgentId("luis")
LEG = ParticipantId("p1")
DAY = Window(since=1000.0, until=2000.0)


def events(*facts: tuple[float, AnyFact]) -> Sequence[InteractionEvent]:
    return [
        InteractionEvent(interaction=InteractionId("i-1"), n=n, at=at, fact=fact)
        for n, (at, fact) in enumerate(facts, 1)
    ]


def offered(at: float, agent: AgentId, how: OfferEnd) -> list[tuple[float, AnyFact]]:
    offer = OfferId(f"o{at}")
    return [
        (at, Offered(offer=offer, agent=agent, participant=LEG, expires_at=at + 20)),
        (at + 5, OfferEnded(offer=offer, agent=agent, how=how)),
    ]


def met(at: float, agent: AgentId = ANA) -> tuple[float, AnyFact]:
    return at, Connected(agent=agent, participant=LEG)


def parted(at: float, agent: AgentId = ANA) -> tuple[float, AnyFact]:
    return at, Disconnected(agent=agent, participant=LEG, by="customer")


def day(*contacts: Sequence[InteractionEvent], states: Sequence[StateChange] = ()) -> AgentDay:
    return fold_day(ANA, DAY, states, contacts)


def test_a_contact_with_hold_and_wrap_up() -> None:
    figures = day(
        events(
            *offered(1100, ANA, OfferEnd.ACCEPTED),
            met(1105),
            (1125, Held(by=ANA)),
            (1135, Resumed(by=ANA)),
            parted(1205),
            (1205, WrapUpStarted(agent=ANA, until=1235)),
            (1225, WrapUpEnded(agent=ANA, how="finished")),
        )
    )
    assert (figures.handled, figures.offered, figures.missed, figures.rejected) == (1, 1, 0, 0)
    assert (figures.talk_s, figures.hold_s, figures.wrap_up_s) == (90, 10, 20)
    assert figures.aht_s == 120


def test_what_is_under_way_is_no_average() -> None:
    over = (*offered(1100, ANA, OfferEnd.ACCEPTED), met(1105), parted(1165))
    begun = (*offered(1300, ANA, OfferEnd.ACCEPTED), met(1305))
    alone = day(events(*begun))
    assert (alone.handled, alone.aht_s) == (1, None)
    both = day(events(*over), events(*begun))
    assert (both.handled, both.aht_s) == (2, 60)
    assert both.talk_s > 60


def test_offers_that_came_to_nothing_and_those_of_others() -> None:
    figures = day(
        events(
            *offered(1100, ANA, OfferEnd.EXPIRED),
            *offered(1200, ANA, OfferEnd.REJECTED),
            *offered(1300, ANA, OfferEnd.FAILED),
            *offered(1400, ANA, OfferEnd.WITHDRAWN),
            *offered(1500, LUIS, OfferEnd.ACCEPTED),
            met(1505, LUIS),
            parted(1600, LUIS),
        )
    )
    assert (figures.handled, figures.offered, figures.missed, figures.rejected) == (0, 4, 2, 1)
    assert (figures.talk_s, figures.aht_s) == (0, None)


def test_what_lasts_counts_until_now_and_what_began_yesterday_from_midnight() -> None:
    figures = day(events(met(900), parted(1050)), events(met(1900)))
    assert (figures.handled, figures.talk_s) == (1, 150)
    held = day(events(met(1900), (1950, Held(by=ANA))))
    assert (held.talk_s, held.hold_s) == (50, 50)
    gone = day(events(met(1100), (1110, Held(by=ANA)), parted(1130)))
    assert (gone.talk_s, gone.hold_s) == (10, 20)


def test_a_hold_by_a_colleague_who_took_over_is_not_mine() -> None:
    figures = day(
        events(met(1100), parted(1150), met(1150, LUIS), (1160, Held(by=LUIS)), (1170, Resumed(by=LUIS)), met(1200))
    )
    assert (figures.handled, figures.talk_s, figures.hold_s) == (1, 850, 0)


def test_states_make_occupancy_and_pauses_by_reason() -> None:
    figures = day(
        states=[
            StateChange(at=500, state=AgentState.READY),
            StateChange(at=1200, state=AgentState.RESERVED),
            StateChange(at=1210, state=AgentState.INTERACTING),
            StateChange(at=1290, state=AgentState.WRAP_UP),
            StateChange(at=1300, state=AgentState.NOT_READY, reason="almuerzo"),
            StateChange(at=1500, state=AgentState.NOT_READY, reason="reunion"),
            StateChange(at=1600, state=AgentState.READY),
            StateChange(at=1700, state=AgentState.SIGNED_OUT),
        ]
    )
    assert (figures.ready_s, figures.busy_s) == (300, 100)
    assert figures.not_ready_s == {"almuerzo": 200, "reunion": 100}
    assert figures.occupancy == pytest.approx(0.25)
    assert day().occupancy is None
