"""A supervisor at the console, in a call between a citizen by SIP and an agent in Chromium: who hears whom is read
from the spectrum of what arrives at each. Sofía's voice comes from her own open leg."""

from __future__ import annotations

from tests.support.browser_console import SOFIA_HZ, Console, console
from tests.support.browser_desk import AgentDesk
from tests.support.scene import BROWSER_HZ, CITIZEN_HZ, Scene
from tests.support.stage import WAIT_S, Citizen

EVA_HZ = BROWSER_HZ["eva"]


async def in_talk(scene: Scene) -> tuple[AgentDesk, Citizen, Console]:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    sofia = await console(scene)
    await sofia.choose_call()
    return desk, citizen, sofia


async def citizen_hears_not(citizen: Citizen, *hz: int) -> None:
    """Eva's voice is there, the others' are not."""
    assert await citizen.call.hears(EVA_HZ, WAIT_S, absent=hz), f"the citizen hears one of {hz}"


async def test_listening_whispering_barging_each_is_heard_by_whom_it_should(scene: Scene) -> None:
    desk, citizen, sofia = await in_talk(scene)

    await sofia.press("Escuchar")
    await sofia.told("Usted escucha a los dos. Nadie le escucha.")
    await sofia.person.hears(CITIZEN_HZ, EVA_HZ)
    await desk.person.hears_not(SOFIA_HZ)
    await citizen_hears_not(citizen, SOFIA_HZ)

    await sofia.press("Susurrar")
    await sofia.told("Solo el agente le escucha.")
    await desk.person.hears(SOFIA_HZ, CITIZEN_HZ)
    await sofia.person.hears(CITIZEN_HZ, EVA_HZ)
    await citizen_hears_not(citizen, SOFIA_HZ)

    await sofia.press("Intervenir")
    await sofia.told("Todos le escuchan.")
    assert await citizen.call.hears(SOFIA_HZ, WAIT_S)
    assert await citizen.call.hears(EVA_HZ, WAIT_S)
    await desk.person.hears(SOFIA_HZ, CITIZEN_HZ)

    await sofia.press("Dejar de escuchar")
    await desk.person.hears_not(SOFIA_HZ)
    await citizen_hears_not(citizen, SOFIA_HZ)
    await sofia.person.hears_not(CITIZEN_HZ, EVA_HZ)
    await desk.key("Alt+x")
    await citizen.closed()


async def test_taken_over_the_call_is_the_supervisors_who_hangs_it_up(scene: Scene) -> None:
    desk, citizen, sofia = await in_talk(scene)
    await sofia.press("Tomar la llamada")
    await sofia.told("Usted atiende esta llamada.")
    assert await citizen.call.hears(SOFIA_HZ, WAIT_S, absent=[EVA_HZ])
    await sofia.person.hears(CITIZEN_HZ)
    await desk.person.hears_not(CITIZEN_HZ, SOFIA_HZ)
    await desk.finish()
    await sofia.press("Silenciar")
    assert await citizen.call.hears_silence(WAIT_S)
    await sofia.press("Silenciar")
    assert await citizen.call.hears(SOFIA_HZ, WAIT_S)
    await sofia.press("Colgar")
    record = await citizen.closed()
    assert (record["exit_reason"], record["agent"]) == ("completed", "sofia")


async def test_all_of_it_with_the_keyboard_alone(scene: Scene) -> None:
    """Signing in, finding the call, listening, whispering, barging, stopping, taking over, hanging up: no mouse."""
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    person = await scene.people.person("sofia", hz=SOFIA_HZ)
    keyboard = person.page.keyboard
    await person.sign_in_by_keys(then="/supervisor")
    sofia = Console(person)
    await person.tab_to(sofia.call)
    await keyboard.press("l")
    await person.hears(CITIZEN_HZ, EVA_HZ)
    await keyboard.press("Enter")
    await sofia.told("Usted escucha a los dos. Nadie le escucha.")
    await keyboard.press("w")
    await desk.person.hears(SOFIA_HZ)
    await citizen_hears_not(citizen, SOFIA_HZ)
    await keyboard.press("b")
    assert await citizen.call.hears(SOFIA_HZ, WAIT_S)
    await keyboard.press("s")
    await desk.person.hears_not(SOFIA_HZ)
    await keyboard.press("t")
    await sofia.told("Usted atiende esta llamada.")
    assert await citizen.call.hears(SOFIA_HZ, WAIT_S, absent=[EVA_HZ])
    await keyboard.press("Alt+x")
    assert (await citizen.closed())["agent"] == "sofia"
