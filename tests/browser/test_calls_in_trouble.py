"""Calls at the agent's page, with real audio: a citizen by SIP, agents in Chromium, a colleague at a desk phone.

Each person says one tone; who hears whom is read from the spectrum of what arrives."""

from __future__ import annotations

import os
import signal

from playwright.async_api import expect

from pbx.sip import PhoneCall
from tests.support.browser_desk import AgentDesk
from tests.support.scene import BROWSER_HZ, CITIZEN_HZ, DESK_HZ, Scene
from tests.support.stage import WAIT_S, Citizen, talk_on

EVA_HZ = BROWSER_HZ["eva"]


async def _hears_music(citizen: Citizen, *absent: int) -> None:
    """Something loud, and nobody's voice."""
    assert await citizen.sounds(absent=absent), "the citizen hears silence, or still a voice"


async def _consulting(scene: Scene) -> tuple[AgentDesk, Citizen, PhoneCall]:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await scene.api.ready("luis")  # not before: the citizen's call would be offered there as well
    await desk.transfer("Luis", blind=False)
    leg = await scene.stage.phones["luis"].next_call(WAIT_S)
    await desk.person.hears(DESK_HZ)
    assert await leg.hears(EVA_HZ, WAIT_S)
    return desk, citizen, leg


async def test_conference_of_three_and_the_others_go_on(scene: Scene) -> None:
    await scene.colleague("luis")
    desk, citizen, leg = await _consulting(scene)
    await desk.key("c")
    await desk.person.hears(CITIZEN_HZ, DESK_HZ)
    for call, others in ((citizen.call, (EVA_HZ, DESK_HZ)), (leg, (CITIZEN_HZ, EVA_HZ))):
        for hz in others:
            assert await call.hears(hz, WAIT_S), hz
    await desk.press("Salir de la conferencia")
    assert await citizen.call.hears(DESK_HZ, WAIT_S, absent=[EVA_HZ])
    assert await leg.hears(CITIZEN_HZ, WAIT_S, absent=[EVA_HZ])
    await desk.finish()
    await citizen.call.hangup()
    await citizen.closed()


async def test_held_in_a_conference_the_citizen_hears_music_and_the_others_talk_on(scene: Scene) -> None:
    await scene.colleague("luis")
    desk, citizen, leg = await _consulting(scene)
    await desk.key("c")
    await desk.person.hears(CITIZEN_HZ, DESK_HZ)
    await desk.key("h")
    await expect(desk.page.get_by_role("button", name="Retomar").first).to_be_visible()
    await _hears_music(citizen, EVA_HZ, DESK_HZ)
    await desk.person.hears_not(CITIZEN_HZ)
    await desk.person.hears(DESK_HZ)
    assert await leg.hears(EVA_HZ, WAIT_S, absent=[CITIZEN_HZ])
    await desk.key("h")
    await desk.person.hears(CITIZEN_HZ, DESK_HZ)
    for hz in (EVA_HZ, DESK_HZ):
        assert await citizen.call.hears(hz, WAIT_S), hz
    assert await leg.hears(CITIZEN_HZ, WAIT_S)
    await citizen.call.hangup()
    assert (await citizen.closed())["exit_reason"] == "completed"
    await desk.finish()


async def test_the_network_is_gone_for_five_seconds(scene: Scene) -> None:
    desk = await scene.agent("eva", ignored=["ERR_INTERNET_DISCONNECTED", "WebSocket"])
    citizen = await scene.talk(desk)
    wire = await desk.person.context.new_cdp_session(desk.page)
    free = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

    async def network(*, on: bool) -> None:
        """Of HTTP, web sockets and WebRTC's packets alike."""
        await wire.send(
            "Network.emulateNetworkConditions",
            {**free, "offline": not on, "packetLoss": 0 if on else 100},
        )

    await wire.send("Network.enable")
    await network(on=False)
    back = citizen.call.elapsed() + 5.0
    await desk.phone_is("offline")
    await desk.person.hears_not(CITIZEN_HZ)
    await talk_on(citizen.call, max(0.0, back - citizen.call.elapsed()))
    await desk.phone_is("offline")
    await network(on=True)
    await desk.phone_is("up")
    await scene.together(citizen, desk)
    await citizen.call.hangup()
    assert (await citizen.closed())["exit_reason"] == "completed"


async def test_the_microphone_is_denied(scene: Scene) -> None:
    """The page says what is wrong and what to do."""
    desk = await scene.at_desk("eva", microphone=False)
    await desk.phone_is("denied")
    await expect(desk.page.get_by_text("micrófono").first).to_be_visible()
    await expect(desk.button("Permitir micrófono")).to_be_visible()


async def test_the_browser_is_killed(scene: Scene) -> None:
    """The citizen hears music and not silence, and goes to the next agent."""
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await scene.colleague("luis")
    await scene.api.ready("luis")
    debugger = await desk.person.browser.new_browser_cdp_session()
    processes = (await debugger.send("SystemInfo.getProcessInfo"))["processInfo"]
    (browser,) = [one["id"] for one in processes if one["type"] == "browser"]
    os.kill(browser, signal.SIGKILL)
    await _hears_music(citizen, EVA_HZ)
    leg = await scene.stage.phones["luis"].next_call(60)
    assert await citizen.call.hears(DESK_HZ, WAIT_S)
    assert await leg.hears(CITIZEN_HZ, WAIT_S)
    await citizen.call.hangup()
    await citizen.closed()
