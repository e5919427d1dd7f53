"""An agent at a real browser, measured: ready after signing in, heard after accepting, and eight hours of contacts."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench._fanout import percentiles
from tests.support.browser import PASSWORD, Crowd, Person, crowd
from tests.support.browser_desk import AgentDesk
from tests.support.platform import PlatformProcess, rimay
from tests.support.stage import CALLER_HZ, WAIT_S, Stage, on_stage

# Without a desk phone: her phone is in the page.
AGENT = "eva"
AGENT_HZ = 620
_LOUD_DB = -55
_SETTLED_CONTACTS = 8  # after these, what a page keeps for ever is there
_DAY_S = 8 * 3600


class Agents:
    """A platform with an agent's account, a trunk, and browsers."""

    def __init__(self, process: PlatformProcess, people: Crowd, stage: Stage) -> None:
        self.process, self.people, self.stage = process, people, stage

    @classmethod
    @asynccontextmanager
    async def at(cls, process: PlatformProcess, folder: Path) -> AsyncIterator[Agents]:
        words = ("user", "add", AGENT, "--name", "Eva", "--role", "agent", "--agent", AGENT, "--ask-password")
        # there already when another part was measured before
        await asyncio.to_thread(rimay, *words, var=process.var, config=process.config, said=PASSWORD + "\n")
        async with crowd(process.url, folder) as people, on_stage(process, agents=()) as stage:
            yield cls(process, people, stage)
            await people.close()


async def ready(agents: Agents, rounds: int) -> dict[str, Any]:
    """From Enter in the sign-in form to the open leg being up; each in a new browser, with nothing in its cache."""
    took = []
    for _ in range(rounds):
        person = await agents.people.person(AGENT, hz=AGENT_HZ)
        await person.open("/")
        await person.page.fill("[name=username]", AGENT)
        await person.page.fill("[name=password]", PASSWORD)
        began = time.monotonic()
        await person.page.keyboard.press("Enter")
        await AgentDesk(person).phone_is("up")
        took.append(time.monotonic() - began)
        await person.browser.close()
    return {"ready_s": round(statistics.median(took), 3), "ready_worst_s": round(max(took), 3), "ready_loads": rounds}


# Looked at every 2 ms in the page itself: the moment of the press, and the moment of the first loud sample.
_WATCH = """([hz, loud]) => {
  window.firstHeard = null
  const look = () => {
    const found = window.ears.levels([hz])
    if (found && found[0].level > loud) window.firstHeard = performance.timeOrigin + performance.now()
    else setTimeout(look, 2)
  }
  look()
}"""
_PRESS = """() => {
  document.addEventListener('keydown', () => { window.pressedAt = performance.timeOrigin + performance.now() },
    {once: true, capture: true})
}"""


async def accept_to_audio(agents: Agents, rounds: int) -> dict[str, Any]:
    """From the key that accepts to the later of: the agent hears the citizen, the citizen hears the agent."""
    person = await agents.people.person(AGENT, hz=AGENT_HZ)
    await person.sign_in()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    took = [await _accepted(agents, desk, person) for _ in range(rounds)]
    found: dict[str, Any] = percentiles("accept_to_audio", took)
    return {**found, "accept_to_audio_calls": rounds}


async def _accepted(agents: Agents, desk: AgentDesk, person: Person) -> float:
    await desk.become_ready()
    citizen = await agents.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.offered()
    await person.page.evaluate(_WATCH, [CALLER_HZ, _LOUD_DB])
    await person.page.evaluate(_PRESS)
    hearing = asyncio.create_task(_citizen_hears(citizen.call))
    await desk.accept()
    citizen_at = await hearing
    await person.page.wait_for_function("() => window.firstHeard !== null", timeout=WAIT_S * 1000)
    pressed, agent_at = await person.page.evaluate("() => [window.pressedAt, window.firstHeard]")
    await citizen.call.hangup()
    await citizen.fact("ended")
    await desk.finish()
    return max(float(agent_at), citizen_at * 1000) - float(pressed)


async def _citizen_hears(call: Any) -> float:
    """Unix seconds of the first agent's tone in the citizen's ear. One look takes a window of sound: it errs late."""
    assert await call.hears(AGENT_HZ, WAIT_S)
    return time.time()


async def memory(agents: Agents, contacts: int) -> dict[str, Any]:
    """The page's script heap, its garbage collected: early, and after a day's contacts with its clock run on."""
    person = await agents.people.person(AGENT, hz=AGENT_HZ)
    await person.page.clock.install()
    await person.sign_in()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    debugger = await person.context.new_cdp_session(person.page)

    async def heap_mb() -> float:
        await debugger.send("HeapProfiler.collectGarbage")
        return float((await debugger.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6

    start = 0.0
    for number in range(contacts):
        if number == _SETTLED_CONTACTS:
            start = await heap_mb()
        await _accepted(agents, desk, person)
        await person.page.clock.fast_forward(int(_DAY_S / contacts) * 1000)
    end = await heap_mb()
    return {"memory_start_mb": round(start, 2), "memory_end_mb": round(end, 2), "memory_contacts": contacts}
