"""Who reads Spanish reads Spanish: on every page, in its dialogs and in a call, nothing that is shown or read aloud is
a sentence of the English dictionaries, and no English word is among what the server says."""

from __future__ import annotations

import re
from functools import cache

import pytest
from playwright.async_api import Page

from tests.browser.test_supervising import console
from tests.support.browser import Crowd
from tests.support.page_texts import all_pairs
from tests.support.scene import Scene

# Words that no Spanish sentence has. What is code (YAML and its picture, a setting's name, an action's code) is
# marked as such, and not looked at.
_WORDS = re.compile(
    r"(?i)\b(the|of|and|is|are|was|with|from|for|this|that|your|you|not|must|there|unknown|failed|default|connected|"
    r"reachable|unreachable|channels?|free|line|command|nothing|expected|file|ready|queue|agent|call|hold|wrap|"
    r"answered|accepted|completed|abandoned|withdrawn|closed|timeout|listen|whisper|barge)\b"
)
# The same in both languages, a name of the journeys' own data, or an expression as one writes it.
_NAMES = re.compile(r"Contact Center|Supervisor|agua >= 2 and english")
_SHOWN = """() => {
    const hidden = (one) => one.closest('code, pre, .cm-editor, .drawing svg, [lang=en]')
        || !one.checkVisibility({checkOpacity: false, checkVisibilityCSS: true})
    const found = new Set()
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.trim()
        if (text && !hidden(walk.currentNode.parentElement)) found.add(text)
    }
    for (const one of document.body.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
        if (hidden(one)) continue
        for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
            const text = one.getAttribute(name)?.trim()
            if (text) found.add(text)
        }
    }
    return [document.title, ...found]
}"""


@cache
def _english() -> re.Pattern[str]:
    """All English sentences that are no Spanish ones, too; what is filled in may be anything."""
    pairs = all_pairs()
    spanish = {one for one, _ in pairs}
    sentences = {english for own, english in pairs if english != own and english not in spanish}
    told = [one for one in sentences if len(re.sub(r"\{\w+\}|\W", "", one)) > 2]
    return re.compile("|".join(re.sub(r"\\\{\w+\\\}", ".+", re.escape(one)) for one in sorted(told)))


async def english_on(page: Page) -> list[str]:
    shown: list[str] = await page.evaluate(_SHOWN)
    assert len(shown) > 2, shown
    shown = [_NAMES.sub("", one).strip() for one in shown]
    return [one for one in shown if _english().fullmatch(one) or _WORDS.search(one)]


def test_english_is_told_from_spanish() -> None:
    assert _english().fullmatch("Save")
    assert _english().fullmatch("Search Queues")
    assert not _english().fullmatch("Guardar")
    assert not _english().fullmatch("Roles")


@pytest.mark.parametrize(("path", "who"), [("/", None), ("/llamar", None), ("/estado", None), ("/pared", "sofia")])
async def test_pages_for_anybody(people: Crowd, path: str, who: str | None) -> None:
    person = await people.person(who or "nadie")
    await (person.open(path) if who is None else person.sign_in(then=path))
    await person.page.wait_for_selector("main h1, main h2, main [name=username]")
    assert await english_on(person.page) == []


async def test_every_part_of_the_administration(people: Crowd) -> None:
    person = await people.person("admin")
    await person.sign_in(then="/admin/usuarios")
    page = person.page
    await page.locator("tbody tr").first.wait_for()
    found = {}
    for href in await page.locator(".admin-nav a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))"):
        await page.locator(f".admin-nav a[href='{href}']").click()
        await page.locator(".admin-main h1").wait_for()
        await page.locator(".admin-main [role=status] .skeleton, .admin-main .skeleton").first.wait_for(
            state="detached"
        )
        found[href] = await english_on(page)
        row, add = page.locator(".admin-main .opens tbody tr").first, page.get_by_role("button", name="Añadir")
        for what, opens in (("opened", row), ("new", add)):
            if not await opens.count():
                continue
            await opens.click()
            if href == "/admin/flujos":
                await page.locator(".drawing svg").first.wait_for()
                found[f"{href} {what}"] = await english_on(page)
                break
            await page.get_by_role("dialog").wait_for()
            found[f"{href} {what}"] = await english_on(page)
            await page.keyboard.press("Escape")
            await page.get_by_role("dialog").wait_for(state="detached")
    left = {where: words for where, words in found.items() if words}
    assert not left, left
    assert len(found) > 25


async def test_ones_own_account_the_keys_and_the_palette(people: Crowd) -> None:
    person = await people.person("sofia")
    await person.sign_in(then="/supervisor")
    page = person.page
    await page.get_by_role("button", name="Su cuenta").click()
    assert set(await english_on(page)) <= {"English"}  # the language's own name
    await page.get_by_role("button", name="Mi cuenta").click()
    await page.get_by_role("dialog").locator(".sessions li").first.wait_for()
    await page.get_by_role("dialog").get_by_role("button", name="Activar").click()
    await page.get_by_role("img", name="Código QR").wait_for()
    assert await english_on(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    await page.keyboard.press("?")
    await page.get_by_role("dialog").wait_for()
    assert await english_on(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="Buscar una acción").wait_for()
    assert await english_on(page) == []


async def test_a_call_at_the_agents_page_and_at_the_console(scene: Scene) -> None:
    desk = await scene.agent("eva")
    found = {"free": await english_on(desk.page)}
    sofia = await console(scene)
    await sofia.choose_agent("Eva Tello")
    found["console, agent"] = await english_on(sofia.page)
    citizen = await scene.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.offered()
    found["offer"] = await english_on(desk.page)
    await desk.accept()
    await desk.there("section.call")
    await desk.there(".timeline li, .history li, ol li")
    found["call"] = await english_on(desk.page)
    await sofia.choose_call()
    found["console"] = await english_on(sofia.page)
    await citizen.call.hangup()
    await desk.there("section.wrap")
    found["wrap-up"] = await english_on(desk.page)
    await desk.finish()
    left = {where: words for where, words in found.items() if words}
    assert not left, left
