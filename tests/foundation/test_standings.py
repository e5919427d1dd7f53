"""Whose session it is, remembered: what changes it takes effect at once, whoever changes it, and what cannot be told is
not remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from foundation.access import OPERATOR, Permission
from foundation.audit import MemoryAudit
from foundation.clock import VirtualClock
from foundation.database import Database
from foundation.identity import standings as module
from foundation.identity.accounts import Accounts, Lives, Stores, Visitor
from foundation.identity.memory import MemoryRoles, MemorySessions, MemoryUsers
from foundation.identity.model import BadSession, CustomRole, Standing
from foundation.identity.passwords import Passwords
from foundation.identity.people import People, UserFields
from foundation.identity.second_factor import Box
from foundation.identity.sql import PostgresRoles, PostgresSessions, PostgresThrottle, PostgresUsers
from foundation.identity.standings import KEPT_S, MOST, TRUSTED_S, Standings, watch
from foundation.secret import Secret
from tests.foundation.test_accounts import AT, session, told, user

LISTENERS = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
HERE = Visitor(origin="192.0.2.7")


class Asked(PostgresSessions):
    """Counts how often the database is asked."""

    asked = 0

    async def standing(self, session_id: str) -> Standing | None:
        self.asked += 1
        return await super().standing(session_id)


class Told(Standings):
    """Says when it heard something."""

    news: asyncio.Event

    def beat(self) -> None:
        super().beat()
        self.news.set()

    def drop(self) -> None:
        super().drop()
        self.news.set()

    async def until(self, fact: Callable[[], Awaitable[bool]]) -> None:
        """Time stands still here: nothing becomes true by waiting alone."""
        async with asyncio.timeout(20):
            while True:
                self.news.clear()
                if await fact():
                    return
                await self.news.wait()

    async def until_trusted(self) -> None:
        async def fact() -> bool:
            return self.trusted

        await self.until(fact)


class Daemon:
    """One process's accounts."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, VirtualClock()
        self.sessions = Asked(database)
        self.standings = Told(self.sessions, self.clock)
        self.standings.news = asyncio.Event()
        self.stores = Stores(
            users=PostgresUsers(database, self.standings.drop),
            roles=PostgresRoles(database, self.standings.drop),
            sessions=self.standings,
            throttle=PostgresThrottle(database),
        )
        passwords = Passwords(cheap=True)
        self.accounts = Accounts(self.stores, passwords, Box(Secret("only-for-tests")), self.clock)
        self.people = People(self.stores, passwords, self.clock, is_agent={"ana"}.__contains__)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(watch(self.standings, self.database))
        try:
            await self.standings.until_trusted()
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def remembered(self, cookie: str) -> bool:
        """Whether a request that comes now is answered without the database."""
        await self.accounts.check(cookie)
        before = self.sessions.asked
        await self.accounts.check(cookie)
        return self.sessions.asked == before


@dataclass
class World:
    """`near` is the daemon whose memory is looked at, `far` another process with a pool of its own."""

    near: Daemon
    far: Daemon
    cookie: str
    user: str


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    other = Database(database.url)
    near, far = Daemon(database), Daemon(other)
    fields = UserFields(username="ana", name="Ana", role="calidad")
    reads = frozenset({Permission.QUEUES_READ})
    await near.stores.roles.put(CustomRole(name="calidad", title="Calidad", permissions=reads), told())
    one = await near.people.add(fields, by=OPERATOR, origin="local")
    _, cookie = await near.accounts.open_session(one, HERE, how="test")
    async with near.listening():
        yield World(near, far, cookie.get_secret_value(), one.id)
    await other.dispose()


async def test_who_asks_again_is_known(world: World) -> None:
    assert await world.near.remembered(world.cookie)
    assert not await world.far.remembered(world.cookie)  # nobody tells it anything


async def revoke(daemon: Daemon, user_id: str) -> None:
    await daemon.people.end_sessions(user_id, by=OPERATOR, origin="local")


async def lock_out(daemon: Daemon, user_id: str) -> None:
    fields = UserFields(username="ana", name="Ana", role="calidad", disabled=True)
    await daemon.people.change(user_id, fields, by=OPERATOR, origin="local")


async def delete_by_hand(daemon: Daemon, user_id: str) -> None:
    async with daemon.database.begin() as transaction:
        await transaction.execute(text("DELETE FROM sessions WHERE user_id = :user"), {"user": user_id})


async def is_out(daemon: Daemon, cookie: str) -> bool:
    try:
        await daemon.accounts.check(cookie)
    except BadSession:
        return True
    return False


async def no_role(daemon: Daemon, user_id: str) -> None:
    fields = UserFields(username="ana", name="Ana", role="agent")
    await daemon.people.change(user_id, fields, by=OPERATOR, origin="local")
    await daemon.stores.roles.delete("calidad", told())


async def nothing_granted(daemon: Daemon, user_id: str) -> None:
    await daemon.stores.roles.put(CustomRole(name="calidad", title="Calidad", permissions=frozenset()), told())


async def reads_queues(daemon: Daemon, cookie: str) -> bool:
    try:
        who = (await daemon.accounts.check(cookie)).principal
    except BadSession:
        return False
    return who.role == "calidad" and Permission.QUEUES_READ in who.permissions


@pytest.mark.parametrize("end", [revoke, lock_out, no_role, nothing_granted])
async def test_what_this_process_ends_is_over_with_the_very_next_request(
    world: World, end: Callable[[Daemon, str], Awaitable[None]]
) -> None:
    """Before the database tells it: nobody listens here."""
    world.far.standings.beat()
    assert await world.far.remembered(world.cookie)
    assert await reads_queues(world.far, world.cookie)
    await end(world.far, world.user)
    assert not await reads_queues(world.far, world.cookie)


@pytest.mark.parametrize("end", [revoke, lock_out, delete_by_hand])
async def test_what_another_process_ends_is_over_as_soon_as_it_is_told(
    world: World, end: Callable[[Daemon, str], Awaitable[None]]
) -> None:
    assert await world.near.remembered(world.cookie)
    await end(world.far, world.user)
    await world.near.standings.until(lambda: is_out(world.near, world.cookie))
    assert world.near.standings.trusted


async def permissions(daemon: Daemon, cookie: str) -> frozenset[Permission]:
    return (await daemon.accounts.check(cookie)).principal.permissions


@pytest.mark.parametrize("who", ["near", "far"])
async def test_another_role_and_other_permissions_of_it_count_at_once(world: World, who: str) -> None:
    daemon: Daemon = getattr(world, who)
    wider = frozenset({Permission.QUEUES_READ, Permission.AUDIT_READ})

    async def counts(wanted: bool) -> None:
        async def fact() -> bool:
            return (Permission.AUDIT_READ in await permissions(world.near, world.cookie)) is wanted

        if who == "near":  # in this process there is nothing to wait for
            assert await fact()
        await world.near.standings.until(fact)

    assert await world.near.remembered(world.cookie)
    await daemon.stores.roles.put(CustomRole(name="calidad", title="Calidad", permissions=wider), told())
    await counts(True)
    assert await world.near.remembered(world.cookie)
    fields = UserFields(username="ana", name="Ana", role="agent")
    await daemon.people.change(world.user, fields, by=OPERATOR, origin="local")
    await counts(False)


@pytest.mark.parametrize("life", ["idle", "absolute"])
async def test_what_runs_out_is_over_though_nobody_tells_it(world: World, life: str) -> None:
    accounts, clock = world.near.accounts, world.near.clock
    assert await world.near.remembered(world.cookie)
    if life == "idle":
        await clock.advance(Lives().idle.total_seconds() + 1)
    else:
        for _ in range(int(Lives().absolute / Lives().idle) * 2):
            await accounts.check(world.cookie)
            await clock.advance(Lives().idle.total_seconds() / 2)
    world.near.standings.beat()
    assert await is_out(world.near, world.cookie)


async def test_who_works_on_is_not_taken_for_idle(world: World) -> None:
    """The time of the last request is remembered, too."""
    for _ in range(10):
        world.near.standings.beat()
        await world.near.accounts.check(world.cookie)
        await world.near.clock.advance(Lives().idle.total_seconds() / 3)
    assert not await is_out(world.near, world.cookie)


async def test_without_the_one_who_tells_every_request_asks(world: World) -> None:
    """The connection that listens is cut: at once nothing is remembered, and a while later it is again."""
    assert await world.near.remembered(world.cookie)
    cut = f"SELECT count(pg_terminate_backend(pid, 5000)) {LISTENERS}"
    async with world.far.database.begin() as transaction:
        assert await transaction.scalar(text(cut)) == 1

    async def alone() -> bool:
        return not world.near.standings.trusted

    await world.near.standings.until(alone)
    await revoke(world.far, world.user)
    assert await is_out(world.near, world.cookie)
    await world.near.standings.until_trusted()


async def test_where_nothing_comes_back_nothing_is_remembered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler that shares connections: one listens there, and never hears a word."""
    monkeypatch.setattr(module, "_BEAT", text("SELECT :channel || :beat"))
    daemon = Daemon(database)
    task = asyncio.create_task(watch(daemon.standings, database))
    listens = text(f"SELECT count(*) {LISTENERS}")
    async with asyncio.timeout(20):
        while (await database.read(listens))[0][0] == 0:
            assert not daemon.standings.trusted
    await daemon.stores.users.change("nobody", None, name="x")
    assert not daemon.standings.trusted
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("refused", [psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported])
async def test_a_database_that_refuses_to_tell_ends_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, refused: type[psycopg.Error]
) -> None:
    """A standby that is being promoted: the platform goes on, and listens when it may."""
    tried, execute = asyncio.Event(), psycopg.AsyncConnection.execute

    async def refuse(*words: object, **more: object) -> None:
        tried.set()
        raise refused("cannot execute LISTEN during recovery")

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", refuse)
    daemon = Daemon(database)
    task = asyncio.create_task(watch(daemon.standings, database))
    async with asyncio.timeout(20):
        await tried.wait()
    monkeypatch.setattr(psycopg.AsyncConnection, "execute", execute)
    await daemon.standings.until_trusted()
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# --- without a database --------------------


class Slow(MemorySessions):
    """Answers when it is let."""

    def __init__(self) -> None:
        audit = MemoryAudit()
        self.users = MemoryUsers(audit)
        super().__init__(audit, self.users, MemoryRoles(audit, self.users))
        self.let, self.asked = asyncio.Event(), 0
        self.let.set()

    async def standing(self, session_id: str) -> Standing | None:
        self.asked += 1
        found = await super().standing(session_id)
        await self.let.wait()
        return found


async def known(sessions: Slow, count: int = 1) -> Standings:
    await sessions.users.add(user(), told())
    for number in range(count):
        await sessions.add(session(number), told())
    standings = Standings(sessions, VirtualClock())
    standings.beat()
    return standings


async def test_what_is_read_while_it_changes_is_not_kept() -> None:
    sessions = Slow()
    standings = await known(sessions)
    sessions.let.clear()
    late = asyncio.create_task(standings.standing("s0"))
    await asyncio.sleep(0)
    await standings.revoke("u1", AT, None)
    sessions.let.set()
    await late
    now = await standings.standing("s0")
    assert now is not None
    assert now.session.revoked_at == AT


async def test_a_clock_that_leaps_leaves_no_trust_behind() -> None:
    standings = await known(Slow())
    clock = standings._clock
    assert isinstance(clock, VirtualClock)
    assert standings.trusted
    clock._now -= 3600
    assert not standings.trusted
    clock._now += 3600 + TRUSTED_S
    assert not standings.trusted


async def test_it_is_looked_up_again_after_a_while() -> None:
    sessions = Slow()
    standings = await known(sessions)
    clock = standings._clock
    assert isinstance(clock, VirtualClock)
    for _ in range(int(KEPT_S) + 1):
        await standings.standing("s0")
        await clock.advance(1)
        standings.beat()
    assert sessions.asked == 2


async def test_so_many_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST > 1000
    monkeypatch.setattr(module, "MOST", 3)
    sessions = Slow()
    standings = await known(sessions, 5)
    for number in (0, 1, 2, 0, 3):  # 1 is asked for the longest ago
        await standings.standing(f"s{number}")
    assert list(standings._kept) == ["s2", "s0", "s3"]


async def test_an_older_time_of_the_last_request_changes_nothing() -> None:
    sessions = Slow()
    standings = await known(sessions)
    await standings.standing("s0")
    for minutes in (5, 2):
        await standings.touch("s0", AT + timedelta(minutes=minutes))
    found = await standings.standing("s0")
    assert found is not None
    assert found.session.last_seen_at == AT + timedelta(minutes=5)
    assert sessions.asked == 1
