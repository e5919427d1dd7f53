"""The contract of the list of interactions (`softphone_web.ports.Interactions`), for the twin and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.web_data import SqlInteractions
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import AgentId, Direction, ExitReason, Interaction, InteractionId, Medium, Phase
from foundation.errors import NotFound
from foundation.metrics import Metrics
from softphone_web.ports import InteractionFilter, Interactions, Position
from tests.support.web import LUIS, MemoryInteractions, facts_of, interaction
from tests.support.web_people import ANA, NOW

Put = Callable[..., Awaitable[Interactions]]
ALL = InteractionFilter()


@pytest.fixture(params=["memory", "postgres"])
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Put:
    """The list, holding these records and their facts."""
    if request.param == "memory":

        async def memory(*records: Interaction) -> Interactions:
            return MemoryInteractions(records)

        return memory
    database = request.getfixturevalue("database")
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")

    async def postgres(*records: Interaction) -> Interactions:
        entries = [Entry(events=tuple(facts_of(one)), record=one, state=CallState(id=one.id)) for one in records]
        await journal._store(entries)
        return SqlInteractions(database)

    return postgres


def closed(number: int, **changes: Any) -> Interaction:
    return interaction(number, **{"closed_at": NOW, **changes})


def ids(found: Any) -> list[str]:
    return [one.id for one in found]


async def test_one_comes_back_as_it_is_and_none_is_said(put: Put) -> None:
    record = closed(1)
    listed = await put(record, closed(2))
    assert await listed.get(record.id) == record
    with pytest.raises(NotFound):
        await listed.get(InteractionId("i-nadie"))


async def test_the_newest_comes_first_and_of_the_same_age_the_higher_id(put: Put) -> None:
    listed = await put(closed(1, created_at=NOW - 5), closed(2, created_at=NOW), closed(3, created_at=NOW - 5))
    assert ids(await listed.page(ALL, after=None, limit=10)) == ["i-00002", "i-00003", "i-00001"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_hold_every_one_once(put: Put, limit: int) -> None:
    """Also where times are the same, or differ by less than a stored one can."""
    ages = [0, 0, 0, 1 / 3, 1 / 3 + 1e-7, 2.5, 2.5]
    records = [closed(n, created_at=NOW - age) for n, age in enumerate(ages)]
    listed = await put(*records)
    seen: list[str] = []
    after: Position | None = None
    while page := await listed.page(ALL, after=after, limit=limit):
        assert len(page) <= limit
        seen += ids(page)
        after = Position(created_at=page[-1].created_at, id=page[-1].id)
    assert sorted(seen) == sorted(ids(records))


FILTERS: list[tuple[InteractionFilter, list[int]]] = [
    (InteractionFilter(medium=Medium.CHAT), [13]),
    (InteractionFilter(queue="facturas"), [12]),
    (InteractionFilter(agent=LUIS), [11]),
    (InteractionFilter(phase=Phase.TALKING), [14]),
    (InteractionFilter(direction=Direction.OUTBOUND), [15]),
    (InteractionFilter(exit_reason=ExitReason.ABANDONED_IN_QUEUE), [16]),
    (InteractionFilter(number="+593999000111"), [17, 18]),
    (InteractionFilter(since=NOW - 13, until=NOW - 11), [12, 13]),
    (InteractionFilter(took_part=LUIS), [11]),
    (InteractionFilter(took_part=AgentId("nadie")), []),
    (InteractionFilter(queue="facturas", medium=Medium.CHAT), []),
    (InteractionFilter(queue="averias", took_part=ANA, since=NOW - 14), [13, 14]),
]


@pytest.mark.parametrize(("wanted", "numbers"), FILTERS)
async def test_all_that_is_asked_must_hold(put: Put, wanted: InteractionFilter, numbers: list[int]) -> None:
    listed = await put(
        closed(11, agent=LUIS),
        closed(12, queue="facturas"),
        closed(13, medium=Medium.CHAT),
        interaction(14, phase=Phase.TALKING),
        closed(15, direction=Direction.OUTBOUND),
        closed(16, exit_reason=ExitReason.ABANDONED_IN_QUEUE),
        closed(17, from_address="+593999000111"),
        closed(18, to_address="+593999000111"),
    )
    assert ids(await listed.page(wanted, after=None, limit=20)) == [f"i-{number:05d}" for number in numbers]


async def test_facts_are_read_on_from_a_number(put: Put) -> None:
    record = closed(1)
    listed = await put(record)
    facts = facts_of(record)
    assert list(await listed.events(record.id, after=0, limit=100)) == facts
    assert list(await listed.events(record.id, after=3, limit=2)) == facts[3:5]
    assert list(await listed.events(record.id, after=len(facts), limit=5)) == []
    with pytest.raises(NotFound):
        await listed.events(InteractionId("i-nadie"), after=0, limit=5)


async def test_those_that_go_on_are_counted_by_their_medium(put: Put) -> None:
    listed = await put(
        closed(1),
        interaction(2, phase=Phase.TALKING),
        interaction(3, phase=Phase.QUEUED),
        interaction(4, phase=Phase.QUEUED, medium=Medium.CHAT),
    )
    assert dict(await listed.active()) == {Medium.VOICE: 2, Medium.CHAT: 1}
