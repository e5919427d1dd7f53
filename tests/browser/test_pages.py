"""Every page, in both themes and at the widths that people work at: no violation that axe-core finds, nothing wider
than its window, no request to another host, nothing on the console."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.browser import PASSWORD, WIDTHS, Crowd

# A page for people, and who opens it; None: nobody who is signed in.
REFERENCE = "/api"
PAGES: dict[str, str | None] = {
    "/": None,
    "/llamar": None,
    "/agente": "ana",
    "/supervisor": "sofia",
    "/pared": "sofia",
    "/admin/colas": "admin",
    "/admin/flujos": "admin",
    "/estado": None,
    REFERENCE: None,
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
async def test_page_at_every_width(people: Crowd, path: str, theme: str) -> None:
    who = PAGES[path]
    person = await people.person(who or "nadie", theme=theme)
    if who is None:
        await person.open(path)
    else:
        await person.sign_in(then=path)
    await person.page.wait_for_selector("main h1, main h2, main [name=username]")
    for width in WIDTHS:
        await person.is_at(width)
        assert await person.overflows() == [], width
        if width == "laptop" or path != REFERENCE:  # the reference is the same text at every width, and very long
            assert await person.axe() == [], width


async def test_tables_of_the_administration_stack_their_cells_at_a_phones_width(people: Crowd) -> None:
    admin = await people.person("admin")
    await admin.sign_in(then="/admin/estado")
    await admin.is_at("phone")
    for part in ("estado", "usuarios", "colas", "troncales", "ajustes", "auditoria"):
        await admin.open(f"/admin/{part}")
        tables = admin.page.locator(".table-scroll")
        await tables.locator("tbody tr").first.wait_for()
        sideways = await tables.evaluate_all(
            "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert sideways == 0, part
        assert await admin.overflows() == [], part
        assert await admin.axe() == [], part


async def test_signing_in_with_the_keyboard_alone_after_a_mistyped_password(people: Crowd) -> None:
    person = await people.person("ana")
    await person.sign_in_by_keys(password="no es esta")
    await expect(person.page.get_by_role("alert")).to_have_text("El usuario o la contraseña no son correctos.")
    await person.page.keyboard.press("Shift+Tab")
    await person.tab_to(person.page.locator("[name=password]"))
    await person.page.keyboard.press("ControlOrMeta+a")
    await person.page.keyboard.type(PASSWORD)
    await person.page.keyboard.press("Enter")
    await person.page.wait_for_url("**/agente")
