"""The flows for their pages: the shelf, the book and the room of rehearsals behind `softphone_web.ports_flows`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from app.bots import HttpBots
from app.rehearsed_bots import beside
from foundation.access import Principal
from foundation.clock import Clock
from foundation.errors import NotFound
from ivr_flows.book import FlowBook
from ivr_flows.flow import Flow
from ivr_flows.shelf import Checked, Draft, FlowRefused, FlowShelf, Listed
from ivr_flows.trying import Standing, TryRoom


class ShelfFlows:
    """`taken_up` looks at the files now; it is awaited after each saving, so that new calls have it. Without `bots`
    they are played by hand."""

    def __init__(
        self,
        book: FlowBook,
        shelf: FlowShelf,
        clock: Clock,
        taken_up: Callable[[], Awaitable[None]],
        bots: HttpBots | None = None,
    ) -> None:
        self._book = book
        self._shelf = shelf
        self._clock = clock
        self._taken_up = taken_up
        self._bots = bots
        self._trials = TryRoom()

    async def list(self) -> Sequence[Listed]:
        return self._shelf.list()

    async def read(self, flow: str) -> Draft:
        return self._shelf.read(flow)

    async def check(self, name: str, text: str) -> Checked:
        return self._shelf.check(name, text)

    async def version(self, flow: str, version: str) -> str:
        return self._shelf.version(flow, version)

    async def difference(self, flow: str, version: str) -> Sequence[str]:
        return self._shelf.difference(flow, version)

    async def save(self, flow: str, text: str, *, base: str, comment: str, by: Principal) -> str:
        saved = self._shelf.save(flow, text, base=base, at=self._clock.now(), by=by.name, comment=comment)
        await self._taken_up()
        return saved

    async def roll_back(self, flow: str, version: str, *, by: Principal) -> str:
        saved = self._shelf.roll_back(flow, version, at=self._clock.now(), by=by.name)
        await self._taken_up()
        return saved

    async def begin_try(
        self, flow: str, text: str | None, *, caller: str, at: float | None, by_hand: bool, by: Principal
    ) -> Standing:
        tried = self._serving(flow) if text is None else self._of_text(flow, text)

        def find(name: str, version: str) -> Flow | None:
            """The text that is tried stands for the flow of its id, wherever that is entered."""
            return tried if name == tried.id else self._book.find(name, version)

        now = self._clock.now()
        bots = None if by_hand or self._bots is None else beside(self._bots)
        # In a thread: a rehearsal waits for its bot.
        return await asyncio.to_thread(
            self._trials.begin, tried, find, caller=caller, owner=by.id, now=now, at=at, bots=bots
        )

    async def tell_try(self, session: str, given: Mapping[str, Any], *, by: Principal) -> Standing:
        return await asyncio.to_thread(self._trials.tell, session, given, owner=by.id, now=self._clock.now())

    def _serving(self, flow: str) -> Flow:
        found = self._book.find(flow, "")
        if found is None:
            raise NotFound(f"There is no flow {flow!r}.", flow=flow)
        return found

    def _of_text(self, flow: str, text: str) -> Flow:
        checked = self._shelf.check(flow, text)
        if checked.flow is None:
            told = [str(finding) for finding in checked.findings][:20]
            raise FlowRefused(f"Flow {flow} has mistakes and cannot be tried.", problems=told)
        return checked.flow
