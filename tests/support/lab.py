"""A laboratory around one switch: the far ends of the contract suite, its clock, and everything the switch told."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile

from foundation.clock import VirtualClock
from pbx.events import SwitchEvent, SwitchUp
from pbx.memory import MemorySwitch, MemoryWorld
from pbx.memory.audio import MUSIC_HZ, near
from pbx.settings import PbxSettings
from pbx.sip import tones
from pbx.sip.agent import SipPhone
from pbx.switch import Switch
from pbx.terms import FileSound, HangupCause, RecordingId, RecordingSpec, SwitchError

Event = TypeVar("Event", bound=SwitchEvent)

# Tones of the far ends: no two are near to one another, to DTMF, or to a network's own tones.
CALLER_HZ, AGENT_HZ, SECOND_HZ, SUPERVISOR_HZ = 500, 600, 1050, 1800
CALLER, OTHER_CALLER = "0991234567", "0987654321"
PASSWORD = "s3creto-de-prueba"
GATEWAY_HOSTS = {"gw1": "127.0.0.2", "gw2": "127.0.0.3", "sonda": "127.0.0.4"}
PHONES_HOST, STRANGERS_HOST = "127.0.0.5", "127.0.0.9"


def lab_settings(ports: dict[str, int], engine: str, **more: Any) -> PbxSettings:
    """One trunk with two gateways, one that is watched by keepalive, three phones. `ports` of the gateways by name."""

    def gateway(name: str, priority: int) -> dict[str, Any]:
        return {"name": name, "host": GATEWAY_HOSTS[name], "port": ports[name], "priority": priority}

    return PbxSettings.model_validate(
        {
            "engine": engine,
            "trunks": [
                {"name": "norte", "gateways": [gateway("gw1", 1), gateway("gw2", 2)], "keepalive_s": 0},
                {"name": "sonda", "gateways": [gateway("sonda", 3)], "keepalive_s": 1},
            ],
            "phones": [{"name": name, "password": PASSWORD} for name in ("agente1", "agente2", "supervisor")],
            **more,
        }
    )


class Lab(ABC):
    """The switch under test and those who call and are called. Every wait has its limit and tells what was seen."""

    engine: str
    server: Any = None  # where far ends send their calls

    def __init__(self, switch: Switch, settings: PbxSettings, sounds: Path, recordings: Path) -> None:
        self.switch = switch
        self.settings = settings
        self.seen: list[SwitchEvent] = []
        self._unread: list[SwitchEvent] = []
        self._news = asyncio.Event()
        self._sounds, self._recordings = sounds, recordings
        self._stack = AsyncExitStack()
        self._reader: asyncio.Task[None] | None = None
        self.gateway: Any = None
        self.second_gateway: Any = None

    async def __aenter__(self) -> Lab:
        await self._stack.__aenter__()
        try:
            await self._begin()
            await self._stack.enter_async_context(self.switch)  # type: ignore[arg-type]
            self._reader = asyncio.create_task(self._read(), name="lab-events")
            await self.eventually(SwitchUp)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._tidy()
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._stack.aclose()

    async def _tidy(self) -> None:
        """Leave no call and no browser behind for the next test."""
        async with asyncio.timeout(10):
            phones = {phone.name for phone in self.settings.phones}
            for one in await self.switch.endpoints():
                if one.endpoint not in phones:
                    await self.switch.revoke_endpoint(one.endpoint)
            for snapshot in await self.switch.channels():
                try:
                    await self.switch.hangup(snapshot.channel, HangupCause.NORMAL)
                except SwitchError:
                    continue  # it ended by itself meanwhile
            while await self.switch.channels():
                await self.wait(0.05)

    @abstractmethod
    async def _begin(self) -> None:
        """Bring up the far ends."""

    # --- events

    async def _read(self) -> None:
        async for event in self.switch.events():
            self.seen.append(event)
            self._unread.append(event)
            self._news.set()

    async def eventually(self, kind: type[Event], timeout: float = 8.0, **match: Any) -> Event:  # noqa: ASYNC109
        """The first event of that kind, not given out before, whose fields are as asked (a value, or a test of it)."""
        try:
            async with asyncio.timeout(timeout):
                while (event := self._take(kind, match)) is None:
                    self._news.clear()
                    await self._news.wait()
                return event
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} {match} in {timeout} s; {self.diary()}") from None

    async def never(self, kind: type[SwitchEvent], during_s: float = 0.4, **match: Any) -> None:
        await self.wait(during_s)
        event = self._take(kind, match)
        assert event is None, f"unwanted {event}; {self.diary()}"

    def _take(self, kind: type[Event], match: dict[str, Any]) -> Event | None:
        for event in self._unread:
            if isinstance(event, kind) and all(_fits(getattr(event, name), want) for name, want in match.items()):
                self._unread.remove(event)
                return event
        if self._reader and self._reader.done():
            self._reader.result()
            raise AssertionError("the event stream ended")
        return None

    def diary(self) -> str:
        return "seen:\n" + "\n".join(f"  {event}" for event in self.seen)

    # --- things

    def id(self, kind: str) -> str:
        return f"{kind}-{uuid.uuid4().hex[:12]}"

    def sound(self, hz: int, seconds: float) -> FileSound:
        """A tone in a file that the switch can read, by absolute path."""
        path = self._sounds / f"tono-{hz}-{round(seconds * 1000)}.wav"
        if not path.exists():
            soundfile.write(path, tones.sine(hz, round(seconds * 1000)), tones.RATE, subtype="PCM_16")
            path.chmod(0o644)
        return FileSound(str(path))

    def recording(self) -> RecordingSpec:
        name = self.id("grabacion")
        return RecordingSpec(RecordingId(name), self._recordings / f"{name}.wav")

    # --- people and time

    @abstractmethod
    async def phone(self, name: str, tone_hz: int, *, register: bool = True) -> Any: ...
    @abstractmethod
    async def browser(self, name: str, password: str) -> Any:
        """One who has, or claims to have, the credentials of a browser's endpoint. It registers and calls; what a page
        says and hears is in `test_pages.py`."""

    @abstractmethod
    async def stranger(self) -> Any: ...
    @abstractmethod
    async def wait(self, seconds: float) -> None: ...
    @abstractmethod
    async def hears_music(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool: ...  # noqa: ASYNC109

    @abstractmethod
    async def sounds(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool:  # noqa: ASYNC109
        """Something is heard, and it is not mainly one of those tones."""

    async def happens(self, event: asyncio.Event, timeout: float = 8.0) -> None:  # noqa: ASYNC109
        """A far end's own event: ringing, answered, ended."""
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            raise AssertionError(f"the far end did not get there in {timeout} s; {self.diary()}") from None

    # --- faults

    @abstractmethod
    async def set_watched_gateway_up(self, up: bool) -> None:
        """The gateway of the trunk that has a keepalive."""

    @abstractmethod
    async def lose_connection(self) -> None: ...
    @abstractmethod
    async def restore(self) -> None: ...
    @abstractmethod
    async def kill_and_restart(self) -> None:
        """The switch dies as by SIGKILL, and is started again."""

    @abstractmethod
    async def send_garbage(self, packets: Sequence[bytes]) -> None:
        """To the switch's SIP port, from the first gateway's address."""


def _fits(value: Any, want: Any) -> bool:
    return bool(want(value)) if callable(want) else value == want


class MemoryLab(Lab):
    engine = "memory"

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        settings = lab_settings(dict.fromkeys(GATEWAY_HOSTS, 5060), "memory")
        self.world = MemoryWorld(self.clock, settings)
        super().__init__(MemorySwitch(self.clock, settings, self.world), settings, folder, folder)
        self._time: asyncio.Task[None] | None = None

    async def _begin(self) -> None:
        self._time = asyncio.create_task(self._run_time(), name="lab-time")
        self._stack.push_async_callback(self._stop_time)
        self.world.set_gateway_up("sonda", False)
        self.gateway, self.second_gateway = self.world.gateway("gw1"), self.world.gateway("gw2")
        self.gateway.user, self.gateway.tone_hz = CALLER, CALLER_HZ
        self.second_gateway.user, self.second_gateway.tone_hz = OTHER_CALLER, SECOND_HZ

    async def _run_time(self) -> None:
        """Time goes on by itself, much faster than real, and only when every task has had its turn."""
        while True:
            await self.clock.advance(0.05)

    async def _stop_time(self) -> None:
        assert self._time
        self._time.cancel()
        await asyncio.gather(self._time, return_exceptions=True)

    async def phone(self, name: str, tone_hz: int, *, register: bool = True) -> Any:
        phone = self.world.phones[name]
        phone.tone_hz = tone_hz
        if register:
            assert await phone.register() == 200
        return phone

    async def browser(self, name: str, password: str) -> Any:
        known = self.world.browsers.get(name)
        return self.world.phones[name] if known and known.password == password else self.world.stranger(name)

    async def stranger(self) -> Any:
        return self.world.stranger()

    async def wait(self, seconds: float) -> None:
        await self.world.pause(seconds)

    async def hears_music(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool:  # noqa: ASYNC109
        return await call.hears(MUSIC_HZ, timeout, absent=absent)

    async def sounds(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool:  # noqa: ASYNC109
        return await self.world.until(
            lambda: bool(call.hears_now) and not any(near(call.hears_now, hz) for hz in absent), timeout
        )

    async def set_watched_gateway_up(self, up: bool) -> None:
        self.world.set_gateway_up("sonda", up)

    async def lose_connection(self) -> None:
        self.world.lose_connection()

    async def restore(self) -> None:
        self.world.restore(same_life=True)

    async def kill_and_restart(self) -> None:
        self.world.kill()
        self.world.restore(same_life=False)

    async def send_garbage(self, packets: Sequence[bytes]) -> None:
        """The twin has no wire."""


class SipLab(Lab):
    """Around a real server: far ends are SIP robots with real RTP, time is real."""

    def __init__(
        self,
        engine: str,
        switch: Switch,
        settings: PbxSettings,
        sounds: Path,
        recordings: Path,
        *,
        server: tuple[str, int],
        cut: Callable[[], Any],
        uncut: Callable[[], Any],
        restart: Callable[[], Any],
    ) -> None:
        super().__init__(switch, settings, sounds, recordings)
        self.engine = engine
        self.server = server
        self._cut, self._uncut, self._restart = cut, uncut, restart
        self._watched: SipPhone | None = None
        self._ports = {gateway.name: gateway.port for trunk in settings.trunks for gateway in trunk.gateways}

    async def _begin(self) -> None:
        self.gateway = await self._robot(CALLER, "gw1", CALLER_HZ)
        self.second_gateway = await self._robot(OTHER_CALLER, "gw2", SECOND_HZ)

    async def _robot(self, user: str, gateway: str, tone_hz: int) -> SipPhone:
        robot = SipPhone(user, host=GATEWAY_HOSTS[gateway], port=self._ports[gateway], tone_hz=tone_hz)
        return await self._stack.enter_async_context(robot)

    async def phone(self, name: str, tone_hz: int, *, register: bool = True) -> Any:
        phone = SipPhone(name, host=PHONES_HOST, password=PASSWORD, tone_hz=tone_hz)
        await self._stack.enter_async_context(phone)
        if register:
            assert await phone.register(self.server) == 200
        return phone

    async def browser(self, name: str, password: str) -> Any:
        return await self._stack.enter_async_context(SipPhone(name, host=PHONES_HOST, password=password))

    async def stranger(self) -> Any:
        robot = SipPhone("desconocido", host=STRANGERS_HOST)
        return await self._stack.enter_async_context(robot)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sounds(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool:  # noqa: ASYNC109
        end = call.elapsed() + timeout
        while call.elapsed() < end and not call.ended.is_set():
            newest = call.heard(last_s=0.3)
            loud = tones.rms(newest)
            voices = max((tones.level(newest, hz) for hz in absent), default=0.0)
            if loud > 100 and voices / np.sqrt(2) < loud / 2:
                return True
            await asyncio.sleep(0.05)
        return False

    async def hears_music(self, call: Any, timeout: float = 5.0, absent: Sequence[int] = ()) -> bool:  # noqa: ASYNC109
        return await self.sounds(call, timeout, absent)

    async def set_watched_gateway_up(self, up: bool) -> None:
        if up:
            self._watched = SipPhone("sonda", host=GATEWAY_HOSTS["sonda"], port=self._ports["sonda"])
            await self._stack.enter_async_context(self._watched)
        elif self._watched:
            await self._watched.vanish()

    async def lose_connection(self) -> None:
        await self._cut()

    async def restore(self) -> None:
        await self._uncut()

    async def kill_and_restart(self) -> None:
        await self._restart()

    async def send_garbage(self, packets: Sequence[bytes]) -> None:
        for packet in packets:
            self.gateway.layer.transport.send(packet, self.server)
