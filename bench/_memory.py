"""The memory of an agent's page through eight hours' contacts: how much, of what, and whether it still grows."""

from __future__ import annotations

import asyncio
import math
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from playwright.async_api import CDPSession

from bench._heap import KINDS, kinds
from bench._pages import AGENT, AGENT_HZ, ENDED_BY_ITSELF, Agents
from tests.support.browser_desk import AgentDesk
from tests.support.stage import Citizen

_DAY_S = 8 * 3600
_STEP_S = 10
_COLLECTIONS = 3  # what one lets go may hold what the next can take
_CALLS = 3
_SNAPSHOTS = 8  # of a day, at equal distances: the last four tell of its last half


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """By least squares: how much `y` grows with each `x`, and the standard error of that. Three points at the least."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    grows, starts = statistics.linear_regression(xs, ys)
    middle = statistics.fmean(xs)
    left = sum((y - starts - grows * x) ** 2 for x, y in points)
    return grows, math.sqrt(left / (len(points) - 2) / sum((x - middle) ** 2 for x in xs))


def by_halves(points: Sequence[tuple[float, float]]) -> dict[str, float]:
    """What grows in the first half of the points and in the last: where that levels off, the last is the smaller."""
    half = len(points) // 2
    first, last = slope(points[: half + 1]), slope(points[half:])
    told = {"first_slope": first[0], "first_slope_error": first[1], "slope": last[0], "slope_error": last[1]}
    return {name: round(value, 2) for name, value in told.items()}


async def memory(agents: Agents, contacts: int, *, compiled: bool = True) -> dict[str, Any]:
    """The page's script heap, its garbage collected, through eight hours' contacts.

    The contacts are real (a call by SIP, accepted, heard, hung up, wrapped up); between them the page's clock is run
    on, every timer of it fired in its turn, so that at the last contact the page has lived a working day. Looked at
    after each contact; what is there is told apart by snapshots through the day. Growth is told of the day's first half
    and of its last, for V8 compiles the longer the more, until all that is hot is compiled. Not `compiled`: V8
    interprets only, so that no machine code comes into the heap as functions grow hot."""
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
    looked_into = {round(contacts * part / _SNAPSHOTS) for part in range(1, _SNAPSHOTS + 1)}
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
        if number in looked_into:
            of_kinds.append({"contacts": number, **await _snapshot(debugger)})
            print(of_kinds[-1], file=sys.stderr)
    legs = await person.page.evaluate("() => window.ears.setUps().length")
    return {
        "memory_middle_mb": looks[contacts // 2]["heap_mb"],
        "memory_end_mb": looks[-1]["heap_mb"],
        **reckoned(looks, of_kinds),
        "memory_contacts": contacts,
        "memory_legs": legs,
        "memory_looks": looks,
        "memory_snapshots": of_kinds,
    }


def reckoned(looks: Sequence[dict[str, float]], of_kinds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Growth by halves: KB a contact of the heap and of each kind in it, nodes and listeners a hundred contacts."""
    found = {}
    for name, values in (("", looks), *((f"{kind}_", of_kinds) for kind in KINDS)):
        key, each = (f"{name[:-1]}", 1 / 1000) if name else ("heap_mb", 1000)
        halves = by_halves([(value["contacts"], value[key] * each) for value in values])
        found |= {f"memory_{name}{told}_kb": value for told, value in halves.items()}
    for counted in ("nodes", "listeners"):
        halves = by_halves([(look["contacts"], look[counted] * 100) for look in looks])
        found |= {f"memory_{counted}_{told}_per_100": value for told, value in halves.items()}
    return found


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
    citizen = await _caller(agents)
    await desk.take()
    await citizen.fact("recording_started")
    await citizen.call.hangup()
    await citizen.fact("ended")
    await desk.finish()


async def _caller(agents: Agents) -> Citizen:
    """In the queue. Of some hundred calls one loses its key, pressed right after the answer: that one calls again."""
    for _ in range(_CALLS):
        citizen = await agents.stage.citizen(port=0)
        try:
            await citizen.to_queue()
        except AssertionError as error:
            print("calls again:", error, file=sys.stderr)
            await citizen.call.hangup()
        else:
            return citizen
    raise AssertionError(f"of {_CALLS} calls none came to the queue")
