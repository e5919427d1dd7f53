"""Notes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from customers.card import Note
from customers.tables import customer_notes as notes
from foundation.database import Database


class SqlNotes:
    """Implements `customers.ports.Notes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, note: Note) -> None:
        row = {
            "id": note.id,
            "at": datetime.fromtimestamp(note.at, UTC),
            "by": note.by,
            "by_name": note.by_name,
            "interaction_id": note.interaction,
            "address": note.address,
            "text": note.text,
        }

        async def write(session: AsyncSession) -> None:
            await session.execute(insert(notes).values(row).on_conflict_do_nothing())

        # Repeating is safe: the note brings its own id.
        await self._database.run(write, idempotent=True)

    async def of(self, *, address: str = "", interaction: str | None = None, limit: int = 50) -> Sequence[Note]:
        rules = [notes.c.address == address] if address else []
        if interaction is not None:  # a comparison with None would find all that have none
            rules.append(notes.c.interaction_id == interaction)
        if not rules:
            return []
        query = select(notes).where(or_(*rules)).order_by(notes.c.at.desc(), notes.c.id.desc()).limit(limit)
        async with self._database.begin() as session:
            rows = (await session.execute(query)).all()
        return [
            Note(
                id=row.id,
                at=row.at.timestamp(),
                by=row.by,
                by_name=row.by_name,
                text=row.text,
                interaction=row.interaction_id,
                address=row.address,
            )
            for row in rows
        ]
