"""The contract of agents' states (`softphone_web.ports.Agents`), for the twin and for the desk of a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.web_data import DeskAgents
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, AgentState
from foundation.errors import Conflict, NotFound
from softphone_web.ports import Agents
from tests.support.daemon import AGENTS, DaemonLab
from tests.support.web_people import MemoryAgents

ANA, LUIS, NOBODY = AgentId("ana"), AgentId("luis"), AgentId("nadie")
READY, NOT_READY, OUT = AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT


async def _stored(_within_s: float) -> bool:
    return True


@pytest.fixture(params=["memory", "daemon"])
async def agents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Agents]:
    """Ana and Luis, signed out."""
    if request.param == "memory":
        twin = MemoryAgents()
        for agent in (ANA, LUIS):
            await twin.sign_out(agent, reason=None, by="test")
        yield twin
        return
    async with DaemonLab(tmp_path) as lab:
        yield DeskAgents(lab.daemon, ConfiguredAgents(AGENTS), lab.daemon._around.switch, lab.clock, _stored)


async def test_all_are_listed_and_nobody_else_is_there(agents: Agents) -> None:
    assert {view.id: view.state for view in await agents.list()} == {ANA: OUT, LUIS: OUT}
    assert (await agents.get(ANA)).id == ANA
    with pytest.raises(NotFound):
        await agents.get(NOBODY)


async def test_a_day(agents: Agents) -> None:
    assert (await agents.sign_in(ANA, by="ana")).state is NOT_READY
    assert (await agents.set_state(ANA, READY, reason=None, by="ana")).state is READY
    away = await agents.set_state(ANA, NOT_READY, reason="almuerzo", by="ana")
    assert (away.state, away.reason) == (NOT_READY, "almuerzo")
    assert (await agents.get(ANA)).reason == "almuerzo"
    assert (await agents.sign_out(ANA, reason=None, by="ana")).state is OUT
    assert (await agents.get(LUIS)).state is OUT


async def test_who_is_signed_in_signs_in_again_and_nothing_changes(agents: Agents) -> None:
    await agents.sign_in(ANA, by="ana")
    await agents.set_state(ANA, READY, reason=None, by="ana")
    assert (await agents.sign_in(ANA, by="ana")).state is READY


async def test_who_is_signed_out_has_no_state_to_change(agents: Agents) -> None:
    for state in (READY, NOT_READY):
        with pytest.raises(Conflict):
            await agents.set_state(ANA, state, reason=None, by="ana")
    assert (await agents.sign_out(ANA, reason=None, by="ana")).state is OUT


async def test_who_does_not_wrap_up_cannot_finish_it(agents: Agents) -> None:
    for _ in range(2):
        with pytest.raises(Conflict):
            await agents.finish_wrap_up(ANA, disposition=None, by="ana")
        await agents.sign_in(ANA, by="ana")


async def test_nobody_can_do_nothing(agents: Agents) -> None:
    with pytest.raises(NotFound):
        await agents.sign_in(NOBODY, by="x")
    with pytest.raises(NotFound):
        await agents.sign_out(NOBODY, reason=None, by="x")
    with pytest.raises(NotFound):
        await agents.set_state(NOBODY, READY, reason=None, by="x")
    with pytest.raises(NotFound):
        await agents.finish_wrap_up(NOBODY, disposition=None, by="x")
