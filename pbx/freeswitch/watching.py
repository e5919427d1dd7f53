"""What FreeSWITCH tells and what we make of it: events handed to the parts, legs born and ended, and the truth found
out after every reconnect. Owns the connection; the commands are in `switch`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from foundation.clock import Clock
from pbx.events import (
    ChannelAnswered,
    ChannelHungUp,
    ChannelRinging,
    SwitchDown,
    SwitchEvent,
    SwitchUp,
)
from pbx.freeswitch import ear, status, translate
from pbx.freeswitch.browsers import Browsers
from pbx.freeswitch.client import EslClient, EslOptions
from pbx.freeswitch.codec import Event
from pbx.freeswitch.dialling import Dialler
from pbx.freeswitch.instance import FreeswitchLink
from pbx.freeswitch.legs import Board, Leg
from pbx.freeswitch.pairs import Pairs
from pbx.freeswitch.presence import Presence
from pbx.freeswitch.recording import Recorder
from pbx.freeswitch.rooms import Rooms
from pbx.freeswitch.sounding import Sounds
from pbx.freeswitch.supervision import Supervisors
from pbx.freeswitch.translate import HANGUP_WITH, at
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from pbx.terms import (
    ChannelGone,
    ChannelId,
    CommandRefused,
    HangupCause,
    SwitchError,
    SwitchUnreachable,
)

log = logging.getLogger(__name__)

# New calls are let in by the dialplan for so long after we were last heard of; then they are refused with 503. Who
# calls before that waits for us to come back.
ALIVE_S = 6
_ALIVE_EVERY_S = 1.5
# Beyond this many events that nobody takes, the daemon is stuck: the connection is cut, and reconciliation follows.
_MAX_EVENTS = 100_000
_PARKED = ("CS_EXECUTE", "CS_PARK")
# The switch writes its list of channels from behind: seen up to 0.21 s late.
_LISTED_AFTER_S = 1.5
# Measured: an idle listener's events come after 10.3 ms (p50) and 20.6 ms (p99); woken every 5 ms after 3.7 and 8.6.
KEEP_AWAKE_S = 0.005


class Watcher:
    """The parts of the adapter, put together and fed."""

    def __init__(
        self,
        link: FreeswitchLink,
        settings: PbxSettings,
        sounds: SoundLibrary,
        clock: Clock,
        options: EslOptions | None,
    ) -> None:
        self._clock = clock
        self._recordings = link.recordings
        self.queue: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self.board = Board(clock, self._tell)
        self.client = EslClient(
            link.host,
            link.port,
            link.password,
            events=translate.EVENTS,
            on_event=self._on_event,
            on_up=self._on_up,
            on_down=self._on_down,
            options=options or EslOptions(keep_awake_s=KEEP_AWAKE_S),
        )
        self.board.client = self.client
        self.browsers = Browsers(self.client, link.browsers, settings)
        self.presence = Presence(self.board, settings, self.browsers, lambda: self._up)
        self.sounds = Sounds(self.board, sounds)
        self.supervisors = Supervisors(self.board, self.sounds)
        self.pairs = Pairs(self.board, self.sounds, self.supervisors)
        self.rooms = Rooms(self.board, self.sounds, self.pairs)
        self.recorder = Recorder(self.board, link.recordings)
        self.dialler = Dialler(self.board, settings, self.presence.trunks, self._forget, self.browsers.names)
        self._core = ""  # the life of the switch, by its own name
        self._up = False
        self._held_back: list[Event] | None = None  # events that come while we reconcile
        self._handlers = self._table()

    # --- life

    async def start(self) -> None:
        await self.client.__aenter__()
        self.board.spawn(self._stay_alive(), "alive")

    async def stop(self) -> None:
        await self.client.__aexit__()
        await self.board.close()
        for leg in self.board.legs.values():
            _let_go(leg)

    def _tell(self, event: SwitchEvent) -> None:
        if self.queue.qsize() >= _MAX_EVENTS:
            self.client.drop("nobody takes our events")
            return
        self.queue.put_nowait(event)

    async def _stay_alive(self) -> None:
        while True:
            if self.client.connected:
                with contextlib.suppress(SwitchError):
                    await self._say_alive()
                    await self.presence.look_at_trunks()
            await asyncio.sleep(_ALIVE_EVERY_S)

    async def _say_alive(self) -> None:
        """By the switch's own clock, which need not be ours."""
        its_time = int((await self.client.api("strepoch")).strip() or 0)
        await self.client.api(f"global_setvar rimay_alive_until={its_time + ALIVE_S}")

    async def _on_up(self) -> None:
        self._held_back = []
        try:
            core = (await self.client.api("global_getvar core_uuid")).strip()
            version = (await self.client.api("version short")).strip()
            first, same_life = not self._core, self._core in ("", core)
            self._core = core
            if not same_life:
                self._drop_all()
            await self._say_alive()
            await self._reconcile(version, same_life)
            if first:
                await ear.end_older(self.board, self._recordings)
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
        for leg in list(self.board.legs.values()):
            leg.ended = True
            leg.parked.set()
            leg.idle.set()
            _let_go(leg)
        self.board.legs.clear()

    async def _reconcile(self, version: str, same_life: bool) -> None:
        """Learn what is, before anything new is done: legs that we did not know, and those that are no more."""
        listed = await status.channel_ids(self.client)
        found = await status.dumps(self.client, dict.fromkeys([*listed, *self.board.legs]))
        await self.presence.learn()
        self._up = True
        self._tell(SwitchUp(at=self._clock.now(), same_life=same_life, version=version))
        living = {dump.get("Unique-ID") for dump in found}
        for leg in list(self.board.legs.values()):
            if leg.id not in living:
                await self._end(leg, self._missed(leg))
        for dump in found:
            self._adopt(dump)
        self._adopt_pairs(found)
        self.board.spawn(self._look_again(), "look again")

    async def _look_again(self) -> None:
        """A call that came right before us: its events were over, and it was not in the list yet. One that is still to
        be parked tells of itself."""
        await asyncio.sleep(_LISTED_AFTER_S)
        with contextlib.suppress(SwitchError):
            missing = [one for one in await status.channel_ids(self.client) if ChannelId(one) not in self.board.legs]
            for dump in await status.dumps(self.client, missing):
                known = ChannelId(dump.get("Unique-ID")) in self.board.legs
                if not known and dump.get("Channel-State") in _PARKED:
                    self._adopt(dump)

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
        leg = self.board.legs.get(channel)
        seen = translate.snapshot(dump)
        if leg is None:
            leg = Leg(channel, inbound=seen.inbound, created_at=seen.created_at, trunk=seen.trunk)
            leg.endpoint = dump.variable("rimay_endpoint") or None
            leg.answered = leg.told_answered = seen.answered
            self.board.legs[channel] = leg
            self.supervisors.adopt(leg, dump)
            if seen.inbound and not seen.answered and not dump.variable("rimay_announced"):
                self._announce(leg, dump)
        elif leg.now is not None and leg.now.playback is not None:
            # Whether it still plays cannot be told; so that nobody waits for ever, it is over.
            self.board.spawn(self._break_off(leg), f"break off {leg.id}")
            self.sounds.on_end(leg)
        self._note_rate(leg, dump)
        if seen.answered and not leg.told_answered:
            self._answered(leg, dump)
        if dump.get("Channel-State") in _PARKED:
            leg.parked.set()
        else:
            leg.parked.clear()
        self.rooms.adopt(leg, dump)

    async def _break_off(self, leg: Leg) -> None:
        with contextlib.suppress(SwitchError):
            await self.client.api(f"uuid_break {leg.id} all")

    def _adopt_pairs(self, found: Sequence[Event]) -> None:
        peers = {ChannelId(dump.get("Unique-ID")): translate.snapshot(dump).bridged_to for dump in found}
        held = {ChannelId(dump.get("Unique-ID")) for dump in found if dump.variable("rimay_held_with")}
        for channel, peer in peers.items():
            leg = self.board.legs[channel]
            together = peer is not None and peers.get(peer) == channel
            if leg.pair is not None and (not together or leg.pair.other(channel) != peer):
                self.pairs.on_end(leg)
            if together and peer is not None:
                self.pairs.adopt(leg, self.board.legs[peer], held=channel in held)

    # --- events

    def _table(self) -> dict[str, Callable[[Leg, Event], None]]:
        return {
            "CHANNEL_CREATE": self._created,
            "CHANNEL_PROGRESS": self._progress,
            "CHANNEL_PROGRESS_MEDIA": self._progress,
            "CHANNEL_ANSWER": self._channel_answer,
            "CHANNEL_PARK": self._channel_park,
            "CHANNEL_UNPARK": lambda leg, _: leg.parked.clear(),
            "CHANNEL_EXECUTE_COMPLETE": self.sounds.on_complete,
            "CHANNEL_BRIDGE": lambda _, event: self.pairs.on_bridge(event),
            "CHANNEL_UNBRIDGE": lambda _, event: self.pairs.on_unbridge(event),
            "CHANNEL_HOLD": lambda _, event: self._tell(translate.held(event, self._clock.now())),
            "CHANNEL_UNHOLD": lambda _, event: self._tell(translate.held(event, self._clock.now())),
            "CHANNEL_HANGUP": self._channel_hangup,
            "CHANNEL_HANGUP_COMPLETE": self._channel_gone,
            "CHANNEL_DESTROY": self._destroyed,
            "DTMF": self._dtmf,
            "PLAYBACK_START": self.sounds.on_start,
            "RECORD_START": self.recorder.on_start,
            "RECORD_STOP": self.recorder.on_stop,
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
        leg = self.board.legs.get(ChannelId(event.channel))
        if leg is None:
            if event.name != "CHANNEL_PARK" or event.get("Call-Direction") != "inbound":
                return  # no leg of ours, or one of which all is told
            leg = self._arrived(event)
        handler(leg, event)

    def _arrived(self, event: Event) -> Leg:
        leg = Leg(ChannelId(event.channel), inbound=True, created_at=at(event, self._clock.now()))
        leg.endpoint = event.variable("rimay_endpoint") or None
        leg.trunk = None if leg.endpoint else event.variable("rimay_trunk") or None
        self.board.legs[leg.id] = leg
        self._announce(leg, event)
        return leg

    def _announce(self, leg: Leg, event: Event) -> None:
        self._tell(translate.arrived(event, self._clock.now()))
        self.board.spawn(self._mark_announced(leg), f"announced {leg.id}")

    async def _mark_announced(self, leg: Leg) -> None:
        """On the channel itself, so that a daemon that comes back does not hear of it as of a new one."""
        with contextlib.suppress(SwitchError):
            await self.client.api(f"uuid_setvar {leg.id} rimay_announced true")

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

    def _tell_answered(self, leg: Leg, event: Event) -> bool:
        """False where it was told before."""
        before, leg.answered, leg.told_answered = leg.told_answered, True, True
        if not before:
            self._tell(ChannelAnswered(at=at(event, self._clock.now()), channel=leg.id))
        return not before

    def _answered(self, leg: Leg, event: Event) -> None:
        if not self._tell_answered(leg, event):
            return
        for other in list(self.board.legs.values()):
            if other.transfer_to == leg.id:
                other.transfer_to = None
                self.board.spawn(self._complete_transfer(other, leg), f"transfer {other.id}")

    async def _complete_transfer(self, leg: Leg, new_leg: Leg) -> None:
        try:
            await self.pairs.bridge(leg, new_leg)
        except (ChannelGone, CommandRefused) as error:
            log.info("a transfer was not completed: %s", error.message)

    def _channel_park(self, leg: Leg, event: Event) -> None:
        self._note_rate(leg, event)
        leg.parked.set()
        if event.variable("sip_refer_to") and leg.pair is not None:
            self.pairs.on_referred(leg, event)
        if not leg.inbound:
            leg.attempt = None
            self._answered(leg, event)
        self.sounds.on_park(leg)

    def _note_rate(self, leg: Leg, event: Event) -> None:
        rate = event.get("Channel-Read-Codec-Rate")
        if rate.isascii() and rate.isdigit() and int(rate) > 0:
            leg.rate = int(rate)

    def _dtmf(self, leg: Leg, event: Event) -> None:
        told = translate.digit(event, self._clock.now())
        if told is not None:
            self._tell(told)
            self.sounds.on_digit(leg, told.digit, told.at)

    def _channel_hangup(self, leg: Leg, event: Event) -> None:
        leg.parked.clear()
        leg.end_audio()

    def _channel_gone(self, leg: Leg, event: Event) -> None:
        was_answered = translate.was_answered(event)
        if leg.attempt is not None and not was_answered:
            # One try of perhaps several: the dialler tells how it ends.
            name = event.get("Hangup-Cause") or event.variable("hangup_cause")
            leg.attempt.cause = translate.cause_of(name, answered=False)
            return
        if was_answered:  # and perhaps hung up in that instant, before it parked: that is no failed call
            self._tell_answered(leg, event)
            if leg.attempt is not None:
                leg.attempt.destroyed.set()
        told = translate.hung_up(event, self._clock.now(), by_us=leg.by_us, answered=leg.answered)
        self._start_end(leg, told)

    def _destroyed(self, leg: Leg, event: Event) -> None:
        if leg.attempt is not None:
            leg.attempt.destroyed.set()

    def _start_end(self, leg: Leg, told: ChannelHungUp) -> None:
        if not leg.ended:
            leg.ended = True
            self.board.spawn(self._end(leg, told), f"end of {leg.id}")

    async def _end(self, leg: Leg, told: ChannelHungUp) -> None:
        """All that hangs on the leg ends first, so that its hang-up is its last event."""
        leg.ended = True
        self._forget(leg)
        await self.recorder.complete_all(leg)
        self.pairs.on_end(leg)
        self.rooms.on_end(leg)
        self._tell(told)

    def _forget(self, leg: Leg) -> None:
        """Take a leg out of everything but its recordings and its pair."""
        self.board.legs.pop(leg.id, None)
        leg.parked.set()  # whoever waits for it sees that it has ended
        self.sounds.on_end(leg)
        self.sounds.stop_collecting(leg)
        leg.end_audio()
        for other in list(self.board.legs.values()):
            if other.transfer_to == leg.id:
                other.transfer_to = None
                self.sounds.stop(other)
            if other.supervising == leg.id:
                other.supervising = other.mode = None
        if leg.transfer_to is not None:
            self.board.spawn(self._cancel(leg.transfer_to), f"cancel {leg.transfer_to}")

    async def _cancel(self, channel: ChannelId) -> None:
        with contextlib.suppress(ChannelGone, SwitchUnreachable):
            await self.kill(self.board.leg(channel), HangupCause.CANCELLED, HANGUP_WITH[HangupCause.CANCELLED])

    def _custom(self, event: Event) -> None:
        kind = event.subclass
        if kind == "sofia::gateway_state":
            self.presence.on_gateway_state(event)
        elif kind == "sofia::transferor":
            self.pairs.on_transferor(event)
        elif kind == "conference::maintenance":
            self.rooms.on_member(event)
        elif kind in ("sofia::register", "sofia::unregister", "sofia::expire"):
            self.presence.on_registration(event)

    # --- shared with the commands

    async def kill(self, leg: Leg, cause: HangupCause, name: str) -> None:
        before, leg.by_us = leg.by_us, leg.by_us or cause
        try:
            await self.client.api(f"uuid_kill {leg.id} {name}")
        except ChannelGone:
            if leg.attempt is None:
                raise
            # Between two tries of an outbound call: the dialler sees it and tries no more.
        except CommandRefused:
            leg.by_us = before
            raise


def _let_go(leg: Leg) -> None:
    """Of what is ours and not the switch's."""
    leg.end_audio()
    if leg.collection is not None and leg.collection.timer is not None:
        leg.collection.timer.cancel()
