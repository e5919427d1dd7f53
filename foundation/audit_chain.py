"""The chain of the audit trail: each entry's hash covers its content, its number and the hash before it.

An entry that was altered, moved, taken out or put in without us breaks the chain there; the head (number and hash of
the last entry), kept apart, shows entries that were cut off or put on at the end. Who can write both tables and knows
these rules could forge the rest of the chain: therefore the head is also told to the log, and `rimay audit verify
--expect` holds the chain against a head that was written down elsewhere.

`canonical` is for ever: another form would break every chain there is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foundation.audit import AuditEntry

GENESIS = bytes(32)
# Between these a float keeps its digits on the way through jsonb, whose numbers are decimal.
_SMALLEST, _LARGEST = 1e-6, 1e15


@dataclass(frozen=True, slots=True)
class Head:
    n: int = 0
    hash: bytes = GENESIS

    def __str__(self) -> str:
        return f"{self.n}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Raises `ValueError`."""
        n, _, digits = text.partition(":")
        head = cls(int(n), bytes.fromhex(digits))
        if head.n < 0 or len(head.hash) != len(GENESIS):
            raise ValueError("not the head of a chain")
        return head


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is kept."""

    n: int
    hash: bytes
    entry: AuditEntry


class Break(StrEnum):
    MISSING = "missing"
    ALTERED = "altered"
    NO_HEAD = "no_head"
    END_MISSING = "end_missing"
    END_ADDED = "end_added"
    SHORTER = "shorter"
    WRITTEN_ANEW = "written_anew"


_WHY: Mapping[Break, str] = {
    Break.MISSING: "this entry is not there",
    Break.ALTERED: "its content or its place is not what was written",
    Break.NO_HEAD: "the head of the chain is not there",
    Break.END_MISSING: "the last {count} entries are not there",
    Break.END_ADDED: "entries were put on at the end by somebody else",
    Break.SHORTER: "the chain is shorter than it once was",
    Break.WRITTEN_ANEW: "the chain up to here was written anew",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the chain does not hold; `id` None: the entry is not there. `count`: of entries that are
    missing at the end."""

    n: int
    id: str | None
    code: Break
    count: int = 0

    @property
    def why(self) -> str:
        return _WHY[self.code].format(count=self.count)


@dataclass(frozen=True, slots=True)
class Verdict:
    entries: int
    head: Head
    broken: Broken | None

    @property
    def ok(self) -> bool:
        return self.broken is None


def plain(value: Any) -> Any:
    """As JSON that comes back from the database as it went in."""
    match value:
        case None | bool() | int():
            return value
        case float():
            if not math.isfinite(value):
                return str(value)
            if value.is_integer() and abs(value) < _LARGEST:
                return int(value)
            return value if _SMALLEST <= abs(value) < _LARGEST else repr(value)
        case str():
            return str(value).replace("\x00", "")
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case Iterable():
            return [plain(one) for one in value]
        case _:
            return str(value)


def canonical(n: int, entry: AuditEntry) -> bytes:
    content = {
        "n": n,
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "action": entry.action,
        "target": entry.target,
        "before": plain(entry.before),
        "after": plain(entry.after),
        "origin": entry.origin,
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def following(head: Head, entry: AuditEntry) -> Head:
    """The head once `entry` is added."""
    n = head.n + 1
    return Head(n, hashlib.sha256(head.hash + canonical(n, entry)).digest())


class Walk:
    """Checks links in the order of their numbers, a batch at a time; `broken` is the first that does not hold."""

    def __init__(self, expect: Head | None = None) -> None:
        self.at = Head()
        self.entries = 0
        self.broken: Broken | None = None
        self._expect = expect

    def take(self, links: Iterable[Link]) -> None:
        for link in links:
            self.entries += 1
            if self.broken is None:
                self.broken = self._check(link)

    def end(self, head: Head | None) -> Verdict:
        """`head` as it was kept apart."""
        if self.broken is None and head is None:
            self.broken = Broken(self.at.n, None, Break.NO_HEAD)
        elif self.broken is None and head is not None and head.n > self.at.n:
            self.broken = Broken(self.at.n + 1, None, Break.END_MISSING, head.n - self.at.n)
        elif self.broken is None and head != self.at:
            self.broken = Broken(self.at.n, None, Break.END_ADDED)
        elif self.broken is None and self._expect is not None and self._expect.n > self.at.n:
            self.broken = Broken(self._expect.n, None, Break.SHORTER)
        return Verdict(self.entries, self.at, self.broken)

    def _check(self, link: Link) -> Broken | None:
        if link.n != self.at.n + 1:
            return Broken(self.at.n + 1, None, Break.MISSING)
        self.at = following(self.at, link.entry)
        if link.hash != self.at.hash:
            return Broken(link.n, link.entry.id, Break.ALTERED)
        if self._expect is not None and self._expect.n == link.n and self._expect.hash != link.hash:
            return Broken(link.n, link.entry.id, Break.WRITTEN_ANEW)
        return None
