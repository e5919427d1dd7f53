"""One contract for the stores of accounts: in memory and in a real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from foundation.access import OPERATOR, PERMISSIONS, Permission, PermissionDenied, Principal, Role
from foundation.audit import Audit, AuditEntry, MemoryAudit, PostgresAudit, entry
from foundation.clock import VirtualClock
from foundation.database import Database
from foundation.errors import Invalid
from foundation.identity.accounts import Accounts, Stores, Visitor
from foundation.identity.memory import MemoryRoles, MemorySessions, MemoryUsers
from foundation.identity.model import (
    AgentTaken,
    BadCredentials,
    BadSession,
    CustomRole,
    RoleInUse,
    Session,
    User,
    UsernameTaken,
    principal_of,
)
from foundation.identity.passwords import Passwords, WeakPassword, check_strength, temporary_password
from foundation.identity.people import NoSuchAgent, OwnAccount, OwnLockout, People, UserFields
from foundation.identity.second_factor import Box
from foundation.identity.sql import PostgresRoles, PostgresSessions, PostgresThrottle, PostgresUsers
from foundation.identity.throttle import Count, Limit, Locked, MemoryThrottle, key_of_account, key_of_address
from foundation.secret import Secret

AT = datetime(2026, 11, 25, 8, tzinfo=UTC)
HERE = Visitor(origin="192.0.2.7", agent_text="Firefox\x07/1")
PASSWORD = Secret("caballo pila grapa correcta")
LIMIT = Limit(free=2, first_s=10, longest_s=25, forget_s=100)


@dataclass
class World:
    stores: Stores
    audit: Audit
    clock: VirtualClock
    accounts: Accounts
    people: People

    async def add(self, username: str = "ana", **more: str) -> User:
        fields = UserFields(**{"username": username, "name": "Ana Cordero", "role": "agent", **more})  # type: ignore[arg-type]
        return await self.people.add(fields, by=OPERATOR, origin="local", password=PASSWORD, must_change=False)

    async def sign_in(self, username: str = "ana", password: str = PASSWORD.get_secret_value()) -> str:
        _, cookie = await self.accounts.sign_in(username, password, None, HERE)
        return cookie.get_secret_value()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    clock = VirtualClock()
    audit: Audit
    if request.param == "memory":
        audit = kept = MemoryAudit()
        users = MemoryUsers(kept)
        roles = MemoryRoles(kept, users)
        sessions = MemorySessions(kept, users, roles)
        stores = Stores(users=users, roles=roles, sessions=sessions, throttle=MemoryThrottle(kept))
    else:
        database: Database = request.getfixturevalue("database")
        audit = PostgresAudit(database)
        stores = Stores(
            users=PostgresUsers(database),
            roles=PostgresRoles(database),
            sessions=PostgresSessions(database),
            throttle=PostgresThrottle(database),
        )
    passwords = Passwords(cheap=True)
    accounts = Accounts(stores, passwords, Box(Secret("only-for-tests")), clock)
    people = People(stores, passwords, clock, is_agent={"ana", "luis", "eva"}.__contains__)
    return World(stores, audit, clock, accounts, people)


def user(number: int = 1, **changes: object) -> User:
    values: dict[str, object] = {"id": f"u{number}", "username": f"user{number}", "name": "Ñusta", "role": "agent"}
    return User(**{**values, "created_at": AT, "created_by": "operator", **changes})  # type: ignore[arg-type]


def told(target: str = "user:u1") -> AuditEntry:
    return entry(OPERATOR, "test", target, at=AT)


def session(number: int, who: str = "u1", **changes: object) -> Session:
    values: dict[str, object] = {"id": f"s{number}", "user": who, "secret_hash": bytes(32), "created_at": AT}
    values |= {"last_seen_at": AT, "origin": "192.0.2.7", "agent_text": "x", **changes}
    return Session(**values)  # type: ignore[arg-type]


# --- users


async def test_a_user_comes_back_as_they_were(world: World) -> None:
    one = user(totp=b"\x00sealed", totp_step=7, subject="https://idp.example 42", agent="ana", password="$argon2id$x")
    await world.stores.users.add(one, told())
    assert await world.stores.users.get("u1") == one
    assert await world.stores.users.by_username("user1") == one
    assert await world.stores.users.by_subject("https://idp.example 42") == one
    assert await world.stores.users.get("u2") is None
    assert await world.stores.users.by_username("USER1") is None
    assert await world.stores.users.by_subject("") is None


async def test_names_are_given_once(world: World) -> None:
    await world.stores.users.add(user(1), told())
    with pytest.raises(UsernameTaken):
        await world.stores.users.add(user(2, username="user1"), told())
    await world.stores.users.add(user(2), told())
    with pytest.raises(UsernameTaken):
        await world.stores.users.change("u2", told(), username="user1")
    assert [one.username for one in await world.stores.users.all()] == ["user1", "user2"]
    assert len(await world.audit.entries()) == 2  # what failed left no entry


async def test_an_agent_belongs_to_one_account(world: World) -> None:
    await world.stores.users.add(user(1, agent="ana"), told())
    with pytest.raises(AgentTaken):
        await world.stores.users.add(user(2, agent="ana"), told())
    await world.stores.users.add(user(2), told())
    await world.stores.users.add(user(3), told())  # any number have none
    with pytest.raises(AgentTaken):
        await world.stores.users.change("u2", told(), agent="ana")
    await world.stores.users.change("u1", None, agent=None)
    changed = await world.stores.users.change("u2", None, agent="ana")
    assert changed is not None
    assert changed.agent == "ana"
    assert len(await world.audit.entries()) == 3  # what failed left no entry


async def test_changes(world: World) -> None:
    await world.stores.users.add(user(), told())
    changed = await world.stores.users.change("u1", told(), disabled=True, totp=b"x")
    assert changed == user(disabled=True, totp=b"x") == await world.stores.users.get("u1")
    assert await world.stores.users.change("u9", told(), disabled=True) is None
    assert len(await world.audit.entries()) == 2


async def test_a_step_is_taken_once_whoever_comes_at_the_same_time(world: World) -> None:
    await world.stores.users.add(user(), told())
    taken = await asyncio.gather(*(world.stores.users.take_step("u1", 5) for _ in range(5)))
    assert sorted(taken) == [False] * 4 + [True]
    assert not await world.stores.users.take_step("u1", 4)
    assert await world.stores.users.take_step("u1", 6)
    assert not await world.stores.users.take_step("nobody", 1)


# --- roles


async def test_roles(world: World) -> None:
    roles = world.stores.roles
    one = CustomRole(name="calidad", title="Calidad", permissions=frozenset({Permission.RECORDINGS_READ}))
    await roles.put(one, told("role:calidad"))
    assert await roles.get("calidad") == one
    await world.stores.users.add(user(role="calidad"), told())
    with pytest.raises(RoleInUse):
        await roles.delete("calidad", told("role:calidad"))
    await world.stores.users.change("u1", None, role="agent")
    assert await roles.delete("calidad", told("role:calidad"))
    assert not await roles.delete("calidad", told("role:calidad"))
    assert await roles.all() == []
    assert len(await world.audit.entries(target="role:calidad")) == 2


# --- sessions


async def test_a_session_stands_for_its_user_as_they_are_now(world: World) -> None:
    sessions = world.stores.sessions
    await world.stores.users.add(user(), told())
    await sessions.add(session(1), told())
    standing = await sessions.standing("s1")
    assert standing is not None
    assert (standing.session, standing.user, standing.granted) == (session(1), user(), None)
    role = CustomRole(name="calidad", title="Calidad", permissions=frozenset({Permission.RECORDINGS_READ}))
    await world.stores.roles.put(role, told())
    await world.stores.users.change("u1", None, role="calidad")
    standing = await sessions.standing("s1")
    assert standing is not None
    assert standing.principal.permissions == role.permissions
    assert await sessions.standing("s2") is None


async def test_sessions_end_one_or_all_but_one(world: World) -> None:
    sessions = world.stores.sessions
    await world.stores.users.add(user(1), told())
    await world.stores.users.add(user(2), told())
    for number, who in ((1, "u1"), (2, "u1"), (3, "u1"), (4, "u2")):
        await sessions.add(session(number, who, created_at=AT + timedelta(seconds=number)), told())
    assert [one.id for one in await sessions.of_user("u1")] == ["s3", "s2", "s1"]
    assert await sessions.revoke("u1", AT, told("x"), only="s4") == 0  # somebody else's
    assert await world.audit.entries(target="x") == []
    assert await sessions.revoke("u1", AT, told("x"), only="s1") == 1
    assert await sessions.revoke("u1", AT, told("x"), keep="s2") == 1
    assert [one.id for one in await sessions.of_user("u1")] == ["s2"]
    assert [one.id for one in await sessions.of_user("u2")] == ["s4"]
    assert len(await world.audit.entries(target="x")) == 2


async def test_last_seen_never_goes_back_and_the_old_are_forgotten(world: World) -> None:
    sessions = world.stores.sessions
    await world.stores.users.add(user(), told())
    await sessions.add(session(1), told())
    await sessions.touch("s1", AT + timedelta(minutes=5))
    await sessions.touch("s1", AT + timedelta(minutes=2))
    (one,) = await sessions.of_user("u1")
    assert one.last_seen_at == AT + timedelta(minutes=5)
    assert await sessions.forget(AT + timedelta(minutes=5)) == 0
    assert await sessions.forget(AT + timedelta(minutes=6)) == 1
    assert await sessions.standing("s1") is None


# --- throttle


async def test_attempts_lock_longer_and_longer(world: World) -> None:
    throttle = world.stores.throttle
    now, waits = 1000.0, []
    for _ in range(6):
        assert await throttle.attempt("k", LIMIT, now) == 0
        left = await throttle.attempt("k", LIMIT, now) if len(waits) or now > 1000 or _ >= 2 else 0
        if left:
            waits.append(left)
            now += left
    assert waits == [10, 20, 25, 25]
    assert await throttle.attempt("other", LIMIT, now) == 0


async def test_attempts_that_began_together_are_no_lock_to_each_other(world: World) -> None:
    assert await world.stores.throttle.attempt("k", LIMIT, 1000.002) == 0
    assert await world.stores.throttle.attempt("k", LIMIT, 1000.001) == 0


async def test_attempts_are_forgotten(world: World) -> None:
    throttle = world.stores.throttle
    for _ in range(3):
        await throttle.attempt("k", LIMIT, 1000)
    assert await throttle.attempt("k", LIMIT, 1001) == 9
    assert await throttle.attempt("k", LIMIT, 1101) == 0
    assert await throttle.attempt("k", LIMIT, 1101) == 0  # two are free again
    await throttle.clear("k")
    for _ in range(3):
        assert await throttle.attempt("k", LIMIT, 1101) == 0
    await throttle.take_back("k", LIMIT)
    assert await throttle.attempt("k", LIMIT, 1101) == 0


async def test_attempts_at_the_same_time_do_not_slip_through_together(world: World) -> None:
    left = await asyncio.gather(*(world.stores.throttle.attempt("k", LIMIT, 1000) for _ in range(12)))
    assert sum(one == 0 for one in left) == 3  # two free ones, and the one that locks


async def test_attempts_that_count_no_more_are_forgotten(world: World) -> None:
    throttle = world.stores.throttle
    await throttle.attempt("old", LIMIT, 1000)
    await throttle.attempt("new", LIMIT, 2000)
    assert await throttle.forget(2000) == 1
    assert await throttle.forget(2001) == 1


async def test_what_is_counted_is_told_with_where_it_came_from(world: World) -> None:
    throttle = world.stores.throttle
    assert await throttle.look(["k", "other"]) == {}
    assert not await throttle.clear("k", told("x"))
    for number, origin in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.2")):
        await throttle.attempt("k", LIMIT, 1000 + number, origin)
    await throttle.attempt("k", LIMIT, 1003, "192.0.2.3")  # locked: not tried, not counted
    expected = Count(3, 1002, 1012, ("192.0.2.1", "192.0.2.2", "192.0.2.2"))
    assert await throttle.look(["k", "other"]) == {"k": expected}
    await throttle.take_back("k", LIMIT)
    assert (await throttle.look(["k"]))["k"].origins == ("192.0.2.1", "192.0.2.2")
    for number in range(30):
        await throttle.attempt("k", Limit(free=99, first_s=1, longest_s=1, forget_s=9), 1100, f"192.0.2.{number}")
    assert (await throttle.look(["k"]))["k"].origins == tuple(f"192.0.2.{number}" for number in range(20, 30))
    assert await throttle.clear("k", told("x"))
    assert await throttle.look(["k"]) == {}
    assert len(await world.audit.entries(target="x")) == 1  # what found nothing left none


# --- what the services make of them


async def test_a_lockout_is_told_and_lifted_and_both_are_audited(world: World) -> None:
    ana, eva = await world.add(), await world.add("eva")
    for number in range(6):
        with pytest.raises(BadCredentials):
            await world.accounts.sign_in("ana", "no es esta", None, Visitor(origin=f"192.0.2.{number % 2}"))
    found = await world.people.refused([ana, eva])
    assert set(found) == {ana.id}
    assert (found[ana.id].failures, found[ana.id].origins) == (6, ("192.0.2.1", "192.0.2.0"))
    assert found[ana.id].locked_until == world.clock.now() + 15
    with pytest.raises(Locked):
        await world.sign_in()
    assert await world.people.lift_lockout(ana.id, by=OPERATOR, origin="local")
    await world.sign_in()
    (lifted,) = [one for one in await world.audit.entries() if one.action == "user.lockout_lifted"]
    assert (lifted.target, lifted.before) == (
        f"user:{ana.id}",
        {"refused": 6, "locked": True, "from": ["192.0.2.1", "192.0.2.0"]},
    )
    assert not await world.people.lift_lockout(ana.id, by=OPERATOR, origin="local")
    assert await world.people.refused([ana, eva]) == {}


async def test_refused_attempts_that_count_no_more_are_not_told(world: World) -> None:
    ana = await world.add()
    for _ in range(6):
        with pytest.raises(BadCredentials):
            await world.sign_in(password="no es esta")
    await world.clock.advance(16)
    assert (await world.people.refused([ana]))[ana.id].locked_until is None
    await world.clock.advance(3600)
    assert await world.people.refused([ana]) == {}
    assert not await world.people.lift_lockout(ana.id, by=OPERATOR, origin="local")


async def test_locked_addresses_are_told_and_lifted_each_by_itself(world: World) -> None:
    throttle, now = world.stores.throttle, world.clock.now()
    once = Limit(free=0, first_s=60, longest_s=900, forget_s=3600)
    for address, times in (("192.0.2.7", 1), ("2001:db8::7", 1), ("192.0.2.8", 0)):
        for _ in range(times):
            await throttle.attempt(key_of_address(address), once, now, address)
    await throttle.attempt(key_of_account("ana"), once, now, "192.0.2.7")
    await world.clock.advance(1)
    await throttle.attempt(key_of_address("192.0.2.9"), once, world.clock.now(), "192.0.2.9")
    found = await world.people.locked_addresses()
    assert [(one.address, one.failures) for one in found] == [("192.0.2.9", 1), ("192.0.2.7", 1), ("2001:db8::7", 1)]
    assert found[0].locked_until == world.clock.now() + 60
    assert list(await throttle.locked_addresses(world.clock.now(), 1)) == [key_of_address("192.0.2.9")]
    with pytest.raises(PermissionDenied):
        await world.people.lift_address(
            "192.0.2.7", by=Principal(id="user:y", name="Mar", role="manager"), origin="local"
        )
    assert await world.people.lift_address("192.0.2.7", by=OPERATOR, origin="local")
    assert not await world.people.lift_address("192.0.2.7", by=OPERATOR, origin="local")
    assert [one.address for one in await world.people.locked_addresses()] == ["192.0.2.9", "2001:db8::7"]
    (lifted,) = [one for one in await world.audit.entries() if one.action == "address.lockout_lifted"]
    assert (lifted.target, lifted.before) == ("address:192.0.2.7", {"refused": 1, "locked": True})
    await world.clock.advance(60)
    assert await world.people.locked_addresses() == []


async def test_who_may_lift_a_lockout(world: World) -> None:
    ana, boss = await world.add(), await world.add("jefa", role="admin")
    helper = Principal(
        id="user:x", name="Leo", role="ayudante", granted=frozenset({Permission.USERS_READ, Permission.USERS_WRITE})
    )
    with pytest.raises(PermissionDenied):
        await world.people.lift_lockout(ana.id, by=Principal(id="user:y", name="Mar", role="manager"), origin="local")
    with pytest.raises(PermissionDenied):  # of an account that may do more than one's own
        await world.people.lift_lockout(boss.id, by=helper, origin="local")
    with pytest.raises(OwnLockout):
        await world.people.lift_lockout(boss.id, by=principal_of(boss, None), origin="local")


async def test_tidying_keeps_what_still_counts(world: World) -> None:
    one = await world.add()
    cookie = await world.sign_in()
    for _ in range(6):
        with pytest.raises(BadCredentials):
            await world.sign_in(password="no es esta")
    await world.accounts.tidy()
    await world.accounts.check(cookie)
    with pytest.raises(Locked):
        await world.sign_in()
    await world.clock.advance(31 * 86400)
    await world.accounts.tidy()
    assert await world.stores.sessions.of_user(one.id) == []


async def test_sign_in_and_the_lives_of_a_session(world: World) -> None:
    await world.add()
    cookie = await world.sign_in("  Ana ")
    signed_in = await world.accounts.check(cookie)
    assert signed_in.principal.id == f"user:{signed_in.user.id}"
    assert signed_in.standing.session.agent_text == "Firefox/1"
    assert (await world.accounts.check(cookie)).csrf == signed_in.csrf
    for minutes in (29, 29, 29):
        await world.clock.advance(minutes * 60)
        await world.accounts.check(cookie)
    await world.clock.advance(30 * 60)
    with pytest.raises(BadSession):
        await world.accounts.check(cookie)  # idle
    cookie = await world.sign_in()
    with pytest.raises(BadSession):  # noqa: PT012 - it lives until it is too old, however busy
        for _ in range(30):
            await world.clock.advance(25 * 60)
            await world.accounts.check(cookie)


@pytest.mark.parametrize("bad", ["", "x", "0" * 16 + "." + "0" * 64, "{id}.{zeros}", "{cookie}x", "{cookie}\n"])
async def test_made_up_cookies(world: World, bad: str) -> None:
    await world.add()
    cookie = await world.sign_in()
    made_up = bad.format(id=cookie[:16], zeros="0" * 64, cookie=cookie)
    with pytest.raises(BadSession):
        await world.accounts.check(made_up)


async def test_only_hashes_are_kept(world: World) -> None:
    one = await world.add()
    cookie = await world.sign_in()
    standing = await world.stores.sessions.standing(cookie[:16])
    assert cookie[17:] not in repr(standing)
    assert one.password is not None
    assert one.password.startswith("$argon2id$")
    assert PASSWORD.get_secret_value() not in repr(one)


async def test_guesses_are_stopped_though_they_come_together(world: World) -> None:
    await world.add()
    answers = await asyncio.gather(
        *(world.sign_in("ana", f"no es esta {n}") for n in range(20)), return_exceptions=True
    )
    kinds = [type(answer) for answer in answers]
    assert kinds.count(BadCredentials) == 6
    assert kinds.count(Locked) == 14


async def test_a_former_password_hash_of_weaker_making_is_made_anew(world: World) -> None:
    one = await world.add()
    strong = Accounts(world.stores, Passwords(), Box(Secret("k")), world.clock)
    await strong.sign_in("ana", PASSWORD.get_secret_value(), None, HERE)
    kept = await world.stores.users.get(one.id)
    assert kept is not None
    assert kept.password != one.password
    await strong.sign_in("ana", PASSWORD.get_secret_value(), None, HERE)


async def test_who_may_not_write_users_does_not(world: World) -> None:
    supervisor = Principal(id="user:x", name="Sonia", role="supervisor")
    fields = UserFields(username="eva", name="Eva", role="agent")
    with pytest.raises(PermissionDenied):
        await world.people.add(fields, by=supervisor, origin="local")
    with pytest.raises(Invalid, match="there is no role"):
        await world.people.add(UserFields(username="eva", name="Eva", role="x"), by=OPERATOR, origin="local")


HELPER = Principal(
    id="user:u-leo",
    name="Leo",
    role="ayudante",
    agent="luis",
    granted=PERMISSIONS[Role.AGENT] | {Permission.USERS_READ, Permission.USERS_WRITE},
)


async def test_who_writes_users_alone_binds_no_agent(world: World) -> None:
    """Else they would read, as another, what that agent said and recorded."""
    fields = UserFields(username="nuevo", name="Nuevo", role="agent")
    with pytest.raises(PermissionDenied):
        await world.people.add(replace(fields, agent="eva"), by=HELPER, origin="local")
    nuevo = await world.people.add(fields, by=HELPER, origin="local")
    with pytest.raises(PermissionDenied):
        await world.people.change(nuevo.id, replace(fields, agent="eva"), by=HELPER, origin="local")
    ana = await world.add(agent="ana")
    with pytest.raises(PermissionDenied):  # nor takes one away, for the next to have it
        await world.people.change(ana.id, UserFields(username="ana", name="Ana", role="agent"), by=HELPER, origin="x")
    kept = UserFields(username="ana", name="Ana C.", role="agent", agent="ana")
    assert (await world.people.change(ana.id, kept, by=HELPER, origin="local")).name == "Ana C."


@pytest.mark.parametrize("to", ["eva", None])
async def test_nobody_changes_the_agent_of_their_own_account(world: World, to: str | None) -> None:
    boss = await world.add("jefa", role="admin", agent="luis")
    fields = UserFields(username="jefa", name="Jefa", role="admin", agent=to)
    with pytest.raises(OwnAccount):
        await world.people.change(boss.id, fields, by=principal_of(boss, None), origin="local")
    assert (await world.people.get(boss.id)).agent == "luis"


async def test_an_account_is_bound_to_an_agent_that_there_is_and_that_nobody_else_has(world: World) -> None:
    with pytest.raises(NoSuchAgent):
        await world.add(agent="nadie")
    await world.add(agent="ana")
    with pytest.raises(AgentTaken):
        await world.add("eva", agent="ana")
    gone = await world.add("gone", agent="eva")
    world.people.is_agent = {"ana"}.__contains__  # the organisation has lost her
    fields = UserFields(username="gone", name="Otro", role="agent", agent="eva", disabled=True)
    assert (await world.people.change(gone.id, fields, by=OPERATOR, origin="local")).disabled


# --- passwords


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "corta",
        "aaaaaaaaaaaaaaa",
        "ababababababab",
        "Etapa2026!",
        "contraseña123",
        "AnaCordero1",
        "kT9#vQ2!xzm",
        "x" * 129,
    ],
)
def test_weak_passwords(weak: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        check_strength(weak, "acordero", "Ana Cordero")
    assert caught.value.facts == {"shortest": 12}


@pytest.mark.parametrize("good", ["caballo pila grapa correcta", "kT9#vQ2!xzmR", "etapa 1968 agua luz y voz"])
def test_good_passwords(good: str) -> None:
    check_strength(good, "acordero", "Ana Cordero")


def test_temporary_passwords_pass_the_rules() -> None:
    made = {temporary_password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        check_strength(one, "acordero", "Ana Cordero")


async def test_a_wrong_password_and_nobody_cost_the_same_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(cheap=True)
    compared: list[str] = []
    monkeypatch.setattr(passwords, "_matches", lambda kept, _: compared.append(kept) or True)
    assert await passwords.verify(None, "x") is False  # nobody, even when it "matches"
    (against,) = compared
    assert against.startswith("$argon2id$v=19$m=8,t=1,p=1$")
