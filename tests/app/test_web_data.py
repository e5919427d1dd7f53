"""The pages' view of agents and trunks, on the in-memory twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import web_data
from app.web_data import DeskAgents, SwitchTrunks
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, AgentState
from foundation.errors import Conflict
from pbx.events import EndpointChanged
from pbx.terms import EndpointStatus
from tests.support.daemon import AGENTS, SETTINGS, DaemonLab

ANA = AgentId("ana")


async def _stored(_within_s: float) -> bool:
    return True


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


def agents_of(lab: DaemonLab) -> DeskAgents:
    return DeskAgents(lab.daemon, ConfiguredAgents(AGENTS), lab.daemon._around.switch, lab.clock, _stored)


async def test_who_signed_out_is_not_made_ready_without_signing_in(lab: DaemonLab) -> None:
    agents = agents_of(lab)
    await agents.sign_in(ANA, by="ana")
    await agents.sign_out(ANA, reason=None, by="ana")
    with pytest.raises(Conflict):
        await agents.set_state(ANA, AgentState.READY, reason=None, by="ana")
    assert lab.state("ana")[0] is AgentState.SIGNED_OUT


async def test_agents_change_their_state_while_the_switch_is_away(lab: DaemonLab) -> None:
    agents = agents_of(lab)
    await agents.sign_in(ANA, by="ana")
    lab.world.lose_connection()
    await lab.go(0)
    view = await agents.set_state(ANA, AgentState.NOT_READY, reason="almuerzo", by="ana")
    assert (view.state, view.reason, view.endpoint_online) == (AgentState.NOT_READY, "almuerzo", None)
    assert len(await agents.list()) == len(AGENTS)


async def test_a_trunk_tells_how_many_calls_it_carries(lab: DaemonLab) -> None:
    trunks = SwitchTrunks(lab.daemon, lab.daemon._around.switch, SETTINGS.trunks)
    caller = await lab.call()
    assert [(trunk.calls, trunk.max_calls) for trunk in await trunks.list()] == [(1, 120)]
    await caller.hangup()
    await lab.go(1)
    assert [trunk.calls for trunk in await trunks.list()] == [0]


async def test_a_switch_that_answers_late_keeps_no_agent_from_a_change(
    lab: DaemonLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents, asked = agents_of(lab), 0

    async def never() -> list[object]:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(lab.daemon._around.switch, "endpoints", never)
    monkeypatch.setattr(web_data, "ONLINE_WITHIN_S", 0.01)
    await agents.sign_in(ANA, by="ana")
    views = await asyncio.gather(*(agents.get(ANA) for _ in range(20)))
    assert {view.endpoint_online for view in views} == {None}
    assert asked == 1  # nobody stands in line for the same late answer


async def test_what_the_switch_tells_of_a_phone_is_shown_without_asking_again(lab: DaemonLab) -> None:
    agents = agents_of(lab)
    assert (await agents.get(ANA)).endpoint_online is False
    change = EndpointChanged(at=lab.clock.now(), status=EndpointStatus(endpoint="1001", online=True))
    agents.endpoint_changed(change)
    assert (await agents.get(ANA)).endpoint_online is True
