"""The supervisor's console as its people use it: by its lists, its drawer and the words on its buttons."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.support.browser import WAIT_S, Person
from tests.support.scene import BROWSER_HZ, Scene

SOFIA_HZ = BROWSER_HZ["sofia"]
_MS = WAIT_S * 1000


class Console:
    """What a supervisor does and sees at `/supervisor`."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page

    def list(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name)

    @property
    def call(self) -> Locator:
        """The row of the only interaction."""
        return self.list("Interacciones").locator("tbody tr").first

    @property
    def drawer(self) -> Locator:
        return self.page.locator("aside.drawer")

    async def choose_call(self) -> None:
        await self.call.click()
        await self.drawer.wait_for(timeout=_MS)

    async def choose_agent(self, name: str) -> None:
        await self.list("Agentes").locator("tbody tr").filter(has_text=name).click()
        await expect(self.drawer.get_by_role("heading", name=name)).to_be_visible(timeout=_MS)

    async def press(self, name: str) -> None:
        await self.drawer.get_by_role("button", name=name).click()

    async def key(self, key: str) -> None:
        await self.page.evaluate("() => document.activeElement?.blur()")
        await self.page.keyboard.press(key)

    async def told(self, words: str) -> None:
        """By the console itself: a banner of the drawer, or a notice."""
        await self.page.get_by_text(words).first.wait_for(timeout=_MS)


async def console(scene: Scene) -> Console:
    person = await scene.people.person("sofia", hz=SOFIA_HZ)
    await person.sign_in(then="/supervisor")
    await person.page.wait_for_url("**/supervisor")
    return Console(person)
