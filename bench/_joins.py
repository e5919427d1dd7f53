"""An open leg that goes from one voice to another: how soon the new one is heard, and how long the old one still is. In
turns with and without the page's emptying its buffer, in one run."""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench._accept import sharpen
from tests.support.browser import Person
from tests.support.browser_console import console
from tests.support.browser_desk import AgentDesk
from tests.support.platform import PlatformProcess
from tests.support.scene import BROWSER_HZ, CITIZEN_HZ, DESK_HZ, Scene, on_scene
from tests.support.stage import WAIT_S, Citizen, at, until

_EAR = Path(__file__).with_name("ear.js")
_TONES = [CITIZEN_HZ, DESK_HZ]
_CALLS_A_MINUTE = 3  # of one citizen, by the platform's defaults
_QUIET_MS = 600  # a tone that was not there for so long is over
Took = defaultdict[str, list[float]]


class Leg:
    """The open leg of one page, followed."""

    def __init__(self, person: Person, took: Took) -> None:
        self._person, self._page, self._took = person, person.page, took
        self.way = ""

    async def follow(self, *tones: int) -> None:
        await self._page.evaluate(_EAR.read_text())
        await self._page.evaluate("(tones) => window.benchEar.follow(tones)", list(tones))

    async def renews(self, may: bool) -> None:
        self.way = "with" if may else "without"
        await self._page.evaluate("(may) => window.benchEar.renews(may)", may)

    async def mark(self) -> None:
        await self._page.evaluate("() => window.benchEar.mark()")

    async def _told(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = await self._page.evaluate("() => window.benchEar.followed")
        return told

    async def _pressed(self) -> float:
        at_ms: float = await self._page.evaluate("() => window.benchEar.act.at")
        return at_ms

    async def hears(self, hz: int, what: str, since: float | None = None) -> None:
        """How long after the key, or after that fact (unix seconds), the tone came that was not there."""
        js = "(hz) => window.benchEar.followed.some((one) => one.hz === hz && one.on)"
        await self._page.wait_for_function(js, arg=hz, timeout=WAIT_S * 1000)
        came = next(one["at"] for one in await self._told() if one["hz"] == hz and one["on"])
        began = await self._pressed() if since is None else since * 1000
        self._note(f"{what}: heard", came - began)

    async def loses(self, hz: int, what: str) -> None:
        """How long after the key the tone went that was there."""
        js = """([hz, quiet]) => {
            const last = window.benchEar.followed.findLast((one) => one.hz === hz)
            return last && !last.on && Date.now() - last.at > quiet
        }"""
        await self._page.wait_for_function(js, arg=[hz, _QUIET_MS], timeout=WAIT_S * 1000)
        went = [one["at"] for one in await self._told() if one["hz"] == hz and not one["on"]][-1]
        self._note(f"{what}: gone", went - await self._pressed())

    def _note(self, what: str, ms: float) -> None:
        self._took[f"{what}, {self.way}"].append(ms)


async def _agent(scene: Scene, rounds: int, took: Took) -> None:
    """Hold and back, a colleague asked, to and fro between them and the citizen, all three, one on hold."""
    await scene.colleague("luis")
    person = await scene.people.person("eva", hz=BROWSER_HZ["eva"], ignored=("409", "404"))
    await sharpen(person)
    await person.sign_in()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    leg = Leg(person, took)
    await leg.follow(*_TONES)
    for number in range(rounds):
        await desk.become_ready()
        await leg.renews(number % 2 == 0)
        citizen = await scene.talk(desk)
        await _held(desk, leg, "hold")
        await _asked(scene, desk, leg, citizen)
        for hz, lost in ((CITIZEN_HZ, DESK_HZ), (DESK_HZ, CITIZEN_HZ)):
            await leg.mark()
            await desk.key("w")
            await leg.hears(hz, "swap")
            await leg.loses(lost, "swap")
        await leg.mark()
        await desk.key("c")
        await leg.hears(CITIZEN_HZ, "conference")
        await _held(desk, leg, "hold in a conference")
        await citizen.call.hangup()
        for call in tuple(scene.stage.phones["luis"].calls.values()):
            await call.hangup()
        await citizen.fact("ended")
        await scene.api.order("POST", "/agents/luis/sign-out")
        await scene.api.agent_becomes("luis", "signed_out")
        await desk.finish()


async def _held(desk: AgentDesk, leg: Leg, what: str) -> None:
    await leg.mark()
    await desk.key("h")
    await leg.loses(CITIZEN_HZ, what)
    await leg.mark()
    await desk.key("h")
    await leg.hears(CITIZEN_HZ, f"back from {what}")


async def _asked(scene: Scene, desk: AgentDesk, leg: Leg, citizen: Citizen) -> None:
    await scene.api.ready("luis")
    await leg.mark()
    await desk.transfer("Luis", blind=False)
    await scene.stage.phones["luis"].next_call(WAIT_S)
    await leg.hears(DESK_HZ, "a colleague answers", at(await citizen.fact("consult_answered")))


async def _supervisor(scene: Scene, rounds: int, took: Took) -> None:
    """Listens, stops, and takes over."""
    await scene.colleague("luis")
    sofia = None
    for number in range(rounds):
        await scene.api.ready("luis")
        citizen = await scene.stage.citizen(port=0)
        await citizen.to_queue()
        await scene.stage.phones["luis"].next_call(WAIT_S)
        await citizen.fact("connected")
        first = sofia is None
        if sofia is None:
            sofia = await _console(scene)
            leg = Leg(sofia.person, took)
        await sofia.choose_call()
        if first:  # the leg is set up with the first call that is listened to
            await sofia.press("Escuchar")
            await sofia.person.hears(CITIZEN_HZ)
            await sofia.press("Dejar de escuchar")
            await leg.follow(*_TONES)
        await leg.renews(number % 2 == 0)
        await leg.mark()
        await sofia.press("Escuchar")
        await leg.hears(CITIZEN_HZ, "listening")
        await sofia.told("Usted escucha a los dos. Nadie le escucha.")
        await leg.mark()
        await sofia.press("Dejar de escuchar")
        await leg.loses(CITIZEN_HZ, "listening")
        await leg.mark()
        await sofia.press("Tomar la llamada")
        await leg.hears(CITIZEN_HZ, "taking over")
        await sofia.told("Usted atiende esta llamada.")
        await citizen.call.hangup()
        await citizen.fact("ended")
        await scene.api.order("POST", "/agents/luis/sign-out")
        await scene.api.agent_becomes("luis", "signed_out")
        await citizen.fact("closed")
        await sofia.call.wait_for(state="detached")


async def _citizen(scene: Scene, rounds: int, took: Took) -> None:
    """The web phone: from the queue's music to the agent. Its page is told of nothing, and empties nothing."""
    await scene.colleague("luis")
    person = await scene.people.person("rosa", hz=BROWSER_HZ["citizen"])
    await sharpen(person)
    leg = Leg(person, took)
    leg.way = "without"
    for _ in range(min(rounds, _CALLS_A_MINUTE)):
        await person.open("/llamar")
        await person.page.click("button.big")
        await person.page.wait_for_selector(".clock")
        await leg.follow(DESK_HZ)
        await person.page.click(".keys button:text-is('1')")
        await person.hears_something()
        await scene.api.ready("luis")
        await scene.stage.phones["luis"].next_call(WAIT_S)
        await leg.hears(DESK_HZ, "web phone: an agent", await _connected(scene))
        await person.page.click("button.big")
        await person.page.wait_for_selector(".clock", state="detached")
        await scene.stage.api.no_channel_left()
        await scene.api.order("POST", "/agents/luis/sign-out")
        await scene.api.agent_becomes("luis", "signed_out")


async def _connected(scene: Scene) -> float:
    """When the newest call was."""

    async def look() -> float | None:
        newest = (await scene.api.get("/interactions"))["items"][0]
        return next((at(one) for one in await scene.api.events(newest["id"]) if one["type"] == "connected"), None)

    found: float = await until(look, "the citizen is connected")
    return found


async def _console(scene: Scene) -> Any:
    made = await console(scene)
    await sharpen(made.person)
    await made.page.reload()
    return made


async def joins(process: PlatformProcess, folder: Path, rounds: int) -> dict[str, Any]:
    took: Took = defaultdict(list)
    for part in (_agent, _supervisor, _citizen):
        async with on_scene(process, folder) as scene:
            await part(scene, rounds, took)
            await scene.people.leave()
            await asyncio.gather(*(one.browser.close() for one in scene.people.people))
    return {"joins_ms": {what: _figures(ms) for what, ms in sorted(took.items())}}


def _figures(ms: list[float]) -> dict[str, Any]:
    return {"p50": round(statistics.median(ms), 1), "highest": round(max(ms), 1), "times": len(ms)}
