"""Asterisk behind the port: ARI for calls, AMI for recordings and lists. See `pbx.switch` for what is promised.

One task reads the event socket: event → `Translator` (pure) → told to the daemon, then followed by what it asks of us.
Commands go out in parallel on their own connections; whatever they cause is known before they are sent, because an
event may overtake the reply to its command.
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
from pbx.asterisk.dialer import Dialer, Invite, one_line, variable_name
from pbx.asterisk.instance import AsteriskLink
from pbx.asterisk.legs import Leg
from pbx.asterisk.prompts import Prompts
from pbx.asterisk.recording import Recordings
from pbx.asterisk.rooms import Rooms
from pbx.asterisk.stream import Streams
from pbx.asterisk.supervision import Supervisors
from pbx.asterisk.translate import Contacts, Translator, answered
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
from pbx.switch import AudioStream
from pbx.terms import (
    BrowserEndpoint,
    ChannelGone,
    ChannelId,
    ChannelSnapshot,
    CommandRefused,
    Destination,
    DigitRules,
    EndpointStatus,
    HangupCause,
    MuteDirection,
    PlaybackId,
    RecordedFile,
    RecordingId,
    RecordingSpec,
    RoomId,
    Signalling,
    Sound,
    Supervision,
    SwitchError,
    TrunkStatus,
)

log = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 3.0
_DIGITS = frozenset("0123456789*#ABCDabcdwW")


class AsteriskSwitch:
    engine = "asterisk"

    def __init__(self, link: AsteriskLink, settings: PbxSettings, sounds: SoundLibrary, clock: Clock) -> None:
        self._ari = AriClient(link)
        self._ami = AmiClient(link, self._on_contact, self._on_manager_lost)
        self._core = core = Core(self._ari, self._ami, clock, link.app)
        self._legs = core.legs
        self._translator = Translator(core.legs)
        self._contacts = Contacts()
        self._prompts = Prompts(core, sounds)
        self._bridges = Bridges(core, self._prompts)
        self._rooms = Rooms(core, self._prompts, self._bridges)
        self._dialer = Dialer(core, settings, self._prompts, self._rooms, self._bridges)
        self._recordings = Recordings(core)
        core.room_left = self._recordings.room_changed
        self._supervisors = Supervisors(core, self._prompts, self._bridges)
        self._streams = Streams(core, self._prompts, self._bridges)
        self._browsers = Browsers(core, link, settings)
        self._truth = Truth(core, settings, self._recordings, self._contacts, self._browsers)
        self._arrivals = Arrivals(core)
        self._life: str | None = None
        self._is_up = False
        self._reader: asyncio.Task[None] | None = None

    # --- connection

    async def __aenter__(self) -> AsteriskSwitch:
        await self._ari.__aenter__()
        self._reader = asyncio.create_task(self._stay_connected(), name="asterisk: events")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._core.drop_tasks()
        self._ami.close()
        await self._ari.__aexit__(None, None, None)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Ends only with an error: when the reading task died, it says why."""
        while True:
            next_event = asyncio.ensure_future(self._core.told.get())
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
                async with self._ari.event_socket() as socket:
                    await self._come_up()
                    delay = _FIRST_RETRY_S
                    await self._read(socket)
            except SwitchError as error:
                reason = str(error.facts.get("reason", error.message))
            was_up, self._is_up = self._is_up, False
            if was_up:
                self._core.tell([SwitchDown(at=self._core.clock.now(), reason=reason)])
            log.warning("no connection to Asterisk: %s", reason)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_RETRY_S)

    async def _come_up(self) -> None:
        """Before any new event is read: which life this is, what was missed, who is there."""
        info = await self._ari.get("/asterisk/info", AriInfo)
        same_life = self._life in (None, info.life)
        first, self._life = self._life is None, info.life
        await self._ari.subscribe()
        await self._ami.connect()
        self._core.version = info.system.version
        if not same_life:
            self._bridges.forget()
            await self._browsers.admit_all_again()
        missed = await self._truth.reconcile(same_life=same_life)
        await self._look_at_trunks()
        self._is_up = True
        up = SwitchUp(at=self._core.clock.now(), same_life=same_life, version=info.system.version)
        self._core.tell([up])
        self._follow_all(missed)
        self._bridges.stock()
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
            self._core.entered(event.channel.id)
        leg = self._legs.find(event.channel.id) if event.channel else None
        if event.type == "ChannelDestroyed" and leg and self._dialer.fails_over(leg, event.cause):
            return
        self._follow_all(self._translator.translate(event, self._core.clock.now()), leg, event)

    def _on_manager_lost(self) -> None:
        if self._is_up:
            self._core.spawn(self._manager_again(), "connect the manager again")

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
        self._contacts.forget_phones()
        for status in await self._truth.trunks():
            self._dialer.statuses[(status.trunk, status.gateway)] = status
            if self._contacts.is_news(f"{status.trunk}.{status.gateway}", status.state) and self._is_up:
                self._core.tell([TrunkChanged(at=self._core.clock.now(), status=status)])

    def _on_contact(self, row: Mapping[str, Any]) -> None:
        if self._is_up:
            self._follow_all(self._contacts.changed(row, self._legs, self._core.clock.now()))

    def _follow_all(
        self, events: Sequence[SwitchEvent], leg: Leg | None = None, source: AriEvent | None = None
    ) -> None:
        for event in events:
            if isinstance(event, ChannelArrived) and self._arrivals.wait_for_headers(event, source):
                continue
            if self._arrivals.hold_back(event):
                continue
            self._core.tell([event])
            self._follow(event, leg)

    def _follow(self, event: SwitchEvent, leg: Leg | None) -> None:
        """What an event asks of us, after it was told."""
        if isinstance(event, DigitReceived) and leg:
            self._prompts.digit(leg, event.digit)
        elif isinstance(event, PlaybackFinished):
            played = self._legs.find(event.channel)
            if played:
                self._prompts.playback_ended(played, event.playback)
        elif isinstance(event, ChannelAnswered) and leg:
            self._dialer.answered(leg)
        elif isinstance(event, Unbridged):
            self._bridges.clear_ended()
        elif isinstance(event, RoomEntered | RoomLeft):
            self._bridges.clear_ended()
            self._recordings.room_changed(event.room)
        elif isinstance(event, Bridged):
            self._recordings.hears(self._legs.find(event.channel), event.peer)
            self._recordings.hears(self._legs.find(event.peer), event.channel)
        elif isinstance(event, ChannelHungUp):
            self._supervisors.channel_ended(event.channel)
            self._dialer.ended(event.channel, leg)
            if leg:
                self._recordings.channel_ended(leg)
                if leg.stream:
                    self._core.spawn(leg.stream.close(), "close a stream")
        elif isinstance(event, TrunkChanged):
            self._dialer.statuses[(event.status.trunk, event.status.gateway)] = event.status

    # --- one leg

    async def _on_channel(self, method: str, channel: ChannelId, action: str, **params: str) -> None:
        self._legs.get(channel)
        await self._ari.call(method, f"/channels/{channel}{action}", params, channel=channel)

    async def answer(self, channel: ChannelId) -> None:
        """Told with the reply already, so that whoever answered may bridge at once."""
        leg = self._legs.get(channel)
        try:
            await self._on_channel("POST", channel, "/answer")
        except CommandRefused as refused:
            if await self._core.goes_away(leg):
                raise ChannelGone("the caller gave up in that instant", channel=channel) from refused
            raise
        if self._legs.find(channel) is leg and leg.inbound:
            self._follow_all(answered(leg, self._core.clock.now()), leg)

    async def ring(self, channel: ChannelId) -> None:
        await self._on_channel("POST", channel, "/ring")

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        leg = self._legs.get(channel)
        if leg.answered or not leg.inbound:
            raise CommandRefused("only an unanswered inbound call can be rejected", channel=channel)
        await self.hangup(channel, cause)

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        leg = self._legs.get(channel)
        leg.by_us, leg.asked_cause = True, cause
        await self._on_channel("DELETE", channel, "", reason_code=str(cause.q850))

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        self._legs.get(channel)
        await self._core.remember(channel, variable_name(name), one_line(value))

    async def get_variable(self, channel: ChannelId, name: str) -> str | None:
        self._legs.get(channel)
        return await self._arrivals.variable(channel, variable_name(name))

    async def mute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._on_channel("POST", channel, "/mute", direction=direction.value)

    async def unmute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._on_channel("DELETE", channel, "/mute", direction=direction.value)

    # --- sounds and digits

    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        self._prompts.end_collecting(self._legs.lone(channel))
        await self._prompts.play(channel, playback, sounds)

    async def stop_playback(self, channel: ChannelId) -> None:
        await self._prompts.stop_playback(channel)

    async def collect(
        self,
        channel: ChannelId,
        rules: DigitRules,
        playback: PlaybackId | None = None,
        sounds: Sequence[Sound] = (),
    ) -> None:
        self._legs.lone(channel)
        await self._prompts.collect(channel, rules, playback, sounds)

    async def stop_collecting(self, channel: ChannelId) -> None:
        await self._prompts.stop_collecting(channel)

    async def send_digits(self, channel: ChannelId, digits: str) -> None:
        if not digits or not set(digits) <= _DIGITS:
            raise CommandRefused("not digits", channel=channel)
        await self._on_channel("POST", channel, "/dtmf", dtmf=digits)

    async def start_music(self, channel: ChannelId, music: str = "default") -> None:
        self._prompts.end_collecting(self._legs.lone(channel))
        await self._prompts.start_music(channel, music)

    async def stop_music(self, channel: ChannelId) -> None:
        await self._prompts.stop_music(channel)

    # --- two legs

    async def originate(
        self,
        channel: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        caller_name: str = "",
        timeout_s: float = 30.0,
        headers: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        invite = Invite(
            caller_number=caller_number,
            caller_name=caller_name,
            timeout_s=timeout_s,
            headers=headers,
            variables=variables,
        )
        await self._dialer.originate(channel, destination, invite)

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        self._legs.answered(a), self._legs.answered(b)
        for channel in (a, b):
            await self._supervisors.release(channel)
        await self._bridges.bridge(a, b)

    async def unbridge(self, channel: ChannelId) -> None:
        await self._bridges.unbridge(channel)

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        leg = self._legs.together(channel)
        if leg.room is not None:
            await self._rooms.hold(leg, leg.room, music)
        else:
            await self._bridges.hold(channel, music)

    async def unhold(self, channel: ChannelId) -> None:
        leg = self._legs.together(channel)
        if leg.room is not None:
            await self._rooms.unhold(leg, leg.room)
        else:
            await self._bridges.unhold(channel)

    async def transfer(
        self,
        channel: ChannelId,
        new_leg: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        timeout_s: float,
    ) -> None:
        invite = Invite(caller_number=caller_number, timeout_s=timeout_s)
        await self._dialer.transfer(channel, new_leg, destination, invite)

    async def transfer_attended(self, channel: ChannelId, consult: ChannelId) -> None:
        await self.bridge(channel, consult)

    # --- three and more

    async def enter_room(self, channel: ChannelId, room: RoomId) -> None:
        self._legs.answered(channel)
        await self._supervisors.release(channel)
        await self._rooms.enter(channel, room)

    async def leave_room(self, channel: ChannelId) -> None:
        await self._rooms.leave(channel)

    # --- recording and supervision

    async def record(self, channel: ChannelId, spec: RecordingSpec) -> None:
        await self._recordings.start(self._legs.answered(channel), spec)

    async def pause_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.set_paused(self._legs.get(channel), recording, True)

    async def resume_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.set_paused(self._legs.get(channel), recording, False)

    async def stop_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.stop(self._legs.get(channel), recording)

    async def finish_recording(self, spec: RecordingSpec) -> RecordedFile | None:
        return await self._recordings.finish(spec)

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        await self._supervisors.supervise(supervisor, target, mode)

    async def stop_supervising(self, supervisor: ChannelId) -> None:
        await self._supervisors.stop(supervisor)

    async def open_stream(self, channel: ChannelId, rate: int = 8000) -> AudioStream:
        return await self._streams.open(self._legs.lone(channel), rate)

    # --- browsers

    @property
    def signalling(self) -> Signalling | None:
        return self._browsers.signalling

    async def admit_endpoint(self, endpoint: BrowserEndpoint) -> None:
        await self._browsers.admit(endpoint)

    async def revoke_endpoint(self, name: str) -> None:
        await self._browsers.revoke(name)
        self._follow_all(self._contacts.revoked(name, self._legs, self._core.clock.now()))

    # --- truth

    async def channels(self) -> Sequence[ChannelSnapshot]:
        return await self._truth.channels()

    async def trunks(self) -> Sequence[TrunkStatus]:
        return await self._truth.trunks()

    async def endpoints(self) -> Sequence[EndpointStatus]:
        return await self._truth.endpoints()
