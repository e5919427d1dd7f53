"""What the pages cost, on this machine: how soon they are ready, how soon what happens is on them, how much they load.

    ./rimay bench pages                       figures as a table
    ./rimay bench pages --json                one object, nothing else
    ./rimay bench pages --only fanout,size    some of them

Beside each stands what it could be at best here: Redis alone told to as many subscribers as there are pages."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.pages_build import build_pages
from bench._fanout import fanout
from bench._joins import joins
from bench._machine import facts
from bench._memory import memory
from bench._pages import Agents, accept_to_audio, ready
from tests.support.browser import PASSWORD, why_no_browser
from tests.support.platform import PlatformProcess, running_platform
from tests.support.scene import AGENTS, make_accounts

# figure, goal, what it is
ROWS: tuple[tuple[str, str, str], ...] = (
    ("accept_to_audio_p50_ms", "", "accepting on the page to audio heard both ways, median"),
    ("accept_to_audio_p99_ms", "<= 150", "the same, 99th percentile (the highest of fewer than 100)"),
    ("accept_steps_ms", "", "medians of each moment after the key"),
    ("ear_floor_p50_ms", "", "measuring: what the page's ear needs on a line of the page to itself, median of 15"),
    ("ear_floor_p99_ms", "", "the same, the highest"),
    (
        "rung_to_audio_p50_ms",
        "",
        "the other way: a phone rung for each call, that answers at once, median",
    ),
    ("rung_to_audio_p99_ms", "", "the same, 99th percentile"),
    ("web_leg_set_up_ms", "", "what a leg in a browser takes to be set up, and would at each call"),
    ("event_fanout_p50_ms", "", "an agent's state to the pages of 200 supervisors, median"),
    ("event_fanout_p99_ms", "<= 100", "the same, 99th percentile"),
    ("event_fanout_first_p50_ms", "", "the first of them has it, median of the events"),
    ("event_fanout_spread_p50_ms", "", "from the first of them to the last, median of the events"),
    ("event_fanout_spread_p99_ms", "", "the same, 99th percentile"),
    ("redis_fanout_p99_ms", "", "Redis alone, as many subscribers, a message as long, 99th percentile"),
    ("ready_s", "<= 2", "signing in to the softphone being registered and its leg up, median of cold loads"),
    ("agent_js_gzip_kb", "<= 150", "script of the agent's page, gzipped, without the SIP library"),
    (
        "memory_middle_mb",
        "",
        "script heap of the agent's page halfway through eight hours' contacts",
    ),
    ("memory_end_mb", "", "the same at the end"),
    ("memory_first_slope_kb", "", "what it grows by with each contact of the first half (least squares)"),
    ("memory_slope_kb", "levels off", "the same of the last half"),
    ("memory_slope_error_kb", "", "the standard error of that"),
    ("memory_objects_first_slope_kb", "no growth", "of that, what the page's programs keep: first half"),
    ("memory_objects_slope_kb", "no growth", "last half"),
    ("memory_objects_slope_error_kb", "", "the standard error of that"),
    ("memory_code_first_slope_kb", "", "of that, compiled code and caches of V8: first half"),
    ("memory_code_slope_kb", "levels off", "last half"),
    ("memory_code_slope_error_kb", "", "the standard error of that"),
    ("memory_nodes_slope_per_100", "no growth", "nodes of the page that a hundred contacts of the last half leave"),
    ("memory_listeners_slope_per_100", "no growth", "its listeners, the same"),
    ("memory_browser_slope_kb", "", "beside the heap, last half: what the browser and its debugger keep"),
)
PARTS = ("size", "fanout", "joins", "ready", "audio", "memory")


def script_kb(built: Path, page: str = "agente.html") -> float:
    """What a browser loads of script to show that page, gzipped; what it loads later is not in it."""
    manifest = json.loads((built / "manifest.json").read_text())
    wanted, chunks = [page], set()
    for key in wanted:
        chunks.add(manifest[key]["file"])
        wanted += [name for name in manifest[key].get("imports", ()) if name not in wanted]
    scripts = [built / name for name in chunks if name.endswith(".js")]
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts) / 1024


async def measure(parts: set[str], process: PlatformProcess, args: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rounds: int = args.rounds
    if "fanout" in parts:
        found |= await fanout(process, pages=args.pages, rounds=rounds * 5)
    browser: dict[str, Callable[[Agents], Awaitable[dict[str, Any]]]] = {
        "ready": lambda agents: ready(agents, max(3, rounds // 4)),
        "audio": lambda agents: accept_to_audio(agents, rounds),
        "memory": lambda agents: memory(agents, contacts=max(8, rounds * 4), compiled=not args.jitless),
    }
    wanted = [name for name in browser if name in parts]
    if wanted and (reason := why_no_browser()):
        return {**found, "skipped": f"{', '.join(wanted)}: {reason}"}
    if "joins" in parts and not why_no_browser():
        await asyncio.to_thread(make_accounts, process, PASSWORD)
        with tempfile.TemporaryDirectory(prefix="rimay-bench-") as folder:
            found |= await joins(process, Path(folder), rounds)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="rimay-bench-") as folder:
            async with Agents.at(process, Path(folder)) as agents:
                found |= await browser[name](agents)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What the pages cost.")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--pages", type=int, default=200, help="connected supervisors' pages")
    parser.add_argument("--rounds", type=int, default=20, help="contacts that are measured")
    parser.add_argument("--jitless", action="store_true", help="memory: V8 compiles nothing, which grows by itself")
    args = parser.parse_args()
    parts = set(args.only.split(","))
    if unknown := parts - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found: dict[str, Any] = {"machine": facts()}
    if "size" in parts or parts - {"fanout"}:
        built = asyncio.run(build_pages(lambda text: print(text, file=sys.stderr)))
        found["agent_js_gzip_kb"] = round(script_kb(built), 1)
    if parts - {"size"}:
        with running_platform(agents=AGENTS, web__live_clients_each=args.pages + 50) as process:
            found |= asyncio.run(measure(parts, process, args))
    if args.json:
        print(json.dumps(found))
        return
    if calls := found.get("accept_rounds_ms"):
        print(f"| call | {' | '.join(calls[0])} |\n|{' ---: |' * (len(calls[0]) + 1)}")
        for number, call in enumerate(calls, 1):
            print(f"| {number} | {' | '.join(str(ms) for ms in call.values())} |")
        print()
    if took := found.pop("joins_ms", None):
        print("| from voice to voice, ms | p50 | highest | times |\n| --- | ---: | ---: | ---: |")
        for what, one in took.items():
            print(f"| {what} | {one['p50']} | {one['highest']} | {one['times']} |")
        print()
    print("| figure | value | goal | what it is |\n| --- | ---: | --- | --- |")
    for key, goal, what in ROWS:
        print(f"| {key} | {found.get(key, '-')} | {goal} | {what} |")


if __name__ == "__main__":
    main()
