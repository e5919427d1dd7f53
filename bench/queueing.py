"""Many wait and many work, on a real switch: from "this agent is free" to the offer on a supervisor's web socket.

    ./rimay bench queueing                       200 agents, 500 callers on hold, about two minutes
    ./rimay bench queueing --agents 20 --waiting 50 --json

sipp is the callers, who hear music and hang up when their patience ends, and the agents' phones: most answer, some
refuse, some are not there. Measured is from the platform's own time of an agent's becoming free (by asking for
`ready`, or by the end of a talk) while somebody waits, to the arrival of the offer's frame on the socket of a process
that does nothing but listen (`_ear.py`); and from the HTTP request for `ready`, sent as a
supervisor, which is written into the audit trail first. What must never be is counted: a contact offered to two at
once, an agent with two contacts, a contact that is not closed in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.place import Place
from app.ports import Ports
from app.provision import find_tool
from bench._ear import listening
from bench._machine import Others, facts
from bench._sides import Platform
from bench._sipp import ALIVE, PHONES, Load, LoadFailed, Sipp

# One of so many agents has a phone that refuses, and one none at all.
EVERY_REFUSES, EVERY_VANISHES = 20, 20
_FILL_PER_S = 25.0
_BACK_IN_LINE = ("rejected", "expired", "failed")
_READY_EVERY_S = 0.1  # agents come one after the other, as at the begin of a shift


_REFUSE = f"""\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="refuse">
  <recv request="OPTIONS" optional="true" next="1"/>
  <recv request="INVITE"/>
  <send retrans="500"><![CDATA[
SIP/2.0 603 Decline
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <recv request="ACK" next="2"/>
{ALIVE}  <label id="2"/>
  <nop/>
</scenario>
"""


@dataclass(slots=True)
class Watch:
    """What a supervisor's page hears. `asked` is when each agent's `ready` was sent, `freed` when the platform says
    that they became free while somebody waited whom nobody was offered; `from_request` and `from_free` are the seconds
    to the offer's frame."""

    asked: dict[str, float] = field(default_factory=dict)
    freed: dict[str, float] = field(default_factory=dict)
    from_request: list[float] = field(default_factory=list)
    from_free: list[float] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    offers: dict[str, str] = field(default_factory=dict)  # open ones: interaction to agent
    talks: dict[str, str] = field(default_factory=dict)  # agent to interaction
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def hear(self, frame: dict[str, Any], now: float) -> None:
        kind, data, call = frame["type"], frame.get("data", {}), frame.get("id", "")
        if frame["topic"] == "agents" and kind == "agent_state" and data["state"] == "ready":
            self.freed.pop(call, None)
            if self.waiting:
                self.freed[call] = datetime.fromisoformat(frame["at"]).timestamp()
            else:
                self.counts["free_and_nobody_waits"] += 1
        if frame["topic"] != "interactions":
            return
        agent = data.get("agent", "")
        if kind == "queued" or (kind == "offer_ended" and data["how"] in _BACK_IN_LINE):
            self.waiting.add(call)
        elif kind in ("offered", "dequeued", "ended"):
            self.waiting.discard(call)
        if kind == "offered":
            self._offered(call, agent, now)
        elif kind == "offer_ended":
            self.counts[f"offers_{data['how']}"] += 1
            self.offers.pop(call, None)
        elif kind == "connected":
            if agent in self.talks:
                self.wrong.append(f"{agent} has two contacts")
            self.talks[agent] = call
        elif kind == "disconnected":
            self.talks.pop(agent, None)
        elif kind in ("started", "ended", "closed"):
            self.counts[kind] += 1

    def _offered(self, call: str, agent: str, now: float) -> None:
        self.counts["offers"] += 1
        if call in self.offers:
            self.wrong.append(f"{call} offered twice at once")
        if agent in self.offers.values():
            self.wrong.append(f"{agent} has two offers")
        self.offers[call] = agent
        if (at := self.asked.pop(agent, None)) is not None:
            self.from_request.append(now - at)
        if (at := self.freed.pop(agent, None)) is not None:
            self.from_free.append(now - at)


def _p(values: list[float], q: float) -> float | None:
    """Milliseconds."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, math.ceil(q * len(values)) - 1)] * 1e3


class Phones(Sipp):
    """Callers who only wait, and phones that refuse, beside those that answer."""

    def __init__(self, binary: Path, folder: Path, *, caller_port: int, phone_port: int, media_ports: int) -> None:
        super().__init__(binary, folder, caller_port=caller_port, phone_port=phone_port, media_ports=media_ports)
        caller = (folder / "caller.xml").read_text()
        begin, end = caller.index("  <nop><action><exec rtp_stream"), caller.index("  <pause/>")
        # Music comes; nothing need be said, and one port hears it all.
        quiet = (caller[:begin] + caller[end:]).replace("[rtpstream_audio_port]", "[media_port]")
        (folder / "caller.xml").write_text(quiet)
        (folder / "refuse.xml").write_text(_REFUSE)

    @asynccontextmanager
    async def refusing(self, switch: int, port: int, accounts: dict[str, str]) -> AsyncIterator[None]:
        mine, self.phone_port = self.phone_port, port
        self.register(switch, accounts)
        self.phone_port = mine
        process = subprocess.Popen(
            self._arguments("refuse", PHONES, port),
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
            if process.poll() is not None:
                raise LoadFailed(f"the phones that refuse ended: {self._errors('refuse')}")
        finally:
            process.kill()
            process.wait()


async def _waiting(api: aiohttp.ClientSession) -> int:
    async with api.get("/api/v1/queues/bench") as reply:
        return int((await reply.json())["waiting"])


async def _shift_begins(api: aiohttp.ClientSession, agents: list[str], watch: Watch) -> None:
    """One agent after the other asks for `ready`; who is put out again is not asked a second time."""
    asked = []
    for agent in agents:
        watch.asked[agent] = time.time()
        asked.append(asyncio.create_task(_ready(api, agent, watch)))
        await asyncio.sleep(_READY_EVERY_S)
    await asyncio.gather(*asked)


async def _ready(api: aiohttp.ClientSession, agent: str, watch: Watch) -> None:
    async with api.put(f"/api/v1/agents/{agent}/state", json={"state": "ready"}) as reply:
        if reply.status >= 300:
            watch.counts[f"requests_{reply.status}"] += 1


async def run(
    platform: Platform, phones: Phones, folder: Path, *, waiting: int, talk_s: float
) -> tuple[Watch, dict[str, Any]]:
    watch, others = Watch(), Others()
    agents = list(platform.accounts)
    fill_s = waiting / _FILL_PER_S
    patience_s = fill_s + len(agents) * _READY_EVERY_S + talk_s
    before = platform.cost()
    async with (
        platform.api() as api,
        listening(f"{platform.url}/api/v1/live?topics=interactions,agents", platform.token, folder / "heard") as ear,
    ):
        for agent in agents:
            async with api.post(f"/api/v1/agents/{agent}/sign-in") as reply:
                reply.raise_for_status()
        load = Load(name="11", calls=waiting, rate=_FILL_PER_S, hold_s=patience_s, port=platform.sip_port)
        callers = asyncio.create_task(phones.run(load))
        end = time.monotonic() + fill_s + 30
        most = 0
        while most < waiting and time.monotonic() < end:
            most = max(most, await _waiting(api))
            await asyncio.sleep(0.2)
        await _shift_begins(api, agents, watch)
        outcome = await callers
        if not await platform.quiet(60.0):
            watch.wrong.append(f"{await platform.active()} contacts are not closed")
    for at, frame in ear.heard():
        watch.hear(frame, at)
    cost = platform.cost().since(before)
    figures = {
        "agents": len(agents),
        "waiting_most": most,
        "calls": outcome.calls,
        "free_to_offer_p50_ms": _p(watch.from_free, 0.5),
        "free_to_offer_p99_ms": _p(watch.from_free, 0.99),
        "free_to_offer_n": len(watch.from_free),
        "request_to_offer_p50_ms": _p(watch.from_request, 0.5),
        "request_to_offer_p99_ms": _p(watch.from_request, 0.99),
        **dict(watch.counts),
        "python_cpu_ms_per_call": cost.python / outcome.calls,
        "switch_cpu_ms_per_call": cost.switch / outcome.calls,
        "wrong": watch.wrong[:5],
        "wrong_count": len(watch.wrong),
        "other_load_cores": round(others.cores(), 2),
    }
    return watch, figures


async def bench(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    ports = Ports(Place.open(folder / "ports", quiet=True))
    caller, phone, refusing = (ports.choose(name) for name in ("callers", "phones", "refusing"))
    media = ports.choose("media", count=16)
    platform = Platform(
        folder,
        "asterisk",
        phone_port=phone,
        caller_port=caller,
        agents=args.agents,
        rtp=2 * (args.waiting + args.agents) + 200,
    )
    if args.rtp_from:
        settings = json.loads(platform.config.read_text())
        settings["pbx"]["rtp_from"] = args.rtp_from
        platform.config.write_text(json.dumps(settings))
    async with platform:
        sipp = (await find_tool("sipp")).binary
        phones = Phones(sipp, folder, caller_port=caller, phone_port=phone, media_ports=media)
        accounts = dict(platform.accounts)
        refuse = {name: accounts.pop(name) for name in list(accounts)[::EVERY_REFUSES]}
        for name in list(accounts)[::EVERY_VANISHES]:
            del accounts[name]  # never registered: nobody answers there
        phones.register(platform.sip_port, accounts)
        with phones:
            async with phones.refusing(platform.sip_port, refusing, refuse):
                _, figures = await run(platform, phones, folder, waiting=args.waiting, talk_s=args.talk)
    return figures | {"machine": facts()}


def main() -> None:
    options = argparse.ArgumentParser(prog="bench queueing", description=__doc__)
    options.add_argument("--agents", type=int, default=200)
    options.add_argument("--waiting", type=int, default=500)
    options.add_argument("--talk", type=float, default=20.0, help="seconds from the last agent to the first BYE")
    options.add_argument("--rtp-from", type=int, default=0, help="where so many free ports in a row are hard to find")
    options.add_argument("--json", action="store_true")
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="rimay-queueing-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        figures = asyncio.run(bench(args, folder))
    if args.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:<28}{value:.1f}" if isinstance(value, float) else f"{key:<28}{value}")
    if figures["wrong_count"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
