"""An agent at a real browser, measured: ready after signing in, heard after accepting."""

from __future__ import annotations

import asyncio
import statistics
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
ENDED_BY_ITSELF = ("409",)  # a wrap-up that did while it was being finished


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
    person = await agents.people.person(AGENT, hz=AGENT_HZ, ignored=ENDED_BY_ITSELF)
    await accept.sharpen(person)
    await person.sign_in()
    found = await accept.accept_to_audio(agents, person, rounds)
    await person.browser.close()
    return {**found, **await accept.rung_to_audio(agents, rounds)}
