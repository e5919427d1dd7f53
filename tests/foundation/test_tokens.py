"""One contract for the token stores and their audit trails: in memory and in a real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.access import PermissionDenied, Principal, Role
from foundation.audit import Audit, MemoryAudit, PostgresAudit, entry
from foundation.clock import VirtualClock
from foundation.database import Database
from foundation.errors import Invalid, NotFound
from foundation.tokens import BadToken, MemoryTokenStore, PostgresTokenStore, Tokens, TokenStore

ADMIN = Principal(id="u1", name="Rosa", role=Role.ADMIN)


@dataclass
class World:
    tokens: Tokens
    store: TokenStore
    audit: Audit
    clock: VirtualClock

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    clock = VirtualClock()
    audit: Audit
    store: TokenStore
    if request.param == "memory":
        audit = MemoryAudit()
        store = MemoryTokenStore(audit)
    else:
        database: Database = request.getfixturevalue("database")
        audit, store = PostgresAudit(database), PostgresTokenStore(database)
    return World(Tokens(store, clock), store, audit, clock)


async def test_a_token_tells_whose_it_is(world: World) -> None:
    token, secret = await world.tokens.create("crm", Role.SERVICE)
    principal = await world.tokens.check(secret.get_secret_value())
    assert principal == Principal(id=f"token:{token.id}", name="crm", role=Role.SERVICE)


async def test_only_a_hash_is_kept(world: World) -> None:
    _, secret = await world.tokens.create("crm", Role.SERVICE)
    random = secret.get_secret_value().rsplit("_", 1)[1]
    (kept,) = await world.store.all()
    assert len(random) == 64  # 256 bits
    assert random not in repr(kept)
    assert bytes.fromhex(random) not in kept.secret_hash
    assert random not in repr(await world.audit.entries())


async def test_wrong_ones_are_refused(world: World) -> None:
    token, secret = await world.tokens.create("crm", Role.SERVICE)
    good = secret.get_secret_value()
    changed = good[:-1] + ("0" if good[-1] != "0" else "1")
    unknown = good.replace(token.id, "0" * 16)
    for text_ in ("", "x", changed, unknown, good + "0", good[:-1], " " + good, good + "\n", good.upper(), "ñ" * 90):
        with pytest.raises(BadToken):
            await world.tokens.check(text_)


async def test_it_expires(world: World) -> None:
    _, secret = await world.tokens.create("crm", Role.SERVICE, lifetime=timedelta(hours=1))
    await world.clock.advance(3599)
    await world.tokens.check(secret.get_secret_value())
    await world.clock.advance(1)
    with pytest.raises(BadToken):
        await world.tokens.check(secret.get_secret_value())


async def test_a_revoked_one_is_refused_and_stays_listed(world: World) -> None:
    token, secret = await world.tokens.create("crm", Role.SERVICE)
    await world.tokens.revoke(token.id)
    with pytest.raises(BadToken):
        await world.tokens.check(secret.get_secret_value())
    assert [(kept.id, kept.revoked_at) for kept in await world.tokens.all()] == [(token.id, world.now)]
    with pytest.raises(NotFound):
        await world.tokens.revoke("0" * 16)


async def test_use_is_remembered_at_most_once_a_minute(world: World) -> None:
    token, secret = await world.tokens.create("crm", Role.SERVICE)

    async def last_use() -> datetime | None:
        await world.tokens.check(secret.get_secret_value())
        kept = await world.store.get(token.id)
        assert kept is not None
        return kept.last_used_at

    first = world.now
    assert await last_use() == first
    await world.clock.advance(59)
    assert await last_use() == first
    await world.clock.advance(1)
    assert await last_use() == world.now
    await world.store.touch(token.id, first)
    kept = await world.store.get(token.id)
    assert kept is not None
    assert kept.last_used_at == world.now


async def test_creation_and_revocation_are_audited(world: World) -> None:
    token, _ = await world.tokens.create("crm", Role.SERVICE, by=ADMIN, origin="10.0.0.7")
    await world.clock.advance(5)
    await world.tokens.revoke(token.id, by=ADMIN, origin="10.0.0.8")
    await world.tokens.revoke(token.id, by=ADMIN)  # changes nothing, tells nothing
    newest, oldest = await world.audit.entries(target=f"token:{token.id}")
    assert (oldest.action, oldest.actor, oldest.actor_name, oldest.origin) == (
        "token.created",
        "u1",
        "Rosa",
        "10.0.0.7",
    )
    assert oldest.before is None
    assert oldest.after == {"name": "crm", "role": "service", "expires_at": None}
    assert (newest.action, newest.origin, newest.at) == ("token.revoked", "10.0.0.8", world.now)
    assert newest.before == {"name": "crm", "role": "service"}
    assert newest.after == {"revoked_at": world.now.isoformat()}


async def test_two_revocations_at_once_are_one(world: World) -> None:
    token, _ = await world.tokens.create("crm", Role.SERVICE)
    await asyncio.gather(*(world.tokens.revoke(token.id) for _ in range(4)))
    actions = [one.action for one in await world.audit.entries()]
    assert sorted(actions) == ["token.created", "token.revoked"]


async def test_only_who_may_creates_and_revokes(world: World) -> None:
    token, _ = await world.tokens.create("crm", Role.SERVICE)
    agent = Principal(id="u2", name="Ana", role=Role.AGENT)
    with pytest.raises(PermissionDenied):
        await world.tokens.create("mine", Role.ADMIN, by=agent)
    with pytest.raises(PermissionDenied):
        await world.tokens.revoke(token.id, by=agent)
    with pytest.raises(Invalid):
        await world.tokens.create("  ", Role.SERVICE)
    assert len(await world.tokens.all()) == 1


async def test_an_entry_of_its_own(world: World) -> None:
    told = entry(ADMIN, "recording.downloaded", "recording:7", at=world.now, after={"format": "wav"}, origin="10.0.0.7")
    await world.audit.write(told)
    assert await world.audit.entries(target="recording:7") == [told]
    assert await world.audit.entries(limit=0) == []


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
)
async def test_the_trail_cannot_be_changed(database: Database, change: str) -> None:
    audit = PostgresAudit(database)
    await audit.write(entry(ADMIN, "a.b", "c:d", at=datetime.now(UTC)))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as session:
            await session.execute(text(change))
    assert len(await audit.entries()) == 1
