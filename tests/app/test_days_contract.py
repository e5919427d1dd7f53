"""The contract of an agent's day (`softphone_web.ports_around.Days`), for the twin and for PostgreSQL: what of all that
happened counts. What the figures mean is `callcontrol.agent_day`, the same for both (test_agent_day)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web_around import SqlDays
from callcontrol import events as ev
from callcontrol.agent_day import AgentDay, StateChange
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import (
    AgentId,
    AgentState,
    OfferEnd,
    OfferId,
    ParticipantId,
    Role,
)
from callcontrol.record import fold
from callcontrol.routing.terms import AgentChanged
from foundation.metrics import Metrics
from softphone_web.ports_around import Days
from tests.support.happened import happened, started
from tests.support.web_around import MemoryDays

ANA, LUIS = AgentId("ana"), AgentId("luis")
DAY_S = 86400.0
SINCE, UNTIL = 10 * DAY_S, 11 * DAY_S
Fact = tuple[float, ev.AnyFact]


@dataclass
class Rig:
    days: Days
    state: Callable[[AgentId, StateChange], Awaitable[None]]
    keep: Callable[[list[ev.InteractionEvent]], Awaitable[None]]

    async def states(self, *changes: tuple[float, AgentState, str], agent: AgentId = ANA) -> None:
        for at, state, reason in changes:
            await self.state(agent, StateChange(at=at, state=state, reason=reason))

    async def contact(self, name: str, began: float, *facts: Fact) -> None:
        await self.keep(happened(name, [(began, started("+593987654321")), *facts]))

    async def day(self, agent: AgentId = ANA, since: float = SINCE, until: float = UNTIL) -> AgentDay:
        return await self.days.of(agent, since=since, until=until)


@pytest.fixture(params=["memory", "postgres"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    if request.param == "memory":
        twin = MemoryDays()

        async def state(agent: AgentId, change: StateChange) -> None:
            twin.states[agent].append(change)

        async def keep(events: list[ev.InteractionEvent]) -> None:
            twin.contacts.append(events)

        return Rig(twin, state, keep)
    database = request.getfixturevalue("database")
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")

    async def store_state(agent: AgentId, change: StateChange) -> None:
        told = AgentChanged(agent=agent, state=change.state, since=change.at, reason=change.reason, item=None)
        await journal._store([told])

    async def store(events: list[ev.InteractionEvent]) -> None:
        state = CallState(id=events[0].interaction)
        await journal._store([Entry(record=fold(events), state=state, events=tuple(events))])

    return Rig(SqlDays(database), store_state, store)


def offer(at: float, how: OfferEnd, *, ended: float | None = None, agent: AgentId = ANA) -> list[Fact]:
    name, end = OfferId(f"o{at}"), at + 10 if ended is None else ended
    return [
        (at, ev.Offered(offer=name, agent=agent, participant=ParticipantId("p1"), expires_at=end)),
        (end, ev.OfferEnded(offer=name, agent=agent, how=how)),
    ]


def joins(at: float, agent: AgentId = ANA) -> list[Fact]:
    who = ParticipantId(f"p-{agent}")
    return [
        (at, ev.ParticipantJoined(participant=who, role=Role.AGENT, address="1001", channel=f"c-{agent}", agent=agent)),
        (at, ev.Connected(agent=agent, participant=who)),
    ]


def parts(at: float, wrapped_up: float | None = None, agent: AgentId = ANA) -> list[Fact]:
    end = at if wrapped_up is None else wrapped_up
    return [
        (at, ev.Disconnected(agent=agent, participant=ParticipantId(f"p-{agent}"), by="customer")),
        (at, ev.WrapUpStarted(agent=agent, until=None)),
        (end, ev.WrapUpEnded(agent=agent, how="finished")),
        (end, ev.Closed()),
    ]


async def test_who_did_nothing_has_an_empty_day(rig: Rig) -> None:
    await rig.states((SINCE, AgentState.READY, ""), agent=LUIS)
    await rig.contact("i-1", SINCE, *joins(SINCE + 1, LUIS), *parts(SINCE + 5, agent=LUIS))
    assert await rig.day() == AgentDay()


async def test_the_state_in_force_at_the_begin_counts_from_then(rig: Rig) -> None:
    ready, not_ready = AgentState.READY, AgentState.NOT_READY
    await rig.states(
        (SINCE - 900, not_ready, "reunion"),
        (SINCE - 100, ready, ""),
        (SINCE + 60, not_ready, "almuerzo"),
        (SINCE + 90, ready, ""),
        (SINCE + 100, AgentState.INTERACTING, ""),
        (SINCE + 130, not_ready, "almuerzo"),
        (SINCE + 150, AgentState.SIGNED_OUT, ""),
        (UNTIL, ready, ""),
    )
    day = await rig.day()
    assert (day.ready_s, day.busy_s, day.not_ready_s) == (70, 30, {"almuerzo": 50})
    later = await rig.day(since=SINCE + 60, until=SINCE + 75)  # a change at the very begin is in force
    assert (later.ready_s, later.not_ready_s) == (0, {"almuerzo": 15})


async def test_a_whole_contact(rig: Rig) -> None:
    await rig.contact(
        "i-1",
        SINCE + 5,
        *offer(SINCE + 10, OfferEnd.REJECTED),
        *offer(SINCE + 30, OfferEnd.ACCEPTED),
        *joins(SINCE + 40),
        (SINCE + 50, ev.Held(by=ANA)),
        (SINCE + 70, ev.Resumed(by=ANA)),
        *parts(SINCE + 100, SINCE + 115),
    )
    day = await rig.day()
    assert (day.handled, day.offered, day.missed, day.rejected) == (1, 2, 0, 1)
    assert (day.talk_s, day.hold_s, day.wrap_up_s) == (40, 20, 15)
    assert (await rig.day(since=UNTIL, until=UNTIL + DAY_S)) == AgentDay()


@pytest.mark.parametrize("how", [OfferEnd.EXPIRED, OfferEnd.FAILED])
async def test_an_offer_of_last_night_that_ended_today_is_missed_today(rig: Rig, how: OfferEnd) -> None:
    """By who took no part in it."""
    await rig.contact("i-1", SINCE - 60, *offer(SINCE - 5, how, ended=SINCE + 5), *joins(SINCE + 9, LUIS))
    day, before = await rig.day(), await rig.day(since=SINCE - DAY_S, until=SINCE)
    assert (day.offered, day.missed) == (0, 1)
    assert (before.offered, before.missed) == (1, 0)


@pytest.mark.parametrize("days", [0.5, 1.5, 6.0])
async def test_a_talk_over_midnight_counts_on_either_side_however_old_its_contact_is(rig: Rig, days: float) -> None:
    """A promise to call back may have waited for a weekend."""
    await rig.contact(
        "i-1",
        SINCE - days * DAY_S,
        *offer(SINCE - 60, OfferEnd.ACCEPTED),
        *joins(SINCE - 50),
        *parts(SINCE + 25, SINCE + 30),
    )
    day, before = await rig.day(), await rig.day(since=SINCE - DAY_S, until=SINCE)
    assert (day.handled, day.talk_s, day.wrap_up_s) == (0, 25, 5)
    assert (before.handled, before.offered, before.talk_s, before.wrap_up_s) == (1, 1, 50, 0)


async def test_what_goes_on_counts_until_the_end_of_the_window(rig: Rig) -> None:
    await rig.contact("i-1", SINCE - 2 * DAY_S, *joins(SINCE - 5))
    assert (await rig.day(until=SINCE + 40)).talk_s == 40


async def test_two_agents_of_one_contact_have_each_their_own_part(rig: Rig) -> None:
    await rig.contact(
        "i-1",
        SINCE,
        *offer(SINCE + 1, OfferEnd.ACCEPTED),
        *joins(SINCE + 11),
        (SINCE + 31, ev.Disconnected(agent=ANA, participant=ParticipantId("p-ana"), by="transfer")),
        *offer(SINCE + 31, OfferEnd.ACCEPTED, ended=SINCE + 35, agent=LUIS),
        *joins(SINCE + 35, LUIS),
        *parts(SINCE + 95, agent=LUIS),
    )
    ana, luis = await rig.day(), await rig.day(LUIS)
    assert (ana.handled, ana.offered, ana.talk_s) == (1, 1, 20)
    assert (luis.handled, luis.offered, luis.talk_s) == (1, 1, 60)
