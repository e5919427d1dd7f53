"""The FreeSWITCH adapter on a fake event socket: what the fake says of its channels, and what the adapter told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from foundation.clock import SystemClock
from pbx.events import DigitReceived, SwitchDown, SwitchEvent, SwitchUp
from pbx.freeswitch.client import EslOptions
from pbx.freeswitch.instance import FreeswitchLink
from pbx.freeswitch.switch import FreeswitchSwitch
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from tests.support.fake_esl import PASSWORD, FakeEsl, Received, api_response, healthy, json_event

OPTIONS = EslOptions(connect_s=2.0, reply_s=2.0, backoff_first_s=0.01, backoff_max_s=0.05)


class World:
    """What the fake switch says of its channels."""

    def __init__(self) -> None:
        self.core = "core-1"
        self.dumps: dict[str, dict[str, str]] = {}
        self.deaf = ""  # commands that contain this are not answered
        self.refused = ""  # commands that begin so are

    def __call__(self, received: Received) -> bytes | None:
        line = received.line.removeprefix("api ")
        if self.deaf and self.deaf in line:
            return None
        if self.refused and line.startswith(self.refused):
            return api_response("-ERR not now\n")
        if line.startswith("global_getvar core_uuid"):
            return api_response(self.core)
        if line.startswith("show channels"):
            rows = [{"uuid": channel} for channel in self.dumps]
            return api_response(json.dumps({"row_count": len(rows), **({"rows": rows} if rows else {})}))
        if line.startswith("uuid_dump"):
            dump = self.dumps.get(line.split()[1])
            return api_response(json.dumps(dump) if dump else "-ERR No such channel!\n")
        if line.startswith("uuid_") and line.split()[1] not in self.dumps:
            return api_response("-ERR No such channel!\n")
        return healthy(received)

    def channel(self, channel: str, *, inbound: bool = True, answered: bool = True, **more: str) -> dict[str, str]:
        self.dumps[channel] = {
            "Unique-ID": channel,
            "Call-Direction": "inbound" if inbound else "outbound",
            "Answer-State": "answered" if answered else "ringing",
            "Channel-State": "CS_EXECUTE",
            "Caller-Caller-ID-Number": "0991234567",
            "Caller-Destination-Number": "072345678",
            "Caller-Channel-Created-Time": "1795000000000000",
            **more,
        }
        return self.dumps[channel]


class Watched:
    """A switch and all that it told."""

    def __init__(self, switch: FreeswitchSwitch, fake: FakeEsl, world: World) -> None:
        self.switch, self.fake, self.world = switch, fake, world
        self.seen: list[SwitchEvent] = []
        self._stream = switch.events()

    async def until(self, kind: type[SwitchEvent]) -> SwitchEvent:
        async with asyncio.timeout(5):
            while True:
                self.seen.append(await anext(self._stream))
                if isinstance(self.seen[-1], kind):
                    return self.seen[-1]

    async def reconnect(self) -> SwitchUp:
        self.fake.cut()
        await self.until(SwitchDown)
        up = await self.until(SwitchUp)
        assert isinstance(up, SwitchUp)
        return up

    async def rest(self) -> list[SwitchEvent]:
        """All that is told up to a mark of our own."""
        self.fake.send(json_event("DTMF", {"Unique-ID": "mark", "DTMF-Digit": "D", "Event-Sequence": "999999999"}))
        before = len(self.seen)
        while not isinstance(event := await self.until(SwitchEvent), DigitReceived) or event.channel != "mark":
            pass
        return self.seen[before:-1]


@contextlib.asynccontextmanager
async def watched(folder: Path, world: World | None = None, **settings: Any) -> AsyncIterator[Watched]:
    world = world or World()
    world.channel("mark", inbound=False)
    given = PbxSettings.model_validate({"phones": [{"name": "ana", "password": "x"}], **settings})
    sounds = SoundLibrary([folder], folder / "cache", None)
    async with FakeEsl(world) as fake:
        link = FreeswitchLink(host="127.0.0.1", port=fake.port, password=PASSWORD, recordings=folder)
        async with FreeswitchSwitch(link, given, sounds, SystemClock(), OPTIONS) as switch:
            lab = Watched(switch, fake, world)
            await lab.until(SwitchUp)
            yield lab
