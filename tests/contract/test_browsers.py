"""Credentials minted for browsers: admitted, used, replaced, revoked, and good for one call only."""

from __future__ import annotations

import secrets

import pytest

from pbx.events import ChannelArrived, EndpointChanged, SwitchUp
from pbx.terms import BrowserEndpoint, CommandRefused, PhoneDestination, Reach
from tests.support.calls import Leg as FarLeg
from tests.support.calls import dial, hung_up
from tests.support.lab import Lab


async def admitted(lab: Lab, reach: Reach = Reach.OPEN_LEG) -> BrowserEndpoint:
    endpoint = BrowserEndpoint(lab.id("web"), secrets.token_urlsafe(24), reach)
    await lab.switch.admit_endpoint(endpoint)
    return endpoint


async def is_online(lab: Lab, name: str) -> bool | None:
    return {one.endpoint: one.online for one in await lab.switch.endpoints()}.get(name)


async def test_admitted_it_registers_and_is_told(lab: Lab) -> None:
    endpoint = await admitted(lab)
    assert await is_online(lab, endpoint.name) is False
    page = await lab.browser(endpoint.name, endpoint.password)
    assert await page.register(lab.server) == 200
    told = await lab.eventually(EndpointChanged, status=lambda status: status.endpoint == endpoint.name)
    assert told.status.online
    assert await is_online(lab, endpoint.name) is True


async def test_nobody_registers_without_being_admitted_or_with_another_password(lab: Lab) -> None:
    nobody = await lab.browser(lab.id("web"), "una-clave")
    assert await nobody.register(lab.server) in (401, 403)
    endpoint = await admitted(lab)
    impostor = await lab.browser(endpoint.name, "otra-clave")
    assert await impostor.register(lab.server) in (401, 403)
    assert await is_online(lab, endpoint.name) is False


async def test_admitting_again_replaces_the_password(lab: Lab) -> None:
    first = await admitted(lab)
    second = BrowserEndpoint(first.name, secrets.token_urlsafe(24), first.reach)
    await lab.switch.admit_endpoint(second)
    assert await (await lab.browser(first.name, first.password)).register(lab.server) in (401, 403)
    assert await (await lab.browser(first.name, second.password)).register(lab.server) == 200


async def test_revoked_it_is_gone_at_once(lab: Lab) -> None:
    endpoint = await admitted(lab)
    page = await lab.browser(endpoint.name, endpoint.password)
    assert await page.register(lab.server) == 200
    await lab.eventually(EndpointChanged, status=lambda status: status.endpoint == endpoint.name)
    await lab.switch.revoke_endpoint(endpoint.name)
    told = await lab.eventually(EndpointChanged, status=lambda status: status.endpoint == endpoint.name)
    assert not told.status.online
    assert await is_online(lab, endpoint.name) is None
    assert await page.register(lab.server) in (401, 403)
    await page.call(Reach.OPEN_LEG.value, lab.server)
    await lab.never(ChannelArrived)
    await lab.switch.revoke_endpoint(endpoint.name)  # gone already: nothing to do


@pytest.mark.parametrize("reach", Reach, ids=lambda reach: reach.value)
async def test_it_calls_nothing_else(lab: Lab, reach: Reach) -> None:
    endpoint = await admitted(lab, reach)
    page = await lab.browser(endpoint.name, endpoint.password)
    assert await page.register(lab.server) == 200
    other = next(one.value for one in Reach if one is not reach)
    for target in (other, "0998887766", "072345678", "agente1", f"{reach.value}x", "x" + reach.value):
        call = await page.call(target, lab.server)
        await lab.happens(call.ended)
        assert not call.answered.is_set(), target
        assert call.status in (403, 404), target
    await lab.never(ChannelArrived)


async def test_names_that_cannot_be(lab: Lab) -> None:
    for name in ("agente1", "", "con espacio", "a;b", "../x", "x" * 41, "ñandú"):
        with pytest.raises(CommandRefused):
            await lab.switch.admit_endpoint(BrowserEndpoint(name, "clave", Reach.IVR))
    assert await (await lab.phone("agente1", 0, register=False)).register(lab.server) == 200
    with pytest.raises(CommandRefused):
        await lab.switch.revoke_endpoint("agente1")


async def test_one_that_is_not_there_is_unreachable(lab: Lab) -> None:
    endpoint = await admitted(lab)
    channel = await dial(lab, PhoneDestination(endpoint.name))
    assert (await hung_up(lab, FarLeg(None, channel))).cause.value == "unreachable"


async def test_a_new_life_of_the_switch_knows_it(lab: Lab) -> None:
    endpoint = await admitted(lab)
    gone = await admitted(lab)
    await lab.switch.revoke_endpoint(gone.name)
    await lab.kill_and_restart()
    await lab.eventually(SwitchUp, 60.0, same_life=False)
    assert await (await lab.browser(endpoint.name, endpoint.password)).register(lab.server) == 200
    assert await (await lab.browser(gone.name, gone.password)).register(lab.server) in (401, 403)
