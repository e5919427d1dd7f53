"""What pages are brought to before their picture is taken: forms open, mistakes, what went wrong, what is empty.

Each takes a person who is signed in at the page that the shot names, and leaves them where the picture is."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from playwright.async_api import Locator

from tests.support.browser import Person

Steps: TypeAlias = Callable[[Person], Awaitable[None]]

_GUESS = """async (username) => {
    for (let tries = 0; tries < 12; tries++) {
        const body = JSON.stringify({username, password: "no es esta"})
        const headers = {"Content-Type": "application/json"}
        if ((await fetch("/api/v1/session", {method: "POST", headers, body})).status === 429) return
    }
}"""


async def _row(person: Person, words: str) -> Locator:
    await person.page.locator(".admin-main tbody tr").filter(has_text=words).first.click()
    dialog = person.page.get_by_role("dialog")
    await dialog.wait_for()
    return dialog


async def locked_out(person: Person) -> None:
    await person.page.evaluate(_GUESS, "luis")
    await person.page.reload()
    dialog = await _row(person, "Luis")
    await dialog.locator(".lockout.locked").wait_for()


async def hours(person: Person) -> None:
    """A new calendar: a day in two parts, one that ends before it begins, and a special day."""
    page = person.page
    await page.get_by_role("button", name="Añadir").click()
    await page.get_by_label("Código").fill("ventanilla")
    for _ in range(2):
        await page.get_by_role("button", name="Lunes: añadir franja").click()
    await page.get_by_role("button", name="Copiar el lunes hasta el viernes").click()
    await page.get_by_role("button", name="Sábado: añadir franja").click()
    await page.get_by_label("Sábado: hasta, franja 1").fill("07:00")
    await page.get_by_role("button", name="Añadir un día especial").click()
    await page.get_by_role("alert").first.scroll_into_view_if_needed()


async def queue(person: Person) -> None:
    """What is loosened with waiting, and what happens when it is too much."""
    dialog = await _row(person, "Contact Center")
    await dialog.get_by_role("button", name="Añadir un paso").click()
    await dialog.get_by_role("button", name="Añadir una regla").click()
    await dialog.get_by_role("button", name="Añadir una regla").scroll_into_view_if_needed()


async def levels(person: Person) -> None:
    dialog = await _row(person, "Eva")
    await dialog.get_by_label("Añadir una habilidad").select_option(label="Internet")
    await dialog.locator(".level").last.get_by_role("button", name="Añadir").click()
    await dialog.locator(".level").last.scroll_into_view_if_needed()


async def conflict(person: Person) -> None:
    """Somebody else saved while this was being edited."""
    page, other = person.page, await person.context.new_page()
    await other.goto(page.url)
    for one, title in ((page, "Lengua de señas"), (other, "Quichua")):
        await one.get_by_role("button", name="Añadir").click()
        await one.get_by_label("Código").fill(f"s-{secrets.token_hex(2)}")
        await one.get_by_label("Nombre").fill(title)
        await one.get_by_role("button", name="Revisar los cambios").click()
        await one.locator(".differences").wait_for()
    for one in (other, page):
        await one.get_by_role("button", name="Guardar y poner en vigor").click()
        if one is other:
            await one.get_by_role("dialog").wait_for(state="detached")
    await page.get_by_role("button", name="Aplicar mis cambios sobre los nuevos").wait_for()
    await other.close()


async def mistake_in_flow(person: Person) -> None:
    page = person.page
    await page.locator("tbody tr").first.click()
    await page.locator(".drawing svg").first.wait_for()
    await page.locator(".cm-content").click()
    await page.keyboard.press("ControlOrMeta+Home")
    await page.keyboard.press("ControlOrMeta+End")
    await page.keyboard.type("\n  roto:\n    kind: plai\n")
    await page.locator(".cm-under.error").first.wait_for()


async def account(person: Person) -> None:
    page = person.page
    await page.get_by_role("button", name="Su cuenta").click()
    await page.get_by_role("button", name="Mi cuenta").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator(".sessions li").first.wait_for()
    await dialog.get_by_role("button", name="Activar").click()
    await dialog.get_by_role("img", name="Código QR").wait_for()


async def server_gone(person: Person) -> None:
    await person.context.route("**/api/v1/users", lambda route: route.abort())
    await person.page.reload()
    await person.page.get_by_text("No se pudo cargar").wait_for()


async def nothing_found(person: Person) -> None:
    await person.page.get_by_role("searchbox").fill("tranvía")
    await person.page.get_by_text("Nada coincide").wait_for()


async def entry_of_the_trail(person: Person) -> None:
    await _row(person, "Cambió la organización")
