"""FreeSWITCH behind the port: the commands. What it tells is in `watching`, and each part of the work in a file of its
own (`sounding`, `pairs`, `dialling`, `recording`, `supervision`, `stream`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from foundation.clock import Clock
from pbx.events import SwitchEvent
from pbx.freeswitch import commands, status, translate
from pbx.freeswitch.client import EslOptions
from pbx.freeswitch.ear import open_ear
from pbx.freeswitch.instance import FreeswitchLink
from pbx.freeswitch.legs import Leg
from pbx.freeswitch.stream import UnicastStream, free_udp_port
from pbx.freeswitch.translate import HANGUP_WITH, REJECT_WITH
from pbx.freeswitch.watching import Watcher
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from pbx.switch import AudioEar, AudioStream
from pbx.terms import (
    DIGITS,
    RING_TONE,
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
    SwitchUnreachable,
    TrunkStatus,
)

# Answering is done within a packet's time; who waits longer than this has a switch that does not answer.
_ANSWER_S = 5.0
_LOOK_EVERY_S = 0.05  # whether the caller left meanwhile: then no answer completes
_BOTH = (MuteDirection.IN, MuteDirection.OUT)


class FreeswitchSwitch:
    """Implements `Switch`."""

    engine = "freeswitch"

    def __init__(
        self,
        link: FreeswitchLink,
        settings: PbxSettings,
        sounds: SoundLibrary,
        clock: Clock,
        options: EslOptions | None = None,
    ) -> None:
        self._link = link
        self._settings = settings
        self._watch = Watcher(link, settings, sounds, clock, options)
        self._board = self._watch.board
        self._client = self._watch.client
        self._sounds = self._watch.sounds
        self._supervisors = self._watch.supervisors
        self._pairs = self._watch.pairs
        self._rooms = self._watch.rooms
        self._recorder = self._watch.recorder
        self._dialler = self._watch.dialler

    async def __aenter__(self) -> FreeswitchSwitch:
        await self._watch.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._watch.stop()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._watch.queue.get()

    # --- one leg

    def _leg(self, channel: ChannelId) -> Leg:
        if not self._client.connected:
            raise SwitchUnreachable("no connection to the switch")
        return self._board.leg(channel)

    async def answer(self, channel: ChannelId) -> None:
        leg = self._leg(channel)
        if not leg.inbound:
            raise CommandRefused("only the far end can answer this leg", channel=channel)
        if not leg.answered:
            await self._answer(leg)

    async def _answer(self, leg: Leg) -> None:
        """By the channel's own thread: `uuid_answer` comes from another, and the two may wait for each other's locks
        for ever when the parked channel sends its first silence in that instant (FreeSWITCH 1.10.12). The switch then
        takes no command any more."""
        done = await self._client.execute(leg.id, "answer")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                while not (done.done() or leg.ended):
                    await asyncio.wait({done}, timeout=_LOOK_EVERY_S)
        if leg.ended:
            raise ChannelGone("the caller gave up in that instant", channel=leg.id)
        if not self._client.connected:
            raise SwitchUnreachable("the connection broke while a call was answered")
        if not leg.answered:
            raise CommandRefused("the switch could not answer the call", channel=leg.id)

    def _ringing_leg(self, channel: ChannelId) -> Leg:
        leg = self._leg(channel)
        if leg.answered or not leg.inbound:
            raise CommandRefused("only for an inbound call that is not answered", channel=channel)
        return leg

    async def ring(self, channel: ChannelId) -> None:
        await self._client.api(f"uuid_ring_ready {self._ringing_leg(channel).id}")

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        await self._watch.kill(self._ringing_leg(channel), cause, REJECT_WITH[cause])

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        await self._watch.kill(self._leg(channel), cause, HANGUP_WITH[cause])

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        leg = self._leg(channel)
        await self._client.api(f"uuid_setvar {leg.id} {commands.variable_name(name)} {commands.encode_value(value)}")

    async def get_variable(self, channel: ChannelId, name: str) -> str | None:
        leg = self._leg(channel)
        text = (await self._client.api(f"uuid_getvar {leg.id} {commands.variable_name(name)}")).strip()
        return commands.decode_value(text) if text.startswith("=") else None

    async def mute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._set_mute(channel, direction, on=True)

    async def unmute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._set_mute(channel, direction, on=False)

    async def _set_mute(self, channel: ChannelId, direction: MuteDirection, *, on: bool) -> None:
        self._leg(channel)
        leg = self._board.answered_leg(channel)
        for one in _BOTH if direction is MuteDirection.BOTH else (direction,):
            if (one in leg.muted) is on:
                continue
            side = "read" if one is MuteDirection.IN else "write"
            await self._client.api(f"uuid_audio {leg.id} start {side} mute {int(on)}")
            (leg.muted.add if on else leg.muted.discard)(one)

    # --- sounds and digits

    def _lone(self, channel: ChannelId) -> Leg:
        self._leg(channel)
        return self._board.lone_leg(channel)

    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        await self._sounds.play(self._lone(channel), playback, sounds)

    async def stop_playback(self, channel: ChannelId) -> None:
        leg = self._leg(channel)
        if self._sounds.plays(leg, playback=True):
            self._sounds.stop(leg)

    async def collect(
        self,
        channel: ChannelId,
        rules: DigitRules,
        playback: PlaybackId | None = None,
        sounds: Sequence[Sound] = (),
    ) -> None:
        await self._sounds.collect(self._lone(channel), rules, playback, sounds)

    async def stop_collecting(self, channel: ChannelId) -> None:
        self._sounds.stop_collecting(self._leg(channel))

    async def send_digits(self, channel: ChannelId, digits: str) -> None:
        self._leg(channel)
        leg = self._board.answered_leg(channel)
        if not digits or any(digit not in DIGITS for digit in digits):
            raise CommandRefused("not DTMF digits", channel=channel)
        await self._client.api(f"uuid_send_dtmf {leg.id} {digits}")

    async def start_music(self, channel: ChannelId, music: str = "default") -> None:
        leg = self._lone(channel)
        await (self._sounds.ring_tone(leg) if music == RING_TONE else self._sounds.music(leg))

    async def stop_music(self, channel: ChannelId) -> None:
        leg = self._leg(channel)
        if self._sounds.plays(leg, playback=False) and leg.supervising is None and leg.transfer_to is None:
            self._sounds.stop(leg)

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
        if not self._client.connected:
            raise SwitchUnreachable("no connection to the switch")
        plan = self._dialler.plan(channel, destination, headers or {}, caller_number)
        await self._dialler.dial(plan, caller_name=caller_name, timeout_s=timeout_s, variables=variables or {})

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        self._leg(a)
        first, second = self._board.answered_leg(a), self._board.answered_leg(b)
        for leg in (first, second):
            await self._rooms.leave(leg)
        await self._pairs.bridge(first, second)

    async def unbridge(self, channel: ChannelId) -> None:
        await self._pairs.unbridge(self._leg(channel))

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        leg = self._leg(channel)
        await (self._pairs.hold(leg) if leg.room is None else self._rooms.hold(leg))

    async def unhold(self, channel: ChannelId) -> None:
        leg = self._leg(channel)
        await (self._pairs.unhold(leg) if leg.room is None else self._rooms.unhold(leg))

    async def transfer(
        self,
        channel: ChannelId,
        new_leg: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        timeout_s: float,
    ) -> None:
        self._leg(channel)
        leg = self._board.answered_leg(channel)
        plan = self._dialler.plan(new_leg, destination, {}, caller_number)
        await self._pairs.unbridge(leg)
        await self._rooms.leave(leg)
        leg.transfer_to = new_leg
        try:
            await self._sounds.ring_tone(leg)
            await self._dialler.dial(plan, caller_name="", timeout_s=timeout_s, variables={})
        except SwitchError:
            leg.transfer_to = None
            self._sounds.stop(leg)
            raise

    async def transfer_attended(self, channel: ChannelId, consult: ChannelId) -> None:
        await self.bridge(channel, consult)

    # --- three and more

    async def enter_room(self, channel: ChannelId, room: RoomId) -> None:
        self._leg(channel)
        await self._rooms.enter(self._board.answered_leg(channel), room)

    async def leave_room(self, channel: ChannelId) -> None:
        await self._rooms.leave(self._leg(channel))

    # --- recording and supervision

    async def record(self, channel: ChannelId, spec: RecordingSpec) -> None:
        self._leg(channel)
        await self._recorder.record(self._board.answered_leg(channel), spec)

    async def pause_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recorder.mask(self._leg(channel), recording, True)

    async def resume_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recorder.mask(self._leg(channel), recording, False)

    async def stop_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recorder.stop(self._leg(channel), recording)

    async def finish_recording(self, spec: RecordingSpec) -> RecordedFile | None:
        return await self._recorder.finish(spec)

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        self._leg(supervisor)
        leg, other = self._board.answered_leg(supervisor), self._board.answered_leg(target)
        await self._supervisors.supervise(leg, other, mode)

    async def stop_supervising(self, supervisor: ChannelId) -> None:
        await self._supervisors.stop(self._leg(supervisor))

    async def open_stream(self, channel: ChannelId, rate: int = 8000) -> AudioStream:
        leg = self._lone(channel)
        if leg.stream is not None:
            await leg.stream.close()
        await self._sounds.silence(leg)
        await self._board.settle(leg)
        # Not in the park loop as it is: where that began before the answer it notices audio a moment late, and a
        # `unicast` read in that moment fails an assertion of FreeSWITCH, which ends it with every call. And the silence
        # that it sends would be mixed into our speech, frame by frame.
        await self._board.repark(leg, silence=False)
        self._lone(channel)
        stream = UnicastStream(rate, leg.rate, lambda: self._leave_stream(leg))
        here = self._client.local_address
        far_port = free_udp_port(self._link.host)
        try:
            port = await stream.bind(here)
            await self._client.sendmsg(
                leg.id,
                {
                    "call-command": "unicast",
                    "local-ip": self._link.host,
                    "local-port": str(far_port),
                    "remote-ip": here,
                    "remote-port": str(port),
                    "transport": "udp",
                },
            )
        except BaseException:
            stream.end()
            raise
        stream.start((self._link.host, far_port))
        leg.stream = stream
        return stream

    async def open_ear(self, channel: ChannelId, rate: int = 8000) -> AudioEar:
        self._leg(channel)
        return await open_ear(self._board, self._board.answered_leg(channel), rate, self._link.recordings)

    async def _leave_stream(self, leg: Leg) -> None:
        """There is no command for it: the channel leaves its park and comes back at once."""
        leg.stream = None
        if leg.ended or leg.pair is not None:
            return
        with contextlib.suppress(ChannelGone):
            await self._board.repark(leg, silence=True)

    # --- browsers

    @property
    def signalling(self) -> Signalling | None:
        port = self._link.browser_port
        return Signalling(f"ws://{self._link.host}:{port}/") if port and self._link.browsers else None

    async def admit_endpoint(self, endpoint: BrowserEndpoint) -> None:
        await self._watch.browsers.admit(endpoint)

    async def revoke_endpoint(self, name: str) -> None:
        await self._watch.browsers.revoke(name)

    # --- truth

    async def channels(self) -> Sequence[ChannelSnapshot]:
        # Its list comes from a table that lags behind; the legs that we know of are asked for whether listed or not.
        listed = await status.channel_ids(self._client)
        found = await status.dumps(self._client, dict.fromkeys([*listed, *self._board.legs]))
        return [self._with_peer(translate.snapshot(dump)) for dump in found]

    def _with_peer(self, seen: ChannelSnapshot) -> ChannelSnapshot:
        """Whose pair it is, is ours to say while we follow its events: the switch's own words lag behind them."""
        leg = self._board.legs.get(seen.channel)
        if leg is None:
            return seen
        peer = leg.pair.other(leg.id) if leg.pair is not None else None
        return replace(seen, bridged_to=peer, room=leg.room, endpoint=leg.endpoint)

    async def trunks(self) -> Sequence[TrunkStatus]:
        return await status.trunks(self._client, self._settings)

    async def endpoints(self) -> Sequence[EndpointStatus]:
        """As the events have it: the switch's own list lags behind them."""
        if not self._client.connected:
            raise SwitchUnreachable("no connection to the switch")
        here = self._watch.presence
        return status.endpoint_statuses(here.endpoints(), here.online, here.used())
