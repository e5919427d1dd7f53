"""The memory of an agent's page through eight hours' contacts: how much, of what, and whether it still grows."""

from __future__ import annotations

import asyncio
import math
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from playwright.async_api import CDPSession

from bench._heap import kinds
from bench._pages import AGENT, AGENT_HZ, ENDED_BY_ITSELF, Agents
from tests.support.browser_desk import AgentDesk

_DAY_S = 8 * 3600
_STEP_S = 10
_COLLECTIONS = 3  # what one lets go may hold what the next can take


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """By least squares: how much `y` grows with each `x`, and the standard error of that. Three points at the least."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    grows, starts = statistics.linear_regression(xs, ys)
    middle = statistics.fmean(xs)
    left = sum((y - starts - grows * x) ** 2 for x, y in points)
    return grows, math.sqrt(left / (len(points) - 2) / sum((x - middle) ** 2 for x in xs))


async def memory(agents: Agents, contacts: int, *, compiled: bool = True) -> dict[str, Any]:
    """The page's script heap, its garbage collected, through eight hours' contacts.

    The contacts are real (a call by SIP, accepted, heard, hung up, wrapped up); between them the page's clock is run
    on, every timer of it fired in its turn, so that at the last contact the page has lived a working day. Looked at
    after each contact; what is there is told apart, by a snapshot, in the middle of the day and at its end. Not
    `compiled`: V8 interprets only, so that no machine code comes into the heap as functions grow hot."""
    flags = () if compiled else ("--js-flags=--jitless",)
    person = await agents.people.person(AGENT, hz=AGENT_HZ, ignored=ENDED_BY_ITSELF, flags=flags)
    await person.page.clock.install()
    await person.sign_in()
    desk = AgentDesk(person)
    await desk.phone_is("up")
    await desk.become_ready()
    debugger = await person.context.new_cdp_session(person.page)
    looks: list[dict[str, float]] = []
    of_kinds: list[dict[str, float]] = []
    half = contacts // 2
    for number in range(1, contacts + 1):
        try:
            await _contact(agents, desk)
        except Exception:
            print(f"contact {number}:", await person.page.locator("body").inner_text(), file=sys.stderr)
            raise
        # in steps: between them what the network brings is taken in, as it is in a day of real time
        for _ in range(_DAY_S // contacts // _STEP_S):
            await person.page.clock.run_for(_STEP_S * 1000)
        await desk.phone_is("up")  # not one that is being set up anew, which would count as growth
        looks.append({"contacts": number, **await _look(debugger)})
        print(looks[-1], file=sys.stderr)
        if number in (half, contacts):
            of_kinds.append(await _snapshot(debugger))
    legs = await person.page.evaluate("() => window.ears.setUps().length")
    grows, error = slope([(look["contacts"], look["heap_mb"] * 1000) for look in looks[half:]])
    return {
        "memory_middle_mb": looks[half]["heap_mb"],
        "memory_end_mb": looks[-1]["heap_mb"],
        "memory_slope_kb": round(grows, 2),
        "memory_slope_error_kb": round(error, 2),
        **{
            f"memory_{kind}_slope_kb": round((of_kinds[1][kind] - of_kinds[0][kind]) / 1000 / (contacts - half), 2)
            for kind in of_kinds[0]
        },
        "memory_contacts": contacts,
        "memory_legs": legs,
        "memory_looks": looks,
    }


async def _look(debugger: CDPSession) -> dict[str, float]:
    for _ in range(_COLLECTIONS):
        await debugger.send("HeapProfiler.collectGarbage")
    heap = float((await debugger.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6
    counted = await debugger.send("Memory.getDOMCounters")
    return {"heap_mb": round(heap, 3), "nodes": counted["nodes"], "listeners": counted["jsEventListeners"]}


async def _snapshot(debugger: CDPSession) -> dict[str, float]:
    chunks: list[str] = []

    def take(event: dict[str, Any]) -> None:
        chunks.append(event["chunk"])

    debugger.on("HeapProfiler.addHeapSnapshotChunk", take)
    await debugger.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    debugger.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    return await asyncio.to_thread(kinds, "".join(chunks))


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
