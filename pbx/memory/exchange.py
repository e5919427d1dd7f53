"""The twin's switch proper: legs, pairs, sounds, digits, recordings, supervision. Knows no SIP and no far end's mind.

Everything is synchronous and happens at the clock's present moment; whatever changes audio ends in `changed`, which
derives anew what every recording and every listener hears.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from foundation.clock import Clock
from pbx.collect import Digit, Finished, Input, PromptEnded, Stop, StopPrompt, Tick, begin, step
from pbx.events import (
    Bridged,
    ChannelAnswered,
    ChannelHungUp,
    DigitReceived,
    DigitsCollected,
    PlaybackEnd,
    PlaybackFinished,
    PlaybackStarted,
    RoomEntered,
    RoomLeft,
    SwitchEvent,
    Unbridged,
)
from pbx.memory.audio import Clip, MissingSound, Tones, clip
from pbx.memory.legs import Collecting, Leg, Playing, heard_by
from pbx.memory.recorder import Recorder
from pbx.memory.stream import MemoryEar, MemoryStream
from pbx.terms import (
    ChannelGone,
    ChannelId,
    CommandRefused,
    DigitRules,
    HangupCause,
    PlaybackId,
    RoomId,
    Sound,
    Supervision,
    check_room,
)


class Exchange:
    def __init__(self, clock: Clock, tell: Callable[[SwitchEvent], None], notice: Callable[[], None]) -> None:
        self.clock = clock
        self.legs: dict[ChannelId, Leg] = {}
        self.library: dict[str, Clip] = {}  # sounds by name
        self.recorder = Recorder(clock, tell)
        self._tell = tell
        self._notice = notice

    def leg(self, channel: ChannelId) -> Leg:
        try:
            return self.legs[channel]
        except KeyError:
            raise ChannelGone("no such channel, or it hung up", channel=channel) from None

    def answered_leg(self, channel: ChannelId) -> Leg:
        leg = self.leg(channel)
        if not leg.answered:
            raise CommandRefused("the channel is not answered", channel=channel)
        return leg

    def lone_leg(self, channel: ChannelId) -> Leg:
        leg = self.answered_leg(channel)
        if leg.peer or leg.room is not None:
            raise CommandRefused("the channel is bridged", channel=channel)
        return leg

    def heard(self, leg: Leg) -> Tones:
        return heard_by(leg, self.legs.values())

    def changed(self) -> None:
        """Audio may have changed."""
        self.recorder.changed(self.legs.values())
        self._notice()

    # --- life of a leg

    def answered(self, leg: Leg) -> None:
        leg.answered = True
        if leg.timer:
            leg.timer.cancel()
        self._tell(ChannelAnswered(at=self.clock.now(), channel=leg.id))
        self.changed()

    def end(self, leg: Leg, cause: HangupCause, *, by_us: bool) -> None:
        """Everything that hangs on the leg ends first, so that its hang-up is its last event."""
        self.stop_playing(leg)
        self.stop_collecting(leg)
        self.recorder.stop_all(leg)
        self.unbridge(leg)
        self.leave_room(leg)
        if leg.stream:
            leg.stream.end()
        if leg.ear:
            leg.ear.end()
        if leg.timer:
            leg.timer.cancel()
        for other in self.legs.values():
            if other.supervised is leg:
                other.supervised = None
        self.legs.pop(leg.id, None)
        self._tell(
            ChannelHungUp(
                at=self.clock.now(),
                channel=leg.id,
                cause=cause,
                q850=cause.q850,
                by_us=by_us,
                answered=leg.answered,
            )
        )
        self.changed()

    # --- sounds

    def play(self, leg: Leg, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        self.stop_playing(leg)
        leg.music = leg.ring_tone = False
        leg.playing = Playing(playback, deque(sounds))
        self._tell(PlaybackStarted(at=self.clock.now(), channel=leg.id, playback=playback))
        self._next_sound(leg)

    def _next_sound(self, leg: Leg) -> None:
        playing = leg.playing
        if playing is None:
            return
        if not playing.rest:
            self._playing_ended(leg, PlaybackEnd.DONE)
            return
        try:
            sound = clip(playing.rest.popleft(), self.library)
        except MissingSound as missing:
            self._playing_ended(leg, PlaybackEnd.FAILED, f"missing sound: {missing}")
            return
        playing.tones = sound.tones
        playing.timer = self.clock.call_later(sound.seconds, lambda: self._next_sound(leg))
        self.changed()

    def stop_playing(self, leg: Leg) -> None:
        if leg.playing:
            self._playing_ended(leg, PlaybackEnd.STOPPED)

    def _playing_ended(self, leg: Leg, end: PlaybackEnd, detail: str = "") -> None:
        playing, leg.playing = leg.playing, None
        if playing is None:
            return
        if playing.timer:
            playing.timer.cancel()
        self._tell(
            PlaybackFinished(at=self.clock.now(), channel=leg.id, playback=playing.playback, end=end, detail=detail)
        )
        self.changed()
        if leg.collecting and leg.collecting.prompt == playing.playback:
            self._collect_step(leg, PromptEnded())

    def set_music(self, leg: Leg, on: bool) -> None:
        if on:
            self.stop_playing(leg)
            leg.ring_tone = False
        leg.music = on
        self.changed()

    def set_ring_tone(self, leg: Leg, on: bool) -> None:
        if on:
            self.stop_playing(leg)
        leg.ring_tone = on
        self.changed()

    # --- digits

    def collect(
        self, leg: Leg, rules: DigitRules, playback: PlaybackId | None = None, sounds: Sequence[Sound] = ()
    ) -> None:
        ahead = leg.ahead.let_in(rules)
        prompt = playback if sounds and not ahead else None
        try:
            state = begin(rules, prompt=prompt is not None, at=self.clock.now())
        except ValueError as error:
            raise CommandRefused(str(error), channel=leg.id) from error
        self.stop_collecting(leg)
        self.stop_playing(leg)
        leg.collecting = collecting = Collecting(state, prompt)
        if prompt is not None:
            self.play(leg, prompt, sounds)
        else:
            self._collect_step(leg, Tick())
        while leg.collecting is collecting and (key := leg.ahead.next()) is not None:
            self._collect_step(leg, Digit(key))

    def stop_collecting(self, leg: Leg) -> None:
        """Its prompt ends with it."""
        if leg.collecting:
            prompt = leg.collecting.prompt
            self._collect_step(leg, Stop())
            if leg.playing and leg.playing.playback == prompt:
                self.stop_playing(leg)

    def _collect_step(self, leg: Leg, given: Input) -> None:
        collecting = leg.collecting
        if collecting is None:
            return
        collecting.state, effects = step(collecting.state, given, self.clock.now())
        if collecting.timer:
            collecting.timer.cancel()
            collecting.timer = None
        if collecting.state.deadline is not None:
            delay = collecting.state.deadline - self.clock.now()
            collecting.timer = self.clock.call_later(delay, lambda: self._collect_step(leg, Tick()))
        for effect in effects:
            if isinstance(effect, StopPrompt):
                self.stop_playing(leg)
            elif isinstance(effect, Finished):
                leg.collecting = None
                self._tell(DigitsCollected(at=self.clock.now(), channel=leg.id, digits=effect.digits, end=effect.end))

    def digit(self, leg: Leg, digit: str, duration_ms: int) -> None:
        """The far end pressed a key: told, collected, and passed on to the peer."""
        now = self.clock.now()
        self._tell(DigitReceived(at=now, channel=leg.id, digit=digit, duration_ms=duration_ms))
        if leg.peer and not leg.peer.held and not leg.held:
            leg.peer.far.receive_digits(digit)
        if leg.collecting is not None:
            self._collect_step(leg, Digit(digit))
        else:
            leg.ahead.add(digit, now)

    # --- pairs

    def bridge(self, a: Leg, b: Leg) -> None:
        if a is b:
            raise CommandRefused("a channel cannot be bridged with itself", channel=a.id)
        if a.peer is b:
            return
        for leg in (a, b):
            self._make_ready(leg)
        a.peer, b.peer = b, a
        self._tell(Bridged(at=self.clock.now(), channel=a.id, peer=b.id))
        self.changed()

    def _make_ready(self, leg: Leg) -> None:
        """For a pair or a room: nothing else hangs on it."""
        self.unbridge(leg)
        self.leave_room(leg)
        self.stop_playing(leg)
        self.stop_collecting(leg)
        leg.music = leg.ring_tone = False
        leg.supervised = None
        if leg.stream:
            leg.stream.end()
            leg.stream = None

    def enter_room(self, leg: Leg, room: RoomId) -> None:
        check_room(room)
        if leg.room == room:
            return
        self._make_ready(leg)
        leg.room = room
        self._tell(RoomEntered(at=self.clock.now(), channel=leg.id, room=room))
        self.changed()

    def leave_room(self, leg: Leg) -> None:
        room, leg.room = leg.room, None
        if room is None:
            return
        leg.held = False
        self._tell(RoomLeft(at=self.clock.now(), channel=leg.id, room=room))
        self.changed()

    def unbridge(self, leg: Leg) -> None:
        peer = leg.peer
        if peer is None:
            return
        for one in (leg, peer):
            one.peer = None
            one.held = False
        self._tell(Unbridged(at=self.clock.now(), channel=leg.id, peer=peer.id))
        self.changed()

    def set_held(self, leg: Leg, on: bool) -> None:
        if leg.peer is None and leg.room is None:
            raise CommandRefused("the channel is not bridged", channel=leg.id)
        leg.held = on
        self.changed()

    def supervise(self, supervisor: Leg, target: Leg, mode: Supervision) -> None:
        if supervisor is target or supervisor.peer or supervisor.room is not None:
            raise CommandRefused("a supervisor's leg is one of its own, not bridged", channel=supervisor.id)
        if target.peer is None and target.room is None:
            raise CommandRefused("the supervised channel is not bridged", channel=target.id)
        self.stop_playing(supervisor)
        supervisor.music = False
        supervisor.supervised, supervisor.mode = target, mode
        self.changed()

    def stop_supervising(self, supervisor: Leg) -> None:
        supervisor.supervised = None
        self.changed()

    def open_ear(self, leg: Leg, rate: int) -> MemoryEar:
        if leg.ear:
            leg.ear.end()
        leg.ear = MemoryEar(self.clock, rate, leg.says)
        return leg.ear

    def open_stream(self, leg: Leg, rate: int) -> MemoryStream:
        if leg.stream:
            leg.stream.end()
        leg.stream = MemoryStream(self.clock, rate, leg.says, self.changed)
        return leg.stream
