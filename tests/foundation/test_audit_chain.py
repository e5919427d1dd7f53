"""The audit trail's chain, in memory and in a real PostgreSQL, and every way to tamper with the latter."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.access import OPERATOR
from foundation.audit import Audit, AuditEntry, AuditQuery, MemoryAudit, PostgresAudit, add_entry, entry
from foundation.audit_chain import Head, plain
from foundation.database import Database
from foundation.migrations import upgrade

AT = datetime(2026, 11, 25, 8, tzinfo=UTC)


def told(number: int = 1, **more: Any) -> AuditEntry:
    at = AT + timedelta(seconds=number)
    return entry(OPERATOR, more.pop("action", "user.changed"), f"user:{number}", at=at, **more)


@pytest.fixture(params=["memory", "postgres"])
def audit(request: pytest.FixtureRequest) -> Audit:
    return MemoryAudit() if request.param == "memory" else PostgresAudit(request.getfixturevalue("database"))


async def test_a_chain_holds(audit: Audit) -> None:
    assert (await audit.verify()).ok
    for number in range(1, 6):
        await audit.write(told(number, before={"name": "Ñusta"}, after={"n": number, "x": None}))
    verdict = await audit.verify()
    assert (verdict.ok, verdict.entries, verdict.head.n) == (True, 5, 5)
    assert await audit.head() == verdict.head == Head.parse(str(verdict.head))


async def test_an_entry_is_kept_once(audit: Audit) -> None:
    one = told()
    await audit.write(one)
    await audit.write(one)
    assert await audit.entries() == [one]
    assert (await audit.verify()).entries == 1


@pytest.mark.parametrize(
    "value",
    [
        0.1, 1.0, -0.0, 1e16, 1e300, 1e-9, float("inf"), 2**70, True, None, "a\x00b", "é🙂", AT, (1, 2),
        {"b": 1, "a": []}, {"nested": [{"x": 0.30000000000000004}]}, 123456789.123456789, 1e-5,
    ],
)  # fmt: skip
async def test_what_is_kept_is_what_was_hashed(audit: Audit, value: Any) -> None:
    await audit.write(told(after={"value": value}))
    assert (await audit.verify()).ok
    (kept,) = await audit.entries()
    assert plain(kept.after) == plain({"value": value})


async def test_writers_at_the_same_time_make_one_chain(audit: Audit) -> None:
    await asyncio.gather(*(audit.write(told(number)) for number in range(40)))
    verdict = await audit.verify()
    assert (verdict.ok, verdict.entries) == (True, 40)


async def test_pages(audit: Audit) -> None:
    for number in range(1, 8):
        await audit.write(told(number, action="user.added" if number % 2 else "role.added"))

    async def numbers(limit: int = 100, **query: Any) -> list[int]:
        return [link.n for link in await audit.page(AuditQuery(**query), limit=limit)]

    assert await numbers() == [7, 6, 5, 4, 3, 2, 1]
    assert await numbers(limit=2, before_n=4) == [3, 2]
    assert await numbers(action="user.") == [7, 5, 3, 1]
    assert await numbers(action="user") == []
    assert await numbers(action="role.added", since=AT + timedelta(seconds=4)) == [6, 4]
    assert await numbers(until=AT + timedelta(seconds=3)) == [2, 1]
    assert await numbers(target="user:5") == [5]
    assert await numbers(actor="somebody else") == []


async def test_who_looked_at_a_citizen_is_found_by_a_hash_among_those_that_are_kept(audit: Audit) -> None:
    for number, after in enumerate(
        (None, {"citizen": ["a", "b"]}, {"citizen": ["b"]}, {"citizen": []}, {"by": "a"}), 1
    ):
        await audit.write(told(number, after=after))
    for mark, found in (("b", [3, 2]), ("a", [2]), ("c", [])):
        assert [link.n for link in await audit.page(AuditQuery(citizen=mark), limit=9)] == found
    assert [link.n for link in await audit.page(AuditQuery(citizen="b", before_n=3), limit=9)] == [2]


# --- tampering, by who may write to the database past us


async def _tampered(database: Database, *statements: str) -> Any:
    audit = PostgresAudit(database)
    for number in range(1, 6):
        await audit.write(told(number, after={"role": "agent"}))
    async with database.begin() as session:
        await session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        await session.execute(text("ALTER TABLE audit_head DISABLE TRIGGER ALL"))
        for statement in statements:
            await session.execute(text(statement))
    verdict = await audit.verify()
    assert not verdict.ok
    return verdict.broken


@pytest.mark.parametrize(
    "change",
    [
        """after = '{"role": "admin"}'""",
        "after = NULL",
        "before = '{}'",
        "actor = 'somebody'",
        "actor_name = ''",
        "origin = '192.0.2.1'",
        "at = at + interval '1 microsecond'",
        "action = 'user.added'",
        "target = 'user:9'",
        "id = gen_random_uuid()",
        r"hash = '\x00'",
    ],
)
async def test_an_altered_entry_is_found(database: Database, change: str) -> None:
    broken = await _tampered(database, f"UPDATE audit_entries SET {change} WHERE n = 3")  # noqa: S608
    assert broken.n == 3
    assert broken.id is not None


@pytest.mark.parametrize(("gone", "at"), [("n = 3", 3), ("n = 1", 1), ("n = 5", 5), ("n >= 4", 4), ("true", 1)])
async def test_a_missing_entry_is_found(database: Database, gone: str, at: int) -> None:
    broken = await _tampered(database, f"DELETE FROM audit_entries WHERE {gone}")  # noqa: S608
    assert (broken.n, broken.id) == (at, None)


async def test_a_missing_entry_is_found_though_the_rest_moved_up(database: Database) -> None:
    broken = await _tampered(
        database, "DELETE FROM audit_entries WHERE n = 3", "UPDATE audit_entries SET n = n - 1 WHERE n > 3"
    )
    assert broken.n == 3


async def test_re_ordered_entries_are_found(database: Database) -> None:
    broken = await _tampered(
        database,
        "UPDATE audit_entries SET n = -2 WHERE n = 2",
        "UPDATE audit_entries SET n = 2 WHERE n = 4",
        "UPDATE audit_entries SET n = 4 WHERE n = -2",
    )
    assert broken.n == 2


_OUTSIDE = """INSERT INTO audit_entries (id, at, actor, actor_name, action, target, origin, n, hash)
    SELECT gen_random_uuid(), at, actor, actor_name, action, target, origin, {n}, hash FROM audit_entries WHERE n = 5"""


@pytest.mark.parametrize("n", [6, 7, 0, -1])
async def test_an_entry_from_outside_is_found(database: Database, n: int) -> None:
    assert await _tampered(database, _OUTSIDE.format(n=n)) is not None


async def test_a_rightly_chained_entry_from_outside_is_found_by_the_head(database: Database) -> None:
    """Somebody who knows the rules, but forgets the head."""
    audit = PostgresAudit(database)
    await audit.write(told())
    head = await audit.head()
    async with database.begin() as session:
        await session.execute(text("ALTER TABLE audit_head DISABLE TRIGGER ALL"))
        await add_entry(session, told(2))
        await session.execute(text("UPDATE audit_head SET n = :n, hash = :h"), {"n": head.n, "h": head.hash})
    verdict = await audit.verify()
    assert verdict.broken is not None
    assert "put on at the end" in verdict.broken.why


async def test_a_chain_that_was_written_anew_is_found_by_a_head_from_elsewhere(database: Database) -> None:
    audit = PostgresAudit(database)
    for number in range(1, 4):
        await audit.write(told(number))
    noted = await audit.head()
    assert (await audit.verify(noted)).ok
    async with database.begin() as session:  # all of it, head too, by somebody who knows the rules
        for statement in (
            "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
            "ALTER TABLE audit_head DISABLE TRIGGER ALL",
        ):
            await session.execute(text(statement))
        await session.execute(text("DELETE FROM audit_entries"))
        await session.execute(text("UPDATE audit_head SET n = 0, hash = :h"), {"h": bytes(32)})
    for number in range(1, 3):
        await audit.write(told(number + 10))
    assert (await audit.verify()).ok
    shorter = (await audit.verify(noted)).broken
    assert shorter is not None
    assert "shorter" in shorter.why
    await audit.write(told(13))
    anew = (await audit.verify(noted)).broken
    assert anew is not None
    assert (anew.n, "anew" in anew.why) == (3, True)


@pytest.mark.parametrize(
    "change", ["UPDATE audit_head SET n = 0", "DELETE FROM audit_head", "TRUNCATE audit_head",
               "INSERT INTO audit_head (id, n, hash) VALUES (2, 0, '')", "UPDATE audit_entries SET n = n + 1"]
)  # fmt: skip
async def test_the_database_itself_refuses(database: Database, change: str) -> None:
    audit = PostgresAudit(database)
    for number in range(2):
        await audit.write(told(number))
    with pytest.raises(DBAPIError):
        async with database.begin() as session:
            await session.execute(text(change))
    assert (await audit.verify()).ok


async def test_entries_from_before_the_chain_are_chained(empty_database: str) -> None:
    upgrade(empty_database, to="0004_customers")
    insert = """INSERT INTO audit_entries (id, at, actor, actor_name, action, target, after, origin)
        SELECT gen_random_uuid(), now() - i * interval '1 s', 'u', 'Ñusta', 'a.b', 'c:' || i,
               '{"x": 1.50, "big": 12345678901234567890.5}', 'local' FROM generate_series(1, 2500) i"""
    with psycopg.connect(empty_database) as connection:
        connection.execute(insert)
    await asyncio.to_thread(upgrade, empty_database)
    database = Database(empty_database, pool_size=2)
    try:
        audit = PostgresAudit(database)
        await audit.write(told())
        verdict = await audit.verify()
        assert (verdict.ok, verdict.entries) == (True, 2501), verdict.broken
        oldest = (await audit.page(AuditQuery(before_n=2), limit=1))[0]
        assert oldest.entry.target == "c:2500"
    finally:
        await database.dispose()
