"""The contract of trunks (`softphone_web.ports.Trunks`), for the twin and for a daemon and its switch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web_data import SwitchTrunks
from pbx.settings import Trunk
from pbx.terms import SwitchUnreachable, TrunkState
from softphone_web.ports import GatewayView, Trunks
from tests.support.daemon import SETTINGS, DaemonLab
from tests.support.web import MemoryTrunks, TrunkView

UP, DOWN, UNKNOWN = TrunkState.UP, TrunkState.DOWN, TrunkState.UNKNOWN
# Of the second the switch has not heard: the settings changed, and it was not started again yet.
NAMES = {"etapa": "gw1", "otra": "gw2"}
OTHER = Trunk.model_validate({"name": "otra", "max_calls": 4, "gateways": [{"name": "gw2", "host": "127.0.0.3"}]})


@dataclass
class Rig:
    """`gateway` sets whether that of the first trunk answers; `call` brings one in over it, and `hang_up` ends it."""

    trunks: Trunks
    gateway: Callable[[bool], None]
    call: Callable[[], Awaitable[None]]
    hang_up: Callable[[], Awaitable[None]]
    lose_switch: Callable[[], None]


def _memory() -> Rig:
    twin = MemoryTrunks()
    twin.views = [
        TrunkView(name=trunk, gateways=(GatewayView(name=gateway, state=UNKNOWN),), max_calls=calls, calls=0)
        for (trunk, gateway), calls in zip(NAMES.items(), (120, 4), strict=True)
    ]
    view = {"state": UP, "calls": 0}

    def put(**changes: object) -> None:
        view.update(changes)  # type: ignore[arg-type]
        twin.put("etapa", GatewayView(name="gw1", state=TrunkState(view["state"])), calls=int(view["calls"]))

    async def calls(number: int) -> None:
        put(calls=number)

    def lose() -> None:
        twin.fault = SwitchUnreachable("no switch in this test")

    put()
    return Rig(twin, lambda up: put(state=UP if up else DOWN), lambda: calls(1), lambda: calls(0), lose)


@pytest.fixture(params=["memory", "switch"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield _memory()
        return
    async with DaemonLab(tmp_path) as lab:
        callers = []

        async def call() -> None:
            callers.append(await lab.call())

        async def hang_up() -> None:
            await callers.pop().hangup()
            await lab.go(1)

        line = lab.world.lines["gw1"]
        line.trunk = line.trunk.model_copy(update={"keepalive_s": 30})  # else nobody asks whether it answers
        trunks = SwitchTrunks(lab.daemon, lab.daemon._around.switch, [*SETTINGS.trunks, OTHER])
        yield Rig(trunks, lambda up: lab.world.set_gateway_up("gw1", up), call, hang_up, lab.world.lose_connection)


async def test_every_trunk_of_the_settings_is_told_with_all_its_gateways(rig: Rig) -> None:
    views = await rig.trunks.list()
    assert {view.name: [gateway.name for gateway in view.gateways] for view in views} == {
        trunk: [gateway] for trunk, gateway in NAMES.items()
    }
    assert [view.max_calls for view in views] == [120, 4]
    assert views[1].state is UNKNOWN
    assert views[1].gateways[0].round_trip_ms is None


async def test_a_trunk_goes_with_its_gateway(rig: Rig) -> None:
    for up in (False, True):
        rig.gateway(up)
        (gateway,) = (view := (await rig.trunks.list())[0]).gateways
        assert gateway.state is view.state is (UP if up else DOWN)


async def test_its_calls_are_counted_while_they_last(rig: Rig) -> None:
    async def calls() -> list[int | None]:
        return [view.calls for view in await rig.trunks.list()]

    assert await calls() == [0, 0]
    await rig.call()
    assert await calls() == [1, 0]
    await rig.hang_up()
    assert await calls() == [0, 0]


async def test_a_switch_that_is_away_tells_nothing(rig: Rig) -> None:
    rig.lose_switch()
    with pytest.raises(SwitchUnreachable):
        await rig.trunks.list()
