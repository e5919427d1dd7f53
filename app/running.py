"""Running a coroutine as the whole program: the signals, and progress for people."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Main = Callable[[asyncio.Event], Awaitable[T]]


def progress() -> Callable[[str], None]:
    """Lines on stderr with the seconds since now: stdout belongs to the command's result."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"rimay: {time.monotonic() - began:5.1f} s  {text}", file=sys.stderr, flush=True)

    return say


def run_until_stopped(main: Main[T]) -> T:
    """The first SIGINT, SIGTERM or SIGHUP sets the event; the second cancels. A cancelled run still stops its servers
    on the way out, and raises KeyboardInterrupt."""
    return _run(_guarded(main))


def run(main: Awaitable[T]) -> T:
    """A short command: the first signal cancels it."""

    async def once(stop: asyncio.Event) -> T:
        task = asyncio.ensure_future(main)
        watch = asyncio.create_task(stop.wait(), name="watch-signals")
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        if not task.done():
            task.cancel()
        return await task

    return run_until_stopped(once)


async def _guarded(main: Main[T]) -> T:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    task: asyncio.Future[T] = asyncio.ensure_future(main(stop))

    def on_signal() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _run(main: Coroutine[Any, Any, T]) -> T:
    import uvloop  # late: the short commands do without it

    return uvloop.run(main)
