"""The audit trail: who changed what, from where, what it was before. Entries are only ever added.

An entry is written in the transaction of the change it tells of, so that there is never one without the other: stores
take the entry along with the change. `Audit.write` is for acts that change no row (a download, a live listening)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.access import Principal
from foundation.database import Database
from foundation.ids import new_id
from foundation.tables import audit_entries


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


class Audit(Protocol):
    async def write(self, entry: AuditEntry) -> None: ...
    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        """Newest first."""
        ...


class MemoryAudit:
    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []

    async def write(self, entry: AuditEntry) -> None:
        self.add(entry)

    def add(self, entry: AuditEntry) -> None:
        self._entries.append(entry)

    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        matching = [entry for entry in self._entries if target in {None, entry.target}]
        return sorted(matching, key=lambda entry: (entry.at, entry.id), reverse=True)[:limit]


class PostgresAudit:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entry: AuditEntry) -> None:
        # Repeating is safe: the entry brings its own id.
        await self._database.run(lambda session: add_entry(session, entry), idempotent=True)

    async def entries(self, *, target: str | None = None, limit: int = 100) -> list[AuditEntry]:
        query = select(audit_entries).order_by(audit_entries.c.at.desc(), audit_entries.c.id.desc()).limit(limit)
        if target is not None:
            query = query.where(audit_entries.c.target == target)
        async with self._database.begin() as session:
            rows = (await session.execute(query)).mappings().all()
        return [AuditEntry(**row) for row in rows]


async def add_entry(session: AsyncSession, entry: AuditEntry) -> None:
    """In the caller's transaction, beside the change itself."""
    row = {name: getattr(entry, name) for name in audit_entries.c.keys()}  # noqa: SIM118 - a column collection
    for name in ("before", "after"):
        row[name] = None if row[name] is None else dict(row[name])
    await session.execute(insert(audit_entries).values(row).on_conflict_do_nothing())
