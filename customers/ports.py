"""What the card stands on. The twins are in tests/support/web_around.py; the adapters in app/web_around.py and
customers/notes_sql.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from customers.card import Ficha, Note, Sure


class NoAnswer(Exception):
    """A system gave none; the text says why, for people, without personal data."""


class CustomerSource(Protocol):
    name: str

    async def look_up(self, by: Sure, value: str) -> Ficha | None:
        """By PHONE (as people dial it), DOCUMENT or CONTRACT; None for nobody. Raises `NoAnswer`."""
        ...


class Notes(Protocol):
    async def add(self, note: Note) -> None: ...
    async def of(self, *, address: str = "", interaction: str | None = None, limit: int = 50) -> Sequence[Note]:
        """Those about that address or of that interaction, newest first; an empty address is nobody's."""
        ...
