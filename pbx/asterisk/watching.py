"""What Asterisk tells and what we make of it: events handed to the parts, and the truth found out after every
reconnect. Owns the connections; the commands are in `switch`.

One task reads the event socket: event → `Translator` (pure) → told to the daemon, then followed by what it asks of us.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp

from foundation.clock import Clock
from pbx.asterisk.ami import AmiClient
from pbx.asterisk.ari import AriClient
from pbx.asterisk.arrivals import Arrivals
from pbx.asterisk.bridges import Bridges
from pbx.asterisk.browsers import Browsers
from pbx.asterisk.core import Core
from pbx.asterisk.dialer import Dialer
from pbx.asterisk.instance import AsteriskLink
from pbx.asterisk.legs import Leg
from pbx.asterisk.prompts import Prompts
from pbx.asterisk.recording import Recordings
from pbx.asterisk.rooms import Rooms
from pbx.asterisk.stream import Streams
from pbx.asterisk.supervision import Supervisors
from pbx.asterisk.translate import Contacts, Translator
from pbx.asterisk.truth import Truth
from pbx.asterisk.wire import AriEvent, AriInfo, decode_event
from pbx.events import (
    Bridged,
    ChannelAnswered,
    ChannelArrived,
    ChannelHungUp,
    DigitReceived,
    PlaybackFinished,
    RoomEntered,
    RoomLeft,
    SwitchDown,
    SwitchEvent,
    SwitchUp,
    TrunkChanged,
    Unbridged,
)
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from pbx.terms import SwitchError

log = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 3.0


class Watcher:
    """The parts of the adapter, put together and fed."""

    def __init__(self, link: AsteriskLink, settings: PbxSettings, sounds: SoundLibrary, clock: Clock) -> None:
        self.ari = AriClient(link)
        self._ami = AmiClient(link, self._on_contact, self._on_manager_lost)
        self.core = core = Core(self.ari, self._ami, clock, link.app)
        self.legs = core.legs
        self._translator = Translator(core.legs)
        self.contacts = Contacts()
        self.prompts = Prompts(core, sounds, wide=settings.speaks_wide)
        self.bridges = Bridges(core, self.prompts)
        self.rooms = Rooms(core, self.prompts, self.bridges)
        self.dialer = Dialer(core, settings, self.prompts, self.rooms, self.bridges)
        self.recordings = Recordings(core)
        core.room_left = self.recordings.room_changed
        self.supervisors = Supervisors(core, self.prompts, self.bridges)
        self.streams = Streams(core, self.prompts, self.bridges)
        self.browsers = Browsers(core, link, settings)
        self.truth = Truth(core, settings, self.recordings, self.supervisors, self.contacts, self.browsers)
        self.arrivals = Arrivals(core)
        self._life: str | None = None
        self._is_up = False
        self._reader: asyncio.Task[None] | None = None

    # --- connection

    async def start(self) -> None:
        await self.ari.__aenter__()
        self._reader = asyncio.create_task(self._stay_connected(), name="asterisk: events")

    async def stop(self) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.core.drop_tasks()
        self._ami.close()
        await self.ari.__aexit__(None, None, None)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Ends only with an error: when the reading task died, it says why."""
        while True:
            next_event = asyncio.ensure_future(self.core.told.get())
            waits: set[asyncio.Future[object]] = {next_event}  # type: ignore[arg-type]
            if self._reader:
                waits.add(self._reader)  # type: ignore[arg-type]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not next_event.done():
                    next_event.cancel()
            if next_event.done() and not next_event.cancelled():
                yield next_event.result()
            elif self._reader and self._reader.done():
                self._reader.result()
                return

    async def _stay_connected(self) -> None:
        delay = _FIRST_RETRY_S
        while True:
            self._is_up = False
            reason = "Asterisk closed the event connection"
            try:
                async with self.ari.event_socket() as socket:
                    await self._come_up()
                    delay = _FIRST_RETRY_S
                    await self._read(socket)
            except SwitchError as error:
                reason = str(error.facts.get("reason", error.message))
            was_up, self._is_up = self._is_up, False
            if was_up:
                self.core.tell([SwitchDown(at=self.core.clock.now(), reason=reason)])
            log.warning("no connection to Asterisk: %s", reason)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_RETRY_S)

    async def _come_up(self) -> None:
        """Before any new event is read: which life this is, what was missed, who is there."""
        info = await self.ari.get("/asterisk/info", AriInfo)
        same_life = self._life in (None, info.life)
        first, self._life = self._life is None, info.life
        await self.ari.subscribe()
        await self._ami.connect()
        self.core.version = info.system.version
        if not same_life:
            self.bridges.forget()
            await self.browsers.admit_all_again()
        missed = await self.truth.reconcile(first=first, same_life=same_life)
        await self._look_at_trunks()
        self._is_up = True
        up = SwitchUp(at=self.core.clock.now(), same_life=same_life, version=info.system.version)
        self.core.tell([up])
        self.follow_all(missed)
        self.bridges.stock()
        log.info("connected to Asterisk %s (%s)", info.system.version, "first time" if first else "again")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._on_event(decode_event(message.data))
            elif message.type is aiohttp.WSMsgType.ERROR:
                break

    # --- events

    def _on_event(self, event: AriEvent) -> None:
        if event.type == "ApplicationReplaced":
            log.error("another daemon took over the calls of this Asterisk: we hear nothing any more")
        if event.type == "StasisStart" and event.channel:
            self.core.entered(event.channel.id)
        leg = self.legs.find(event.channel.id) if event.channel else None
        if event.type == "ChannelDestroyed" and leg and self.dialer.fails_over(leg, event.cause):
            return
        self.follow_all(self._translator.translate(event, self.core.clock.now()), leg, event)

    def _on_manager_lost(self) -> None:
        if self._is_up:
            self.core.spawn(self._manager_again(), "connect the manager again")

    async def _manager_again(self) -> None:
        """The manager connection alone was lost; the one of events goes on. What it told meanwhile is asked for."""
        while self._is_up and not self._ami.connected:
            await asyncio.sleep(_FIRST_RETRY_S)
            try:
                await self._ami.connect()
                await self._look_at_trunks()
            except SwitchError as error:
                log.info("no manager connection yet: %s", error.message)
                await asyncio.sleep(_LAST_RETRY_S)

    async def _look_at_trunks(self) -> None:
        self.contacts.forget_phones()
        for status in await self.truth.trunks():
            self.dialer.statuses[(status.trunk, status.gateway)] = status
            if self.contacts.is_news(f"{status.trunk}.{status.gateway}", status.state) and self._is_up:
                self.core.tell([TrunkChanged(at=self.core.clock.now(), status=status)])

    def _on_contact(self, row: Mapping[str, Any]) -> None:
        if self._is_up:
            self.follow_all(self.contacts.changed(row, self.legs, self.core.clock.now()))

    def follow_all(self, events: Sequence[SwitchEvent], leg: Leg | None = None, source: AriEvent | None = None) -> None:
        for event in events:
            if isinstance(event, ChannelArrived) and self.arrivals.wait_for_headers(event, source):
                continue
            if self.arrivals.hold_back(event):
                continue
            self.core.tell([event])
            self._follow(event, leg)

    def _follow(self, event: SwitchEvent, leg: Leg | None) -> None:
        """What an event asks of us, after it was told."""
        if isinstance(event, DigitReceived) and leg:
            self.prompts.digit(leg, event.digit, event.at)
        elif isinstance(event, PlaybackFinished):
            played = self.legs.find(event.channel)
            if played:
                self.prompts.playback_ended(played, event.playback)
        elif isinstance(event, ChannelAnswered) and leg:
            self.dialer.answered(leg)
        elif isinstance(event, Unbridged):
            self.bridges.clear_ended()
        elif isinstance(event, RoomEntered | RoomLeft):
            self.bridges.clear_ended()
            self.recordings.room_changed(event.room)
        elif isinstance(event, Bridged):
            self.recordings.hears(self.legs.find(event.channel), event.peer)
            self.recordings.hears(self.legs.find(event.peer), event.channel)
        elif isinstance(event, ChannelHungUp):
            self.supervisors.channel_ended(event.channel)
            self.dialer.ended(event.channel, leg)
            if leg:
                self.recordings.channel_ended(leg)
                for audio in (leg.stream, leg.ear):
                    if audio is not None:
                        self.core.spawn(audio.close(), "close a stream")
        elif isinstance(event, TrunkChanged):
            self.dialer.statuses[(event.status.trunk, event.status.gateway)] = event.status
