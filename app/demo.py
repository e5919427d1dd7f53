"""`rimay demo`: the whole platform, and a real call through it, verified step by step."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from app.bootstrap import Platform, platform
from app.caller import GATEWAY_HOST, Caller
from app.demo_bot import DemoBot
from app.demo_checks import Check, verify
from app.demo_customer_system import CustomerSystem
from app.demo_people import AGENTS, Login, make_people
from app.place import Place
from app.provision import Progress, find_tool
from app.running import progress as spoken_progress
from app.settings import Settings
from callcontrol.model import AgentId, AgentState, InteractionId
from foundation.access import Role
from foundation.errors import RimayError, Unavailable
from foundation.logs import get_logger
from pbx.sip.agent import SipPhone
from softphone_web.ports import LiveEvent, Topic

log = get_logger(__name__)

CALLER_NUMBER, DIALLED_NUMBER = "0991234567", "072831900"
AGENT, PHONE, KEY = AgentId("ana"), "1001", "1"
# Far apart, no multiples of each other, and not near any DTMF tone.
CALLER_HZ, AGENT_HZ = 440, 620
TALK_S = 4.0
CARDS = "demo-cards"  # the customer's system that knows who calls
BOT, BOT_NUMBER = "demo-bot", "072831901"  # who calls there talks with the bot
STEP_S = 45.0  # no step of a call on a sane machine takes as long
_LOGINS = {
    "agente": (Role.AGENT, AGENT),
    "supervisora": (Role.SUPERVISOR, "supervisora"),
    "administrador": (Role.ADMIN, "admin"),
}


def demo_overrides(place: Place) -> Mapping[str, object]:
    """What of the demo's settings is only known on this machine: ports and passwords."""
    from app.ports import Ports

    port = Ports(place).choose("demo-caller")
    cards, bot = Ports(place).choose(CARDS), Ports(place).choose(BOT)
    place.secrets.get("demo-phone")
    secret = place.secrets.folder / "demo-phone"
    return {
        "pbx.trunks": [
            {
                "name": "etapa",
                "gateways": [{"name": "pasarela", "host": GATEWAY_HOST, "port": port}],
                "codecs": ["pcma", "pcmu"],
                "keepalive_s": 0,
            }
        ],
        # Under a name of its own: what the flows of the demo ask is not there, and they go on without.
        "customer_systems.systems": [{"name": CARDS, "url": f"http://127.0.0.1:{cards}"}],
        "customers.system": CARDS,
        "bots": [{"name": "averias", "url": f"http://127.0.0.1:{bot}/turno"}],
        "ivr_flows.entries": [{"number": BOT_NUMBER, "flow": "asistente"}],
        "pbx.phones": [{"name": PHONE, "password": {"file": str(secret)}}],
        "agents": [
            {"id": str(AGENT), "name": "Ana Cordero", "phone": PHONE, "queues": ["contact-center"]},
            *AGENTS,
        ],
    }


@dataclass(slots=True)
class _Story:
    """What happened to the demo's call, as it happened."""

    show: Callable[[str], None]
    timeline: list[dict[str, object]] = field(default_factory=list)
    interaction: InteractionId | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: set[str] = field(default_factory=set)

    def hear(self, event: LiveEvent) -> None:
        if event.topic is not Topic.INTERACTIONS:
            if event.topic is Topic.ALERTS:
                self.show(f"  alert: {event.type}: {event.data.get('message')}")
            return
        if self.interaction is None and event.type == "started":
            self.interaction = InteractionId(event.key)
        if event.key != self.interaction:
            return
        at = datetime.fromtimestamp(event.at, UTC)
        name = event.type if event.type != "flow_noted" else f"flow_noted:{event.data.get('kind')}"
        self.timeline.append({"at": at.isoformat(timespec="milliseconds"), "event": name})
        self.show(f"  {at:%H:%M:%S.%f}"[:-3] + f"  {_words(event)}")
        self._seen.add(event.type)
        self._news.set()

    async def until(self, *types: str) -> None:
        """Until one of these has happened."""
        try:
            async with asyncio.timeout(STEP_S):
                while not self._seen.intersection(types):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Unavailable(f"the call did not come to {' or '.join(types)} within {STEP_S:g} s") from None


# What a person who follows the story does not need to read again in each line.
_NOT_SHOWN = frozenset(
    {"n", "participant", "why", "expires_at", "skills", "channel", "offer", "recording", "flow", "version", "private"}
)


def _words(event: LiveEvent) -> str:
    facts = dict(event.data)
    facts.pop("board", None)  # the row that supervisors see
    facts |= facts.pop("data", None) or {}  # a flow's note brings its own facts
    shown = {k: v for k, v in facts.items() if k not in _NOT_SHOWN and v not in (None, "", {})}
    return f"{event.type:<20}" + "  ".join(f"{k} {v}" for k, v in shown.items())


async def run_demo(settings: Settings, place: Place, *, stop: asyncio.Event, once: bool, as_json: bool) -> int:
    """0 when every step was verified."""
    say = spoken_progress()
    # With --json, stdout is for the one object; the story goes where progress goes.
    show: Callable[[str], None] = (lambda text: print(text, file=sys.stderr)) if as_json else print
    async with _staged(settings, place, say) as stage:
        story = _Story(show)
        stage.platform.parts.herald.watchers.append(story.hear)
        show("\nA call comes in over the trunk:")
        call = asyncio.ensure_future(_call(stage, story))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({call, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not call.done():
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            return 130
        stopped.cancel()
        report = await _report(stage, story, call.exception())
        if as_json:
            print(json.dumps(report), flush=True)
        else:
            _tell(report)
        if not once and report["ok"]:
            await _stay(stage, stop, show)
        return 0 if report["ok"] else 1


@dataclass(frozen=True, slots=True)
class _Stage:
    platform: Platform
    logins: Sequence[Login]
    caller: Caller
    phone: SipPhone


@asynccontextmanager
async def _staged(settings: Settings, place: Place, say: Progress) -> AsyncIterator[_Stage]:
    """The platform, the agent's phone and the caller, all ready."""
    tool = asyncio.ensure_future(find_tool("baresip", say))
    try:
        async with _theirs(settings), platform(settings, place, say, drain_s=2.0) as running:
            if running.sip_port is None:
                raise Unavailable("the demo needs a switch of its own: take `asterisk` out of the pbx settings")
            caller = Caller(place, await tool, number=CALLER_NUMBER, hz=CALLER_HZ)
            await running.servers.start(caller.spec)
            password = settings.pbx.phones[0].password.get_secret_value()
            async with SipPhone(PHONE, host="127.0.0.1", password=password, tone_hz=AGENT_HZ) as phone:
                phone.auto_answer, phone.answer_after_s = True, 1.0
                status = await phone.register(("127.0.0.1", running.sip_port))
                if status != 200:
                    raise Unavailable(f"the agent's phone could not register: SIP {status}")
                agents = running.parts.agents
                await agents.sign_in(AGENT, by="demo")
                await agents.set_state(AGENT, AgentState.READY, reason=None, by="demo")
                logins = await make_people(running.parts.people)
                say(f"ready: {running.engine}, SIP on 127.0.0.1:{running.sip_port}, {running.url}")
                yield _Stage(running, logins, caller, phone)
                caller.close()
    finally:
        tool.cancel()
        await asyncio.gather(tool, return_exceptions=True)


@asynccontextmanager
async def _theirs(settings: Settings) -> AsyncIterator[None]:
    """The customer's system and the bot of the demo, where the settings say that they are."""
    cards = next((one.url for one in settings.customer_systems.systems if one.name == CARDS), None)
    bot = next((one.url for one in settings.bots if one.name == "averias"), None)
    async with _serving(CustomerSystem().app(), cards), _serving(DemoBot().app(), bot):
        yield


@asynccontextmanager
async def _serving(app: web.Application, url: str | None) -> AsyncIterator[None]:
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        if url is not None:
            at = urlsplit(url)
            await web.TCPSite(runner, at.hostname, at.port).start()
        yield
    finally:
        await runner.cleanup()


async def _call(stage: _Stage, story: _Story) -> None:
    """The caller dials, hears the greeting, presses a key, waits, talks, hangs up."""
    assert stage.platform.sip_port is not None  # noqa: S101 - the stage is not set without
    await stage.caller.dial(DIALLED_NUMBER, "127.0.0.1", stage.platform.sip_port)
    await story.until("answered")
    # Into the greeting, as people do who know the menu: it stops at the key.
    await asyncio.sleep(2.0)
    await stage.caller.press(KEY)
    await story.until("connected", "ended")
    await asyncio.sleep(TALK_S)
    await stage.caller.hang_up()
    await story.until("closed")


async def _report(stage: _Stage, story: _Story, failure: BaseException | None) -> dict[str, Any]:
    running = stage.platform
    await running.parts.journal.flush()
    checks = [] if failure is None else [Check("call", False, str(failure))]
    facts: dict[str, Any] = {}
    if story.interaction is None:
        checks.append(Check("record", False, "no interaction began"))
    else:
        try:
            found, facts = await verify(
                running.parts.interactions,
                running.parts.recordings,
                story.interaction,
                caller_hz=CALLER_HZ,
                agent_hz=AGENT_HZ,
                key=KEY,
                heard_by_caller=stage.caller.heard(),
            )
            checks += found
        except RimayError as error:
            checks.append(Check("record", False, error.message))
    return {
        "ok": bool(checks) and all(check.ok for check in checks),
        "engine": running.engine,
        "interaction_id": story.interaction,
        "setup_ms": facts.get("setup_ms"),
        "talk_s": facts.get("talk_s"),
        "timeline": story.timeline,
        "recording": facts.get("recording"),
        "api": f"{running.url}/api/v1",
        "logins": [
            {"username": one.username, "role": one.role, "password": one.password.get_secret_value()}
            for one in stage.logins
        ],
        "checks": [{"step": check.step, "ok": check.ok, "detail": check.detail} for check in checks],
    }


def _tell(report: Mapping[str, Any]) -> None:
    print("\nVerified:" if report["ok"] else "\nNOT all steps could be verified:")
    for check in report["checks"]:
        print(f"  {'ok  ' if check['ok'] else 'FAIL'}  {check['step']:<12} {check['detail']}")
    recording = report["recording"] or {}
    print(f"\nRecord     {report['api']}/interactions/{report['interaction_id']}")
    print(f"Recording  {recording.get('path')}")


async def _stay(stage: _Stage, stop: asyncio.Event, show: Callable[[str], None]) -> None:
    running = stage.platform
    show(f"\nRimay is up: {running.url}   (API reference: {running.url}/api)")
    show("Sign in at that address as:")
    for one in stage.logins:
        show(f"  {one.username:<14} {one.password.get_secret_value()}   ({one.role})")
    show("Tokens for programs, valid for a day (Authorization: Bearer ...):")
    for title, (role, name) in _LOGINS.items():
        _, secret = await running.parts.tokens.create(str(name), role, lifetime=timedelta(days=1), origin="demo")
        show(f"  {title:<14} {secret.get_secret_value()}")
    show(f"Calls from {GATEWAY_HOST}:{stage.caller.sip_port} to 127.0.0.1:{running.sip_port} are the trunk's.")
    show("Ctrl-C ends it.")
    sys.stdout.flush()
    died = asyncio.ensure_future(running.supervisor.wait())
    asked = asyncio.ensure_future(stop.wait())
    await asyncio.wait({died, asked}, return_when=asyncio.FIRST_COMPLETED)
    for task in (died, asked):
        task.cancel()
