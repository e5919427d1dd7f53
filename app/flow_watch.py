"""Flows that changed on the disk are taken up; their fixed prompts are spoken ahead, so that no caller waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from app.live import BusHerald
from foundation.clock import Clock
from foundation.errors import Invalid, RimayError, Unavailable
from foundation.logs import get_logger
from ivr_flows.book import FlowBook
from ivr_flows.findings import Finding, Severity, in_order
from ivr_flows.flow import Flow
from ivr_flows.prompt_list import prompts_of
from pbx.sounds import SoundLibrary
from pbx.terms import FileSound, Sound, TextSound

log = get_logger(__name__)


class FlowsRefused(Unavailable):
    """Files of flows have mistakes: older versions serve in their place, or nothing does."""

    code = "health.flows_refused"


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
        """Loads all flows now, and gives the task that goes on looking. A file with mistakes is told of loudly and its
        last good version serves; `Invalid` only where no version of the default flow is to be had."""
        first = self._book.refresh()
        errors = _errors(self._book.findings())
        if not self._book.serves:
            raise Invalid("flows with mistakes:\n" + "\n".join(str(finding) for finding in errors))
        self._tell_of(errors)
        await _prepare(first.taken, self._sounds)
        return self._go_on()

    async def check(self) -> int:
        """How many flows serve. Raises `FlowsRefused` where that is not what the files say."""
        errors = _errors(self._book.findings())
        if errors:
            files = sorted({Path(finding.file).name for finding in errors})
            told = "; ".join(str(finding) for finding in errors[:5])
            raise FlowsRefused(f"flows with mistakes: {told}", files=", ".join(files)[:500])
        return len(self._book.flows())

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
                for flow in found.taken:
                    log.info("flows.taken", flow=flow.id, version=flow.version)
                self._tell_of(f for f in _errors(found.findings) if f.file in found.refused)
                self._unspoken += found.taken
        except OSError as error:
            # A folder that is away, a full disk: the flows that are loaded serve on.
            log.warning("flows.not_read", problem=error.strerror)

    def _tell_of(self, errors: Iterable[Finding]) -> None:
        """One alert a file."""
        for file, found in groupby(errors, key=lambda finding: finding.file):
            flow = self._book.served_from(file)
            instead = (
                "nothing serves in its place" if flow is None else f"version {flow.version} of {flow.id} serves on"
            )
            why = "; ".join(map(str, found))
            self._herald.alert(self._clock.now(), "flow_refused", f"{file}: {instead}. {why}")


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return in_order(finding for finding in findings if finding.severity is Severity.ERROR)


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
