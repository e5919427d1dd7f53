"""What pages' phones are at the switch and to the daemon, and what one address may ask for. What pages see of them is
in `test_phones_contract`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.phones import GRACE_S, PhoneDesk, revoke_leftovers
from app.web_phones import TICKET_S, WebPhoneDesk
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId
from callcontrol.settings import Agent
from foundation.clock import VirtualClock
from foundation.errors import Unauthenticated
from pbx.memory import MemorySwitch, MemoryWorld
from pbx.terms import Signalling
from softphone_web.ports_phone import OTHER_TAB, OVER, LinesBusy, TooManyCalls
from softphone_web.settings import WebPhoneSettings
from tests.support.lab import GATEWAY_HOSTS, lab_settings

ANA = AgentId("ana")
LIFE_S = 3600.0


class Rig:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        settings = lab_settings(dict.fromkeys(GATEWAY_HOSTS, 5060), "memory")
        self.world = MemoryWorld(self.clock, settings)
        self.world.signalling = Signalling("ws://127.0.0.1:1/ws")
        self.switch = MemorySwitch(self.clock, settings, self.world)
        self.agents = ConfiguredAgents([Agent(id="ana", name="Ana", queues=["averias"])])
        self.silent: list[str] = []
        self.desk = PhoneDesk(self.switch, self.agents, self.clock, self.silent.append, LIFE_S)
        self.closed: list[tuple[int, str]] = []

    def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))

    def citizens(self, **settings: Any) -> WebPhoneDesk:
        return WebPhoneDesk(self.switch, self.clock, WebPhoneSettings(**{"at_once": 2, **settings}))

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    async with rig.switch:
        yield rig
        await rig.desk.close()


async def test_a_page_gets_credentials_that_the_switch_and_the_daemon_know(rig: Rig) -> None:
    minted = await rig.desk.mint("u-ana", ANA)
    assert rig.world.browsers[minted.endpoint].password == minted.password
    assert rig.agents.agent_of(minted.endpoint) == ANA
    assert rig.desk.endpoint_of("u-ana") == minted.endpoint
    assert minted.password not in repr(minted)
    assert rig.desk.upstream() == "ws://127.0.0.1:1/ws"


async def test_the_next_page_takes_it_over_and_the_audio_goes_on(rig: Rig) -> None:
    first = await rig.desk.mint("u-ana", ANA)
    assert rig.desk.attach(first.endpoint, rig.close)
    call = await rig.world.phones[first.endpoint].call("open-leg", wait=False)
    second = await rig.desk.mint("u-ana", ANA)
    assert rig.closed == [(OTHER_TAB, "another tab has the phone")]
    assert list(rig.world.browsers) == [second.endpoint]
    assert rig.agents.agent_of(first.endpoint) is None
    assert not rig.desk.attach(first.endpoint, rig.close)
    assert not call.ended.is_set()


async def test_dropped_it_ends_with_its_calls(rig: Rig) -> None:
    minted = await rig.desk.mint("u-ana", ANA)
    rig.desk.attach(minted.endpoint, rig.close)
    call = await rig.world.phones[minted.endpoint].call("open-leg", wait=False)
    await rig.desk.drop("u-ana")
    await rig.desk.drop("u-ana")
    assert [code for code, _ in rig.closed] == [OVER]
    assert call.ended.is_set()
    assert not rig.world.browsers


async def test_it_expires(rig: Rig) -> None:
    minted = await rig.desk.mint("u-ana", ANA)
    assert minted.expires_at == rig.clock.now() + LIFE_S
    await rig.pass_time(LIFE_S + 1)
    assert rig.desk.endpoint_of("u-ana") is None
    assert not rig.world.browsers


async def test_a_page_that_stays_away_is_told_and_one_that_comes_back_is_not(rig: Rig) -> None:
    minted = await rig.desk.mint("u-ana", ANA)
    rig.desk.attach(minted.endpoint, rig.close)
    rig.desk.detach(minted.endpoint, rig.close)
    await rig.pass_time(GRACE_S / 2)
    rig.desk.attach(minted.endpoint, rig.close)
    await rig.pass_time(GRACE_S)
    assert rig.silent == []
    rig.desk.detach(minted.endpoint, rig.close)
    await rig.pass_time(GRACE_S + 0.1)
    assert rig.silent == [minted.endpoint]


async def test_what_an_earlier_daemon_minted_is_taken_back(rig: Rig) -> None:
    await rig.desk.mint("u-ana", ANA)
    await rig.citizens().mint("192.0.2.1")
    await revoke_leftovers(rig.switch)
    assert not rig.world.browsers
    assert set(rig.world.phones) == {"agente1", "agente2", "supervisor"}


async def test_a_citizens_phone_is_over_with_its_call(rig: Rig) -> None:
    desk = rig.citizens()
    line = await desk.mint("192.0.2.1")
    name = line.minted.endpoint
    assert desk.redeem(line.ticket) == name
    with pytest.raises(Unauthenticated):
        desk.redeem(line.ticket)
    desk.attach(name, rig.close)
    call = await rig.world.phones[name].call("ivr", wait=False)
    desk.call_is_over(name)
    await rig.pass_time(2)
    assert [code for code, _ in rig.closed] == [OVER]
    assert call.ended.is_set()
    assert not rig.world.browsers


async def test_a_citizens_phone_that_is_not_used_or_lasts_too_long_ends(rig: Rig) -> None:
    desk = rig.citizens(max_s=100)
    unused = await desk.mint("192.0.2.1")
    used = await desk.mint("192.0.2.2")
    desk.redeem(used.ticket)
    await rig.pass_time(TICKET_S + 1)
    assert list(rig.world.browsers) == [used.minted.endpoint]
    with pytest.raises(Unauthenticated):
        desk.redeem(unused.ticket)
    await rig.pass_time(100)
    assert not rig.world.browsers


async def test_an_address_and_all_together_may_ask_for_so_many_a_minute(rig: Rig) -> None:
    many = rig.citizens(at_once=100, per_minute=5, per_minute_each=3)
    for _ in range(3):
        await many.mint("192.0.2.1")
    with pytest.raises(TooManyCalls) as each:
        await many.mint("192.0.2.1")
    assert 0 < each.value.retry_after_s <= 20
    for _ in range(2):
        await many.mint("192.0.2.2")
    with pytest.raises(LinesBusy) as everyone:  # who called never is not told that they called too often
        await many.mint("192.0.2.3")
    assert 0 < everyone.value.retry_after_s <= 12
    await rig.pass_time(20)
    await many.mint("192.0.2.1")
