"""One contract for the journal in memory and the one in PostgreSQL; and what PostgreSQL alone can do wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.web_data import SqlInteractions
from callcontrol import events as ev
from callcontrol import journal_sql
from callcontrol.call_state import CallState
from callcontrol.events import InteractionEvent
from callcontrol.journal import Entry, Journal, MemoryJournal
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import (
    AgentId,
    AgentState,
    ExitReason,
    Interaction,
    InteractionId,
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
from tests.support.happened import started
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
            started(name=self.name),
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


class Strange(str):
    """A text that is none for the journal's JSON."""

    __slots__ = ()


def strange(call: Call) -> Entry:
    begun = call.begin()
    queued = call.entry(ev.Queued(queue=Strange("averias"), priority=0, skills={}, reason=""))
    return Entry(events=(*begun.events, *queued.events), record=queued.record, state=queued.state)


async def test_what_is_no_json_is_set_aside_and_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    good, bad = Call(), Call()
    async with sql_journal(database, tmp_path) as journal:
        journal.append(strange(bad))
        journal.append(good.begin())
        await asyncio.wait_for(journal.flush(), 60)
    assert (await SqlInteractions(database).get(good.id)).id == good.id
    (kept,) = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert kept["entry"]["record"]["queue"] == "averias"


def test_the_twin_takes_nothing_that_could_not_be_written() -> None:
    with pytest.raises(TypeError):
        MemoryJournal().append(strange(Call()))


async def test_who_must_know_waits_for_the_batch_and_not_for_ever(
    database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async with sql_journal(database, tmp_path) as journal:
        call = Call()
        journal.append(call.begin())
        assert await journal.stored(20)
        assert (await SqlInteractions(database).get(call.id)).id == call.id
        await asyncio.to_thread(postgres_server.kill)
        journal.append(Call().begin())
        assert not await journal.stored(0.2)
        await asyncio.to_thread(postgres_server.start)
        await asyncio.wait_for(journal.flush(), 60)


async def test_what_waits_at_the_end_is_stored(database: Database, tmp_path: Path) -> None:
    call = Call()
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    journal.append(call.begin())
    await journal.store_rest()
    assert (await SqlInteractions(database).get(call.id)).id == call.id


async def test_what_could_not_be_stored_at_the_end_is_stored_at_the_next_start(
    database: Database, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The database is away at the shutdown, and the shutdown has no time to wait for it."""
    call = Call("Ana")
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    journal.append(call.begin())
    journal.append_agent(AgentChanged(agent=AgentId("ana"), state=AgentState.READY, reason="", since=AT, item=None))
    await asyncio.to_thread(postgres_server.kill)
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal.store_rest(), 0.5)
    finally:
        await asyncio.to_thread(postgres_server.start)
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    again = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    await again.take_back()
    assert await again.open_calls() == [(call.record, call.state)]
    assert await again.agent_states() == {AgentId("ana"): (AgentState.READY, "")}
    await again.take_back()  # the file is gone, and nothing happens


async def test_a_long_absence_of_the_database_keeps_little_in_memory(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_sql, "FOLD_ABOVE", 50)
    calls = [Call("Ana"), Call("Luis")]
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    for call in calls:
        journal.append(call.begin())
    for n in range(500):
        journal.append(calls[n % 2].entry(ev.FlowNoted(kind="node", data={"node": str(n)})))
    journal.append_agent(AgentChanged(agent=AgentId("ana"), state=AgentState.READY, reason="", since=AT, item=None))
    assert len(journal._waiting) < 60
    await journal.store_rest()
    stored = SqlInteractions(database)
    for call in calls:
        assert list(await stored.events(call.id, after=0, limit=1000)) == call.events
        assert await stored.get(call.id) == call.record


async def test_a_refused_row_is_not_quoted_in_the_log(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Call("Zoila")
    entry = bad.begin()
    broken = replace(entry, record=replace(entry.record, id=None))
    async with sql_journal(database, tmp_path) as journal:
        journal.append(broken)
        await asyncio.wait_for(journal.flush(), 20)
    told = "".join(capsys.readouterr())
    assert "journal.refused" in told
    assert "0991234567" not in told


async def test_a_state_that_changed_without_a_fact_is_kept(database: Database, tmp_path: Path) -> None:
    """A prompt's counter, the flow's cursor: without them a new daemon would go on from further back."""
    call = Call("Ana")
    async with sql_journal(database, tmp_path) as journal:
        journal.append(call.begin())
        await journal.flush()
        journal.append(call.entry(state=CallState(id=call.id, channel="c1", phase=Phase.FLOW, playbacks=7)))
        await journal.flush()
        ((_, state),) = await journal.open_calls()
    assert state.playbacks == 7


async def test_a_database_whose_disk_is_full_is_waited_for(database: Database, tmp_path: Path) -> None:
    call = Call("Ana")
    async with database.begin() as session:
        await session.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
            )
        )
        await session.execute(
            text("CREATE TRIGGER full_disk BEFORE INSERT ON interactions EXECUTE FUNCTION full_disk()")
        )
    async with sql_journal(database, tmp_path) as journal:
        journal.append(call.begin())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal.flush(), 0.5)
        async with database.begin() as session:
            await session.execute(text("DROP TRIGGER full_disk ON interactions"))
        await asyncio.wait_for(journal.flush(), 20)
    assert not (tmp_path / "refused.jsonl").exists()
    assert (await SqlInteractions(database).get(call.id)).id == call.id


async def test_a_call_that_this_version_cannot_read_does_not_keep_the_daemon_from_starting(
    database: Database, tmp_path: Path
) -> None:
    good, bad = Call("Ana"), Call("Luis")
    async with sql_journal(database, tmp_path) as journal:
        journal.append(good.begin())
        journal.append(bad.begin())
        await journal.flush()
        async with database.begin() as session:
            await session.execute(
                text("UPDATE interactions SET runtime = jsonb_set(runtime, '{phase}', '\"unheard\"') WHERE id = :id"),
                {"id": bad.id},
            )
        assert [record.id for record, _ in await journal.open_calls()] == [good.id]


async def test_an_entry_that_cannot_be_encoded_stops_no_other(database: Database, tmp_path: Path) -> None:
    good, bad = Call("Ana"), Call("Zo\ud800")
    async with sql_journal(database, tmp_path) as journal:
        journal.append(bad.begin())
        journal.append(good.begin())
        await asyncio.wait_for(journal.flush(), 20)
    assert (await SqlInteractions(database).get(good.id)).id == good.id


def _cleaned(events: list[InteractionEvent]) -> list[InteractionEvent]:
    def clean(value: Any) -> Any:
        return ev.decode_fact(ev.encode_fact(value).replace(b"\\u0000", b"\\ufffd"))

    return [InteractionEvent(interaction=e.interaction, n=e.n, at=e.at, fact=clean(e.fact)) for e in events]
