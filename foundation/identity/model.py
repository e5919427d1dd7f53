"""Accounts of people: users, their sessions, roles of the customer's own; and the ports to where they are kept.

Stores take the audit entry along with the change: both are kept or neither. `foundation.identity.memory` and
`foundation.identity.sql` hold to one contract suite."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Protocol

from foundation.access import Permission, Principal, Role
from foundation.audit import AuditEntry
from foundation.errors import Conflict, Invalid, Unauthenticated

USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
ROLE_NAME = re.compile(r"[a-z][a-z0-9_-]{1,31}")
LANGUAGES = ("es", "en")
THEMES = ("light", "dark", "auto")
BUILT_IN_TITLES = {
    Role.AGENT: "Agente",
    Role.SUPERVISOR: "Supervisor",
    Role.MANAGER: "Jefatura",
    Role.ADMIN: "Administrador",
    Role.SERVICE: "Servicio",
}


class UsernameTaken(Conflict):
    code: ClassVar[str] = "users.username_taken"


class AgentTaken(Conflict):
    """An agent belongs to one account: who that agent is, and whose contacts they are, has one answer."""

    code: ClassVar[str] = "users.agent_taken"


class RoleInUse(Conflict):
    code: ClassVar[str] = "roles.in_use"


class BadCredentials(Unauthenticated):
    """Unknown, wrong and disabled are one answer, given after the same time."""

    code: ClassVar[str] = "access.bad_credentials"


class BadSession(Unauthenticated):
    """Unknown, expired, revoked, and of a disabled user are one answer."""

    code: ClassVar[str] = "access.bad_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`password` is an argon2 hash; `totp` is the sealed secret, in force once `totp_confirmed`; `subject` is the
    identity at the provider of single sign-on (``issuer subject``)."""

    id: str
    username: str
    name: str
    role: str
    created_at: datetime
    created_by: str
    agent: str | None = None
    password: str | None = None
    must_change_password: bool = False
    disabled: bool = False
    totp: bytes | None = None
    totp_confirmed: bool = False
    totp_step: int = 0  # of the last code taken: none is taken twice
    subject: str | None = None
    language: str = "es"
    theme: str = "auto"

    @property
    def has_totp(self) -> bool:
        return self.totp is not None and self.totp_confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in. Of its secret only a hash is kept."""

    id: str
    user: str
    secret_hash: bytes
    created_at: datetime
    last_seen_at: datetime
    origin: str
    agent_text: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRole:
    name: str
    title: str
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A session with whose it is and what their role grants now (None: a built-in role)."""

    session: Session
    user: User
    granted: frozenset[Permission] | None

    @property
    def principal(self) -> Principal:
        return principal_of(self.user, self.granted)


def principal_of(user: User, granted: frozenset[Permission] | None) -> Principal:
    return Principal(
        id=f"user:{user.id}",
        name=user.name,
        role=user.role,
        agent=user.agent,
        granted=granted,
        must_change_password=user.must_change_password,
    )


def is_built_in(role: str) -> bool:
    return role in set(Role)


def known_permissions(names: list[str]) -> frozenset[Permission]:
    """Of names that were stored: a permission that this version does not know grants nothing."""
    return frozenset(Permission(name) for name in names if name in set(Permission))


def checked_username(text: str) -> str:
    username = text.strip().lower()
    if not USERNAME.fullmatch(username):
        raise Invalid("a user name has 2 to 64 small letters, digits and . _ @ -, and begins with a letter or digit")
    return username


def changed(user: User, changes: dict[str, Any]) -> User:
    return replace(user, **changes)


class Users(Protocol):
    async def add(self, user: User, audit: AuditEntry) -> None:
        """Raises `UsernameTaken`, `AgentTaken`."""
        ...

    async def get(self, user_id: str) -> User | None: ...
    async def by_username(self, username: str) -> User | None: ...
    async def by_subject(self, subject: str) -> User | None: ...
    async def all(self) -> list[User]:
        """By user name, disabled ones too."""
        ...

    async def change(self, user_id: str, audit: AuditEntry | None, **changes: Any) -> User | None:
        """The user as it is then; None, and no entry, when there is none. Raises `UsernameTaken`, `AgentTaken`."""
        ...

    async def take_step(self, user_id: str, step: int) -> bool:
        """Remember the time step of a code; False when one as late was taken already, by whoever came first."""
        ...


class Roles(Protocol):
    async def all(self) -> list[CustomRole]: ...
    async def get(self, name: str) -> CustomRole | None: ...
    async def put(self, role: CustomRole, audit: AuditEntry) -> None: ...
    async def delete(self, name: str, audit: AuditEntry) -> bool:
        """False, and no entry, when there is none. Raises `RoleInUse`."""
        ...


class Sessions(Protocol):
    async def add(self, session: Session, audit: AuditEntry) -> None: ...
    async def standing(self, session_id: str) -> Standing | None:
        """Also of what is revoked or disabled: the caller judges."""
        ...

    async def touch(self, session_id: str, at: datetime) -> None:
        """An older time than the one known changes nothing."""
        ...

    async def of_user(self, user_id: str) -> list[Session]:
        """Those not revoked, the newest first."""
        ...

    async def revoke(
        self, user_id: str, at: datetime, audit: AuditEntry | None, *, only: str = "", keep: str = ""
    ) -> int:
        """One of a user's sessions (`only`), or all but one (`keep`): how many ended. No entry when none did."""
        ...

    async def forget(self, seen_before: datetime) -> int:
        """Delete what was last seen before: how many."""
        ...
