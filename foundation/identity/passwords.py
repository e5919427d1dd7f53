"""Passwords: argon2id, computed in threads of its own, and the few rules that help (length over composition)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from foundation.errors import Invalid, Unavailable

T = TypeVar("T")
SHORTEST, LONGEST = 12, 128
_FEWEST_DIFFERENT = 5
# One of OWASP's equal choices for argon2id; a single lane, so that a sign-in takes one core at most from the calls.
_MEMORY_KIB, _PASSES, _LANES = 46 * 1024, 1, 1
# Two at a time leave room for calls, and a flood is turned away.
_AT_A_TIME = 2
_WAITING = 64
# What people here choose first. Longer lists cost more than they refuse: the lock-out allows a handful of guesses.
_COMMON = ("password", "contrasena", "contraseña", "1234567", "qwerty", "etapa", "cuenca", "ecuador", "rimay", "admin")
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike


class WeakPassword(Invalid):
    """`shortest` is among its facts, whatever was wrong."""

    code: ClassVar[str] = "access.weak_password"

    def __init__(self, message: str) -> None:
        super().__init__(message, shortest=SHORTEST)


class Passwords:
    """Hashes and verifies without stopping the loop. `cheap` is for tests: it protects nothing."""

    def __init__(self, *, cheap: bool = False) -> None:
        memory = 8 if cheap else _MEMORY_KIB
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=memory, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(max_workers=_AT_A_TIME, thread_name_prefix="argon2")
        self._waiting = 0
        # Verified against when there is nobody of that name, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """`kept` None (nobody, or somebody without a password) takes as long and is False."""
        matches = await self._run(lambda: self._matches(kept or self._nobody, password))
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Made with weaker parameters than today's: worth hashing anew, now that the password is at hand."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise Unavailable("too many sign-ins at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def check_strength(password: str, *about: str) -> None:
    """Raises `WeakPassword`. `about`: what an attacker knows of the person (user name, name)."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise WeakPassword(f"a password has at most {LONGEST} characters")
    if len(set(password)) < _FEWEST_DIFFERENT:
        raise WeakPassword(f"a password has at least {_FEWEST_DIFFERENT} different characters")
    folded = password.casefold()
    for word in (*_COMMON, *(part for text in about for part in text.casefold().split() if len(part) > 2)):
        # What is left beside a known word must be long enough to guess by itself.
        if word in folded and len(folded.replace(word, "")) < SHORTEST - 4:
            raise WeakPassword("this password is too easy to guess: it is mostly a common word or your own name")


def temporary_password() -> str:
    """For an administrator to hand over: 92 bits, four groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
