"""FreeSWITCH behind the port: one event-socket connection, what is known of each channel, and the commands.

The parts are files of their own (`sounding`, `pairs`, `dialling`, `recording`, `supervision`, `stream`); here they are
put together, events are handed to them, and what was missed is found out after a reconnect.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from foundation.clock import Clock
from pbx.events import (
    ChannelAnswered,
    ChannelHungUp,
    ChannelRinging,
    EndpointChanged,
    SwitchDown,
    SwitchEvent,
    SwitchUp,
)
from pbx.freeswitch import commands, status, translate
from pbx.freeswitch.client import EslClient, EslOptions
from pbx.freeswitch.codec import Event
from pbx.freeswitch.dialling import Dialler
from pbx.freeswitch.instance import FreeswitchLink
from pbx.freeswitch.legs import Board, Leg
from pbx.freeswitch.pairs import Pairs
from pbx.freeswitch.recording import Recorder
from pbx.freeswitch.sounding import Sounds
from pbx.freeswitch.stream import UnicastStream, free_udp_port
from pbx.freeswitch.supervision import Supervisors
from pbx.freeswitch.translate import HANGUP_WITH, REJECT_WITH, at
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from pbx.switch import AudioStream
from pbx.terms import (
    DIGITS,
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
    Sound,
    Supervision,
    SwitchError,
    SwitchUnreachable,
    TrunkStatus,
)

log = logging.getLogger(__name__)

# New calls are let in by the dialplan for so long after we were last heard of; then they are refused with 503.
ALIVE_S = 20
_ALIVE_EVERY_S = 5.0
# Beyond this many events that nobody takes, the daemon is stuck: the connection is cut, and reconciliation follows.
_MAX_EVENTS = 100_000
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
        self._clock = clock
        self._queue: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self._board = Board(clock, self._tell)
        self._client = EslClient(
            link.host,
            link.port,
            link.password,
            events=translate.EVENTS,
            on_event=self._on_event,
            on_up=self._on_up,
            on_down=self._on_down,
            options=options,
        )
        self._board.client = self._client
        self._sounds = Sounds(self._board, sounds)
        self._supervisors = Supervisors(self._board, self._sounds)
        self._pairs = Pairs(self._board, self._sounds, self._supervisors)
        self._recorder = Recorder(self._board, link.recordings)
        self._dialler = Dialler(self._board, settings, lambda: list(self._trunks.values()), self._forget)
        self._trunks: dict[tuple[str, str], TrunkStatus] = {}
        self._online: set[str] = set()
        self._core = ""  # the life of the switch, by its own name
        self._up = False
        self._held_back: list[Event] | None = None  # events that come while we reconcile
        self._handlers = self._table()

    # --- life

    async def __aenter__(self) -> FreeswitchSwitch:
        await self._client.__aenter__()
        self._board.spawn(self._stay_alive(), "alive")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.__aexit__()
        await self._board.close()
        for leg in self._board.legs.values():
            if leg.stream is not None:
                leg.stream.end()
            if leg.collection is not None and leg.collection.timer is not None:
                leg.collection.timer.cancel()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._queue.get()

    def _tell(self, event: SwitchEvent) -> None:
        if self._queue.qsize() >= _MAX_EVENTS:
            self._client.drop("nobody takes our events")
            return
        self._queue.put_nowait(event)

    async def _stay_alive(self) -> None:
        while True:
            if self._client.connected:
                with contextlib.suppress(SwitchError):
                    await self._say_alive()
            await asyncio.sleep(_ALIVE_EVERY_S)

    async def _say_alive(self) -> None:
        """By the switch's own clock, which need not be ours."""
        its_time = int((await self._client.api("strepoch")).strip() or 0)
        await self._client.api(f"global_setvar rimay_alive_until={its_time + ALIVE_S}")

    async def _on_up(self) -> None:
        self._held_back = []
        try:
            core = (await self._client.api("global_getvar core_uuid")).strip()
            version = (await self._client.api("version short")).strip()
            same_life = self._core in ("", core)
            self._core = core
            if not same_life:
                self._drop_all()
            await self._say_alive()
            await self._reconcile(version, same_life)
        finally:
            held_back, self._held_back = self._held_back or [], None
        for event in held_back:
            self._on_event(event)

    def _on_down(self, reason: str) -> None:
        if self._up:
            self._up = False
            self._tell(SwitchDown(at=self._clock.now(), reason=reason))

    def _drop_all(self) -> None:
        """Another life of the switch: every leg of ours is gone, and `SwitchUp` says so."""
        for leg in list(self._board.legs.values()):
            leg.ended = True
            leg.parked.set()
            if leg.stream is not None:
                leg.stream.end()
            if leg.collection is not None and leg.collection.timer is not None:
                leg.collection.timer.cancel()
            leg.idle.set()
        self._board.legs.clear()

    async def _reconcile(self, version: str, same_life: bool) -> None:
        """Learn what is, before anything new is done: legs that we did not know, and those that are no more."""
        listed = await status.channel_ids(self._client)
        found = await status.dumps(self._client, dict.fromkeys([*listed, *self._board.legs]))
        self._trunks = {(one.trunk, one.gateway): one for one in await status.trunks(self._client, self._settings)}
        self._online = await status.registered(self._client) & {phone.name for phone in self._settings.phones}
        self._up = True
        self._tell(SwitchUp(at=self._clock.now(), same_life=same_life, version=version))
        living = {dump.get("Unique-ID") for dump in found}
        for leg in list(self._board.legs.values()):
            if leg.id not in living:
                await self._end(leg, self._missed(leg))
        for dump in found:
            self._adopt(dump)
        self._adopt_pairs(found)

    def _missed(self, leg: Leg) -> ChannelHungUp:
        cause = leg.by_us or HangupCause.OTHER
        return ChannelHungUp(
            at=self._clock.now(),
            channel=leg.id,
            cause=cause,
            q850=cause.q850,
            by_us=leg.by_us is not None,
            answered=leg.answered,
        )

    def _adopt(self, dump: Event) -> None:
        channel = ChannelId(dump.get("Unique-ID"))
        leg = self._board.legs.get(channel)
        seen = translate.snapshot(dump)
        if leg is None:
            leg = Leg(channel, inbound=seen.inbound, created_at=seen.created_at, trunk=seen.trunk)
            leg.endpoint = dump.variable("rimay_endpoint") or None
            leg.answered = leg.told_answered = seen.answered
            self._board.legs[channel] = leg
            if seen.inbound and not seen.answered and not dump.variable("rimay_announced"):
                self._announce(leg, dump)
        elif leg.now is not None and leg.now.playback is not None:
            # Whether it still plays cannot be told; so that nobody waits for ever, it is over.
            self._board.spawn(self._break_off(leg), f"break off {leg.id}")
            self._sounds.on_end(leg)
        self._note_rate(leg, dump)
        if seen.answered and not leg.told_answered:
            self._answered(leg, dump)
        if dump.get("Channel-State") in ("CS_EXECUTE", "CS_PARK"):
            leg.parked.set()
        else:
            leg.parked.clear()

    async def _break_off(self, leg: Leg) -> None:
        with contextlib.suppress(SwitchError):
            await self._client.api(f"uuid_break {leg.id} all")

    def _adopt_pairs(self, found: Sequence[Event]) -> None:
        peers = {ChannelId(dump.get("Unique-ID")): translate.snapshot(dump).bridged_to for dump in found}
        held = {ChannelId(dump.get("Unique-ID")) for dump in found if dump.variable("rimay_held_with")}
        for channel, peer in peers.items():
            leg = self._board.legs[channel]
            together = peer is not None and peers.get(peer) == channel
            if leg.pair is not None and (not together or leg.pair.other(channel) != peer):
                self._pairs.on_end(leg)
            if together and peer is not None:
                self._pairs.adopt(leg, self._board.legs[peer], held=channel in held)

    # --- events

    def _table(self) -> dict[str, Callable[[Leg, Event], None]]:
        return {
            "CHANNEL_CREATE": self._created,
            "CHANNEL_PROGRESS": self._progress,
            "CHANNEL_PROGRESS_MEDIA": self._progress,
            "CHANNEL_ANSWER": self._channel_answer,
            "CHANNEL_PARK": self._channel_park,
            "CHANNEL_UNPARK": lambda leg, _: leg.parked.clear(),
            "CHANNEL_EXECUTE_COMPLETE": self._sounds.on_complete,
            "CHANNEL_BRIDGE": lambda _, event: self._pairs.on_bridge(event),
            "CHANNEL_UNBRIDGE": lambda _, event: self._pairs.on_unbridge(event),
            "CHANNEL_HOLD": lambda _, event: self._tell(translate.held(event, self._clock.now())),
            "CHANNEL_UNHOLD": lambda _, event: self._tell(translate.held(event, self._clock.now())),
            "CHANNEL_HANGUP": self._channel_hangup,
            "CHANNEL_HANGUP_COMPLETE": self._channel_gone,
            "CHANNEL_DESTROY": self._destroyed,
            "DTMF": self._dtmf,
            "PLAYBACK_START": self._sounds.on_start,
            "RECORD_START": self._recorder.on_start,
            "RECORD_STOP": self._recorder.on_stop,
        }

    def _on_event(self, event: Event) -> None:
        if self._held_back is not None:
            self._held_back.append(event)
            return
        if event.name == "CUSTOM":
            self._custom(event)
            return
        handler = self._handlers.get(event.name)
        if handler is None:
            return
        leg = self._board.legs.get(ChannelId(event.channel))
        if leg is None:
            if event.name != "CHANNEL_PARK" or event.get("Call-Direction") != "inbound":
                return  # no leg of ours, or one of which all is told
            leg = self._arrived(event)
        handler(leg, event)

    def _arrived(self, event: Event) -> Leg:
        leg = Leg(ChannelId(event.channel), inbound=True, created_at=at(event, self._clock.now()))
        leg.endpoint = event.variable("rimay_endpoint") or None
        leg.trunk = None if leg.endpoint else event.variable("rimay_trunk") or None
        self._board.legs[leg.id] = leg
        self._announce(leg, event)
        return leg

    def _announce(self, leg: Leg, event: Event) -> None:
        self._tell(translate.arrived(event, self._clock.now()))
        self._board.spawn(self._mark_announced(leg), f"announced {leg.id}")

    async def _mark_announced(self, leg: Leg) -> None:
        """On the channel itself, so that a daemon that comes back does not hear of it as of a new one."""
        with contextlib.suppress(SwitchError):
            await self._client.api(f"uuid_setvar {leg.id} rimay_announced true")

    def _created(self, leg: Leg, event: Event) -> None:
        if leg.attempt is not None:
            leg.attempt.created = True

    def _progress(self, leg: Leg, event: Event) -> None:
        if not leg.inbound and not leg.told_ringing and not leg.answered:
            leg.told_ringing = True
            self._tell(ChannelRinging(at=at(event, self._clock.now()), channel=leg.id))

    def _channel_answer(self, leg: Leg, event: Event) -> None:
        self._note_rate(leg, event)
        if leg.inbound:
            self._answered(leg, event)
        # A leg that we called is told when it parks: bridged before that, it may be lost.

    def _answered(self, leg: Leg, event: Event) -> None:
        leg.answered = True
        if leg.told_answered:
            return
        leg.told_answered = True
        self._tell(ChannelAnswered(at=at(event, self._clock.now()), channel=leg.id))
        for other in list(self._board.legs.values()):
            if other.transfer_to == leg.id:
                other.transfer_to = None
                self._board.spawn(self._complete_transfer(other, leg), f"transfer {other.id}")

    async def _complete_transfer(self, leg: Leg, new_leg: Leg) -> None:
        try:
            await self._pairs.bridge(leg, new_leg)
        except (ChannelGone, CommandRefused) as error:
            log.info("a transfer was not completed: %s", error.message)

    def _channel_park(self, leg: Leg, event: Event) -> None:
        self._note_rate(leg, event)
        leg.parked.set()
        if event.variable("sip_refer_to") and leg.pair is not None:
            self._pairs.on_referred(leg, event)
        if not leg.inbound:
            leg.attempt = None
            self._answered(leg, event)
        self._sounds.on_park(leg)

    def _note_rate(self, leg: Leg, event: Event) -> None:
        rate = event.get("Channel-Read-Codec-Rate")
        if rate.isascii() and rate.isdigit() and int(rate) > 0:
            leg.rate = int(rate)

    def _dtmf(self, leg: Leg, event: Event) -> None:
        told = translate.digit(event, self._clock.now())
        if told is not None:
            self._tell(told)
            self._sounds.on_digit(leg, told.digit)

    def _channel_hangup(self, leg: Leg, event: Event) -> None:
        leg.parked.clear()
        if leg.stream is not None:
            leg.stream.end()

    def _channel_gone(self, leg: Leg, event: Event) -> None:
        if leg.attempt is not None and event.get("Caller-Channel-Answered-Time", "0") in ("0", ""):
            # One try of perhaps several: the dialler tells how it ends.
            name = event.get("Hangup-Cause") or event.variable("hangup_cause")
            leg.attempt.cause = translate.cause_of(name, answered=False)
            return
        told = translate.hung_up(event, self._clock.now(), by_us=leg.by_us, answered=leg.answered)
        self._start_end(leg, told)

    def _destroyed(self, leg: Leg, event: Event) -> None:
        if leg.attempt is not None:
            leg.attempt.destroyed.set()

    def _start_end(self, leg: Leg, told: ChannelHungUp) -> None:
        if not leg.ended:
            leg.ended = True
            self._board.spawn(self._end(leg, told), f"end of {leg.id}")

    async def _end(self, leg: Leg, told: ChannelHungUp) -> None:
        """All that hangs on the leg ends first, so that its hang-up is its last event."""
        leg.ended = True
        self._forget(leg)
        await self._recorder.complete_all(leg)
        self._pairs.on_end(leg)
        self._tell(told)

    def _forget(self, leg: Leg) -> None:
        """Take a leg out of everything but its recordings and its pair."""
        self._board.legs.pop(leg.id, None)
        leg.parked.set()  # whoever waits for it sees that it has ended
        self._sounds.on_end(leg)
        self._sounds.stop_collecting(leg)
        if leg.stream is not None:
            leg.stream.end()
        for other in list(self._board.legs.values()):
            if other.transfer_to == leg.id:
                other.transfer_to = None
                self._sounds.stop(other)
            if other.supervising == leg.id:
                other.supervising = other.mode = None
        if leg.transfer_to is not None:
            self._board.spawn(self._cancel(leg.transfer_to), f"cancel {leg.transfer_to}")

    async def _cancel(self, channel: ChannelId) -> None:
        with contextlib.suppress(ChannelGone, SwitchUnreachable):
            await self.hangup(channel, HangupCause.CANCELLED)

    def _custom(self, event: Event) -> None:
        kind = event.subclass
        if kind == "sofia::gateway_state":
            self._gateway_state(event)
        elif kind == "sofia::transferor":
            self._pairs.on_transferor(event)
        elif kind in ("sofia::register", "sofia::unregister", "sofia::expire"):
            self._registration(event)

    def _gateway_state(self, event: Event) -> None:
        trunk, _, gateway = event.get("Gateway").partition(".")
        watched = any(one.name == trunk and one.keepalive_s > 0 for one in self._settings.trunks)
        told = translate.trunk_changed(event, self._clock.now(), watched)
        before = self._trunks.get((trunk, gateway))
        if told is None or before is None:
            return
        self._trunks[trunk, gateway] = told.status
        if before.state is not told.status.state:
            self._tell(told)

    def _registration(self, event: Event) -> None:
        told = translate.endpoint_changed(event, self._clock.now(), 0)
        name, online = told.status.endpoint, told.status.online
        known = any(phone.name == name for phone in self._settings.phones)
        if not known or online == (name in self._online):
            return
        (self._online.add if online else self._online.discard)(name)
        used = self._used().get(name, 0)
        self._tell(EndpointChanged(at=told.at, status=EndpointStatus(name, online, used)))

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
            await self._client.api(f"uuid_answer {leg.id}")

    def _ringing_leg(self, channel: ChannelId) -> Leg:
        leg = self._leg(channel)
        if leg.answered or not leg.inbound:
            raise CommandRefused("only for an inbound call that is not answered", channel=channel)
        return leg

    async def ring(self, channel: ChannelId) -> None:
        await self._client.api(f"uuid_ring_ready {self._ringing_leg(channel).id}")

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        await self._kill(self._ringing_leg(channel), cause, REJECT_WITH[cause])

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        await self._kill(self._leg(channel), cause, HANGUP_WITH[cause])

    async def _kill(self, leg: Leg, cause: HangupCause, name: str) -> None:
        before, leg.by_us = leg.by_us, leg.by_us or cause
        try:
            await self._client.api(f"uuid_kill {leg.id} {name}")
        except ChannelGone:
            if leg.attempt is None:
                raise
            # Between two tries of an outbound call: the dialler sees it and tries no more.
        except CommandRefused:
            leg.by_us = before
            raise

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
        await self._sounds.music(self._lone(channel))

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
        await self._pairs.bridge(first, second)

    async def unbridge(self, channel: ChannelId) -> None:
        await self._pairs.unbridge(self._leg(channel))

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        await self._pairs.hold(self._leg(channel))

    async def unhold(self, channel: ChannelId) -> None:
        await self._pairs.unhold(self._leg(channel))

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

    async def _leave_stream(self, leg: Leg) -> None:
        """There is no command for it: the channel leaves its park and comes back at once."""
        leg.stream = None
        if leg.ended or leg.pair is not None:
            return
        leg.parked.clear()
        try:
            await self._client.api(f"uuid_transfer {leg.id} park inline")
            await self._board.settle(leg)
        except ChannelGone:
            return

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
        return ChannelSnapshot(
            channel=seen.channel,
            answered=seen.answered,
            inbound=seen.inbound,
            remote_number=seen.remote_number,
            local_number=seen.local_number,
            created_at=seen.created_at,
            bridged_to=leg.pair.other(leg.id) if leg.pair is not None else None,
            variables=seen.variables,
            trunk=seen.trunk,
        )

    async def trunks(self) -> Sequence[TrunkStatus]:
        return await status.trunks(self._client, self._settings)

    async def endpoints(self) -> Sequence[EndpointStatus]:
        return status.endpoint_statuses(self._settings, await status.registered(self._client), self._used())

    def _used(self) -> dict[str, int]:
        used: dict[str, int] = {}
        for leg in self._board.legs.values():
            if leg.endpoint and not leg.ended:
                used[leg.endpoint] = used.get(leg.endpoint, 0) + 1
        return used
