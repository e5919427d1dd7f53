"""One contract for the journal in memory and the one in PostgreSQL; and what PostgreSQL alone can do wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.web_data import SqlInteractions
from callcontrol import events as ev
from callcontrol.call_state import CallState
from callcontrol.events import InteractionEvent
from callcontrol.journal import Entry, Journal, MemoryJournal
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import (
    AgentId,
    AgentState,
    Direction,
    ExitReason,
    InitiationMethod,
    Interaction,
    InteractionId,
    Medium,
    ParticipantId,
    Phase,
    Role,
)
from callcontrol.record import apply, fold
from callcontrol.routing.terms import AgentChanged
from foundation.database import Database
from foundation.ids import new_id
from foundation.metrics import Metrics
from softphone_web.ports import InteractionFilter
from tests.support.servers import PostgresServer

AT = 1_795_000_000.123456


class Call:
    """A call that writes itself, fact by fact."""

    def __init__(self, name: str = "Zoë\x00<script>") -> None:
        self.id = InteractionId(new_id())
        self.record: Interaction | None = None
        self.state = CallState(id=self.id, channel="c1", phase=Phase.FLOW, flow={"node": "motivo", "n": 1})
        self.events: list[InteractionEvent] = []
        self.name = name

    def entry(self, *facts: ev.AnyFact, state: CallState | None = None) -> Entry:
        fresh = []
        for fact in facts:
            event = InteractionEvent(interaction=self.id, n=len(self.events) + 1, at=AT + len(self.events), fact=fact)
            self.record = apply(self.record, event)
            self.events.append(event)
            fresh.append(event)
        self.state = state or self.state
        assert self.record is not None
        return Entry(events=tuple(fresh), record=self.record, state=self.state)

    def begin(self) -> Entry:
        return self.entry(
            ev.Started(
                medium=Medium.VOICE,
                direction=Direction.INBOUND,
                initiation_method=InitiationMethod.INBOUND,
                channel="c1",
                from_address="0991234567",
                from_name=self.name,
                to_address="072831900",
                trunk="etapa",
            ),
            ev.ParticipantJoined(
                participant=ParticipantId("p"), role=Role.CUSTOMER, address="0991234567", channel="c1"
            ),
            ev.ParticipantJoined(
                participant=ParticipantId("a"), role=Role.AGENT, address="1001", channel="c2", agent=AgentId("ana")
            ),
        )

    def end(self) -> Entry:
        return self.entry(
            ev.Ended(exit_reason=ExitReason.COMPLETED, cause="normal", by="customer"),
            ev.Closed(),
            state=CallState(id=self.id, phase=Phase.CLOSED),
        )


@asynccontextmanager
async def sql_journal(database: Database, folder: Path) -> AsyncIterator[SqlJournal]:
    journal = SqlJournal(database, Metrics(), folder / "refused.jsonl")
    task = asyncio.create_task(journal.run())
    try:
        yield journal
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(params=["memory", "sql"])
async def journal(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
    else:
        async with sql_journal(database, tmp_path) as made:
            yield made


async def test_open_calls_come_back_as_they_were(journal: Journal) -> None:
    first, second, closed = Call("Ana"), Call("Luis"), Call("Eva")
    for call in (first, second, closed):
        journal.append(call.begin())
    journal.append(closed.end())
    await journal.flush()
    assert await journal.open_calls() == [(c.record, c.state) for c in (first, second)]


async def test_the_last_asked_state_of_agents_is_kept(journal: Journal) -> None:
    def change(state: AgentState, reason: str, since: float) -> AgentChanged:
        return AgentChanged(agent=AgentId("ana"), state=state, reason=reason, since=since, item=None)

    journal.append_agent(change(AgentState.READY, "", AT))
    journal.append_agent(change(AgentState.NOT_READY, "almuerzo", AT + 1))
    journal.append_agent(change(AgentState.INTERACTING, "", AT + 2))
    await journal.flush()
    assert await journal.agent_states() == {AgentId("ana"): (AgentState.NOT_READY, "almuerzo")}


async def test_stored_events_fold_to_the_stored_record(database: Database, tmp_path: Path) -> None:
    call = Call("Ana")
    async with sql_journal(database, tmp_path) as journal:
        journal.append(call.begin())
        journal.append(call.end())
        await journal.flush()
    stored = SqlInteractions(database)
    events = await stored.events(call.id, after=0, limit=100)
    assert list(events) == call.events
    assert fold(events) == await stored.get(call.id) == call.record
    found = await stored.page(InteractionFilter(took_part=AgentId("ana")), after=None, limit=10)
    assert [r.id for r in found] == [call.id]
    assert not await stored.page(InteractionFilter(took_part=AgentId("luis")), after=None, limit=10)


async def test_a_hostile_name_is_stored_and_not_the_end_of_the_journal(database: Database, tmp_path: Path) -> None:
    call = Call("a\x00b'); DROP TABLE interactions; --")
    async with sql_journal(database, tmp_path) as journal:
        journal.append(call.begin())
        await journal.flush()
    assert (await SqlInteractions(database).get(call.id)).from_name == "a\ufffdb'); DROP TABLE interactions; --"


async def test_written_twice_is_written_once(database: Database, tmp_path: Path) -> None:
    call = Call()
    entry = call.begin()
    async with sql_journal(database, tmp_path) as journal:
        journal.append(entry)
        await journal.flush()
        journal.append(entry)
        await journal.flush()
    assert len(await SqlInteractions(database).events(call.id, after=0, limit=100)) == 3


async def test_events_can_be_neither_changed_nor_removed(database: Database, tmp_path: Path) -> None:
    async with sql_journal(database, tmp_path) as journal:
        journal.append(Call().begin())
        await journal.flush()
    for statement in ("UPDATE interaction_events SET n = 9", "DELETE FROM interaction_events"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.begin() as session:
                await session.execute(text(statement))


async def test_a_restart_of_the_database_loses_nothing(
    database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    calls = [Call() for _ in range(30)]
    async with sql_journal(database, tmp_path) as journal:
        for call in calls[:10]:
            journal.append(call.begin())
        await journal.flush()
        await asyncio.to_thread(postgres_server.kill)
        for call in calls[10:20]:
            journal.append(call.begin())
        await asyncio.to_thread(postgres_server.start)
        for call in calls[20:]:
            journal.append(call.begin())
        for call in calls:
            journal.append(call.end())
        await asyncio.wait_for(journal.flush(), 60)
    stored = SqlInteractions(database)
    for call in calls:
        assert list(await stored.events(call.id, after=0, limit=100)) == _cleaned(call.events)
    assert not (tmp_path / "refused.jsonl").exists()


async def test_one_entry_that_the_database_refuses_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    good, bad = Call(), Call()
    broken = bad.begin()
    broken = Entry(
        events=tuple(
            InteractionEvent(interaction=InteractionId("nobody"), n=1, at=AT, fact=e.fact) for e in broken.events
        ),
        record=broken.record,
        state=broken.state,
    )
    async with sql_journal(database, tmp_path) as journal:
        journal.append(broken)
        journal.append(good.begin())
        await asyncio.wait_for(journal.flush(), 60)
    assert (await SqlInteractions(database).get(good.id)).id == good.id
    kept = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert [entry["entry"]["record"]["id"] for entry in kept] == [bad.id]


async def test_what_waits_at_the_end_is_stored(database: Database, tmp_path: Path) -> None:
    call = Call()
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    journal.append(call.begin())
    await journal.store_rest()
    assert (await SqlInteractions(database).get(call.id)).id == call.id


def _cleaned(events: list[InteractionEvent]) -> list[InteractionEvent]:
    def clean(value: Any) -> Any:
        return ev.decode_fact(ev.encode_fact(value).replace(b"\\u0000", b"\\ufffd"))

    return [InteractionEvent(interaction=e.interaction, n=e.n, at=e.at, fact=clean(e.fact)) for e in events]
