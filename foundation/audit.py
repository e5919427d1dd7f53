"""The audit trail: who changed what, from where, what it was before. Entries are only ever added.

An entry is written in the transaction of the change it tells of, so that there is never one without the other: stores
take the entry along with the change. `Audit.write` is for acts that change no row (a download, a live listening).
Entries are chained (`foundation.audit_chain`): `verify` finds what was done to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.access import Principal
from foundation.audit_chain import Head, Link, Verdict, Walk, following, plain
from foundation.database import Database
from foundation.ids import new_id
from foundation.tables import audit_entries, audit_head


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`before` and `after` are plain JSON without secrets; `origin` is an address or ``local``."""

    at: datetime
    actor: str
    actor_name: str
    action: str  # dotted: token.created
    target: str  # kind:id
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    origin: str = "local"
    id: str = field(default_factory=new_id)


_CONTENT = tuple(one.name for one in fields(AuditEntry))
_BATCH = 1000  # entries read at a time by `verify`


def entry(
    by: Principal,
    action: str,
    target: str,
    *,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    origin: str = "local",
) -> AuditEntry:
    return AuditEntry(
        at=at, actor=by.id, actor_name=by.name, action=action, target=target, before=before, after=after, origin=origin
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """All that is set must hold. `action` that ends in a dot is a beginning (``user.``); `since` is included, `until`
    is not; `before_n`: only those with a smaller number; `citizen`: a hash among those that `after` keeps under that
    name."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before_n: int | None = None
    citizen: str | None = None


class Audit(Protocol):
    async def write(self, entry: AuditEntry) -> None:
        """Returns when it is kept; writing the same entry again keeps it once."""
        ...

    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        """Newest first."""
        ...

    async def page(self, query: AuditQuery, *, limit: int) -> list[Link]:
        """Newest first."""
        ...

    async def verify(self, expect: Head | None = None) -> Verdict: ...
    async def head(self) -> Head: ...


class MemoryAudit:
    def __init__(self) -> None:
        self._links: list[Link] = []
        self._head = Head()

    async def write(self, entry: AuditEntry) -> None:
        self.add(entry)

    def add(self, entry: AuditEntry) -> None:
        if any(link.entry.id == entry.id for link in self._links):
            return
        self._head = following(self._head, entry)
        self._links.append(Link(self._head.n, self._head.hash, entry))

    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        return [link.entry for link in await self.page(AuditQuery(target=target), limit=limit)]

    async def page(self, query: AuditQuery, *, limit: int) -> list[Link]:
        return [link for link in reversed(self._links) if _fits(link, query)][:limit]

    async def verify(self, expect: Head | None = None) -> Verdict:
        walk = Walk(expect)
        walk.take(self._links)
        return walk.end(self._head)

    async def head(self) -> Head:
        return self._head


def _fits(link: Link, query: AuditQuery) -> bool:
    one, action = link.entry, query.action
    return (
        query.actor in {None, one.actor}
        and query.target in {None, one.target}
        and (action is None or (one.action.startswith(action) if action.endswith(".") else one.action == action))
        and (query.since is None or one.at >= query.since)
        and (query.until is None or one.at < query.until)
        and (query.before_n is None or link.n < query.before_n)
        and (query.citizen is None or query.citizen in (one.after or {}).get("citizen", ()))
    )


class PostgresAudit:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entry: AuditEntry) -> None:
        # Repeating is safe: the entry brings its own id.
        await self._database.run(lambda session: add_entry(session, entry), idempotent=True)

    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        return [link.entry for link in await self.page(AuditQuery(target=target), limit=limit)]

    async def page(self, query: AuditQuery, *, limit: int) -> list[Link]:
        statement = select(audit_entries).where(*_conditions(query)).order_by(audit_entries.c.n.desc()).limit(limit)
        async with self._database.begin() as session:
            return [_link(row) for row in (await session.execute(statement)).all()]

    async def verify(self, expect: Head | None = None) -> Verdict:
        """In one snapshot, so that entries written meanwhile belong to neither side."""
        walk = Walk(expect)
        everything = select(audit_entries).order_by(audit_entries.c.n).limit(_BATCH)
        async with self._database.begin() as session:
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            rows = (await session.execute(everything)).all()
            while rows:
                walk.take([_link(row) for row in rows])
                rows = (await session.execute(everything.where(audit_entries.c.n > rows[-1].n))).all()
            head = (await session.execute(select(audit_head))).one_or_none()
        return walk.end(None if head is None else Head(head.n, bytes(head.hash)))

    async def head(self) -> Head:
        async with self._database.begin() as session:
            head = (await session.execute(select(audit_head))).one()
        return Head(head.n, bytes(head.hash))


async def add_entry(session: AsyncSession, entry: AuditEntry) -> None:
    """In the caller's transaction, beside the change itself, and as its last step: from here to its commit nobody else
    adds an entry. The head's row is the lock; who waited for it reads it as the one before left it."""
    head = (await session.execute(select(audit_head).with_for_update())).one()
    if await session.scalar(select(audit_entries.c.n).where(audit_entries.c.id == entry.id)) is not None:
        return  # the same unit of work, done again after its commit
    entry = replace(entry, before=plain(entry.before), after=plain(entry.after))
    new = following(Head(head.n, bytes(head.hash)), entry)
    row = {name: getattr(entry, name) for name in _CONTENT}
    await session.execute(insert(audit_entries).values(**row, n=new.n, hash=new.hash))
    await session.execute(update(audit_head).values(n=new.n, hash=new.hash))


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    c, found = audit_entries.c, []
    if query.actor is not None:
        found.append(c.actor == query.actor)
    if query.target is not None:
        found.append(c.target == query.target)
    if query.action is not None:
        beginning = query.action.endswith(".")
        found.append(c.action.startswith(query.action, autoescape=True) if beginning else c.action == query.action)
    if query.since is not None:
        found.append(c.at >= query.since)
    if query.until is not None:
        found.append(c.at < query.until)
    if query.before_n is not None:
        found.append(c.n < query.before_n)
    if query.citizen is not None:
        found.append(c.after["citizen"].contains([query.citizen]))
    return found


def _link(row: Row[Any]) -> Link:
    return Link(row.n, bytes(row.hash), AuditEntry(**{name: row._mapping[name] for name in _CONTENT}))
