"""What one call is told, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from callcontrol.call_state import NotNow
from callcontrol.commands import Command
from callcontrol.inputs import CallInput
from foundation.errors import RimayError


class Posted(NamedTuple):
    """To be taken; `answer` is of whoever waits for what comes of it."""

    told: CallInput
    answer: asyncio.Future[None] | None = None


class Taken(NamedTuple):
    """Taken already: its commands are still to be carried out. `fault` is ours, and ends the call."""

    commands: Sequence[Command] = ()
    fault: Exception | None = None


class Mailbox:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[Posted | Taken] = asyncio.Queue()

    def put(self, what: Posted | Taken) -> None:
        self._queue.put_nowait(what)

    @property
    def empty(self) -> bool:
        return self._queue.empty()

    async def next(self) -> Posted | Taken:
        return await self._queue.get()

    def refuse_the_rest(self) -> None:
        while not self._queue.empty():
            left = self._queue.get_nowait()
            if isinstance(left, Posted):
                reply(left.answer, NotNow("the call is over"))


def reply(waits: asyncio.Future[None] | None, error: RimayError | None) -> None:
    """To whoever asked, and still waits."""
    if waits is None or waits.done():
        return
    if error is None:
        waits.set_result(None)
    else:
        waits.set_exception(error)
