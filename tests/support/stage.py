"""People around a running platform: citizens who call over the trunk, agents at their phones, a supervisor."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp

from callcontrol.open_leg import NUMBER as OPEN_LEG
from pbx.sip import PhoneCall, SipPhone, tones
from recording.audio import Analysis, analyse
from tests.support.platform import AGENTS, ENGINE, GATEWAY_HOST, PHONE_PASSWORD, PlatformProcess

CALLER_HZ, AGENT_HZ = 440, 620
NUMBER = "072831900"
WAIT_S = 20.0
_LOOK_EVERY_S = 0.04
_LOUD = 100  # rms of 16 bits: far above silence, below any music
_CREST = 2**0.5  # of a tone: its level over its rms
_NUMBERS = itertools.count(991000001)  # a citizen of their own for every call: that is how its record is found
Record = dict[str, Any]


class NotNow(Exception):
    """The platform says that it cannot now (5xx)."""


def _check(path: str, status: int, body: object) -> None:
    if status >= 500:
        raise NotNow(f"{path}: {status} {body}")
    assert status in (200, 201, 204), (path, status, body)


class Api:
    """The platform's HTTP API, as a supervisor sees it; with `who`, as that agent or supervisor does."""

    def __init__(
        self, session: aiohttp.ClientSession, process: PlatformProcess, who: tuple[str, str] | None = None
    ) -> None:
        self._session = session
        self._process = process
        self._who = who or ("supervisor", "pruebas")

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._process.token(*self._who)}"}
        url = self._process.url + path
        async with self._session.request(method, url, headers=headers, **more) as answer:
            body = await (answer.json() if "json" in answer.content_type else answer.read())
            return answer.status, body

    async def get(self, path: str, **params: str) -> Any:
        status, body = await self.ask("GET", "/api/v1" + path, params=params)
        _check(path, status, body)
        return body

    async def order(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.ask(method, "/api/v1" + path, json=body)
        _check(path, status, answer)
        return answer

    async def audio(self, recording: str) -> tuple[int, bytes]:
        return await self.ask("GET", f"/api/v1/recordings/{recording}/audio")

    # --- health

    async def checks(self) -> dict[str, dict[str, Any]]:
        """Each check of the platform's health by its name."""
        _, body = await self.ask("GET", "/health/ready")
        return {check["name"]: check for check in body["checks"]}

    async def check_becomes(self, name: str, state: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            check = (await self.checks())[name]
            return check if check["state"] == state else None

        return await until(look, f"check {name} is {state}", timeout_s)

    async def channels(self) -> list[str]:
        """What the switch itself has, asked past the platform where that is possible."""
        if ENGINE != "asterisk":
            detail = (await self.checks())["switch"]["detail"]
            return ["?"] * int(detail.split(",")[1].split()[0])
        secret = (self._process.var / "secrets/ari").read_text().strip()
        url = f"http://127.0.0.1:{self._process.ports()['switch-control']}/ari/channels"
        async with self._session.get(url, params={"api_key": f"rimay:{secret}"}) as answer:
            return [channel["name"] for channel in await answer.json()]

    async def no_channel_left(self) -> None:
        async def look() -> bool:
            return not await self.channels()

        await until(look, "no channel is left on the switch")

    # --- agents

    async def agent_becomes(self, agent: str, state: str, timeout_s: float = WAIT_S) -> Record:
        async def look() -> Record | None:
            view: Record = await self.get(f"/agents/{agent}")
            return view if view["state"] == state else None

        return await until(look, f"agent {agent} is {state}", timeout_s)

    async def ready(self, agent: str) -> None:
        await self.order("POST", f"/agents/{agent}/sign-in")
        await self.order("PUT", f"/agents/{agent}/state", {"state": "ready"})

    # --- interactions

    async def search(self, number: str, **more: object) -> Record:
        """A page of the interactions with that number."""
        found: Record = await self.order("POST", "/interactions/search", {"number": number, **more})
        return found

    async def find(self, number: str) -> Record | None:
        """The newest interaction with that number."""
        items = (await self.search(number))["items"]
        return items[0] if items else None

    async def events(self, interaction: str) -> list[Record]:
        items: list[Record] = (await self.get(f"/interactions/{interaction}/events"))["items"]
        return items


async def until(look: Callable[[], Any], what: str, timeout_s: float = WAIT_S) -> Any:
    """What `look` gives as soon as that is true. A platform that cannot answer now is asked again."""
    deadline = time.monotonic() + timeout_s
    last: object = None
    while True:
        try:
            if found := await look():
                return found
        except (NotNow, aiohttp.ClientError) as error:
            last = error
        assert time.monotonic() < deadline, f"within {timeout_s:g} s it did not come about that {what} ({last})"
        await asyncio.sleep(_LOOK_EVERY_S)


class Citizen:
    """One call of one citizen: the leg as they hear it, and the record as the platform keeps it."""

    def __init__(self, stage: Stage, phone: SipPhone, call: PhoneCall) -> None:
        self._stage = stage
        self.phone = phone
        self.call = call

    @property
    def number(self) -> str:
        return self.phone.user

    async def record(self) -> Record:
        found = await self._stage.api.find(self.number)
        if found is None:
            raise NotNow(f"no record of {self.number}")
        return found

    async def events(self) -> list[Record]:
        return await self._stage.api.events((await self.record())["id"])

    async def facts(self) -> list[str]:
        return [event["type"] for event in await self.events()]

    async def fact(self, kind: str, timeout_s: float = WAIT_S, *, count: int = 1) -> Record:
        """The fact of that kind (the count-th), when it is written."""

        async def look() -> Record | None:
            found = [event for event in await self.events() if event["type"] == kind]
            return found[count - 1] if len(found) >= count else None

        try:
            found: Record = await until(look, f"{kind} is written", timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; so far: {await self.facts()}") from None
        return found

    async def closed(self, timeout_s: float = WAIT_S) -> Record:
        """The record of the call when all of it is over, with its events held against it: none is missing."""
        await self.fact("closed", timeout_s)
        record, events = await self.record(), await self.events()
        assert [event["n"] for event in events] == list(range(1, record["events"] + 1))
        assert [at(event) for event in events] == sorted(at(event) for event in events)
        assert record["phase"] == "closed"
        assert all(segment["ended_at"] for segment in record["segments"])
        assert all(one["left_at"] for one in record["participants"])
        return record

    async def sounds(self, timeout_s: float = WAIT_S, absent: Sequence[int] = ()) -> bool:
        """Whether they come to hear something loud in which none of these tones is the most: music, an announcement."""

        def music() -> bool:
            newest = self.call.heard(last_s=0.5)
            loud = tones.rms(newest)
            voices = max((tones.level(newest, hz) for hz in absent), default=0.0)
            return loud > _LOUD and voices / _CREST < loud / 2

        return await self.call.poll(music, timeout_s)

    async def to_queue(self, key: str = "1") -> None:
        """Into the greeting with the key, as people do who know the menu."""
        assert await self.call.poll(self.call.answered.is_set, WAIT_S)
        await self.call.send_digits(key)
        await self.fact("queued")

    async def recorded(self, record: Record, *, last_s: float | None = None) -> Analysis:
        """The kept recording, as it lies on the disk and as the API gives it, which is the same."""
        recording = record["recordings"][0]
        (path,) = (self._stage.process.var / "recordings").rglob(f"{recording['id']}.wav")
        status, audio = await self._stage.api.audio(recording["id"])
        assert status == 200, (status, audio)
        assert audio == await asyncio.to_thread(path.read_bytes)
        return await asyncio.to_thread(analyse, path, last_s=last_s)


class Page:
    """An agent's page without a browser: the leg is a SIP robot's, the rest is the API."""

    def __init__(self, stage: Stage, agent: str, phone: SipPhone, api: Api) -> None:
        self._stage = stage
        self.agent = agent
        self.phone = phone
        self.api = api
        self.leg: PhoneCall

    async def open_leg(self) -> None:
        self.leg = await self.phone.call(OPEN_LEG, self._stage.sip)
        assert self.leg.answered.is_set(), self.leg.status

        async def up() -> bool:
            desk: Record = await self.desk()
            return bool(desk["phone"]["leg"] == "up")

        await until(up, "the leg is up")

    async def desk(self) -> Record:
        desk: Record = await self.api.get("/me/desk")
        return desk

    async def offer(self) -> str:
        async def look() -> str | None:
            offers = (await self.desk())["offers"]
            return offers[0]["id"] if offers else None

        offer: str = await until(look, f"{self.agent} is offered a call")
        return offer

    async def accept(self) -> None:
        await self.api.order("POST", f"/offers/{await self.offer()}/accept")

    async def call(self, record: Record, what: str, body: object = None) -> None:
        await self.api.order("POST", f"/interactions/{record['id']}/{what}", body)

    async def hears(self, *hz: int, absent: Sequence[int] = ()) -> None:
        for tone in hz:
            assert await self.leg.hears(tone, 8, absent=absent), (self.agent, tone, absent)


class Stage:
    """Made by `on_stage`. Leaves no call, no phone and no ready agent behind."""

    def __init__(self, process: PlatformProcess, session: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self.process = process
        self.api = Api(session, process)
        self.phones: dict[str, SipPhone] = {}
        self.citizens: list[Citizen] = []
        self._session = session
        self._stack = stack

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", self.process.sip_port

    async def phone_of(self, agent: str, *, answer: bool = True, after_s: float = 0.0) -> SipPhone:
        """That agent's desk phone, registered."""
        phone = SipPhone(AGENTS[agent], password=PHONE_PASSWORD, tone_hz=AGENT_HZ)
        phone.auto_answer, phone.answer_after_s = answer, after_s
        await self._stack.enter_async_context(phone)
        assert await phone.register(self.sip) == 200
        self.phones[agent] = phone
        return phone

    async def work(self, *agents: str, answer: bool = True) -> None:
        """These agents are at their phones and ready."""
        for agent in agents:
            await self.phone_of(agent, answer=answer)
            await self.api.ready(agent)

    async def enter(self, phone: SipPhone) -> None:
        """Theirs until the end of the test."""
        await self._stack.enter_async_context(phone)

    async def page_of(self, agent: str, *, tone_hz: int = AGENT_HZ, role: str = "agent") -> Page:
        """That agent at their page: with an open leg, and, as an agent, ready."""
        phone = SipPhone(AGENTS[agent], password=PHONE_PASSWORD, tone_hz=tone_hz)
        await self._stack.enter_async_context(phone)
        assert await phone.register(self.sip) == 200
        # The command that makes a token is a process of its own: not while the loop has audio to send.
        await asyncio.to_thread(self.process.token, role, agent)
        page = Page(self, agent, phone, Api(self._session, self.process, (role, agent)))
        await page.open_leg()
        if role == "agent":
            await self.api.ready(agent)
        return page

    async def citizen(self, number: str = NUMBER, *, wait: bool = False, port: int | None = None) -> Citizen:
        """Somebody calls over the trunk. Returns right after dialling."""
        name = f"0{next(_NUMBERS)}"
        bind = self.process.gateway_port if port is None else port
        phone = SipPhone(name, host=GATEWAY_HOST, port=bind, tone_hz=CALLER_HZ)
        await self._stack.enter_async_context(phone)
        call = await phone.call(number, self.sip, wait=wait)
        self.citizens.append(Citizen(self, phone, call))
        return self.citizens[-1]

    async def talk(self, agent: str = "ana") -> tuple[Citizen, PhoneCall]:
        """A citizen and an agent who talk, both heard by the other and being recorded."""
        citizen = await self.citizen(port=0)
        await citizen.to_queue()
        leg = await self.phones[agent].next_call(WAIT_S)
        await citizen.fact("recording_started")
        await hear_each_other(citizen.call, leg)
        return citizen, leg

    @asynccontextmanager
    async def live(self, topics: str = "alerts") -> AsyncIterator[Callable[..., Any]]:
        """The live socket; gives a function that waits for an event of one of these types."""
        url = f"{self.process.url}/api/v1/live?topics={topics}"
        headers = {"Authorization": f"Bearer {self.process.token()}"}
        async with self._session.ws_connect(url, headers=headers) as socket:
            hello = await socket.receive_json(timeout=WAIT_S)
            assert hello["type"] == "hello", hello

            async def event(*kinds: str) -> Record:
                async with asyncio.timeout(WAIT_S):
                    while True:
                        heard: Record = await socket.receive_json()
                        if heard["type"] in kinds:
                            return heard

            yield event


async def hear_each_other(citizen: PhoneCall, agent: PhoneCall, timeout_s: float = 8.0) -> None:
    """Both tones arrive where they should, now."""
    heard = await asyncio.gather(citizen.hears(AGENT_HZ, timeout_s), agent.hears(CALLER_HZ, timeout_s))
    assert heard == [True, True], f"(citizen hears agent, agent hears citizen) = {heard}"


async def talk_on(call: PhoneCall, seconds: float) -> None:
    """Let them talk for so long."""
    end = call.elapsed() + seconds
    assert await call.poll(lambda: call.elapsed() >= end, seconds + 1), "the call ended"


def at(event: Record) -> float:
    """When that happened, in unix seconds."""
    return datetime.fromisoformat(event["at"]).timestamp()


def check_voices(heard: Analysis, *, at_least_s: float, at_most_s: float = 120.0) -> None:
    """Stereo, the citizen left and the agent right, and of that length."""
    assert heard.channels == 2
    assert at_least_s <= heard.seconds <= at_most_s, heard
    for side, hz in zip(heard.sides, (CALLER_HZ, AGENT_HZ), strict=True):
        assert side.hz is not None, heard
        assert abs(side.hz - hz) <= 5, heard
        assert side.tone_share > 0.5, heard


@asynccontextmanager
async def on_stage(process: PlatformProcess, agents: Sequence[str] = ("ana",), **how: Any) -> AsyncIterator[Stage]:
    """With these agents at their phones, ready. At the end no call is left on the switch."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as session:
        stage: Stage | None = None
        try:
            async with AsyncExitStack() as stack:
                stage = Stage(process, session, stack)
                await stage.work(*agents, **how)
                yield stage
        finally:
            if stage is not None and process.runs:
                await _tidy(stage.api)


async def _tidy(api: Api) -> None:
    """The next test finds nobody signed in and nothing on the switch."""
    await api.no_channel_left()
    for agent in AGENTS:
        view = await api.get(f"/agents/{agent}")
        if view["state"] != "signed_out":
            await api.order("POST", f"/agents/{agent}/sign-out")
            await api.agent_becomes(agent, "signed_out")
