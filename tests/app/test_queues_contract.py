"""The contract of queues (`softphone_web.ports.Queues`), for the twin and for the desk of a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web_data import DeskQueues
from callcontrol.model import AgentId, AgentState, InteractionId
from foundation.clock import VirtualClock
from foundation.errors import NotFound
from softphone_web.ports import Agents, Queues
from tests.support.daemon import DaemonLab
from tests.support.supervision import Supervision
from tests.support.web_people import MemoryAgents, MemoryQueues

ANA, LUIS = AgentId("ana"), AgentId("luis")
READY, NOT_READY, OUT = AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT
HERE, EMPTY, UNTITLED = "contact-center", "vacia", "sin-titulo"
ORGANISATION = f"queues: [{{name: {EMPTY}, title: Vacía}}, {{name: {UNTITLED}}}]\n"


@dataclass
class Rig:
    """Ana and Luis are of the queue `HERE`, and nobody is signed in. `arrive`: one more waits there."""

    clock: VirtualClock
    queues: Queues
    agents: Agents
    arrive: Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "daemon"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        clock, agents = VirtualClock(), MemoryAgents(queues={ANA: (HERE,), LUIS: (HERE,)})
        queues = MemoryQueues(agents, clock)
        queues.titles, queues.waits = {HERE: "Contact Center", EMPTY: "Vacía", UNTITLED: ""}, {HERE: {}}
        for agent in (ANA, LUIS):
            await agents.sign_out(agent, reason=None, by="test")

        async def wait() -> None:
            waits = queues.waits[HERE]
            waits[InteractionId(f"i-{len(waits)}")] = clock.now()

        yield Rig(clock, queues, agents, wait)
        return
    async with DaemonLab(tmp_path / "recordings") as lab:
        desk = Supervision(lab, tmp_path, ORGANISATION)

        async def call() -> None:
            await lab.to_queue(await lab.call())

        yield Rig(lab.clock, DeskQueues(lab.daemon, desk.organisation, lab.clock), desk.agents, call)


async def test_all_are_listed_in_their_order_and_one_without_a_title_shows_its_name(rig: Rig) -> None:
    listed = await rig.queues.list()
    assert [(view.name, view.title) for view in listed] == [
        (HERE, "Contact Center"),
        (EMPTY, "Vacía"),
        (UNTITLED, UNTITLED),
    ]
    assert [await rig.queues.get(view.name) for view in listed] == listed
    with pytest.raises(NotFound):
        await rig.queues.get("nada")


async def test_the_longest_wait_is_of_who_came_first(rig: Rig) -> None:
    view = await rig.queues.get(HERE)
    assert (view.waiting, view.longest_wait_s, view.measured_at) == (0, None, rig.clock.now())
    await rig.arrive()
    one = await rig.queues.get(HERE)
    assert one.waiting == 1
    assert one.longest_wait_s is not None
    await rig.arrive()
    await rig.clock.advance(30)
    two = await rig.queues.get(HERE)
    assert two.waiting == 2
    assert two.longest_wait_s == pytest.approx(one.longest_wait_s + two.measured_at - one.measured_at)
    other = await rig.queues.get(EMPTY)
    assert (other.waiting, other.longest_wait_s) == (0, None)


async def test_its_agents_are_counted_by_their_state(rig: Rig) -> None:
    async def now(queue: str = HERE) -> dict[AgentState, int]:
        return dict((await rig.queues.get(queue)).agents)

    assert (await now(), await now(EMPTY)) == ({OUT: 2}, {})
    await rig.agents.sign_in(ANA, by="ana")
    assert await now() == {NOT_READY: 1, OUT: 1}
    await rig.agents.set_state(ANA, READY, reason=None, by="ana")
    await rig.agents.sign_in(LUIS, by="luis")
    assert await now() == {READY: 1, NOT_READY: 1}
    for agent in (ANA, LUIS):
        await rig.agents.sign_out(agent, reason=None, by=agent)
    assert await now() == {OUT: 2}
