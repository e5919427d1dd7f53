"""Every page, in both themes and at the widths that people work at: no violation that axe-core finds, nothing wider
than its window, no request to another host, nothing on the console."""

from __future__ import annotations

import pytest

from tests.support.browser import WIDTHS, Crowd

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


async def test_signing_in_and_out_with_the_keyboard_alone(people: Crowd) -> None:
    person = await people.person("ana", ignored=["401"])  # a browser tells every 401 on its console
    await person.open("/")
    await person.page.wait_for_selector("[name=username]:focus")
    keyboard = person.page.keyboard
    await keyboard.type("ana")
    await keyboard.press("Tab")
    await keyboard.type("no es esta")
    await keyboard.press("Enter")
    await person.page.wait_for_selector("[role=alert]")
    await person.page.focus("[name=password]")
    await keyboard.press("ControlOrMeta+a")
    await keyboard.type("Cuenca-de-los-Andes-7")
    await keyboard.press("Enter")
    await person.page.wait_for_url("**/agente")
