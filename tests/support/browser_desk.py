"""The agent's page as its people use it: by its keys and the words on its buttons."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.support.browser import WAIT_S, Person

_TIMEOUT_MS = WAIT_S * 1000


class AgentDesk:
    """What an agent does and sees at `/agente`."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page

    async def phone_is(self, state: str) -> None:
        """The softphone: off, asking, denied, minting, connecting, calling, up, waiting, offline, elsewhere."""
        await self.there(f"[data-phone={state}]")

    async def there(self, selector: str) -> None:
        """By a locator: a handle of an element, as `wait_for_selector` gives, would keep it in the page's memory."""
        await self.page.locator(selector).first.wait_for(timeout=_TIMEOUT_MS)

    def button(self, name: str) -> Locator:
        """By the words on it; a key may be written behind them."""
        return self.page.get_by_role("button", name=name).first

    async def press(self, name: str) -> None:
        await self.button(name).click()

    async def key(self, key: str) -> None:
        """On the page itself, not in a field or on a button that would take it."""
        await self.page.evaluate("() => document.activeElement?.blur()")
        await self.page.keyboard.press(key)

    async def become_ready(self) -> None:
        state = self.page.locator(".state-now strong")
        if await state.inner_text() != "Disponible":
            await self.press("Ponerse disponible")
        await expect(state).to_have_text("Disponible", timeout=_TIMEOUT_MS)

    async def state_is(self, word: str) -> None:
        await expect(self.page.locator(".state-now strong")).to_have_text(word, timeout=_TIMEOUT_MS)

    async def offered(self) -> None:
        await self.there("[data-offer]")

    async def accept(self) -> None:
        await self.key("a")

    async def talking(self) -> None:
        await self.there(".call-now [role=timer], .call-now time, .call-now .timer")

    async def take(self) -> None:
        """The next offer: seen, accepted, talking."""
        await self.offered()
        await self.accept()
        await self.there("section.call")

    async def transfer(self, words: str, *, blind: bool, shown: str = "") -> None:
        """To whom these words find first; `shown` is how they are shown, where that is not as they were typed."""
        await self.key("t")
        dialog = self.page.get_by_role("dialog")
        await (
            dialog.get_by_role("combobox")
            .or_(dialog.get_by_role("searchbox"))
            .or_(dialog.get_by_role("textbox"))
            .first.fill(words)
        )
        await dialog.get_by_role("option").filter(has_text=shown or words).first.click()  # not of the list before
        await dialog.get_by_role("button", name="Transferir ahora" if blind else "Consultar primero").click()

    async def finish(self) -> None:
        """The wrap-up, when there is one still."""
        wrap_up = self.page.locator("section.wrap")
        await self.there("section.wrap, .desk-middle > .idle")
        if await wrap_up.count():
            await self.page.keyboard.press("Control+Enter")
        await self.there(".desk-middle > .idle")
