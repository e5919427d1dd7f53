"""How often somebody may try to sign in: some attempts are free, then each failure doubles the wait.

An attempt is counted before the password is looked at and taken back when it was right, so that guesses sent at the
same time cannot slip through together. Accounts that do not exist are counted like others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from foundation.audit import AuditEntry, MemoryAudit
from foundation.errors import TooMany


class Locked(TooMany):
    code: ClassVar[str] = "access.locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`free` failures cost nothing; the next locks for `first_s`, each further one twice as long, up to `longest_s`.
    After `forget_s` without a failure the count begins anew."""

    free: int
    first_s: float
    longest_s: float
    forget_s: float


ACCOUNT = Limit(free=5, first_s=15, longest_s=900, forget_s=3600)
# Many people may share an address: a whole shift that signs in at the same minute, behind one gateway.
ADDRESS = Limit(free=60, first_s=15, longest_s=900, forget_s=3600)


@dataclass(frozen=True, slots=True)
class Count:
    failures: int = 0
    last_at: float = 0.0
    until: float = 0.0  # locked
    origins: tuple[str, ...] = ()  # where the last failures came from, one each, the newest last


# Enough to tell one colleague's keyboard from a hunt over many addresses; a row must not grow with who hunts.
_ORIGINS = 10


def counted(count: Count, limit: Limit, now: float, origin: str = "") -> Count:
    """With one more failure, which was allowed to be tried."""
    if now - count.last_at > limit.forget_s:
        count = Count()
    failures = count.failures + 1
    origins = (*count.origins, origin)[-_ORIGINS:] if origin else count.origins
    return Count(failures, now, _until(failures, now, limit), origins)


def taken_back(count: Count, limit: Limit) -> Count:
    """One failure less, and the lock of those that remain; `last_at` stays: it only delays forgetting."""
    failures = max(0, count.failures - 1)
    return Count(failures, count.last_at, _until(failures, count.last_at, limit), count.origins[:-1])


def _until(failures: int, at: float, limit: Limit) -> float:
    """0 without a lock: attempts that began together read slightly different clocks, and none may find another's time
    to be a lock of an instant."""
    beyond = failures - limit.free
    return 0.0 if beyond <= 0 else at + min(limit.longest_s, limit.first_s * 2.0 ** min(beyond - 1, 30))


def key_of_account(username: str) -> str:
    """A hash: what people type into the wrong field, a password perhaps, is not kept."""
    return "account:" + hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]


_ADDRESS = "address:"


def key_of_address(address: str) -> str:
    return _ADDRESS + address


def address_of_key(key: str) -> str:
    return key.removeprefix(_ADDRESS)


class Throttle(Protocol):
    async def attempt(self, key: str, limit: Limit, now: float, origin: str = "") -> float:
        """Count a failure in advance and give 0; or, while locked, count nothing and give the seconds left."""
        ...

    async def take_back(self, key: str, limit: Limit) -> None:
        """The last attempt was none to hold against them."""
        ...

    async def look(self, keys: Iterable[str]) -> Mapping[str, Count]:
        """What is counted of these; of whom nothing is, there is no item."""
        ...

    async def locked_addresses(self, now: float, most: int) -> Mapping[str, Count]:
        """By their keys, those that are locked then, who waits longest first; at most so many."""
        ...

    async def clear(self, key: str, audit: AuditEntry | None = None) -> bool:
        """Whether something was counted. No entry when nothing was."""
        ...

    async def forget(self, before: float) -> int:
        """Delete what has not failed since `before`: how many."""
        ...


class MemoryThrottle:
    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._counts: dict[str, Count] = {}

    async def attempt(self, key: str, limit: Limit, now: float, origin: str = "") -> float:
        count = self._counts.get(key, Count())
        if count.until > now:
            return count.until - now
        self._counts[key] = counted(count, limit, now, origin)
        return 0.0

    async def take_back(self, key: str, limit: Limit) -> None:
        count = self._counts.get(key)
        if count is not None:
            self._counts[key] = taken_back(count, limit)

    async def look(self, keys: Iterable[str]) -> Mapping[str, Count]:
        return {key: self._counts[key] for key in keys if key in self._counts}

    async def locked_addresses(self, now: float, most: int) -> Mapping[str, Count]:
        locked = [one for one in self._counts.items() if one[0].startswith(_ADDRESS) and one[1].until > now]
        return dict(sorted(locked, key=lambda one: (-one[1].until, one[0]))[:most])

    async def clear(self, key: str, audit: AuditEntry | None = None) -> bool:
        found = self._counts.pop(key, None) is not None
        if found and audit is not None:
            self._audit.add(audit)
        return found

    async def forget(self, before: float) -> int:
        gone = [key for key, count in self._counts.items() if count.last_at < before]
        for key in gone:
            del self._counts[key]
        return len(gone)
