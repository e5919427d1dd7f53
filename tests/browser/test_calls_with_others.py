"""Calls at the agent's page that others take part in: asked first, given on, called out to, a second tab, and what is
not to be recorded. Each person says one tone; who hears whom is read from the spectrum of what arrives."""

from __future__ import annotations

import asyncio

import soundfile
from playwright.async_api import expect

from pbx.sip import PhoneCall, SipPhone, tones
from tests.support.browser_console import console
from tests.support.browser_desk import AgentDesk
from tests.support.platform import GATEWAY_HOST
from tests.support.scene import BROWSER_HZ, CITIZEN_HZ, DESK_HZ, Scene
from tests.support.stage import WAIT_S, Citizen, Record, at, talk_on

EVA_HZ = BROWSER_HZ["eva"]
FAR_HZ = 750  # who is called outside
FAR_NUMBER = "0997654321"
_LOUD = 300  # of 16 bits


async def _hears_music(citizen: Citizen, *absent: int) -> None:
    """Something loud, and nobody's voice."""
    assert await citizen.sounds(absent=absent), "the citizen hears silence, or still a voice"


async def _carrier(scene: Scene) -> SipPhone:
    """Whom the trunk's carrier reaches: answers any number."""
    phone = SipPhone("carrier", host=GATEWAY_HOST, port=scene.stage.process.gateway_port, tone_hz=FAR_HZ)
    phone.auto_answer = True
    await scene.stage.enter(phone)
    return phone


async def _swapped_and_completed(scene: Scene, desk: AgentDesk, citizen: Citizen, leg: PhoneCall, hz: int) -> None:
    """From a consultation that stands: to the citizen and back, and then the citizen is given on."""
    await desk.person.hears(hz)
    assert await leg.hears(EVA_HZ, WAIT_S)
    await _hears_music(citizen, EVA_HZ, hz)
    await desk.person.hears_not(CITIZEN_HZ)
    await desk.key("w")
    await scene.together(citizen, desk)
    await desk.person.hears_not(hz)
    await desk.key("w")
    await desk.person.hears(hz)
    assert await leg.hears(EVA_HZ, WAIT_S, absent=[CITIZEN_HZ])
    await desk.key("Enter")
    assert await citizen.call.hears(hz, WAIT_S, absent=[EVA_HZ])
    assert await leg.hears(CITIZEN_HZ, WAIT_S, absent=[EVA_HZ])
    await desk.finish()


async def test_asking_a_colleague_swapping_and_giving_on(scene: Scene) -> None:
    await scene.colleague("luis")
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await scene.api.ready("luis")
    await desk.transfer("Luis", blind=False)
    leg = await scene.stage.phones["luis"].next_call(WAIT_S)
    await _swapped_and_completed(scene, desk, citizen, leg, DESK_HZ)
    await citizen.call.hangup()
    record = await citizen.closed()
    assert record["agent"] == "luis"
    assert [event["type"] for event in await citizen.events()].count("consult_swapped") == 2


async def test_asking_a_number_swapping_and_giving_on(scene: Scene) -> None:
    carrier = await _carrier(scene)
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    await desk.transfer(FAR_NUMBER, blind=False, shown="Llamar al número")
    leg = await carrier.next_call(WAIT_S)
    await _swapped_and_completed(scene, desk, citizen, leg, FAR_HZ)
    await citizen.call.hangup()
    record = await citizen.closed()
    assert FAR_NUMBER in [one["address"] for one in record["participants"]]


async def test_the_phone_goes_to_the_tab_that_takes_it(scene: Scene) -> None:
    """One tab has the phone; the next offer is seen, taken and heard where it is now."""
    desk = await scene.agent("eva")
    second = AgentDesk(desk.person.on(await desk.person.context.new_page()))
    await second.person.open("/agente")
    await second.phone_is("elsewhere")
    await desk.phone_is("up")
    await second.press("Usar aquí")
    await second.phone_is("up")
    await desk.phone_is("elsewhere")
    await second.state_is("Disponible")
    citizen = await scene.talk(second)
    await expect(desk.page.locator("section.call")).to_be_visible()  # who looks there sees what goes on
    await desk.phone_is("elsewhere")
    await citizen.call.hangup()
    assert (await citizen.closed())["agent"] == "eva"


async def test_what_is_said_in_the_pause_is_not_in_the_recording(scene: Scene) -> None:
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    started = await citizen.fact("recording_started")
    await talk_on(citizen.call, 1.5)
    await desk.key("g")
    paused = await citizen.fact("recording_paused")
    await expect(desk.page.locator("section.call").get_by_text("Grabación en pausa")).to_be_visible()
    await talk_on(citizen.call, 2.5)
    await scene.together(citizen, desk)  # they go on talking meanwhile
    await desk.key("g")
    resumed = await citizen.fact("recording_resumed")
    await talk_on(citizen.call, 1.5)
    await citizen.call.hangup()
    record = await citizen.closed()
    whole = (await citizen.recorded(record)).seconds
    begin, end = (at(event) - at(started) for event in (paused, resumed))
    # Silence stands for the pause: the file keeps the call's time.
    assert whole > end + 1.0
    margin = 0.35  # of the switch's buffers, and of what lies between the fact and the file's first sample
    for side, hz in enumerate((CITIZEN_HZ, EVA_HZ)):
        assert await _said(scene, record, side, hz, 0.2, begin - margin), (side, "before")
        assert not await _said(scene, record, side, hz, begin + margin, end - margin), (side, "in the pause")
        assert await _said(scene, record, side, hz, end + margin, whole - 0.2), (side, "after")


async def _said(scene: Scene, record: Record, side: int, hz: int, since: float, until: float) -> bool:
    """Whether that tone is in that part of the recording's side, in seconds from its begin; at all, not throughout."""
    (path,) = (scene.stage.process.var / "recordings").rglob(f"{record['recordings'][0]['id']}.wav")

    def look() -> bool:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
        part = samples[int(since * rate) : int(until * rate), side]
        assert len(part) > rate // 4, (since, until, len(samples) / rate)
        step = rate // 10  # seconds of a tone with pauses, in looks of 100 ms
        return any(
            tones.level(part[n : n + step], hz, rate=rate) > _LOUD for n in range(0, len(part) - step, step // 2)
        )

    return await asyncio.to_thread(look)


async def test_calling_a_number_and_again_from_the_card(scene: Scene) -> None:
    """Typed; and while that contact is being closed, the number that the customer's card shows."""
    carrier = await _carrier(scene)
    desk = await scene.agent("eva")
    await _dials(desk, "Salientes")
    await _talks_outside(desk, carrier)
    await desk.page.wait_for_selector("section.wrap")
    await desk.person.is_at("phone")
    wider = "(one) => one.scrollWidth - one.clientWidth"
    assert await desk.page.locator(".desk-middle").evaluate(wider) == 0  # both buttons are seen
    await desk.person.is_at("laptop")
    await desk.page.locator(".customer").get_by_role("button", name="Llamar al").first.click()
    await desk.page.get_by_role("dialog").get_by_role("button", name="Llamar").click()
    await _talks_outside(desk, carrier)
    await desk.finish()
    found = await scene.api.search(FAR_NUMBER)
    assert [(one["direction"], one["agent"], one["exit_reason"]) for one in found["items"]] == [
        ("outbound", "eva", "completed")
    ] * 2


async def test_an_outcome_that_was_not_given_in_time(scene: Scene) -> None:
    """The contact is closed and stays on the page; no other comes before it is said how it ended."""
    carrier = await _carrier(scene)
    desk = await scene.agent("eva")
    await _dials(desk, "Encuestas")
    await _talks_outside(desk, carrier)
    await expect(desk.page.get_by_text("Por tipificar")).to_be_visible(timeout=WAIT_S * 1000)
    await desk.state_is("No disponible")
    await expect(desk.page.get_by_role("button", name="Ponerse disponible")).to_have_count(0)  # not before that is said
    found = (await scene.api.search(FAR_NUMBER, queue="encuestas"))["items"][0]
    assert await desk.person.axe() == []
    await desk.key("Control+Enter")
    await expect(desk.page.get_by_text("Esta cola pide el resultado").first).to_be_visible()
    outcome = desk.page.get_by_label("Resultado", exact=True)
    await outcome.select_option(label="Encuesta contestada")
    await expect(outcome).not_to_have_attribute("aria-invalid", "true")  # the page has taken it
    await desk.press("Terminar cierre")
    await desk.page.wait_for_selector(".desk-middle > .idle")
    await desk.become_ready()
    record = await scene.api.get(f"/interactions/{found['id']}")
    assert (record["phase"], record["disposition"]) == ("closed", "contestada")


async def _dials(desk: AgentDesk, queue: str) -> None:
    await desk.key("d")
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("Número").fill("099 765 4321")
    await dialog.get_by_label("A nombre de la cola").select_option(label=queue)
    await dialog.get_by_role("button", name="Llamar").click()


async def _talks_outside(desk: AgentDesk, carrier: SipPhone) -> None:
    leg = await carrier.next_call(WAIT_S)
    await desk.person.hears(FAR_HZ)
    assert await leg.hears(EVA_HZ, WAIT_S)
    await desk.talking()
    await leg.hangup()


async def test_asking_for_a_supervisor(scene: Scene) -> None:
    """Whoever supervises is told at once what is needed, and the talk goes on."""
    desk = await scene.agent("eva")
    citizen = await scene.talk(desk)
    async with scene.stage.live("alerts") as event:
        await desk.key("s")
        await desk.page.keyboard.type("Pide hablar con quien decide")
        await desk.page.get_by_role("dialog").get_by_role("button", name="Pedir apoyo").click()
        told = await event("supervisor_asked")
    await expect(desk.page.get_by_text("Pidió apoyo a supervisión.")).to_be_visible()
    assert "eva" in str(told["data"]), told
    asked = await citizen.fact("supervisor_asked")
    assert asked["data"]["text"] == "Pide hablar con quien decide"
    sofia = await console(scene)
    await sofia.choose_call()
    await expect(sofia.page.get_by_text("pide apoyo: «Pide hablar con quien decide»")).to_be_visible()
    await scene.together(citizen, desk)
    await citizen.call.hangup()
    await citizen.closed()
