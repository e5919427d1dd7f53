"""The contract of a hand on what waits (`softphone_web.ports_board.Steering`), for the twin and for a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcontrol.model import AgentId, AgentState, InteractionId
from foundation.errors import Conflict, NotFound
from softphone_web.ports import Agents
from softphone_web.ports_board import Steering
from tests.support.daemon import DaemonLab
from tests.support.supervision import Supervision
from tests.support.web_board import MemorySteering
from tests.support.web_people import MemoryAgents

ANA, LUIS, NOBODY, NOTHING = AgentId("ana"), AgentId("luis"), AgentId("nadie"), InteractionId("none")
BY = "user:sonia"
ORGANISATION = "queues: [{name: contact-center, title: Contact Center}, {name: otra, title: Otra}]\n"


@dataclass
class Rig:
    """One waits in `contact-center`; Ana is signed in and not ready, Luis is not there."""

    steering: Steering
    agents: Agents
    waits: InteractionId
    settle: Callable[[], Awaitable[None]]


async def _at_once() -> None:
    return


@pytest.fixture(params=["memory", "daemon"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        agents, waits = MemoryAgents(), InteractionId("i-1")
        await agents.sign_out(LUIS, reason=None, by="test")
        queues = {"contact-center", "otra"}
        twin = MemorySteering(agents, waiting={waits}, queues=queues, moved={waits: "contact-center"})
        yield Rig(twin, agents, waits, _at_once)
        return
    async with DaemonLab(tmp_path / "recordings") as lab:
        desk = Supervision(lab, tmp_path, ORGANISATION)
        await desk.agents.sign_in(ANA, by="test")
        await lab.to_queue(await lab.call())

        async def settle() -> None:
            await lab.go(1)

        yield Rig(desk.steering, desk.agents, next(iter(lab.daemon.sessions)), settle)


async def test_it_is_moved_to_another_queue_and_not_where_it_is(rig: Rig) -> None:
    for queue in ("otra", "contact-center"):
        await rig.steering.move(rig.waits, queue, by=BY)
        await rig.settle()
        with pytest.raises(Conflict):
            await rig.steering.move(rig.waits, queue, by=BY)
    with pytest.raises(NotFound):
        await rig.steering.move(rig.waits, "nada", by=BY)


async def test_it_is_lifted_and_assigned_to_who_is_at_work(rig: Rig) -> None:
    await rig.steering.lift(rig.waits, 9, by=BY)
    with pytest.raises(Conflict):
        await rig.steering.assign(rig.waits, LUIS, by=BY)
    with pytest.raises(NotFound):
        await rig.steering.assign(rig.waits, NOBODY, by=BY)
    await rig.steering.assign(rig.waits, ANA, by=BY)


async def test_what_does_not_wait_cannot_be_steered(rig: Rig) -> None:
    for act in (
        lambda: rig.steering.move(NOTHING, "otra", by=BY),
        lambda: rig.steering.lift(NOTHING, 9, by=BY),
        lambda: rig.steering.assign(NOTHING, ANA, by=BY),
        lambda: rig.steering.end(NOTHING, by=BY),
    ):
        with pytest.raises(Conflict):
            await act()


async def test_what_was_ended_is_over(rig: Rig) -> None:
    await rig.steering.end(rig.waits, by=BY)
    await rig.settle()
    for act in (
        lambda: rig.steering.end(rig.waits, by=BY),
        lambda: rig.steering.lift(rig.waits, 9, by=BY),
        lambda: rig.steering.move(rig.waits, "otra", by=BY),
    ):
        with pytest.raises(Conflict):
            await act()


@pytest.mark.parametrize("state", [AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT])
async def test_a_state_is_forced_on_who_is_at_work(rig: Rig, state: AgentState) -> None:
    await rig.steering.end(rig.waits, by=BY)  # else who is ready is offered it at once
    await rig.settle()
    assert (await rig.steering.force(ANA, state, reason="reunion", by=BY)).state is state
    assert (await rig.agents.get(ANA)).state is state
    with pytest.raises(Conflict):
        await rig.steering.force(LUIS, state, reason="reunion", by=BY)
    with pytest.raises(NotFound):
        await rig.steering.force(NOBODY, state, reason="reunion", by=BY)
