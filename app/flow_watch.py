"""Flows that changed on the disk are taken up; their fixed prompts are spoken ahead, so that no caller waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from app.live import BusHerald
from foundation.clock import Clock
from foundation.errors import Invalid, RimayError
from foundation.logs import get_logger
from ivr_flows.book import FlowBook, Refreshed
from ivr_flows.findings import Severity
from ivr_flows.flow import Flow
from ivr_flows.prompt_list import prompts_of
from pbx.sounds import SoundLibrary
from pbx.terms import FileSound, Sound, TextSound

log = get_logger(__name__)

# Soon enough for an admin who has just saved; a look costs a few stat calls.
LOOK_EVERY_S = 2.0


class FlowWatch:
    """Of one book. `look` may also be called by hand, after a flow was saved from a page."""

    def __init__(self, book: FlowBook, sounds: SoundLibrary, herald: BusHerald, clock: Clock) -> None:
        self._book = book
        self._sounds = sounds
        self._herald = herald
        self._clock = clock
        self._unspoken: list[Flow] = []

    async def begin(self) -> Coroutine[Any, Any, None]:
        """Loads all flows now (`Invalid` when calls could not be served), and gives the task that goes on looking."""
        first = self._book.refresh()
        errors = [f for f in self._book.findings() if f.severity is Severity.ERROR]
        if errors:
            raise Invalid("flows with mistakes:\n" + "\n".join(str(finding) for finding in errors))
        await _prepare(first.taken, self._sounds)
        return self._go_on()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()
            unspoken, self._unspoken = self._unspoken, []
            await _prepare(unspoken, self._sounds)

    async def look(self) -> None:
        """Take up what changed: new calls have it when this returns. Its prompts are spoken with the next round."""
        try:
            found = self._book.refresh()
            if found.changed:
                _tell(found, self._herald, self._clock)
                self._unspoken += found.taken
        except OSError as error:
            # A folder that is away, a full disk: the flows that are loaded serve on.
            log.warning("flows.not_read", problem=error.strerror)


def _tell(found: Refreshed, herald: BusHerald, clock: Clock) -> None:
    for flow in found.taken:
        log.info("flows.taken", flow=flow.id, version=flow.version)
    for path in found.refused:
        why = "; ".join(str(f) for f in found.findings if f.severity is Severity.ERROR)
        herald.alert(clock.now(), "flow_refused", f"{path}: the last good version serves on. {why}")


async def _prepare(flows: Iterable[Flow], sounds: SoundLibrary) -> None:
    for flow in flows:
        for sound in dict.fromkeys(fixed_sounds(flow)):
            try:
                await sounds.resolve(sound)
            except (RimayError, OSError) as error:
                log.warning("flows.prompt_not_ready", flow=flow.id, problem=str(error))


def fixed_sounds(flow: Flow) -> Iterator[Sound]:
    """The sounds of a flow that are the same in every call."""
    for _path, spec in prompts_of(flow):
        language = spec.language or flow.head.language
        text = None if spec.text is None or "{" in spec.text else TextSound(" ".join(spec.text.split()), language)
        if spec.file is not None:
            yield FileSound(f"{language}/{spec.file}", fallback=text)
        elif text is not None:
            yield text
