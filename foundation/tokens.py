"""API tokens: ``rimay_<id>_<secret>``, shown once, kept as a hash, revocable, every creation and revocation audited.

The secret is 256 random bits, so one SHA-256 is the right hash: slow hashes (argon2) make guessing dear where people
choose weak passwords; nobody guesses 256 bits, and every request pays for the check. The id finds the row, which keeps
the comparison to one hash and constant in time; ``rimay_`` lets secret scanners know a leaked one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from foundation.access import OPERATOR, PERMISSIONS, Permission, Principal, Role, require
from foundation.audit import AuditEntry, MemoryAudit, add_entry, entry
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Invalid, NotFound, Unauthenticated
from foundation.secret import Secret
from foundation.tables import api_tokens

_FORMAT = re.compile(r"rimay_([0-9a-f]{16})_([0-9a-f]{64})")
# Coarse on purpose: a busy program would write its row at every request.
_TOUCH_EVERY = timedelta(minutes=1)
# Compared with when there is no such token, so that the answer takes as long.
_NOBODY = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What is kept of a token; the secret itself is not."""

    id: str
    name: str
    role: Role
    secret_hash: bytes
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class BadToken(Unauthenticated):
    """Unknown, wrong, expired and revoked are one answer to whoever asks; the log knows which."""

    code: ClassVar[str] = "access.bad_token"


class TokenStore(Protocol):
    """Changes bring their audit entry along: both are stored or neither."""

    async def add(self, token: ApiToken, audit: AuditEntry) -> None: ...
    async def get(self, token_id: str) -> ApiToken | None: ...
    async def all(self) -> list[ApiToken]:
        """Oldest first, revoked ones too."""
        ...

    async def touch(self, token_id: str, at: datetime) -> None:
        """Remember the last use; an older time than the one known changes nothing."""
        ...

    async def revoke(self, token_id: str, at: datetime, audit: AuditEntry) -> bool:
        """False, and no entry, when it is unknown or revoked already."""
        ...


class Tokens:
    """What programs and the command line do with tokens."""

    def __init__(self, store: TokenStore, clock: Clock, random_hex: Callable[[int], str] = secrets.token_hex) -> None:
        self._store = store
        self._clock = clock
        self._random_hex = random_hex

    async def create(
        self,
        name: str,
        role: Role,
        *,
        by: Principal = OPERATOR,
        lifetime: timedelta | None = None,
        origin: str = "local",
    ) -> tuple[ApiToken, Secret]:
        """The second part is the token itself, to be shown once."""
        require(by, Permission.TOKENS_WRITE)
        if not name.strip():
            raise Invalid("a token needs a name that tells who uses it")
        now = self._now()
        token_id, secret = self._random_hex(8), self._random_hex(32)
        token = ApiToken(
            id=token_id,
            name=name.strip(),
            role=role,
            secret_hash=_hash(secret),
            created_at=now,
            created_by=by.id,
            expires_at=None if lifetime is None else now + lifetime,
        )
        after = {"name": token.name, "role": str(role), "expires_at": _iso(token.expires_at)}
        await self._store.add(
            token, entry(by, "token.created", f"token:{token_id}", at=now, after=after, origin=origin)
        )
        return token, Secret(f"rimay_{token_id}_{secret}")

    async def check(self, text: str) -> Principal:
        """Whose token this is, or `BadToken`."""
        match = _FORMAT.fullmatch(text)
        if match is None:
            raise BadToken("this is not a valid token")
        token = await self._store.get(match[1])
        matches = hmac.compare_digest(_hash(match[2]), _NOBODY if token is None else token.secret_hash)
        now = self._now()
        if token is None or not matches or token.revoked_at is not None or _expired(token, now):
            raise BadToken("this is not a valid token")
        if token.last_used_at is None or now - token.last_used_at >= _TOUCH_EVERY:
            await self._store.touch(token.id, now)
        # A program that acts as an agent (a robot, a wall phone) carries the agent's id as its token's name.
        is_agent = Permission.CALLS_HANDLE in PERMISSIONS[token.role]
        agent = token.name if is_agent else None
        return Principal(id=f"token:{token.id}", name=token.name, role=token.role, agent=agent)

    async def revoke(self, token_id: str, *, by: Principal = OPERATOR, origin: str = "local") -> None:
        """Revoking twice is no error; an unknown id is."""
        require(by, Permission.TOKENS_WRITE)
        token = await self._store.get(token_id)
        if token is None:
            raise NotFound("there is no such token")
        now = self._now()
        told = entry(
            by,
            "token.revoked",
            f"token:{token_id}",
            at=now,
            before={"name": token.name, "role": str(token.role)},
            after={"revoked_at": _iso(now)},
            origin=origin,
        )
        await self._store.revoke(token_id, now, told)

    async def all(self) -> list[ApiToken]:
        return await self._store.all()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


class MemoryTokenStore:
    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._tokens: dict[str, ApiToken] = {}

    async def add(self, token: ApiToken, audit: AuditEntry) -> None:
        self._tokens.setdefault(token.id, token)
        self._audit.add(audit)

    async def get(self, token_id: str) -> ApiToken | None:
        return self._tokens.get(token_id)

    async def all(self) -> list[ApiToken]:
        return sorted(self._tokens.values(), key=lambda token: (token.created_at, token.id))

    async def touch(self, token_id: str, at: datetime) -> None:
        token = self._tokens.get(token_id)
        if token is not None and (token.last_used_at is None or token.last_used_at < at):
            self._tokens[token_id] = replace(token, last_used_at=at)

    async def revoke(self, token_id: str, at: datetime, audit: AuditEntry) -> bool:
        token = self._tokens.get(token_id)
        if token is None or token.revoked_at is not None:
            return False
        self._tokens[token_id] = replace(token, revoked_at=at)
        self._audit.add(audit)
        return True


# Asked with every request of a program: made once.
_BY_ID = select(api_tokens).where(api_tokens.c.id == bindparam("token"))


class PostgresTokenStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: ApiToken, audit: AuditEntry) -> None:
        row = {name: getattr(token, name) for name in api_tokens.c.keys()}  # noqa: SIM118 - a column collection

        async def work(session: Any) -> None:
            await session.execute(insert(api_tokens).values(row).on_conflict_do_nothing())
            await add_entry(session, audit)

        await self._database.run(work, idempotent=True)

    async def get(self, token_id: str) -> ApiToken | None:
        found = await self._database.read(_BY_ID, {"token": token_id})
        return _token(found[0]) if found else None

    async def all(self) -> list[ApiToken]:
        async with self._database.begin() as session:
            rows = (await session.execute(select(api_tokens).order_by(api_tokens.c.created_at, api_tokens.c.id))).all()
        return [_token(row) for row in rows]

    async def touch(self, token_id: str, at: datetime) -> None:
        last = api_tokens.c.last_used_at
        change = (
            update(api_tokens)
            .where(api_tokens.c.id == token_id, or_(last.is_(None), last < at))
            .values(last_used_at=at)
        )

        async def work(session: Any) -> None:
            await session.execute(change)

        await self._database.run(work, idempotent=True)

    async def revoke(self, token_id: str, at: datetime, audit: AuditEntry) -> bool:
        change = (
            update(api_tokens)
            .where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(api_tokens.c.id)
        )

        async def work(session: Any) -> bool:
            if (await session.execute(change)).one_or_none() is None:
                return False
            await add_entry(session, audit)
            return True

        return await self._database.run(work, idempotent=True)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _expired(token: ApiToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _token(row: Row[Any]) -> ApiToken:
    columns = dict(row._mapping)
    return ApiToken(**{**columns, "role": Role(columns["role"]), "secret_hash": bytes(columns["secret_hash"])})
