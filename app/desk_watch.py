"""The live topic `desk`: whenever something of an agent's desk changes, the whole of it, to that agent alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.web_desk import DaemonDesks
from callcontrol.model import AgentId
from foundation.clock import Clock
from softphone_web.ports import LiveEvent, Topic
from softphone_web.schemas_desk import desk_out

# One step of a call tells several facts; a page draws once for all of them, and nobody sees the difference.
COALESCE_S = 0.015
_OF_DESKS = frozenset({Topic.INTERACTIONS, Topic.AGENTS})


class DeskWatch:
    """`watch` is told of every live event; `tell` publishes."""

    def __init__(self, desks: DaemonDesks, clock: Clock, tell: Callable[[LiveEvent], None]) -> None:
        self._desks = desks
        self._clock = clock
        self._tell = tell
        self._changed: set[AgentId] = set()
        self._wake = asyncio.Event()

    def watch(self, event: LiveEvent) -> None:
        if event.topic in _OF_DESKS and event.agents:
            self._changed |= event.agents
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(COALESCE_S)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            for agent in changed:
                self._tell(self._event(agent))

    def _event(self, agent: AgentId) -> LiveEvent:
        desk = desk_out(self._desks.now(agent)).model_dump(mode="json")
        at = self._clock.now()
        return LiveEvent(topic=Topic.DESK, type="changed", at=at, key=agent, data=desk, agents=frozenset({agent}))
