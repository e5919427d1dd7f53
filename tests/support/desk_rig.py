"""Agents' desks and calls for the contract of `softphone_web.ports_desk`: on the twin, and on a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from app.undisposed import Undisposed
from app.web_desk import DaemonDesks
from callcontrol import inputs as inp
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, InteractionId
from foundation.clock import VirtualClock
from softphone_web.ports_desk import Calls, Codes, Desks, DeskView, ItemView
from tests.support.daemon import AGENTS, PHONES, QUEUES, DaemonLab
from tests.support.web_desk import MemoryDesks

ANA, LUIS = AgentId("ana"), AgentId("luis")
NOTHING = InteractionId("nothing")
HERE, WRAP_UP_S = QUEUES[0].name, 20.0


class OneCode:
    """An organisation that wants to know how each contact ended."""

    def __init__(self) -> None:
        self.reasons = {"agua": "Agua"}

    def codes(self, queue: str | None) -> Codes:
        return Codes(required=queue == HERE, dispositions={"resuelto": "Resuelto"}, reasons=self.reasons)

    def skill_titles(self) -> Mapping[str, str]:
        return {"internet": "Internet"}

    def not_ready_reasons(self) -> Mapping[str, str]:
        return {}


class Both(Desks, Calls, Protocol):
    """One part is both."""


@dataclass
class Rig:
    """Nobody is signed in. `ready`: an agent signs in, and their page's leg is up; `arrive`: a citizen comes to the
    queue `HERE` and is offered to whoever is ready there; `settle`: what was asked for comes to rest."""

    clock: VirtualClock
    codes: OneCode
    desks: Both
    ready: Callable[[AgentId], Awaitable[None]]
    leg_down: Callable[[AgentId], Awaitable[None]]
    arrive: Callable[[], Awaitable[InteractionId]]
    leave: Callable[[InteractionId], Awaitable[None]]
    settle: Callable[[], Awaitable[None]]
    place: Callable[[AgentId, str, str | None], Coroutine[Any, Any, InteractionId]]

    async def view(self, agent: AgentId = ANA) -> DeskView:
        await self.settle()
        return await self.desks.view(agent)

    async def item(self, agent: AgentId = ANA) -> ItemView:
        (item,) = (await self.view(agent)).items
        return item

    async def order(self, call: InteractionId, order: inp.CallInput) -> None:
        await self.desks.order(call, order)

    async def take(self, agent: AgentId) -> None:
        await self.settle()
        (offer,) = (await self.desks.view(agent)).offers
        await self.desks.accept(agent, offer.id)

    async def talk(self) -> InteractionId:
        """Ana, with a citizen."""
        await self.ready(ANA)
        call = await self.arrive()
        await self.take(ANA)
        await self.settle()
        return call


def memory_rig() -> Rig:
    clock, codes = VirtualClock(), OneCode()
    twin = MemoryDesks(clock, codes, {HERE: "Contact Center"}, wrap_up_s=WRAP_UP_S)
    for agent in AGENTS:
        twin.employ(AgentId(agent.id), agent.name, HERE)

    async def ready(agent: AgentId) -> None:
        twin.sign_in(agent)

    async def leg_down(agent: AgentId) -> None:
        twin.legs.discard(agent)

    async def arrive() -> InteractionId:
        return twin.arrive(HERE)

    async def leave(call: InteractionId) -> None:
        twin.leave(call)

    async def settle() -> None:
        await clock.advance(1)

    async def place(agent: AgentId, number: str, queue: str | None) -> InteractionId:
        return await twin.place(agent, number, queue, None)

    return Rig(clock, codes, twin, ready, leg_down, arrive, leave, settle, place)


@asynccontextmanager
async def daemon_rig(folder: Path) -> AsyncIterator[Rig]:
    async with DaemonLab(folder) as lab:
        codes = OneCode()
        undisposed = Undisposed(lambda queue: codes.codes(queue).required, lab.journal, lab.herald, lab.clock)
        lab.herald.record_folds.append(undisposed.tell)
        rules = replace(QUEUES[0].rules, disposition_required=True, wrap_up_s=WRAP_UP_S)
        lab.daemon.desk.renew([rules], {})
        titles = {queue.name: queue.title for queue in QUEUES}
        agents = ConfiguredAgents(AGENTS)
        desks = DaemonDesks(lab.daemon, agents, codes, lab.clock, lambda name: titles.get(name, name), undisposed)
        callers = {}

        async def ready(agent: AgentId) -> None:
            await lab.open_leg(agent)
            await lab.ready(agent)

        async def leg_down(agent: AgentId) -> None:
            lab.daemon.phone_silent(PHONES[agent])
            await lab.go(0)

        async def arrive() -> InteractionId:
            caller = await lab.call()
            call = next(reversed(lab.daemon.sessions))
            callers[call] = caller
            await lab.to_queue(caller)
            return call

        async def leave(call: InteractionId) -> None:
            await callers[call].hangup()
            await lab.go(1)

        async def place(agent: AgentId, number: str, queue: str | None) -> InteractionId:
            return await lab.during(desks.place(agent, number, queue, None))

        yield Rig(lab.clock, codes, desks, ready, leg_down, arrive, leave, lambda: lab.go(1), place)


@pytest.fixture(params=["memory", "daemon"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield memory_rig()
        return
    async with daemon_rig(tmp_path) as rig:
        yield rig
