"""How fast flows are: the engine's step, ten thousand calls at once, loading, a key to the next prompt on real calls.

    rimay bench ivr [--json] [--calls 30] [--no-calls]

Goals: a step in 50 us (median), 10,000 calls in flow in 200 MB, 100 flows of 50 nodes loaded in 1 s, a key to the first
audio of the next prompt in 150 ms (99 of 100) with 30 callers at the same time.

Beside it in the same run, on the same Asterisk, with the same callers: the same menus as a plain dialplan
(`Background`, `WaitExten`; nothing outside of the switch is asked), and the same menus by the method of jambonz, a web
hook that is asked for each turn, carried out by our daemon. jambonz itself is not run here.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._ivr_rivals import DIALPLAN_NUMBER, WebHook, add_dialplan, webhook_flow
from ivr_flows import engine
from ivr_flows.book import SHIPPED
from ivr_flows.checking import load_all
from ivr_flows.flow import Flow
from ivr_flows.loader import load
from ivr_flows.protocol import (
    Answer,
    Answered,
    Begin,
    Collect,
    Collected,
    CollectEnd,
    Enqueue,
    Input,
    Play,
    Played,
    QueueExit,
    QueueLeft,
    Record,
    Recorded,
    Request,
    Response,
)
from ivr_flows.state import FlowState
from pbx.terms import ToneSound

GOALS = {"step_us_median": 50.0, "mb_10000_calls": 200.0, "load_100_flows_s": 1.0, "dtmf_to_audio_p99_ms": 150.0}
START = 1_772_463_600.0
NUMBER = "072831900"
FIRST_HZ, NEXT_HZ = 450, 800
TONE_MS = 10_000
FRAME_S = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--calls", type=int, default=30, help="callers at the same time")
    parser.add_argument("--rounds", type=int, default=6, help="keys that each caller presses")
    parser.add_argument("--no-calls", action="store_true", help="leave the real calls out")
    args = parser.parse_args()
    flows = load_all([SHIPPED])
    found: dict[str, Any] = {**steps(flows), **memory(flows), **loading()}
    if not args.no_calls:
        found |= asyncio.run(real_calls(args.calls, args.rounds))
    found["load_average"] = round(os.getloadavg()[0], 2)
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            goal = f"   (goal {GOALS[name]:g})" if name in GOALS else ""
            print(f"{name:<34}{value}{goal}")
    return 0 if all(found.get(name) is None or found[name] <= goal for name, goal in GOALS.items()) else 1


# --- the engine --------------------


def steps(flows: dict[str, Flow], calls: int = 400) -> dict[str, float]:
    """Whole calls through the customer's flows, each step measured by itself."""
    took: list[float] = []
    for seed in range(calls):
        luck = random.Random(seed)
        state = engine.begin(flows["principal"])
        heard: Input = Begin({"from": "0991234567", "to": "072831900", "trunk": "etapa"})
        at = START
        while True:
            flow = flows[state.flow]
            began = time.perf_counter()
            state, _actions = engine.step(flow, state, heard, at=at, find=lambda name, _v: flows.get(name))
            took.append(time.perf_counter() - began)
            if state.is_over or state.waiting is None or state.steps > 150:
                break
            heard, at = answer(state, luck), at + 2
    took = [t * 1e6 for t in took[calls:]]
    return {
        "step_us_median": round(statistics.median(took), 1),
        "step_us_p99": round(sorted(took)[int(len(took) * 0.99)], 1),
        "steps": len(took),
    }


def answer(state: FlowState, luck: random.Random) -> Input:
    match state.waiting:
        case Answer():
            return Answered()
        case Play():
            return Played()
        case Collect() as asked:
            return Collected(luck.choice(["", "1", "2", "3", "4", "5"])[: asked.max_digits], CollectEnd.COMPLETE)
        case Enqueue():
            return QueueLeft(luck.choice([QueueExit.TALKED, QueueExit.TIMEOUT]))
        case Request():
            return Response(200, {"saldo": 12.5, "mes": "marzo", "vence": "2026-03-16", "contrato": "1", "cortes": []})
        case Record():
            return Recorded("r", 9.0)
        case _:
            return Played()


def memory(flows: dict[str, Flow], calls: int = 10_000) -> dict[str, float]:
    """What ten thousand callers in the main menu cost, as the daemon keeps them: the flow's state as plain data."""
    gc.collect()
    before = resident_mb()
    kept: list[dict[str, Any]] = []
    for number in range(calls):
        state, _ = engine.step(flows["principal"], engine.begin(flows["principal"]), Begin({"from": f"09{number:08d}"}))
        for heard in (Answered(), Collected("", CollectEnd.TIMEOUT), Response(404)):
            state, _ = engine.step(flows["principal"], state, heard, at=START)
        kept.append(state.to_json())
    gc.collect()
    assert len(kept) == calls
    return {"mb_10000_calls": round(resident_mb() - before, 1)}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def loading(flows: int = 100) -> dict[str, float]:
    texts = [flow_text(number) for number in range(flows)]
    load(texts[0])  # what is compiled once, in the life of a process, is no part of it
    began = time.perf_counter()
    for text in texts[1:]:
        assert load(text).flow is not None
    return {"load_100_flows_s": round((time.perf_counter() - began) * flows / (flows - 1), 3)}


def flow_text(number: int, nodes: int = 50) -> str:
    """A flow like those that admins write: menus, prompts with values, requests, conditions."""
    return "\n".join([*_head(number), *(line for i in range(nodes - 2) for line in _node(number, i, nodes - 2)), _END])


_END = "  cola: {kind: queue, name: q, then: {talked: fin, timeout: fin}}\n  fin: {kind: hangup}\n"


def _head(number: int) -> Iterator[str]:
    yield from (f"id: flujo{number}", "entry: n0", "person: {digit: '0', to: cola}", "on_error: cola")
    yield from ("variables: {saldo: number, nombre: text, contrato: text}", "nodes:")


def _node(number: int, i: int, count: int) -> list[str]:
    after = f"n{(i + 1) % count}"
    text = f"Para la opción {i} del flujo {number}, marque uno."
    money = f"Hola, {{{{ nombre }}}}, su saldo {number} {i} es {{{{ saldo | money }}}}."
    return [
        [
            f"  n{i}:",
            "    kind: menu",
            f"    prompts: {{file: menu/{i}, text: '{text}'}}",
            f"    options: {{'1': {{to: {after}, name: Uno}}, '2': cola}}",
        ],
        [f"  n{i}:", "    kind: play", f"    prompts: '{money}'", f"    next: {after}"],
        [f"  n{i}: {{kind: collect, as: contract, prompts: Digite su contrato., into: contrato, next: {after}}}"],
        [f"  n{i}: {{kind: condition, if: saldo > {i}, then: {after}, else: cola}}"],
        [
            f"  n{i}:",
            "    kind: http",
            f"    request: {{system: clientes, url: '/v1/c/{{{{ contrato }}}}?n={i}'}}",
            f"    take: {{saldo: saldo}}\n    next: {after}\n    fallback: cola",
        ],
        [f"  n{i}: {{kind: set, values: {{nombre: Ana {i}}}, next: {after}}}"],
    ][i % 6]


# --- real calls --------------------


async def real_calls(callers: int, rounds: int) -> dict[str, Any]:
    """A key to the first audio of the prompt that follows it, over SIP and RTP, through a switch and the daemon."""
    from tests.support.engines import Engine, why_absent

    name = next((name for name in ("asterisk", "freeswitch") if not why_absent(name)), None)
    if name is None:
        return {"dtmf_to_audio_p99_ms": None, "engine": "none was found", "beside": "none was run"}
    server = Engine(name)
    tones = [NEXT_HZ if i % 2 else FIRST_HZ for i in range(rounds + 1)]
    try:
        if name == "asterisk":
            sounds = server.sounds()
            add_dialplan(server, [await sounds.resolve(ToneSound(hz, TONE_MS)) for hz in tones])
        await asyncio.to_thread(server.start)
        found: dict[str, Any] = {"callers": callers, "engine": name, "beside": "dialplan, web hook"}
        found |= _figures("", await _pressing(server, callers, rounds, _two_tones(rounds), NUMBER))
        async with WebHook() as hook:
            took = await _pressing(server, callers, rounds, webhook_flow(tones), NUMBER, hook.url)
            found |= _figures("webhook_", took)
        if name == "asterisk":
            found |= _figures("dialplan_", await _pressing(server, callers, rounds, "", DIALPLAN_NUMBER))
        for rival in ("webhook", "dialplan"):
            if f"{rival}_dtmf_to_audio_median_ms" in found:
                ratio = found["dtmf_to_audio_median_ms"] / found[f"{rival}_dtmf_to_audio_median_ms"]
                found[f"ratio_to_{rival}"] = round(ratio, 2)
        return found
    finally:
        await asyncio.to_thread(server.close)


def _figures(side: str, took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {
        f"{side}dtmf_to_audio_p99_ms": round(ordered[math.ceil(len(ordered) * 0.99) - 1] * 1000, 1),
        f"{side}dtmf_to_audio_median_ms": round(statistics.median(ordered) * 1000, 1),
        f"{side}keys": len(ordered),
    }


async def _pressing(server: Any, callers: int, rounds: int, flow: str, number: str, hook: str = "") -> list[float]:
    """Without a flow no daemon runs: the switch answers by itself."""
    from contextlib import AsyncExitStack

    from app.customer_systems import HttpSystems
    from callcontrol.daemon import Daemon
    from callcontrol.directory import ConfiguredAgents
    from callcontrol.flows import BookFlows
    from callcontrol.journal import MemoryJournal
    from callcontrol.settings import CustomerSystemSettings
    from foundation.clock import SystemClock
    from foundation.metrics import Metrics
    from ivr_flows.book import FlowBook
    from ivr_flows.settings import FlowSettings
    from pbx.sip.agent import SipPhone
    from recording.place import RecordingFolder
    from tests.support.daemon import Echo
    from tests.support.lab import CALLER, GATEWAY_HOSTS

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.yaml").write_text(flow or _two_tones(rounds), encoding="utf-8")
        book = FlowBook(FlowSettings(folders=[folder], shipped=False, default="bench"))
        assert not book.refresh().refused
        clock = SystemClock()
        async with AsyncExitStack() as stack:
            ports = {g.name: g.port for trunk in server.settings.trunks for g in trunk.gateways}
            robot = SipPhone(CALLER, host=GATEWAY_HOSTS["gw1"], port=ports["gw1"], tone_hz=None)
            await stack.enter_async_context(robot)
            target = (server.settings.bind, server.ports.sip)
            each = [_one_caller(robot, target, rounds, number, delay=i * 0.1) for i in range(callers)]
            if not flow:
                return [t for found in await asyncio.gather(*each) for t in found]
            switch = await stack.enter_async_context(server.make_switch(server.ports.control, server.ports.manager))
            told = {"systems": [{"name": "gancho", "url": hook}] if hook else []}
            settings = CustomerSystemSettings.model_validate(told)
            systems = await stack.enter_async_context(HttpSystems(settings, clock, Metrics()))
            daemon = Daemon(
                switch=switch,
                journal=MemoryJournal(),
                flows=BookFlows(book),
                agents=ConfiguredAgents([]),
                herald=Echo(),
                recordings=RecordingFolder(Path(folder), min_free_bytes=0),
                rules=[],
                clock=clock,
                metrics=Metrics(),
                systems=systems,
            )
            running = asyncio.create_task(daemon.run(), name="daemon")
            try:
                await asyncio.wait_for(daemon.ready.wait(), 15)
                return [t for found in await asyncio.gather(*each) for t in found]
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


def _two_tones(rounds: int) -> str:
    """Menus that take turns with two tones: each is heard to begin while the other stops."""
    tones = [NEXT_HZ if i % 2 else 450 for i in range(rounds + 1)]
    nodes = [
        f"  n{i}: {{kind: menu, prompts: {{tone: {{hz: {hz}, ms: 10000}}}}, repeats: 5,"
        f" options: {{'1': {f'n{i + 1}' if i < rounds else 'fin'}}}}}"
        for i, hz in enumerate(tones)
    ]
    return "\n".join(["id: bench", "entry: n0", "on_error: fin", "nodes:", *nodes, "  fin: {kind: hangup}", ""])


async def _one_caller(robot: Any, target: Any, rounds: int, number: str, *, delay: float) -> list[float]:
    from pbx.sip import tones
    from pbx.sip.rtp import EVENT_ENDS, GAP_FRAMES

    await asyncio.sleep(delay)
    call = await robot.call(number, target)
    took = []
    assert await call.hears(450, 15.0)
    loud = tones.level(call.heard(last_s=0.2), 450)
    for i in range(rounds):
        await asyncio.sleep(0.4 + 0.6 * random.random())
        hz = 450 if i % 2 else NEXT_HZ
        onset = asyncio.create_task(_onset(call, hz, call.elapsed(), loud))
        await call.send_digits("1")
        # The robot returns after the pause that follows a key; the key is over with its first end packet.
        released = call.elapsed() - (EVENT_ENDS + GAP_FRAMES) * FRAME_S
        took.append(await onset - released)
    await call.hangup()
    return took


async def _onset(call: Any, hz: int, since: float, loud: float) -> float:
    """When the tone had come: at the first look that finds 20 ms of it. A look is taken every 5 ms, which is part of
    what is measured. Where the tone stands in the call's own time says less: a switch may stamp its packets as it
    likes."""
    from pbx.sip import tones

    window = int(0.02 * tones.RATE)
    while True:
        sound = call.heard(since_s=max(since, call.elapsed() - 0.3))
        for start in range(0, len(sound) - window, window // 2):
            if tones.level(sound[start : start + window], hz) >= 0.6 * loud:
                return float(call.elapsed())
        if call.elapsed() - since > 15:
            raise TimeoutError("the next prompt was not heard")
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
