"""What administrators do with accounts and roles. Every act is one entry of the audit trail, with before and after.

Who holds ``users.write`` alone gives, and changes the accounts of, only what lies within their own permissions: else it
would be a way to any permission. ``roles.write`` is the right to give more than one has. An agent is such a thing:
whose account names it reads that agent's contacts and recordings. Nobody changes the role or the agent of their own
account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from foundation.access import PERMISSIONS, Permission, PermissionDenied, Principal, Role, require
from foundation.audit import AuditEntry, entry
from foundation.clock import Clock
from foundation.errors import Conflict, Invalid, NotFound
from foundation.identity import throttle
from foundation.identity.accounts import Stores
from foundation.identity.model import ROLE_NAME, CustomRole, User, checked_username, is_built_in
from foundation.identity.oidc import Person
from foundation.identity.passwords import Passwords, check_strength, temporary_password
from foundation.identity.throttle import ACCOUNT
from foundation.ids import new_id
from foundation.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFields:
    username: str
    name: str
    role: str
    agent: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Attempts to sign in to an account that failed and still count. Times are unix seconds."""

    failures: int
    last_at: float
    locked_until: float | None  # None: one may try now
    origins: tuple[str, ...]  # the addresses of the last of them, the newest first, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedAddress:
    """Nobody signs in from there until then, whoever they are. Times are unix seconds."""

    address: str
    failures: int
    last_at: float
    locked_until: float


# More at once is an attack that nobody lifts one by one.
MOST_ADDRESSES = 100


class OwnLockout(Conflict):
    code = "users.own_lockout"


class OwnAccount(Conflict):
    """What somebody else must change."""

    code = "users.own_account"


class NoSuchAgent(Invalid):
    code = "users.no_such_agent"


# The provider's word makes accounts and gives the roles that the settings map, and nothing else.
_PROVIDER = Principal(
    id="single-sign-on",
    name="single sign-on",
    role="single-sign-on",
    granted=frozenset({Permission.USERS_WRITE, Permission.ROLES_WRITE}),
)


class People:
    """`is_agent`: whether the organisation has such an agent now."""

    def __init__(self, stores: Stores, passwords: Passwords, clock: Clock, *, is_agent: Callable[[str], bool]) -> None:
        self.is_agent = is_agent
        self._stores = stores
        self._passwords = passwords
        self._clock = clock

    # --- users

    async def users(self) -> list[User]:
        return await self._stores.users.all()

    async def get(self, user_id: str) -> User:
        user = await self._stores.users.get(user_id)
        if user is None:
            raise NotFound("There is no such user.")
        return user

    async def named(self, username: str) -> User:
        user = await self._stores.users.by_username(checked_username(username))
        if user is None:
            raise NotFound(f"there is no user {username!r}")
        return user

    async def add(
        self,
        fields: UserFields,
        *,
        by: Principal,
        origin: str,
        password: Secret | None = None,
        must_change: bool = True,
        subject: str | None = None,
    ) -> User:
        """Without `password` nobody can sign in with one until `reset_password`."""
        require(by, Permission.USERS_WRITE)
        username, now = checked_username(fields.username), self._now()
        await self._guard_role(by, fields.role)
        self._guard_agent(by, None, fields.agent)
        if password is not None:
            check_strength(password.get_secret_value(), username, fields.name)
        kept = None if password is None else await self._passwords.hash(password.get_secret_value())
        user = User(
            id=new_id(),
            username=username,
            name=_checked_name(fields.name),
            role=fields.role,
            agent=fields.agent,
            disabled=fields.disabled,
            password=kept,
            must_change_password=must_change and password is not None,
            subject=subject,
            created_at=now,
            created_by=by.id,
        )
        await self._stores.users.add(user, self._entry(by, "user.added", user, origin, after=_facts(user)))
        return user

    async def change(self, user_id: str, fields: UserFields, *, by: Principal, origin: str) -> User:
        """Disabling ends the sessions at once; a changed role counts from the next request on."""
        require(by, Permission.USERS_WRITE)
        user = await self.get(user_id)
        await self._guard_account(by, user)
        await self._guard_role(by, fields.role)
        own = (fields.disabled, fields.role, fields.agent) != (False, user.role, user.agent)
        if own and by.id == f"user:{user.id}":
            raise OwnAccount("Nobody disables their own account or changes its role or agent: ask a colleague.")
        self._guard_agent(by, user.agent, fields.agent)
        changes = {
            "username": checked_username(fields.username),
            "name": _checked_name(fields.name),
            "role": fields.role,
            "agent": fields.agent,
            "disabled": fields.disabled,
        }
        told = self._entry(by, "user.changed", user, origin, before=_facts(user), after=changes)
        changed = await self._stores.users.change(user.id, told, **changes)
        if changed is None:
            raise NotFound("There is no such user.")
        if changed.disabled:
            await self._stores.sessions.revoke(user.id, self._now(), None)
        return changed

    async def reset_password(self, user_id: str, *, by: Principal, origin: str) -> Secret:
        """A temporary password, to be shown once; ends the user's sessions."""
        password = Secret(temporary_password())
        await self.set_password(user_id, password, by=by, origin=origin, must_change=True)
        return password

    async def set_password(
        self, user_id: str, password: Secret, *, by: Principal, origin: str, must_change: bool
    ) -> None:
        require(by, Permission.USERS_WRITE)
        user = await self.get(user_id)
        await self._guard_account(by, user)
        check_strength(password.get_secret_value(), user.username, user.name)
        kept = await self._passwords.hash(password.get_secret_value())
        told = self._entry(by, "user.password_reset", user, origin)
        await self._stores.users.change(user.id, told, password=kept, must_change_password=must_change)
        await self._stores.sessions.revoke(user.id, self._now(), None)

    async def end_sessions(self, user_id: str, *, by: Principal, origin: str) -> int:
        require(by, Permission.USERS_WRITE)
        user = await self.get(user_id)
        await self._guard_account(by, user)
        told = self._entry(by, "user.sessions_ended", user, origin)
        return await self._stores.sessions.revoke(user.id, self._now(), told)

    async def remove_totp(self, user_id: str, *, by: Principal, origin: str) -> None:
        """For who lost their phone."""
        require(by, Permission.USERS_WRITE)
        user = await self.get(user_id)
        await self._guard_account(by, user)
        told = self._entry(by, "user.totp_removed", user, origin, before={"totp": user.has_totp})
        await self._stores.users.change(user.id, told, totp=None, totp_confirmed=False)

    async def refused(self, users: Iterable[User]) -> Mapping[str, Refused]:
        """By the ids of those users of whom something counts."""
        of_key = {throttle.key_of_account(user.username): user.id for user in users}
        now, found = self._clock.now(), {}
        for key, count in (await self._stores.throttle.look(of_key)).items():
            if count.failures and now - count.last_at <= ACCOUNT.forget_s:
                found[of_key[key]] = Refused(
                    failures=count.failures,
                    last_at=count.last_at,
                    locked_until=count.until if count.until > now else None,
                    origins=tuple(dict.fromkeys(reversed(count.origins))),
                )
        return found

    async def lift_lockout(self, user_id: str, *, by: Principal, origin: str) -> bool:
        """They may try again at once, with all free attempts; False, and no entry, when nothing was counted.

        Not one's own: a stolen session would lift it after each round of guessing the second factor."""
        require(by, Permission.USERS_WRITE)
        user = await self.get(user_id)
        await self._guard_account(by, user)
        if by.id == f"user:{user.id}":
            raise OwnLockout("Nobody lifts the lock of their own account: ask a colleague.")
        found = (await self.refused([user])).get(user.id)
        if found is None:
            return False
        told = self._entry(
            by,
            "user.lockout_lifted",
            user,
            origin,
            before={"refused": found.failures, "locked": found.locked_until is not None, "from": list(found.origins)},
        )
        return await self._stores.throttle.clear(throttle.key_of_account(user.username), told)

    async def locked_addresses(self) -> list[LockedAddress]:
        """Who waits longest first; at most `MOST_ADDRESSES`."""
        found = await self._stores.throttle.locked_addresses(self._clock.now(), MOST_ADDRESSES)
        return [
            LockedAddress(
                address=throttle.address_of_key(key),
                failures=count.failures,
                last_at=count.last_at,
                locked_until=count.until,
            )
            for key, count in found.items()
        ]

    async def lift_address(self, address: str, *, by: Principal, origin: str) -> bool:
        """Whoever is there may try again at once; False, and no entry, when it is not locked. What is counted of single
        accounts stays: an address that guesses is still held by each of them."""
        require(by, Permission.USERS_WRITE)
        key, now = throttle.key_of_address(address), self._now()
        count = (await self._stores.throttle.look([key])).get(key)
        if count is None or count.until <= self._clock.now():
            return False
        told = entry(
            by, "address.lockout_lifted", key, at=now, before={"refused": count.failures, "locked": True}, origin=origin
        )
        return await self._stores.throttle.clear(key, told)

    async def from_provider(self, person: Person, *, origin: str) -> User:
        """The account of somebody whom the provider of single sign-on vouches for: made at their first sign-in, and
        brought up to what it says at each. An account that was made here is never taken over by a name alone."""
        fields = UserFields(username=person.username, name=person.name, role=person.role, agent=person.agent)
        user = await self._stores.users.by_subject(person.subject)
        if user is None:
            return await self.add(fields, by=_PROVIDER, origin=origin, subject=person.subject)
        if user.disabled:
            raise PermissionDenied("This account is disabled.")
        if (user.name, user.role, user.agent) == (_checked_name(person.name), person.role, person.agent):
            return user
        return await self.change(user.id, replace(fields, username=user.username), by=_PROVIDER, origin=origin)

    # --- roles

    async def roles(self) -> list[CustomRole]:
        return await self._stores.roles.all()

    async def put_role(
        self, name: str, title: str, permissions: Iterable[Permission], *, by: Principal, origin: str, new: bool
    ) -> CustomRole:
        require(by, Permission.ROLES_WRITE)
        if not ROLE_NAME.fullmatch(name):
            raise Invalid("a role's name has 2 to 32 small letters, digits, _ and -, and begins with a letter")
        if is_built_in(name):
            raise Conflict("The built-in roles are read-only. Make one of your own.")
        former = await self._stores.roles.get(name)
        if new and former is not None:
            raise Conflict("There is a role of this name already.")
        if not new and former is None:
            raise NotFound("There is no such role.")
        role = CustomRole(name=name, title=_checked_name(title), permissions=frozenset(permissions))
        told = entry(
            by,
            "role.changed" if former else "role.added",
            f"role:{name}",
            at=self._now(),
            before=None if former is None else _role_facts(former),
            after=_role_facts(role),
            origin=origin,
        )
        await self._stores.roles.put(role, told)
        return role

    async def delete_role(self, name: str, *, by: Principal, origin: str) -> None:
        require(by, Permission.ROLES_WRITE)
        if is_built_in(name):
            raise Conflict("The built-in roles are read-only.")
        former = await self._stores.roles.get(name)
        if former is None:
            raise NotFound("There is no such role.")
        told = entry(by, "role.deleted", f"role:{name}", at=self._now(), before=_role_facts(former), origin=origin)
        if not await self._stores.roles.delete(name, told):
            raise NotFound("There is no such role.")

    async def permissions_of(self, role: str) -> frozenset[Permission] | None:
        """None for a role that is not there."""
        if is_built_in(role):
            return PERMISSIONS[Role(role)]
        found = await self._stores.roles.get(role)
        return None if found is None else found.permissions

    # --- parts

    async def _guard_role(self, by: Principal, role: str) -> None:
        granted = await self.permissions_of(role)
        if granted is None:
            raise Invalid(f"there is no role {role!r}")
        if not by.may(Permission.ROLES_WRITE) and not granted <= by.permissions:
            raise PermissionDenied("You may give only roles within your own permissions.", role=by.role)

    async def _guard_account(self, by: Principal, user: User) -> None:
        granted = await self.permissions_of(user.role) or frozenset()
        if not by.may(Permission.ROLES_WRITE) and not granted <= by.permissions:
            raise PermissionDenied("This account may do more than yours.", role=by.role)

    def _guard_agent(self, by: Principal, former: str | None, agent: str | None) -> None:
        """Taking one away is the same right: the next account could have it."""
        if agent == former:
            return
        if not by.may(Permission.ROLES_WRITE):
            needs = [Permission.ROLES_WRITE.value]
            raise PermissionDenied("Your role may not change which agent an account is.", role=by.role, needs=needs)
        if agent is not None and not self.is_agent(agent):
            raise NoSuchAgent("The organisation has no such agent.", agent=agent)

    def _entry(
        self,
        by: Principal,
        action: str,
        user: User,
        origin: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        return entry(by, action, f"user:{user.id}", at=self._now(), before=before, after=after, origin=origin)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def _checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise Invalid("a name has 1 to 80 printable characters")
    return name


def _facts(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in ("username", "name", "role", "agent", "disabled")}


def _role_facts(role: CustomRole) -> dict[str, Any]:
    return {"title": role.title, "permissions": sorted(role.permissions)}
