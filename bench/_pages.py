"""An agent at a real browser, measured: ready after signing in, heard after accepting, and eight hours of contacts."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench import _accept as accept
from bench._accept import write_turns
from tests.support.browser import PASSWORD, Crowd, crowd
from tests.support.browser_desk import AgentDesk
from tests.support.platform import PlatformProcess, rimay
from tests.support.stage import Stage, on_stage

# Without a desk phone: her phone is in the page.
AGENT = "eva"
AGENT_HZ = 620
_SETTLED_CONTACTS = 8  # after these, what a page keeps for ever is there
_DAY_S = 8 * 3600
_STEP_S = 10
_ENDED_BY_ITSELF = ("409",)  # a wrap-up that did while it was being finished


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


async def accept_to_audio(agents: Agents, rounds: int) -> dict[str, Any]:
    """In the page with its open leg; and, in the same run, with a phone that is rung for every call."""
    write_turns(agents.people.folder / f"tone-{AGENT_HZ}.wav")
    person = await agents.people.person(AGENT, hz=AGENT_HZ, ignored=_ENDED_BY_ITSELF)
    await accept.sharpen(person)
    await person.sign_in()
    found = await accept.accept_to_audio(agents, person, rounds)
    await person.browser.close()
    return {**found, **await accept.rung_to_audio(agents, rounds)}


async def memory(agents: Agents, contacts: int) -> dict[str, Any]:
    """The page's script heap, its garbage collected, through eight hours' contacts.

    The contacts are real (a call by SIP, accepted, heard, hung up, wrapped up); between them the page's clock is run
    on, every timer of it fired in its turn, so that at the last contact the page has lived a working day. Looked at
    after the first contacts and then after each eighth of the day, with the documents, nodes and listeners there."""
    person = await agents.people.person(AGENT, hz=AGENT_HZ, ignored=_ENDED_BY_ITSELF)
    await person.page.clock.install()
    await person.sign_in()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    await desk.become_ready()
    debugger = await person.context.new_cdp_session(person.page)

    async def look() -> dict[str, float]:
        await debugger.send("HeapProfiler.collectGarbage")
        heap = float((await debugger.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6
        counted = await debugger.send("Memory.getDOMCounters")
        return {"heap_mb": round(heap, 2), "nodes": counted["nodes"], "listeners": counted["jsEventListeners"]}

    looks: list[dict[str, float]] = []
    looked_at = {_SETTLED_CONTACTS + round(part * (contacts - _SETTLED_CONTACTS) / 8) for part in range(9)}
    for number in range(1, contacts + 1):
        try:
            await _contact(agents, desk)
        except Exception:
            print(f"contact {number}:", await person.page.locator("body").inner_text(), file=sys.stderr)
            raise
        # in steps: between them what the network brings is taken in, as it is in a day of real time
        for _ in range(_DAY_S // contacts // _STEP_S):
            await person.page.clock.run_for(_STEP_S * 1000)
        if number in looked_at:
            looks.append({"contacts": number, **await look()})
            print(looks[-1], file=sys.stderr)
    first, last = looks[0], looks[-1]
    return {
        "memory_start_mb": first["heap_mb"],
        "memory_end_mb": last["heap_mb"],
        "memory_growth_mb": round(last["heap_mb"] - first["heap_mb"], 2),
        "memory_contacts": contacts,
        "memory_looks": looks,
    }


async def _contact(agents: Agents, desk: AgentDesk) -> None:
    """One call from its offer to the end of its wrap-up."""
    await desk.phone_is("up")
    await desk.state_is("Disponible")  # again by itself after the last one, and after the phone was joined anew
    citizen = await agents.stage.citizen(port=0)
    await citizen.to_queue()
    await desk.take()
    await citizen.fact("recording_started")
    await citizen.call.hangup()
    await citizen.fact("ended")
    await desk.finish()
