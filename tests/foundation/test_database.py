"""The database against a real PostgreSQL, also one that dies and comes back in mid use."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from pydantic import ValidationError
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.database import (
    CommitUnknown,
    Database,
    DatabaseSettings,
    DatabaseUnavailable,
    UtcDateTime,
    async_url,
    is_transient,
)
from tests.support.ports import free_port
from tests.support.servers import PostgresServer

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("body", Text),
    Column("at", UtcDateTime),
)


@pytest.fixture
async def db(empty_database: str) -> AsyncIterator[Database]:
    database = Database(empty_database, pool_size=3, wait_s=20)
    async with database.engine.begin() as connection:
        await connection.run_sync(notes.create)
    yield database
    await database.dispose()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that the test may kill."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


async def add(session: AsyncSession, body: str) -> None:
    await session.execute(notes.insert().values(body=body))


async def bodies(db: Database) -> list[str]:
    async with db.begin() as session:
        return list((await session.scalars(notes.select().with_only_columns(notes.c.body).order_by(notes.c.id))).all())


async def test_begin_commits_and_an_error_rolls_back(db: Database) -> None:
    async with db.begin() as session:
        await add(session, "kept")

    async def same_id_twice() -> None:
        async with db.begin() as session:
            await add(session, "lost")
            await session.execute(notes.insert().values(id=1))

    with pytest.raises(IntegrityError):
        await same_id_twice()
    assert await bodies(db) == ["kept"]
    assert await db.healthy()


async def test_a_connection_that_breaks_in_a_body_stores_nothing(db: Database) -> None:
    async def broken() -> None:
        async with db.begin() as session:
            await add(session, "lost")
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            async with db.begin() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            await session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await broken()
    assert await bodies(db) == []


class TestRead:
    BODIES = notes.select().with_only_columns(notes.c.body).where(notes.c.id == bindparam("note"))
    PID = text("SELECT pg_backend_pid()")

    async def test_sees_at_once_what_was_committed_and_nothing_else(self, db: Database) -> None:
        async with db.begin() as session:
            await add(session, "kept")
            assert await db.read(self.BODIES, {"note": 1}) == []
        assert [row.body for row in await db.read(self.BODIES, {"note": 1})] == ["kept"]

    async def test_leaves_no_transaction_behind(self, db: Database) -> None:
        (row,) = await db.read(self.PID)
        state = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
        async with db.begin() as session:
            assert await session.scalar(state, {"pid": row[0]}) == "idle"

    async def test_is_asked_again_on_a_connection_that_was_killed(self, db: Database) -> None:
        killed = set()
        for _ in range(3):
            ((pid,),) = await db.read(self.PID)
            assert pid not in killed
            killed.add(pid)
            async with db.begin() as session:
                await session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    async def test_many_at_once_are_all_answered(self, db: Database) -> None:
        found = await asyncio.gather(*(db.read(text("SELECT :n + 0"), {"n": n}) for n in range(100)))
        assert [row[0] for (row,) in found] == list(range(100))

    async def test_a_mistake_is_raised_at_once(self, db: Database) -> None:
        with pytest.raises(DBAPIError, match="nothing"):
            await db.read(text("SELECT nothing"))


class TestTimes:
    async def test_come_back_in_utc(self, db: Database) -> None:
        noon_in_cuenca = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=-5)))
        async with db.begin() as session:
            await session.execute(notes.insert().values(at=noon_in_cuenca))
            back = await session.scalar(notes.select().with_only_columns(notes.c.at))
        assert back == noon_in_cuenca
        assert back is not None
        assert (back.tzinfo, back.hour) == (UTC, 17)

    async def test_without_zone_are_refused(self, db: Database) -> None:
        with pytest.raises(StatementError, match="without zone"):
            async with db.begin() as session:
                await session.execute(notes.insert().values(at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_errors_do_not_show_parameters(db: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with db.begin() as session:
            await session.execute(notes.insert(), [{"id": 1, "body": "0991234567"}, {"id": 1, "body": "0991234567"}])
    assert "0991234567" not in str(caught.value)


class TestRun:
    async def test_repeats_what_two_transactions_did_to_each_other(self, db: Database) -> None:
        """A real deadlock: both hold a row and want the other's. The victim is repeated, nothing is lost."""
        async with db.begin() as session:
            await session.execute(notes.insert(), [{"id": 1, "body": ""}, {"id": 2, "body": ""}])
        attempts = 0
        both_hold = asyncio.Barrier(2)

        async def touch_both(session: AsyncSession, first: int, second: int, letter: str) -> None:
            nonlocal attempts
            attempts += 1
            change = text("UPDATE notes SET body = body || :letter WHERE id = :id")
            await session.execute(change, {"id": first, "letter": letter})
            if attempts <= 2:
                await both_hold.wait()
            await session.execute(change, {"id": second, "letter": letter})

        async with asyncio.timeout(20):
            await asyncio.gather(
                db.run(lambda session: touch_both(session, 1, 2, "a")),
                db.run(lambda session: touch_both(session, 2, 1, "b")),
            )
        assert attempts == 3
        assert [sorted(body) for body in await bodies(db)] == [["a", "b"], ["a", "b"]]

    async def test_does_not_repeat_a_mistake(self, db: Database) -> None:
        attempts = 0

        async def wrong(session: AsyncSession) -> None:
            nonlocal attempts
            attempts += 1
            await session.execute(text("SELECT nothing"))

        with pytest.raises(DBAPIError, match="nothing"):
            await db.run(wrong)
        assert attempts == 1

    async def test_repeats_after_its_connection_was_killed(self, db: Database) -> None:
        attempts = 0

        async def work(session: AsyncSession) -> str:
            nonlocal attempts
            attempts += 1
            await add(session, "once")
            if attempts == 1:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                async with db.begin() as other:
                    await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            await session.execute(text("SELECT 1"))
            return "done"

        assert await db.run(work) == "done"
        assert attempts == 2
        assert await bodies(db) == ["once"]

    @pytest.mark.parametrize("idempotent", [False, True])
    async def test_a_connection_lost_in_the_commit(self, db: Database, idempotent: bool) -> None:
        """The commit itself waits (a deferred trigger), and its server process is killed meanwhile."""
        async with db.begin() as session:
            await session.execute(text("CREATE TABLE gate (open boolean)"))
            await session.execute(text("INSERT INTO gate VALUES (false)"))
            await session.execute(
                text(
                    "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " IF NOT (SELECT open FROM gate) THEN PERFORM pg_advisory_lock(42); END IF; RETURN NULL; END $$"
                )
            )
            await session.execute(
                text(
                    "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED"
                    " FOR EACH ROW EXECUTE FUNCTION hold()"
                )
            )
        waiting = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
        async with db.session() as holder:
            await holder.execute(text("SELECT pg_advisory_lock(42)"))
            task = asyncio.create_task(db.run(lambda session: add(session, "maybe"), idempotent=idempotent))
            async with asyncio.timeout(20):
                while (pid := await holder.scalar(waiting)) is None:
                    pass  # each question is a round trip; nothing else tells us
            async with db.begin() as session:
                await session.execute(text("UPDATE gate SET open = true"))
            await holder.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            if idempotent:
                await task
                assert await bodies(db) == ["maybe"]
            else:
                with pytest.raises(CommitUnknown):
                    await task
                assert await bodies(db) == []


class TestRestart:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped"])
    async def test_in_mid_use(self, own_server: PostgresServer, how: signal.Signals) -> None:
        """Writers work on while the server goes away and comes back: each note is stored exactly once."""
        db = Database(own_server.new_database(), pool_size=3, wait_s=40)
        async with db.engine.begin() as connection:
            await connection.run_sync(notes.create)
        stored: list[str] = []
        unknown: list[str] = []
        stop = asyncio.Event()
        progress = asyncio.Condition()

        async def writer(name: str) -> None:
            number = 0
            while not stop.is_set():
                body = f"{name}{number}"
                try:
                    await db.run(lambda session, body=body: add(session, body))  # type: ignore[misc]
                except CommitUnknown:
                    unknown.append(body)
                else:
                    stored.append(body)
                number += 1
                async with progress:
                    progress.notify_all()

        async def reached(count: int) -> None:
            async with progress:
                await progress.wait_for(lambda: len(stored) >= count)

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(writer(name))
            await reached(20)
            await asyncio.to_thread(own_server.kill, how)
            before = len(stored)
            assert not await db.healthy()
            await asyncio.to_thread(own_server.start)
            await db.connect()
            await reached(before + 20)
            stop.set()
        found = await bodies(db)
        assert await db.healthy()
        await db.dispose()
        assert len(set(found)) == len(found)
        assert set(stored) <= set(found) <= set(stored) | set(unknown)

    async def test_begin_waits_for_the_server(self, own_server: PostgresServer) -> None:
        db = Database(own_server.new_database(), wait_s=40)
        await db.connect()  # leaves a connection in the pool, dead after the kill
        await asyncio.to_thread(own_server.kill)
        own_server.start(wait=False)
        async with asyncio.timeout(40), db.begin() as session:
            assert await session.scalar(text("SELECT 1")) == 1
        await db.dispose()

    async def test_the_wait_has_an_end(self) -> None:
        db = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/x", wait_s=0.3)
        with pytest.raises(DatabaseUnavailable, match=r"within 0\.3 s") as caught:
            await db.connect()
        assert not caught.value.is_permanent
        with pytest.raises(DatabaseUnavailable):
            async with db.begin():
                pass
        assert not await db.healthy()
        await db.dispose()


async def test_what_no_waiting_mends_is_raised_at_once(postgres_server: PostgresServer) -> None:
    db = Database(postgres_server.url("no_such_database"), wait_s=30)
    async with asyncio.timeout(10):
        with pytest.raises(DBAPIError, match="does not exist"):
            await db.connect()
    await db.dispose()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.ConnectionFailure(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.UniqueViolation(), False),
        (psycopg.errors.InvalidPassword(), False),
        (psycopg.errors.DiskFull(), True),
        (psycopg.OperationalError("connection is bad"), True),
        (ConnectionResetError(), True),
        (ValueError(), False),
    ],
)
def test_what_is_transient(error: Exception, expected: bool) -> None:
    assert is_transient(error) is expected


def test_settings_take_no_password_in_the_url() -> None:
    with pytest.raises(ValidationError, match="must not stand in the URL") as caught:
        DatabaseSettings(url="postgresql://me:s3cr3t@host/x")
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(ValidationError, match="expected a URL"):
        DatabaseSettings(url="mysql://host/x")
    assert DatabaseSettings(url="postgres://me@host/x").url == "postgres://me@host/x"


def test_any_spelling_of_the_url() -> None:
    for url in ("postgres://me@h/x", "postgresql://me@h/x", "postgresql+psycopg://me@h/x"):
        assert str(async_url(url, "pw")) == "postgresql+psycopg://me:***@h/x"
