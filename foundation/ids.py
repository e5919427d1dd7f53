"""Ids that sort by the time they were made: UUIDv7 (RFC 9562) as canonical text."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable

# 12 bits below the millisecond ("method 3" of the RFC): 244 ns, about what a float of unix seconds can tell apart.
_STEPS_PER_MS = 4096


class IdMaker:
    """Each id is greater than the one before it, also within one tick and when the clock steps back."""

    def __init__(self, now: Callable[[], float] = time.time, random: Callable[[int], bytes] = os.urandom) -> None:
        self._now = now
        self._random = random
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self._last = max(int(self._now() * 1000 * _STEPS_PER_MS), self._last + 1)
            steps = self._last
        return _text(steps, self._random(8))


def _text(steps: int, random: bytes) -> str:
    milliseconds, fraction = divmod(steps, _STEPS_PER_MS)
    number = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    number |= 7 << 76 | fraction << 64  # version 7
    number |= 0b10 << 62 | int.from_bytes(random) >> 2  # the RFC's variant
    return str(uuid.UUID(int=number))


new_id = IdMaker()


def time_of(text: str) -> float:
    """Unix seconds at which an id was made, to the millisecond; ValueError when it is no UUIDv7."""
    value = uuid.UUID(text)
    if value.version != 7:
        raise ValueError("not a UUIDv7")
    return (value.int >> 80) / 1000
