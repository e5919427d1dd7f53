"""A supervisor's hand from the console: agents' states, what waits, messages. What is looked at is the effect."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.support.browser import WAIT_S
from tests.support.browser_console import Console, console
from tests.support.scene import Scene

_MS = WAIT_S * 1000


async def test_a_state_is_set_and_the_agent_sees_it(scene: Scene) -> None:
    desk = await scene.agent("eva")
    sofia = await console(scene)
    await sofia.choose_agent("Eva Tello")
    await sofia.drawer.get_by_label("Estado").select_option(label="No disponible")
    await sofia.drawer.get_by_label("Motivo").select_option(index=1)
    await sofia.press("Cambiar")
    await sofia.told("Eva Tello: No disponible.")
    await expect(desk.page.locator(".state-now strong")).not_to_have_text("Disponible", timeout=_MS)
    assert (await scene.api.get("/agents/eva"))["state"] == "not_ready"


async def _waits(scene: Scene, sofia: Console, queue: str = "Contact Center") -> str:
    """A citizen who waits, chosen in the list; the id of the interaction."""
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    await expect(sofia.call).to_contain_text(queue, timeout=_MS)
    await sofia.choose_call()
    return str((await citizen.record())["id"])


async def test_who_waits_is_raised_moved_and_ended(scene: Scene) -> None:
    sofia = await console(scene)
    call = await _waits(scene, sofia)
    await sofia.drawer.get_by_label("Prioridad").fill("40")
    await sofia.drawer.get_by_role("button", name="Cambiar").click()
    await sofia.told("Prioridad 40.")
    await expect(sofia.call.locator("td.figure").last).to_have_text("40", timeout=_MS)
    await sofia.drawer.get_by_label("Mover a otra cola").select_option(label="Salientes")
    await sofia.press("Mover")
    await sofia.told("Movida a Salientes.")
    await expect(sofia.call).to_contain_text("Salientes", timeout=_MS)
    await sofia.press("Terminar la interacción")
    await sofia.page.get_by_role("dialog").get_by_role("button", name="Terminar la interacción").click()
    await sofia.told("No hay interacciones en curso")
    record = await scene.api.get(f"/interactions/{call}")
    assert (record["exit_reason"], record["priority"], record["queue"]) == ("ended_by_supervisor", 40, "salientes")


async def test_who_waits_is_given_to_one_agent_by_hand(scene: Scene) -> None:
    """Sofía works in the queue of the call; Eva is chosen, though somebody else is free."""
    sofia = await console(scene)
    call = await _waits(scene, sofia)
    desk = await scene.at_desk("eva")
    await desk.phone_is("up")
    await sofia.drawer.get_by_label("Asignar a un agente").select_option(label="Eva Tello (No disponible)")
    await sofia.press("Asignar")
    await sofia.told("Asignada a Eva Tello.")
    await desk.press("Ponerse disponible")  # and at once it rings
    await desk.take()
    assert (await scene.api.get(f"/interactions/{call}"))["agent"] == "eva"
    await desk.key("Alt+x")
    await desk.finish()


async def test_who_asks_for_support_is_named_among_the_alerts(scene: Scene) -> None:
    desk = await scene.agent("eva")
    sofia = await console(scene)
    citizen = await scene.talk(desk)
    await desk.key("s")
    await desk.page.keyboard.type("Pide hablar con quien decide")
    await desk.page.get_by_role("dialog").get_by_role("button", name="Pedir apoyo").click()
    await sofia.page.get_by_role("log", name="Alertas").get_by_text("Eva Tello pide apoyo").wait_for(timeout=_MS)
    await citizen.call.hangup()
    await citizen.closed()


async def test_a_message_is_read_aloud_on_the_agents_page_and_stays_until_it_was_read(scene: Scene) -> None:
    desk = await scene.agent("eva")
    sofia = await console(scene)
    await sofia.choose_agent("Eva Tello")
    await sofia.press("Enviar mensaje")
    dialog = sofia.page.get_by_role("dialog")
    await dialog.get_by_label("Texto").fill("Corte de agua en Totoracocha hasta las 18:00.")
    await dialog.get_by_role("button", name="Enviar").click()
    await sofia.told("Mensaje enviado.")
    shown = desk.page.get_by_role("status").filter(has_text="Corte de agua en Totoracocha hasta las 18:00.")
    await expect(shown).to_be_visible(timeout=_MS)
    assert await shown.get_attribute("aria-live") == "polite"
    await shown.get_by_role("button").click()
    await expect(shown).to_have_count(0, timeout=_MS)
    await desk.page.reload()
    await desk.phone_is("up")
    await expect(desk.page.get_by_text("Corte de agua")).to_have_count(0)


# What the system would show, and whether somebody looks at the page; permission is given when it is asked for.
_SYSTEM = """
window.notices = []
window.Notification = class {
    static permission = "default"
    static async requestPermission() { window.asked = true; return (this.permission = "granted") }
    constructor(title, options) { window.notices.push({title, ...options, closed: false, it: this}) }
    close() { window.notices.find((one) => one.it === this).closed = true }
}
Object.defineProperty(document, "hidden", {get: () => window.away === true})
"""


async def test_a_message_is_told_by_the_system_to_who_is_at_another_window(scene: Scene) -> None:
    person = await scene.people.person("eva")
    await person.context.add_init_script(_SYSTEM)
    await person.sign_in(then="/agente")
    page = person.page
    offer = page.get_by_role("region", name="Avisarme aunque esté en otra ventana")
    await offer.wait_for(timeout=_MS)
    assert not await page.evaluate("window.asked")  # not before somebody wants it
    await offer.get_by_role("button", name="Sí, avisarme").click()
    await expect(offer).to_have_count(0)
    sofia = await console(scene)

    async def sends(text: str) -> None:
        await sofia.press("Enviar mensaje")
        dialog = sofia.page.get_by_role("dialog")
        await dialog.get_by_label("Texto").fill(text)
        await dialog.get_by_role("button", name="Enviar").click()
        await page.get_by_role("status").get_by_text(text).wait_for(timeout=_MS)

    await sofia.choose_agent("Eva Tello")
    await sends("Primero, con la página a la vista.")
    assert await page.evaluate("window.notices") == []
    await page.evaluate("window.away = true")
    await sends("Reunión a las 15:00.")
    (told,) = await page.evaluate("window.notices.map(({it, ...rest}) => rest)")
    assert (told["title"], told["body"], told["closed"]) == ("Mensaje de Sofia", "Reunión a las 15:00.", False)
    await page.evaluate("() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')) }")
    assert await page.evaluate("window.notices[0].closed")  # seen: gone


async def test_who_does_not_want_notices_is_not_asked_again(scene: Scene) -> None:
    person = await scene.people.person("eva")
    await person.context.add_init_script(_SYSTEM)
    await person.sign_in(then="/agente")
    page = person.page
    await page.get_by_role("button", name="Ahora no").click(timeout=_MS)
    await page.reload()
    await page.locator("div.idle").wait_for(timeout=_MS)
    await expect(page.get_by_role("button", name="Ahora no")).to_have_count(0)
    assert not await page.evaluate("window.asked")


async def _picked(sofia: Console, label: str, first_letters: str) -> None:
    """In a list of choices, as one does without a mouse: typing how it begins."""
    field = sofia.drawer.get_by_label(label, exact=True)
    await sofia.person.tab_to(field)
    await sofia.page.keyboard.type(first_letters)
    await expect(field.locator("option:checked")).to_contain_text(first_letters)


async def _pressed(sofia: Console, button: Locator, words: str) -> None:
    await sofia.person.tab_to(button)
    await sofia.page.keyboard.press("Enter")
    await sofia.told(words)


async def test_an_agents_state_is_set_with_the_keyboard_alone(scene: Scene) -> None:
    desk = await scene.agent("eva")
    person = await scene.people.person("sofia")
    await person.sign_in_by_keys(then="/supervisor")
    sofia = Console(person)
    row = sofia.list("Agentes").locator("tbody tr").filter(has_text="Eva Tello")
    await person.tab_to(sofia.list("Agentes").locator("tbody tr").first)
    await person.tab_to(row, key="ArrowDown")
    await person.page.keyboard.press("Enter")
    await expect(sofia.drawer.get_by_role("heading", name="Eva Tello")).to_be_visible(timeout=_MS)
    await _picked(sofia, "Estado", "No")
    await _picked(sofia, "Motivo", "Capac")
    await _pressed(sofia, sofia.drawer.get_by_role("button", name="Cambiar"), "Eva Tello: No disponible.")
    await desk.state_is("No disponible")
    assert (await scene.api.get("/agents/eva"))["state"] == "not_ready"
    await person.page.keyboard.press("Escape")
    await expect(row).to_be_focused()  # where one came from
    await expect(row).to_contain_text("Capacitación")


async def test_who_waits_is_raised_moved_and_assigned_with_the_keyboard_alone(scene: Scene) -> None:
    person = await scene.people.person("sofia")
    await person.sign_in_by_keys(then="/supervisor")
    sofia = Console(person)
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    call = str((await citizen.record())["id"])
    desk = await scene.at_desk("eva")
    await desk.phone_is("up")
    await person.tab_to(sofia.call)
    await person.page.keyboard.press("Enter")
    await sofia.drawer.wait_for(timeout=_MS)
    priority = sofia.drawer.get_by_label("Prioridad")
    await person.tab_to(priority)
    await person.page.keyboard.type("40")
    await _pressed(sofia, sofia.drawer.get_by_role("button", name="Cambiar"), "Prioridad 40.")
    await _picked(sofia, "Mover a otra cola", "Salientes")
    await _pressed(sofia, sofia.drawer.get_by_role("button", name="Mover"), "Movida a Salientes.")
    await _picked(sofia, "Asignar a un agente", "Eva")
    await _pressed(sofia, sofia.drawer.get_by_role("button", name="Asignar"), "Asignada a Eva Tello.")
    await desk.press("Ponerse disponible")
    await desk.take()
    record = await scene.api.get(f"/interactions/{call}")
    assert (record["priority"], record["queue"], record["agent"]) == (40, "salientes", "eva")
    await desk.key("Alt+x")
    await desk.finish()
