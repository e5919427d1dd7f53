"""What a daemon that died left at the switch: the next one clears away what nobody reads any more, and takes up what
still serves somebody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pbx.asterisk.legs import OWN
from pbx.asterisk.wire import AriBridge, AriChannel
from pbx.events import SwitchDown, SwitchUp
from pbx.switch import Switch
from pbx.terms import ChannelGone, Supervision
from tests.support.calls import arrives, caller, pair
from tests.support.engines import Engine, start_engine
from tests.support.lab import AGENT_HZ, CALLER_HZ, Lab
from tests.support.stage import until


@pytest.fixture(scope="module", params=["asterisk", "freeswitch"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with start_engine(request.param) as running:
        yield running


@pytest.fixture
async def lab(engine: Engine) -> AsyncIterator[Lab]:
    async with engine.lab() as laboratory:
        yield laboratory


@asynccontextmanager
async def next_daemon(lab: Lab, engine: Engine) -> AsyncIterator[Switch]:
    """Up, in place of the lab's own, which loses its connections as by a kill."""
    await lab.lose_connection()
    await lab.eventually(SwitchDown)
    switch = engine.make_switch(engine.ports.control, engine.ports.manager)
    async with switch:  # type: ignore[attr-defined]
        async with asyncio.timeout(20):
            await anext(event async for event in switch.events() if isinstance(event, SwitchUp))
        yield switch
    await lab.restore()
    await lab.eventually(SwitchUp, timeout=15.0)


async def of_ours(lab: Lab, switch: Any, channel: str) -> list[str]:
    """What the switch has beside that channel because of an ear or a supervisor."""
    if lab.engine == "freeswitch":
        bugs = await switch._client.api(f"uuid_buglist {channel}")
        return ["bug"] * bugs.count("<media-bug>")
    channels = await switch._watch.ari.get("/channels", list[AriChannel])
    return [one.id for one in channels if one.id.startswith(OWN)]


async def nothing_of_ours(lab: Lab, switch: Switch, channel: str) -> None:
    async def gone() -> bool:
        return not await of_ours(lab, switch, channel)

    await until(gone, "the switch has nothing of ours left")


async def test_the_ears_of_a_daemon_that_died_are_gone(lab: Lab, engine: Engine) -> None:
    leg, other = await caller(lab), await caller(lab, lab.second_gateway)
    await lab.switch.open_ear(leg.channel)
    await lab.switch.open_ear(other.channel)
    assert await of_ours(lab, lab.switch, leg.channel)
    await lab.wait(0.5)  # FreeSWITCH writes its list of channels from behind
    async with next_daemon(lab, engine) as switch:
        for one in (leg, other):
            await nothing_of_ours(lab, switch, one.channel)
        ear = await switch.open_ear(leg.channel)
        async with asyncio.timeout(5):
            assert await anext(aiter(ear))
        await ear.close()
        assert {one.channel for one in await switch.channels()} == {leg.channel, other.channel}
    if lab.engine == "freeswitch":
        assert not list((engine.folders.recordings / ".ears").iterdir())


async def test_a_hold_outlasts_the_daemon_and_the_bridges_that_nobody_is_in_do_not(lab: Lab, engine: Engine) -> None:
    if lab.engine != "asterisk":
        pytest.skip("only Asterisk's bridges have a life of their own")
    customer, desk = await pair(lab)
    await lab.switch.hold(customer.channel)
    async with next_daemon(lab, engine) as switch:
        bridges = await switch._watch.ari.get("/bridges", list[AriBridge])  # type: ignore[attr-defined]
        inside = [one.channels for one in bridges if one.id.startswith(OWN) and one.channels]
        assert inside == [[desk.channel]]
        stock = switch._watch.bridges  # type: ignore[attr-defined]
        assert len(bridges) <= 1 + len(stock._ready) + stock._making
        await switch.unhold(customer.channel)
        assert await customer.call.hears(AGENT_HZ)


async def test_a_supervisor_listens_on_and_can_stop(lab: Lab, engine: Engine) -> None:
    _, desk = await pair(lab)
    supervisor = await caller(lab, lab.second_gateway)
    await lab.switch.supervise(supervisor.channel, desk.channel, Supervision.LISTEN)
    assert await supervisor.call.hears(CALLER_HZ)
    async with next_daemon(lab, engine) as switch:
        assert await supervisor.call.hears(CALLER_HZ)
        await switch.stop_supervising(supervisor.channel)
        assert await supervisor.call.hears_silence()


async def test_a_call_that_came_in_the_last_moment_is_found(lab: Lab, engine: Engine) -> None:
    leg = await arrives(lab)
    async with next_daemon(lab, engine) as switch:

        async def taken() -> bool:
            try:
                await switch.answer(leg.channel)
            except ChannelGone:
                return False
            return True

        await until(taken, "the call is known")
        await lab.happens(leg.call.answered)
