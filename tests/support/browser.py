"""People at a real browser: Chromium by Playwright, with a microphone that says one tone, ears that measure what
arrives, and a guard that keeps what must not happen (a request to another host, an error on the console).

One browser process a person: the tone of its microphone is the process's."""

from __future__ import annotations

import asyncio
import math
import os
import struct
import time
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    Request,
    async_playwright,
    expect,
)

from app.node import find_node
from app.place import CHECKOUT
from app.provision import which
from tests.support.tools import look_for

PASSWORD = "Cuenca-de-los-Andes-7"
EARS = Path(__file__).with_name("ears.js")
AXE = CHECKOUT / "softphone_web/pages/node_modules/axe-core/axe.min.js"
WAIT_S = 20.0
_LOOK_EVERY_S = 0.05
_MOST_STOPS = 150  # a page on which Tab needs more is not usable by keyboard
_LOUD_DB, _ABOVE_DB = -60.0, 25.0
VOICE_RATE = 48_000
# Widths that people work at: a phone, the usual laptop, a wall.
WIDTHS = {"phone": (360, 740), "laptop": (1366, 768), "wall": (1920, 1080)}
_FLAGS = (
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # as root, and in containers without user namespaces
    "--disable-dev-shm-usage",
    # Whatever is asked of another host fails, and is told by the guard.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)


@cache
def _found() -> tuple[Path | None, str]:
    named = os.environ.get("RIMAY_CHROMIUM")
    if named:
        return (Path(named), "") if Path(named).is_file() else (None, f"RIMAY_CHROMIUM names {named}, not there")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (installed := which(name)) is not None:
            return installed, ""
    found, why = look_for("chromium")
    return found, why and f"{why} (set RIMAY_CHROMIUM)"


def chromium() -> Path | None:
    """The one that is named, else the machine's, else Debian's package unpacked into the cache."""
    return _found()[0]


def why_no_browser() -> str:
    """Empty when the journeys can be run here."""
    return _found()[1]


def write_tone(path: Path, hz: int, seconds: int = 4) -> Path:
    """A tone without a seam where it begins again: whole periods. It pulses, as speech does: the browser's noise
    suppression takes what never changes for noise."""
    return write_voice(path, lambda n: hz if (n * 1000 // VOICE_RATE) % 500 < 420 else 0, seconds)


def write_voice(path: Path, hz_at: Callable[[int], int], seconds: int = 4) -> Path:
    """What a microphone says: the tone that there is at each sample, 0 for silence."""
    frames = bytearray()
    for n in range(VOICE_RATE * seconds):
        frames += struct.pack("<h", int(12_000 * math.sin(2 * math.pi * hz_at(n) * n / VOICE_RATE)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(VOICE_RATE)
        file.writeframes(bytes(frames))
    return path


@dataclass
class Guard:
    """What happened in a context that must not."""

    allowed: frozenset[str]
    found: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()  # parts of messages that the test itself provokes

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"uncaught: {error.error}"))

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"blob", "data", "about"} and parts.netloc not in self.allowed:
            self.found.append(f"a request to another host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def check(self) -> None:
        found = [each for each in self.found if not any(part in each for part in self.ignored)]
        assert not found, "\n".join(found)


class Person:
    """Somebody at a page of the platform."""

    def __init__(self, url: str, name: str, context: BrowserContext, page: Page, guard: Guard) -> None:
        self.url, self.name, self.context, self.page, self.guard = url, name, context, page, guard

    @property
    def browser(self) -> Browser:
        browser = self.context.browser
        assert browser is not None
        return browser

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.url + path)

    async def sign_in(self, *, password: str = PASSWORD, then: str | None = None) -> None:
        """By the sign-in page, as people do; until their own home is there."""
        await self.open("/" if then is None else f"/?next={then}")
        await self.page.fill("[name=username]", self.name)
        await self.page.fill("[name=password]", password)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url(lambda url: urlsplit(url).path not in {"", "/"}, timeout=WAIT_S * 1000)

    # --- by the keyboard alone

    async def sign_in_by_keys(self, *, password: str = PASSWORD, then: str | None = None) -> None:
        """As `sign_in`, without a mouse: the cursor stands where one begins to type."""
        await self.open("/" if then is None else f"/?next={then}")
        await self.page.wait_for_selector("[name=username]:focus")
        await self.page.keyboard.type(self.name)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(password)
        await self.page.keyboard.press("Enter")

    async def tab_to(self, target: Locator, *, key: str = "Tab") -> None:
        """By Tab alone (or another key that goes on), as somebody without a mouse."""
        await target.wait_for()
        for _ in range(_MOST_STOPS):
            if await target.evaluate("(one) => one === document.activeElement"):
                break
            await self.page.keyboard.press(key)
        await expect(target).to_be_focused()

    # --- what they hear

    async def levels(self, *frequencies: int) -> list[dict[str, float]] | None:
        found: list[dict[str, float]] | None = await self.page.evaluate(
            "(hz) => window.ears.levels(hz)", list(frequencies)
        )
        return found

    async def hears(self, *frequencies: int, timeout_s: float = WAIT_S) -> None:
        """Each of these tones arrives, within that time. Tones pulse: each needs a moment of its own."""
        missing, last = set(frequencies), None
        deadline = time.monotonic() + timeout_s
        while missing:
            last = await self.levels(*frequencies)
            for hz, one in zip(frequencies, last or [], strict=False):
                if one["level"] > _LOUD_DB and one["above"] > _ABOVE_DB:
                    missing.discard(hz)
            assert time.monotonic() < deadline, f"{self.name} does not hear {sorted(missing)} Hz: {last}"
            await asyncio.sleep(_LOOK_EVERY_S)

    async def hears_not(self, *frequencies: int, for_s: float = 1.2, settle_s: float = 6.0) -> None:
        """None of these arrives any more: nothing of them for a while, which begins before `settle_s` are over. What
        is on its way and in buffers passes sooner; a busy machine's browser holds back as much as some seconds."""
        began = quiet_since = time.monotonic()
        while (now := time.monotonic()) < quiet_since + for_s:
            found = await self.levels(*frequencies)
            loud = [
                hz
                for hz, one in zip(frequencies, found or [], strict=False)
                if one["level"] > _LOUD_DB and one["above"] > _ABOVE_DB
            ]
            if loud:
                assert now < began + settle_s, f"{self.name} hears {loud} Hz: {found}"
                quiet_since = time.monotonic()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def hears_something(self, timeout_s: float = WAIT_S) -> None:
        """Speech or music: anything well above silence between 200 and 2500 Hz."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = await self.levels(*range(200, 2500, 50))
            if found and max(one["level"] for one in found) > _LOUD_DB:
                return
            assert time.monotonic() < deadline, f"{self.name} hears silence"
            await asyncio.sleep(_LOOK_EVERY_S)

    def on(self, page: Page) -> Person:
        """The same person at another tab."""
        return Person(self.url, self.name, self.context, page, self.guard)

    async def stats(self) -> dict[str, Any]:
        """Of the line; the server knows that a leg is up a moment before the page does."""
        deadline = time.monotonic() + WAIT_S
        while True:
            found: dict[str, Any] | None = await self.page.evaluate("() => window.ears.stats()")
            if found is not None:
                return found
            assert time.monotonic() < deadline, f"{self.name} has no line"
            await asyncio.sleep(_LOOK_EVERY_S)

    # --- how the page is

    async def axe(self) -> list[str]:
        """What axe-core finds wrong; empty is well."""
        # by the debugger's own channel, past the page's content security policy
        await self.page.evaluate(AXE.read_text() + ";0")
        found = await self.page.evaluate(
            """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
                (v) => `${v.id} (${v.impact}): ${v.nodes.map((n) => n.target.join(' ')).slice(0, 5).join(' | ')}`)"""
        )
        return list(found)

    async def overflows(self) -> list[str]:
        """What makes the page wider than its window."""
        found = await self.page.evaluate(
            """() => {
                const wide = document.documentElement.clientWidth
                if (document.documentElement.scrollWidth <= wide + 1) return []
                return [...document.body.querySelectorAll('*')]
                    .filter((one) => one.getBoundingClientRect().right > wide + 1)
                    .slice(0, 5).map((one) => `${one.tagName}.${one.className}`)
            }"""
        )
        return list(found)

    async def is_at(self, width: str) -> None:
        wide, high = WIDTHS[width]
        await self.page.set_viewport_size({"width": wide, "height": high})


class Crowd:
    """Makes people, and closes their browsers; at the end the guards speak."""

    def __init__(self, playwright: Playwright, url: str, folder: Path) -> None:
        self._playwright, self._url, self.folder = playwright, url, folder
        self.people: list[Person] = []

    async def person(
        self,
        name: str,
        *,
        hz: int = 620,
        microphone: bool = True,
        theme: str = "light",
        ignored: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> Person:
        """Somebody at a browser of their own, whose microphone says that tone; without `microphone` it is denied."""
        program = chromium()
        assert program is not None
        tone = self.folder / f"tone-{hz}.wav"
        if not tone.exists():
            write_tone(tone, hz)
        permit = ["--use-fake-ui-for-media-stream"] if microphone else []
        browser = await self._playwright.chromium.launch(
            executable_path=program, args=[*_FLAGS, *permit, *flags, f"--use-file-for-fake-audio-capture={tone}"]
        )
        context = await browser.new_context(
            locale="es-EC",
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": 1366, "height": 768},
            permissions=["microphone"] if microphone else [],
            service_workers="block",
        )
        context.set_default_timeout(WAIT_S * 1000)
        await context.add_init_script(path=EARS)
        guard = Guard(allowed=frozenset({urlsplit(self._url).netloc}), ignored=tuple(ignored))
        guard.watch(context)
        person = Person(self._url, name, context, await context.new_page(), guard)
        self.people.append(person)
        return person

    async def leave(self) -> None:
        """Everybody leaves their pages, as by closing the tabs: what a page does then, it does."""
        for person in self.people:
            if person.browser.is_connected():
                for page in person.context.pages:
                    await page.goto("about:blank")

    async def close(self) -> None:
        for person in self.people:
            if person.browser.is_connected():
                await person.browser.close()


@asynccontextmanager
async def crowd(url: str, folder: Path, *, strict: bool = True) -> AsyncIterator[Crowd]:
    """Not `strict`: what the guards found is not asked."""
    # By the Node that makes the pages: Playwright's own needs a library that a small Debian lacks.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str((await find_node()).binary))
    async with async_playwright() as playwright:
        made = Crowd(playwright, url, folder)
        try:
            yield made
        finally:
            await made.close()
        for person in made.people if strict else ():
            person.guard.check()
