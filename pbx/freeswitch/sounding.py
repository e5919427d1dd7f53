"""What a parked leg hears from the switch, one thing at a time: playbacks, music, ring tones; and digits collected.

Theory of operation
-------------------
A parked leg runs an application when told so (`sendmsg execute`) and tells its end (CHANNEL_EXECUTE_COMPLETE). A second
one sent meanwhile would run *inside* the first, and a break (`uuid_break`) sent before the first has begun its loop is
lost. So there is one at a time: to begin another, the running one is broken off as soon as it is known to run
(PLAYBACK_START), and the next is sent when its end is told.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from foundation.errors import RimayError
from pbx import collect as collecting
from pbx.events import DigitsCollected, PlaybackEnd, PlaybackFinished, PlaybackStarted
from pbx.freeswitch.codec import Event
from pbx.freeswitch.legs import Board, Collection, Leg, Sounding
from pbx.freeswitch.translate import at
from pbx.sounds import SoundLibrary
from pbx.terms import (
    ChannelGone,
    CommandRefused,
    DigitRules,
    PlaybackId,
    Sound,
    SwitchError,
    SwitchUnreachable,
)

MUSIC = "local_stream://default"
# Samples a second of the files that a leg hears: a wideband telephone gets more than the public network's.
NARROW, WIDE = 8000, 16_000
# Ecuador's ring tone: 425 Hz, 1.2 s on, 4.6 s off.
RING_TONE = "tone_stream://%(1200,4600,425);loops=-1"


class Sounds:
    def __init__(self, board: Board, library: SoundLibrary) -> None:
        self._board = board
        self._library = library

    # --- commands

    async def play(self, leg: Leg, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        try:
            argument = await self._argument(sounds, WIDE if leg.rate >= WIDE else NARROW)
        except RimayError as error:
            self._set(leg, None)
            self._tell_missing(leg, playback, error.message)
            return
        if leg.ended:
            raise ChannelGone("no such channel, or it hung up", channel=leg.id)
        await self._run(leg, "playback", argument, playback)

    async def _argument(self, sounds: Sequence[Sound], rate: int) -> str:
        paths = [str(await self._library.resolve(sound, rate)) for sound in sounds]
        if not paths:
            raise CommandRefused("nothing to play")
        if any("!" in path or "\n" in path for path in paths):
            raise CommandRefused("a sound's path holds a character that the switch cannot take")
        return paths[0] if len(paths) == 1 else "file_string://" + "!".join(paths)

    async def music(self, leg: Leg) -> None:
        await self._run(leg, "playback", MUSIC)

    async def ring_tone(self, leg: Leg) -> None:
        await self._run(leg, "playback", RING_TONE)

    async def eavesdrop(self, leg: Leg, target: str) -> None:
        await self._run(leg, "eavesdrop", target)

    def adopt_eavesdropping(self, leg: Leg, target: str) -> None:
        """One that an earlier daemon began; the name under which it did is not known any more."""
        leg.now = Sounding("", "eavesdrop", target, sent=True, started=True)
        leg.idle.clear()

    async def _run(self, leg: Leg, application: str, argument: str, playback: PlaybackId | None = None) -> None:
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._set(leg, Sounding(str(uuid.uuid4()), application, argument, playback, taken=taken))
        await taken

    def stop(self, leg: Leg) -> None:
        """End what sounds, whatever it is; told when it has ended."""
        self._set(leg, None)

    def plays(self, leg: Leg, *, playback: bool) -> bool:
        """Whether a playback (or else: music or the like) is what sounds or will."""
        sounding = leg.next or leg.now
        return sounding is not None and (sounding.playback is not None) is playback

    async def silence(self, leg: Leg) -> None:
        """Stop, and wait until nothing sounds."""
        self.stop(leg)
        try:
            async with asyncio.timeout(Board.SETTLE_S):
                await leg.idle.wait()
        except TimeoutError:
            raise CommandRefused("the channel does not stop what it plays", channel=leg.id) from None

    # --- one at a time

    def _set(self, leg: Leg, sounding: Sounding | None) -> None:
        waiting, leg.next = leg.next, sounding
        if waiting is not None:
            self._over(leg, waiting, PlaybackEnd.STOPPED)
        if leg.now is None:
            self._begin(leg)
        else:
            leg.now.stopped = True
            self._break(leg)

    def _begin(self, leg: Leg) -> None:
        if leg.now is not None:
            return
        if leg.next is None:
            leg.idle.set()
            return
        leg.idle.clear()
        if leg.parked.is_set():
            leg.now, leg.next = leg.next, None
            self._board.spawn(self._send(leg, leg.now), f"{leg.now.application} {leg.id}")

    async def _send(self, leg: Leg, sounding: Sounding) -> None:
        try:
            sounding.sent = True
            await self._board.client.execute(leg.id, sounding.application, sounding.argument, token=sounding.token)
        except SwitchError as error:
            if leg.now is sounding:
                leg.now = None
            if sounding.taken and not sounding.taken.done():
                sounding.taken.set_exception(error)
            if isinstance(error, SwitchUnreachable):
                return  # it may well sound; reconciliation looks
            self._begin(leg)
        else:
            if sounding.taken and not sounding.taken.done():
                sounding.taken.set_result(None)

    def _break(self, leg: Leg) -> None:
        now = leg.now
        if now is None or not now.started or now.broken:
            return
        now.broken = True
        self._board.spawn(self._send_break(leg), f"break {leg.id}")

    async def _send_break(self, leg: Leg) -> None:
        try:
            await self._board.client.api(f"uuid_break {leg.id}")
        except (ChannelGone, SwitchUnreachable):
            return  # its end is told, or found out when we are back

    # --- what the switch tells

    def on_park(self, leg: Leg) -> None:
        self._begin(leg)

    def on_start(self, leg: Leg, event: Event) -> None:
        """PLAYBACK_START: only now can it be broken off."""
        now = leg.now
        if now is None or event.variable("app_uuid") not in (now.token, ""):
            return
        now.started = True
        if now.playback is not None and not now.told_started:
            now.told_started = True
            when = at(event, self._board.clock.now())
            self._board.tell(PlaybackStarted(at=when, channel=leg.id, playback=now.playback))
        if now.stopped:
            self._break(leg)

    def on_complete(self, leg: Leg, event: Event) -> None:
        now = leg.now
        if now is None or not now.is_of(event):
            return
        leg.now = None
        response = event.get("Application-Response")
        if now.stopped or event.get("Answer-State") == "hangup":
            end = PlaybackEnd.STOPPED
        elif response in ("FILE PLAYED", "_none_") or not now.playback:
            end = PlaybackEnd.DONE
        else:
            end = PlaybackEnd.FAILED
        self._over(leg, now, end, event=event, detail=response if end is PlaybackEnd.FAILED else "")
        self._begin(leg)

    def on_end(self, leg: Leg) -> None:
        """The channel ends, or its life with us: nothing is left open."""
        for sounding in (leg.now, leg.next):
            if sounding is not None:
                self._over(leg, sounding, PlaybackEnd.STOPPED)
        leg.now = leg.next = None
        leg.idle.set()

    def _over(
        self, leg: Leg, sounding: Sounding, end: PlaybackEnd, *, event: Event | None = None, detail: str = ""
    ) -> None:
        if sounding.taken and not sounding.taken.done():
            if leg.ended:
                sounding.taken.set_exception(ChannelGone("no such channel, or it hung up", channel=leg.id))
                sounding.taken.exception()
            else:
                sounding.taken.set_result(None)
        if sounding.playback is None:
            return
        now = self._board.clock.now()
        when = at(event, now) if event is not None else now
        if not sounding.told_started:
            self._board.tell(PlaybackStarted(at=when, channel=leg.id, playback=sounding.playback))
        self._finished(leg, sounding.playback, end, when, detail)

    def _tell_missing(self, leg: Leg, playback: PlaybackId, why: str) -> None:
        now = self._board.clock.now()
        self._board.tell(PlaybackStarted(at=now, channel=leg.id, playback=playback))
        self._finished(leg, playback, PlaybackEnd.FAILED, now, why)

    def _finished(self, leg: Leg, playback: PlaybackId, end: PlaybackEnd, when: float, detail: str) -> None:
        self._board.tell(PlaybackFinished(at=when, channel=leg.id, playback=playback, end=end, detail=detail))
        if leg.collection is not None and leg.collection.prompt == playback:
            self._feed(leg, collecting.PromptEnded())

    # --- digits

    async def collect(self, leg: Leg, rules: DigitRules, playback: PlaybackId | None, sounds: Sequence[Sound]) -> None:
        ahead = leg.ahead.let_in(rules)
        prompt = playback if playback is not None and sounds and not ahead else None
        try:
            state = collecting.begin(rules, prompt=prompt is not None, at=self._board.clock.now())
        except ValueError as error:
            raise CommandRefused(str(error)) from None
        self.stop_collecting(leg)
        leg.collection = collection = Collection(state, prompt)
        self._arm(leg)
        while leg.collection is collection and (key := leg.ahead.next()) is not None:
            self._feed(leg, collecting.Digit(key))
        if prompt is not None:
            try:
                await self.play(leg, prompt, sounds)
            except SwitchError:
                self.stop_collecting(leg)
                raise

    def stop_collecting(self, leg: Leg) -> None:
        prompt = leg.collection.prompt if leg.collection else None
        self._feed(leg, collecting.Stop())
        self._stop_prompt(leg, prompt)

    def on_digit(self, leg: Leg, digit: str, at: float) -> None:
        if leg.collection is not None:
            self._feed(leg, collecting.Digit(digit))
        else:
            leg.ahead.add(digit, at)

    def _feed(self, leg: Leg, given: collecting.Input) -> None:
        collection = leg.collection
        if collection is None:
            return
        now = self._board.clock.now()
        collection.state, effects = collecting.step(collection.state, given, now)
        for effect in effects:
            if isinstance(effect, collecting.StopPrompt):
                self._stop_prompt(leg, collection.prompt)
            else:
                if collection.timer:
                    collection.timer.cancel()
                leg.collection = None
                self._board.tell(DigitsCollected(at=now, channel=leg.id, digits=effect.digits, end=effect.end))
        self._arm(leg)

    def _stop_prompt(self, leg: Leg, prompt: PlaybackId | None) -> None:
        sounding = leg.next or leg.now
        if prompt is not None and sounding is not None and sounding.playback == prompt:
            self.stop(leg)

    def _arm(self, leg: Leg) -> None:
        collection = leg.collection
        if collection is None:
            return
        if collection.timer:
            collection.timer.cancel()
            collection.timer = None
        deadline = collection.state.deadline
        if deadline is not None:
            delay = max(0.0, deadline - self._board.clock.now())
            # A hair later than the deadline, so that the clocks' rounding never makes it early.
            collection.timer = self._board.clock.call_later(delay + 0.005, lambda: self._tick(leg, collection))

    def _tick(self, leg: Leg, collection: Collection) -> None:
        if leg.collection is collection:
            self._feed(leg, collecting.Tick())
