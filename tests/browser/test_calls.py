"""Calls at the agent's page, with real audio: a citizen by SIP, agents in Chromium, a colleague at a desk phone.

Each person says one tone; who hears whom is read from the spectrum of what arrives."""

from __future__ import annotations

from tests.support.browser_desk import AgentDesk
from tests.support.scene import BROWSER_HZ, CITIZEN_HZ, DESK_HZ, Scene
from tests.support.stage import WAIT_S, Citizen, talk_on, until

EVA_HZ = BROWSER_HZ["eva"]


async def _hears_music(citizen: Citizen, *absent: int) -> None:
    """Something loud, and nobody's voice."""
    assert await citizen.sounds(absent=absent), "the citizen hears silence, or still a voice"


async def test_each_hears_the_other_and_the_recording_holds_both(scene: Scene) -> None:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    before = await desk.person.stats()
    await citizen.fact("recording_started")
    await talk_on(citizen.call, 2.0)
    after = await desk.person.stats()
    assert after["received"] > before["received"]
    assert after["sent"] > before["sent"]
    # nothing of it left this machine: where it goes is here, whatever it is sent from
    assert str(after["addresses"][1]).startswith("127."), after
    await citizen.call.hangup()
    record = await citizen.closed()
    assert (record["exit_reason"], record["agent"]) == ("completed", "eva")
    heard = await citizen.recorded(record)
    assert heard.channels == 2
    for side, hz in zip(heard.sides, (CITIZEN_HZ, EVA_HZ), strict=True):
        assert side.hz is not None
        assert abs(side.hz - hz) <= 8, heard
    await desk.finish()


async def test_each_voice_comes_to_a_receiver_that_begins_anew(scene: Scene) -> None:
    """One that remembers the former caller would hold the first words of this one back, and then play them too fast."""
    desk = await scene.agent("eva")
    for _ in range(3):
        before = (await desk.person.stats())["begun"]
        citizen = await scene.stage.citizen(port=0)
        await citizen.to_queue()
        await desk.offered()

        async def begins_anew(before: int = before) -> bool:
            return bool((await desk.person.stats())["begun"] > before)

        await until(begins_anew, "the receiver begins anew")
        await desk.accept()
        await scene.together(citizen, desk)
        await citizen.call.hangup()
        await citizen.closed()
        await desk.finish()
        await desk.state_is("Disponible")


async def test_hold_is_music_and_mute_is_silence(scene: Scene) -> None:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await desk.key("h")
    await _hears_music(citizen, EVA_HZ)
    await desk.person.hears_not(CITIZEN_HZ)
    await desk.key("h")
    await scene.together(citizen, desk)
    await desk.key("m")
    assert await citizen.call.hears_silence(WAIT_S)
    await desk.key("m")
    await scene.together(citizen, desk)
    await desk.key("Alt+x")
    await citizen.closed()


async def test_keys_reach_the_other_side_as_tones(scene: Scene) -> None:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await desk.key("k")
    await desk.page.wait_for_selector("section.keypad")
    for digit in "57#":
        await desk.key(digit)
    assert await citizen.call.hears_digits("57#", WAIT_S), citizen.call.digits_received
    await desk.key("Alt+x")
    await citizen.closed()


async def test_blind_transfer(scene: Scene) -> None:
    await scene.colleague("luis")
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await scene.api.ready("luis")
    await desk.transfer("Luis", blind=True)
    leg = await scene.stage.phones["luis"].next_call(WAIT_S)
    assert await citizen.call.hears(DESK_HZ, WAIT_S, absent=[EVA_HZ])
    assert await leg.hears(CITIZEN_HZ, WAIT_S)
    await desk.finish()
    await citizen.call.hangup()
    assert (await citizen.closed())["agent"] == "luis"


async def test_reload_in_mid_call(scene: Scene) -> None:
    """The citizen hears music meanwhile; the new leg is joined by itself."""
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await desk.page.reload()
    await _hears_music(citizen, EVA_HZ)
    await desk.phone_is("up")
    await scene.together(citizen, desk)
    await citizen.call.hangup()
    record = await citizen.closed()
    assert record["exit_reason"] == "completed"


async def test_a_whole_contact_with_the_keyboard_alone(scene: Scene) -> None:
    """Signing in, becoming ready, answering, holding, hanging up, closing: no mouse."""
    person = await scene.people.person("eva", hz=EVA_HZ)
    keyboard = person.page.keyboard
    await person.sign_in_by_keys()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    await keyboard.press("p")
    await desk.state_is("Disponible")
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.offered()
    await keyboard.press("Enter")
    await scene.together(citizen, desk)
    await keyboard.press("h")
    await _hears_music(citizen, EVA_HZ)
    await keyboard.press("h")
    await scene.together(citizen, desk)
    await keyboard.press("Alt+x")
    await citizen.fact("ended")
    await desk.finish()
    await citizen.closed()
