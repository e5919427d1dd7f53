"""What a supervisor sees: alerts that come and go, a board that is filtered, true figures that say what they mean."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.support.browser import WAIT_S
from tests.support.browser_console import Console, console
from tests.support.scene import Scene
from tests.support.stage import Citizen, talk_on, until

_MS = WAIT_S * 1000
# How many notes the page has asked the loudspeaker for.
_NOTES = """() => {
    const start = OscillatorNode.prototype.start
    window.notes = 0
    OscillatorNode.prototype.start = function (...when) { window.notes += 1; return start.apply(this, when) }
}"""


async def _claims(scene: Scene) -> Citizen:
    """A citizen who waits in the queue of claims."""
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    await scene.api.order("POST", f"/interactions/{(await citizen.record())['id']}/move", {"queue": "reclamos"})
    return citizen


async def _answered(scene: Scene) -> None:
    """A claim that Luis answers at once, and that is over."""
    citizen = await _claims(scene)
    await scene.api.ready("luis")
    await scene.stage.phones["luis"].next_call(WAIT_S)
    await citizen.fact("connected")
    await scene.api.order("PUT", "/agents/luis/state", {"state": "not_ready", "reason": "almuerzo"})
    await citizen.call.hangup()
    await citizen.closed()


async def test_alerts_of_a_long_wait_and_of_a_service_level_come_and_go(scene: Scene) -> None:
    """Seen, heard, read aloud, and reached by keyboard."""
    await scene.colleague("luis")
    person = await scene.people.person("sofia")
    await person.page.add_init_script(f"({_NOTES})()")
    await person.sign_in_by_keys(then="/supervisor")
    page = person.page
    sofia = Console(person)
    lane = page.get_by_role("log", name="Alertas")
    await expect(sofia.list("Interacciones")).to_be_visible(timeout=_MS)
    await page.keyboard.press("Tab")  # a page that nobody has touched may not be heard

    citizen = await _claims(scene)
    waits, level = lane.get_by_text("Un contacto espera en Reclamos"), lane.get_by_text("Nivel de servicio de Reclamos")
    await expect(waits).to_be_visible(timeout=_MS)
    await page.wait_for_function("window.notes > 0")
    assert await person.axe() == []
    await page.keyboard.press("a")
    for _ in range(await lane.get_by_role("button").count()):  # with "nobody serves Reclamos" beside it
        if await waits.locator("xpath=ancestor::button").evaluate("(one) => one === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(sofia.drawer.get_by_text("Reclamos").first).to_be_visible(timeout=_MS)
    await page.keyboard.press("Escape")
    await expect(sofia.drawer).to_have_count(0)

    await talk_on(citizen.call, 7.0)  # beyond the threshold
    await citizen.call.hangup()
    await expect(waits).to_have_count(0, timeout=_MS)
    await expect(level).to_have_text(
        "Nivel de servicio de Reclamos: 0 % en la última media hora (meta 50 %)", timeout=_MS
    )
    await _answered(scene)
    await expect(level).to_contain_text("Reclamos: 50 %", timeout=_MS)  # at the target, and not yet well again
    await _answered(scene)
    await expect(level).to_have_count(0, timeout=_MS)

    await page.get_by_role("button", name="Silenciar las alertas").click()
    await page.evaluate("window.notes = 0")
    citizen = await _claims(scene)
    await expect(waits).to_be_visible(timeout=_MS)
    assert await page.evaluate("window.notes") == 0
    await citizen.call.hangup()
    await citizen.closed()
    await expect(waits).to_have_count(0, timeout=_MS)


def _rows(sofia: Console, name: str = "Interacciones") -> Locator:
    return sofia.list(name).locator("tbody tr")


async def _chosen(page: Page, name: str, option: str) -> None:
    await page.get_by_role("search").get_by_label(name, exact=True).select_option(label=option)


async def test_the_board_shows_what_is_asked_for_and_remembers_it(scene: Scene) -> None:
    desk = await scene.agent("eva")
    talks = await scene.talk(desk)
    waits, claim = await scene.stage.citizen(port=0), await _claims(scene)
    await waits.to_queue()
    raised = (await waits.record())["id"]
    await scene.api.order("POST", f"/interactions/{raised}/raise", {"priority": 30})
    sofia = await console(scene)
    page, rows, agents = sofia.page, _rows(sofia), _rows(sofia, "Agentes")
    await expect(rows).to_have_count(3, timeout=_MS)
    everybody = await agents.count()

    async def only(*citizens: Citizen) -> None:
        await expect(rows).to_have_count(len(citizens), timeout=_MS)
        for citizen in citizens:
            await expect(rows.filter(has_text=citizen.number[-4:])).to_have_count(1)

    async def cleared() -> None:
        await page.get_by_role("button", name="Quitar filtros").click()
        await expect(rows).to_have_count(3)

    await _chosen(page, "Cola", "Reclamos")
    await only(claim)
    await cleared()
    await _chosen(page, "Canal", "Llamada")
    await only(talks, waits, claim)
    await _chosen(page, "Etapa", "Hablando")
    await only(talks)
    await cleared()
    await _chosen(page, "Prioridad", "30 o más")
    await only(waits)
    await cleared()
    await _chosen(page, "Agente", "Eva Tello")
    await only(talks)
    await expect(agents).to_have_count(1)
    await cleared()
    await expect(agents).to_have_count(everybody)
    await _chosen(page, "Estado del agente", "Atendiendo")
    await expect(agents).to_have_count(1)
    await expect(agents).to_contain_text("Eva Tello")
    await cleared()
    await page.keyboard.press("/")
    await page.keyboard.type(talks.number[-4:])
    await only(talks)
    assert talks.number[-4:] not in page.url  # a number is in no address
    await cleared()

    await _chosen(page, "Riesgo", "Fuera de tiempo")
    await only(claim)  # nine seconds are over there, and twenty are not for the other
    await _chosen(page, "Cola", "Reclamos")
    await rows.first.click()  # the drawer has an address of its own, beside them
    await sofia.drawer.wait_for()
    await page.reload()
    await sofia.drawer.wait_for()
    await only(claim)
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{sofia.person.url}/supervisor?cola=reclamos&riesgo=late")
    await page.go_back()
    await sofia.drawer.wait_for()
    assert await sofia.person.axe() == []
    await cleared()
    for citizen in (waits, claim, talks):
        await citizen.call.hangup()
        await citizen.fact("ended")
    await desk.finish()


async def _definitions(page: Page, within: Locator) -> list[str]:
    """What each figure there says of itself, one click away."""
    told = []
    for button in await within.get_by_role("button", name="Qué significa").all():
        await button.click()
        shown = page.locator(".definition:visible")
        await expect(shown).to_be_visible()
        await expect(shown).not_to_contain_text("no tiene todavía")
        told.append(await shown.inner_text())
        await page.keyboard.press("Escape")
        await expect(shown).to_have_count(0)
    return told


async def test_every_figure_says_what_it_means_one_click_away(scene: Scene) -> None:
    sofia = await console(scene)
    page = sofia.page
    tile = page.get_by_role("region", name="Colas").get_by_role("article").filter(has_text="Reclamos")
    await tile.wait_for(timeout=_MS)
    told = await _definitions(page, tile)
    assert len(told) == 4
    assert any("T = 9 s" in one for one in told)  # of this queue
    await page.goto(f"{sofia.person.url}/pared")
    wall = page.locator(".wall-grid")
    await wall.wait_for()
    await page.keyboard.press(" ")
    told = await _definitions(page, wall)
    assert len(told) == await wall.locator(".wall-figure").count() == 6
    assert await sofia.person.axe() == []


async def _shown(page: Page) -> dict[str, str]:
    return dict(
        await page.locator(".wall-figure").evaluate_all(
            "(all) => all.map((one) => ['h2', '.wall-value'].map((part) => one.querySelector(part).textContent))"
        )
    )


def _seconds(clock: str) -> int:
    minutes, seconds = clock.split(":")
    return int(minutes) * 60 + int(seconds)


async def test_the_wallboard_is_true_and_alive(scene: Scene) -> None:
    """Its figures are the API's, and follow what happens."""
    person = await scene.people.person("sofia", theme="dark")
    await person.sign_in(then="/pared")
    page = person.page
    await page.locator(".wall-figure").first.wait_for()
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Rotar las colas")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Contact Center")

    async def as_told(**wanted: str) -> None:
        """What the wall shows is what the board's answer says at the same time, and this."""

        async def same() -> bool:
            board = await scene.api.get("/board")
            queue = next(one for one in board["queues"] if one["name"] == "contact-center")
            shown = await _shown(page)
            return shown == {**shown, **_truth(board, queue), **wanted} and _longest(shown, queue)

        await until(same, f"the wall shows {wanted} as the board does")

    await as_told(**{"En espera": "0", "Agentes libres": "0", "Atendiendo": "0", "Espera más larga": "—"})
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    await as_told(**{"En espera": "1"})
    longest = page.locator(".wall-figure").filter(has_text="Espera más larga").locator(".wall-value")
    first = _seconds(await longest.inner_text())
    await expect(longest).not_to_have_text(f"0:{first:02}", timeout=3000)  # it goes on by itself
    desk = await scene.at_desk("eva")
    await desk.phone_is("up")
    await desk.press("Ponerse disponible")
    await desk.take()
    await as_told(**{"En espera": "0", "Atendiendo": "1", "Espera más larga": "—"})
    await citizen.call.hangup()
    await desk.finish()
    await as_told(**{"Atendiendo": "0", "Agentes libres": "1"})
    leaves = await scene.stage.citizen(port=0)
    await scene.api.order("PUT", "/agents/eva/state", {"state": "not_ready", "reason": "almuerzo"})
    await as_told(**{"Agentes libres": "0"})
    before = (await _shown(page))["Abandono"]
    await leaves.to_queue()
    await leaves.call.hangup()
    await leaves.closed()
    await as_told(**{"En espera": "0"})
    assert (await _shown(page))["Abandono"] != before


def _truth(board: dict[str, Any], queue: dict[str, Any]) -> dict[str, str]:
    level, offered = queue["service_level"]["today"], queue["offered_today"]
    mine = [one["state"] for one in board["agents"] if "contact-center" in one["queues"]]
    return {
        "En espera": str(queue["waiting"]),
        "Nivel de servicio": "—" if level is None else f"{int(level * 100 + 1e-9)} %",
        "Agentes libres": str(mine.count("ready")),
        "Atendiendo": str(mine.count("interacting") + mine.count("reserved")),
        "Abandono": f"{100 * queue['abandoned_today'] / offered:.1f} %".replace(".", ",") if offered else "—",
    }


def _longest(shown: dict[str, str], queue: dict[str, Any]) -> bool:
    """Within what the clocks of both may be apart."""
    told, wait = shown["Espera más larga"], queue["longest_wait_s"]
    return told == "—" if wait is None else told != "—" and abs(_seconds(told) - wait) <= 2
