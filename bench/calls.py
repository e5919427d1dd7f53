"""What control costs: calls through the whole platform beside calls through its switch alone, on this machine, in turn.

    ./rimay bench calls                       about six minutes; figures as a table
    ./rimay bench calls --seconds 2 --size small --json
    ./rimay bench calls --write-docs          and into docs/performance.md

sipp is caller and agents' phones, with real audio both ways. Every call has two legs and is recorded on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.ports import Ports
from app.provision import find_tool
from bench._machine import Others, facts
from bench._recordings import look_at
from bench._report import show, write_docs
from bench._sides import Cost, PlainAsterisk, Platform
from bench._sipp import Load, LoadFailed, Outcome, Sipp

ROUNDS = 5
_FEW_ROUNDS = 2  # of a short run, which only shows that all works
_TALK_S = 1.0  # of the calls whose set-up and cost are measured
# New calls a second that are tried, for a size of 100.
_LADDER = (20, 30, 40, 50, 60, 80, 100)
_SETTLE_S = 3.0  # from the last call's set-up to a steady state
_SMALL = 4


@dataclass(slots=True)
class Bench:
    """One run: the two sides, the load, and what was found."""

    platform: Platform
    plain: PlainAsterisk
    sipp: Sipp
    seconds: float
    size: int
    figures: dict[str, Any] = field(default_factory=dict)
    failed: int = 0
    calls: int = 0
    why: list[str] = field(default_factory=list)
    _loads: int = 9

    @property
    def is_small(self) -> bool:
        return self.size <= _SMALL

    def load(self, port: int, rate: float, hold_s: float, calls: int) -> Load:
        self._loads += 1
        return Load(name=f"{self._loads % 90 + 10}{self._loads:03}", calls=calls, rate=rate, hold_s=hold_s, port=port)

    async def through(self, side: Platform | PlainAsterisk, rate: float, hold_s: float, calls: int) -> Outcome:
        if not isinstance(side, Platform):
            return await self.sipp.run(self.load(side.sip_port, rate, hold_s, calls))
        await side.agents_ready()
        before = await side.counters()
        outcome = await self.sipp.run(self.load(side.sip_port, rate, hold_s, calls))
        if not await side.quiet():
            raise LoadFailed("calls stay open on the platform though their callers have gone")
        return _judged(outcome, before, await side.counters())

    def count(self, outcome: Outcome) -> None:
        """A load that must not lose a call."""
        self.calls += outcome.calls
        self.failed += outcome.failed
        if outcome.why:
            self.why.append(outcome.why)

    # --- what control adds to a call, and what a call costs

    async def setup(self) -> None:
        rate = max(2.0, 0.2 * self.size)
        calls = max(2, round(rate * self.seconds))
        found: dict[str, list[float]] = {}
        rounds = _FEW_ROUNDS if self.is_small else ROUNDS
        for number in range(rounds):
            sides = (self.plain, self.platform) if number % 2 else (self.platform, self.plain)
            for side in sides:
                before = side.cost()
                outcome = await self.through(side, rate, _TALK_S, calls)
                cost = side.cost().since(before)
                self.count(outcome)
                name = "" if isinstance(side, Platform) else "plain_"
                for key, value in _round(outcome, cost).items():
                    found.setdefault(name + key, []).append(value)
            say(f"set-up, round {number + 1} of {rounds}: " + _words({k: v[-1] for k, v in found.items()}))
        middle = {key: statistics.median(values) for key, values in found.items()}
        for what in ("setup", "connect"):
            for p in ("p50", "p99"):
                key = f"{what}_{p}_ms"
                differences = [a - b for a, b in zip(found[key], found[f"plain_{key}"], strict=True)]
                self.figures[f"added_{key}"] = statistics.median(differences)
                self.figures[f"added_{key}_rounds"] = differences
                self.figures[key] = middle[key]
                self.figures[f"plain_{key}"] = middle[f"plain_{key}"]
        self.figures |= {
            "setup_rate_per_s": rate,
            "switch_cpu_ms_per_call": middle["switch_ms"],
            "plain_switch_cpu_ms_per_call": middle["plain_switch_ms"],
            "python_cpu_ms_per_call": middle["python_ms"],
            "stores_cpu_ms_per_call": middle["stores_ms"],
        }

    # --- new calls a second

    async def rates(self) -> None:
        for name, side in (("calls_per_s", self.platform), ("calls_per_s_plain", self.plain)):
            held = 0.0
            steps = self.figures[f"{name}_steps"] = []
            for step in _LADDER[2::4] if self.is_small else _LADDER:
                rate = step * self.size / 100
                outcome = await self.through(side, rate, _TALK_S, max(1, round(rate * self.seconds)))
                found = _round(outcome, None)
                steps.append({"rate": rate, "calls": outcome.calls, "failed": outcome.failed, **found})
                say(f"{name}: {rate:g}/s, {outcome.failed} of {outcome.calls} failed, {_words(found)}")
                if outcome.failed:
                    self.figures[f"{name}_stopped_by"] = outcome.why
                    break
                held = rate
            else:
                self.figures[f"{name}_is_top"] = True  # of the ladder: no limit was found
            self.figures[name] = held

    # --- calls at the same time, recorded

    async def held(self) -> None:
        steady = {}
        for name, side in (("", self.platform), ("plain_", self.plain)):
            cost, outcome, files = await self._hold(side, self.size)
            self.count(outcome)
            if files:
                self.failed += len(files)
                self.why.append(f"recordings: {files[0]}")
            steady[name] = cost
            say(f"{name}held {self.size}: {_words(cost)}, {outcome.failed} failed, {len(files)} recordings not right")
        self.figures |= {
            "python_to_switch_cpu": steady[""]["python_cores"] / max(1e-9, steady[""]["switch_cores"]),
            "held_switch_cores": steady[""]["switch_cores"],
            "held_python_cores": steady[""]["python_cores"],
            "held_stores_cores": steady[""]["stores_cores"],
            "plain_held_switch_cores": steady["plain_"]["switch_cores"],
            "held_calls": self.size,
        }
        # Calls come and go: at three minutes each, this many new ones a second.
        new = self.size / 180
        python = steady[""]["python_cores"] + new * self.figures["python_cpu_ms_per_call"] / 1000
        extra = self.figures["switch_cpu_ms_per_call"] - steady[""]["switch_cores"] / self.size * _TALK_S * 1000
        switch = steady[""]["switch_cores"] + new * max(0.0, extra) / 1000
        self.figures["python_to_switch_cpu_3min_calls"] = python / max(1e-9, switch)
        self.figures["recorded_calls_held"] = await self._most()

    async def _most(self) -> int:
        """More and more at once, until one is lost."""
        if self.failed:
            return 0
        held = self.size
        for number in (1.25,) if self.is_small else (1.25, 1.5, 1.75):
            calls = round(self.size * number)
            _, outcome, files = await self._hold(self.platform, calls)
            say(f"held {calls}: {outcome.failed} failed, {len(files)} recordings not right")
            if outcome.failed or files:
                self.figures["recorded_calls_held_stopped_by"] = outcome.why or files[0]
                break
            held = calls
        else:
            self.figures["recorded_calls_held_is_top"] = True
        return held

    async def _hold(self, side: Platform | PlainAsterisk, calls: int) -> tuple[dict[str, float], Outcome, list[str]]:
        """The cost of a steady second with so many calls up; how they ended; which recordings are not right."""
        rate = max(2.0, 0.15 * self.size)
        fill = calls / rate
        hold_s = fill + _SETTLE_S + self.seconds + 1.0
        begun = time.time()
        task = asyncio.create_task(self.through(side, rate, hold_s, calls))
        await asyncio.sleep(fill + _SETTLE_S)
        up = await side.active() if isinstance(side, Platform) else calls
        before, at = side.cost(), time.monotonic()
        await asyncio.sleep(self.seconds)
        cost, passed = side.cost().since(before), time.monotonic() - at
        up = min(up, await side.active() if isinstance(side, Platform) else calls)
        outcome = await task
        per_s = 1 / (passed * 1000)
        cores = {
            "switch_cores": cost.switch * per_s,
            "python_cores": cost.python * per_s,
            "stores_cores": cost.stores * per_s,
        }
        files: list[str] = []
        if isinstance(side, Platform):
            files = await asyncio.to_thread(look_at, side.recordings, since=begun, calls=calls, seconds=hold_s)
            if up != calls:
                files.append(f"only {up} of {calls} calls were up while the cost was read")
        return cores, outcome, files


def _judged(outcome: Outcome, before: Counter[str], after: Counter[str]) -> Outcome:
    """With the platform's own word: a call that it did not complete has failed, whatever sipp saw."""
    ends = {key: after[key] - before[key] for key in after if "calls_closed_total" in key and after[key] > before[key]}
    completed = sum(count for key, count in ends.items() if '"completed"' in key)
    failed = max(outcome.failed, outcome.calls - completed)
    return replace(outcome, failed=failed, why=f"{outcome.why}; the platform tells: {ends}" if failed else "")


def _round(outcome: Outcome, cost: Cost | None) -> dict[str, float]:
    found = {
        "setup_p50_ms": percentile(outcome.setup_ms, 50),
        "setup_p99_ms": percentile(outcome.setup_ms, 99),
        "connect_p50_ms": percentile(outcome.connect_ms, 50),
        "connect_p99_ms": percentile(outcome.connect_ms, 99),
    }
    if cost is not None:
        found |= {
            "switch_ms": cost.switch / outcome.calls,
            "python_ms": cost.python / outcome.calls,
            "stores_ms": cost.stores / outcome.calls,
        }
    return found


def percentile(values: Any, p: float) -> float:
    """By the nearest rank; of no values, none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] if ordered else 0.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _words(found: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.2f}" for key, value in found.items())


async def measure(engine: str, seconds: float, size: int) -> dict[str, Any]:
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="rimay-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers' user must get to its own folders in it
        load_folder = folder / "load"
        load_folder.mkdir()
        place = Ports(_place(folder))
        most = 2 * size
        caller, phone = place.choose("bench-caller"), place.choose("bench-phones")
        media = place.choose("bench-media", count=4 * most)
        sipp = Sipp(
            (await find_tool("sipp")).binary, load_folder, caller_port=caller, phone_port=phone, media_ports=media
        )
        say("starting the platform, and its switch once more, alone")
        async with (
            Platform(
                folder, engine, phone_port=phone, caller_port=caller, agents=2 * size + 20, rtp=max(200, 4 * most)
            ) as platform,
            PlainAsterisk(folder, platform.config, platform.password) as plain,
        ):
            sipp.register(platform.sip_port, platform.accounts)
            with sipp:
                await platform.agents_ready()
                bench = Bench(platform, plain, sipp, seconds, size)
                others = Others()
                await bench.through(platform, 2.0, 0.5, 4)  # nothing is measured cold
                await bench.through(plain, 2.0, 0.5, 4)
                await bench.setup()
                await bench.rates()
                await bench.held()
                bench.figures["others_cores"] = others.cores()
                told = await platform.counters()
                version = plain.version
    return {
        **_rounded(bench.figures),
        "failed": bench.failed,
        "measured_calls": bench.calls,
        "failures": bench.why,
        "platform_counters": dict(told),
        "engine": engine,
        "engine_version": version,
        "seconds": seconds,
        "size": size,
        "machine": machine,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


async def _until_terminated(engine: str, seconds: float, size: int) -> dict[str, Any]:
    """Cancelled by SIGTERM, so that no server of this run outlives it."""
    task = asyncio.ensure_future(measure(engine, seconds, size))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def _place(folder: Path) -> Any:
    from app.place import Place

    return Place.open(folder / "ports", quiet=True)


def _size(text: str) -> int:
    named = {"small": _SMALL, "normal": 100}
    return named[text] if text in named else max(1, int(text))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench calls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (default 10)")
    parser.add_argument("--size", type=_size, default=100, help="calls at the same time; rates follow; or: small")
    parser.add_argument("--engine", choices=["asterisk"], default="asterisk", help="the switch")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--write-docs", action="store_true", help="write the table of docs/performance.md")
    args = parser.parse_args()
    try:
        found = asyncio.run(_until_terminated(args.engine, args.seconds, args.size))
    except asyncio.CancelledError:
        print("bench: terminated; what it had started is stopped", file=sys.stderr)
        return 143
    except LoadFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found) if args.json else show(found))
    if args.write_docs:
        write_docs(found)
    return 0 if found["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
