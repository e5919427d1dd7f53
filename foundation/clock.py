"""Time comes from a clock that is handed in: the real one at the edge, a virtual one in tests. Cores take no clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> float:
        """Unix seconds."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...


async def pause(clock: Clock, seconds: float) -> None:
    """Wait so long, by that clock."""
    over = asyncio.Event()
    timer = clock.call_later(max(0.0, seconds), over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. Raises `TimeoutError` when it has not by then, by that clock; the work is then cancelled."""
    task, expired = asyncio.create_task(work), asyncio.create_task(pause(clock, seconds))
    try:
        await asyncio.wait((task, expired), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        for each in (task, expired):
            each.cancel()
        await asyncio.gather(task, expired, return_exceptions=True)


class SystemClock:
    def now(self) -> float:
        return time.time()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)


class _VirtualTimer:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """A clock that stands still until `advance` moves it; timers fire in order, each at its own time."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self._now = now
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        timer = _VirtualTimer(callback)
        heapq.heappush(self._timers, (self._now + max(0.0, delay_s), next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Move the time on; between timers the loop runs until it is idle."""
        end = self._now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            self._now = max(self._now, due)
            timer.callback()
            await settle()
        self._now = end
        await settle()


async def settle(rounds: int = 50) -> None:
    """Let every task that can run now do so. Enough rounds for chains of wake-ups; no real time passes."""
    for _ in range(rounds):
        await asyncio.sleep(0)
