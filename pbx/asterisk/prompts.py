"""Sounds to one leg: prompts, music, ring tone; and the digits that it answers with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from foundation.errors import RimayError
from pbx import collect as keys
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Collecting, Leg, Playing
from pbx.asterisk.translate import collecting_over, playback_over
from pbx.events import PlaybackEnd, PlaybackFinished, PlaybackStarted
from pbx.sounds import SoundLibrary
from pbx.terms import RING_TONE, ChannelGone, ChannelId, CommandRefused, DigitRules, PlaybackId, Sound, SwitchError

# Channel variable by which a later daemon finds the prompt that plays.
PLAYING_VARIABLE = "RIMAY_PLAYING"


class Prompts:
    def __init__(self, core: Core, sounds: SoundLibrary, *, wide: bool = False) -> None:
        """`wide`: there may be channels of more than 8000 samples a second."""
        self._core = core
        self._resolve = sounds.resolve_both if wide else sounds.resolve

    # --- playing

    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        leg = self._core.legs.get(channel)
        try:
            media = await self._media(sounds)
        except (RimayError, OSError) as error:
            await self.silence(leg, keep_collecting=True)
            self._cannot_play(leg, playback, str(error))
            return
        await self.silence(leg, keep_collecting=True)
        self._core.legs.get(channel)
        leg.playing = playing = Playing(playback)
        # Asterisk carries out what we ask of a channel after its prompt, and lists no playbacks: a later daemon that
        # did not know of this one would wait for its end in vain.
        self._core.spawn(self._core.remember(channel, PLAYING_VARIABLE, playback), "remember a playback")
        try:
            await self._core.ari.call("POST", f"/channels/{channel}/play/{playback}", {"media": media}, channel=channel)
        except SwitchError:
            if leg.playing is playing:
                leg.playing = None
            raise

    async def _media(self, sounds: Sequence[Sound]) -> str:
        paths = [await self._resolve(sound) for sound in sounds]
        media = [f"sound:{path.with_suffix('')}" for path in paths]
        if not media or any("," in one for one in media):
            raise CommandRefused("nothing that Asterisk can play")
        return ",".join(media)

    def _cannot_play(self, leg: Leg, playback: PlaybackId, detail: str) -> None:
        at = self._core.clock.now()
        self._core.tell(
            [
                PlaybackStarted(at=at, channel=leg.id, playback=playback),
                PlaybackFinished(at=at, channel=leg.id, playback=playback, end=PlaybackEnd.FAILED, detail=detail),
            ]
        )
        self.playback_ended(leg, playback)

    async def silence(self, leg: Leg, *, keep_collecting: bool = False) -> None:
        """End what this leg hears of us. Nothing is asked of Asterisk when there is nothing to end."""
        if not keep_collecting:
            self.end_collecting(leg)
        work = []
        if leg.playing:
            work.append(self._stop_playing(leg))
        if leg.music:
            work.append(self.stop_music(leg.id))
        if leg.ring_tone:
            work.append(self.stop_ring_tone(leg))
        if leg.stream:
            work.append(leg.stream.close())
        if work:
            await asyncio.gather(*work)

    async def _stop_playing(self, leg: Leg) -> None:
        playing, leg.playing = leg.playing, None
        if playing is None:
            return
        playing.stop_asked = True
        leg.replaced[playing.playback] = playing
        if not await self._core.ari.attempt("DELETE", f"/playbacks/{playing.playback}"):
            # It had ended by itself, and the event of that is on its way; or was lost with a connection.
            self._core.tell(playback_over(leg, playing.playback, self._core.clock.now(), PlaybackEnd.STOPPED))

    async def stop_playback(self, channel: ChannelId) -> None:
        await self._stop_playing(self._core.legs.get(channel))

    def playback_ended(self, leg: Leg, playback: PlaybackId) -> None:
        if leg.collecting and leg.collecting.prompt == playback:
            self._feed(leg, keys.PromptEnded())

    # --- music and ring tone

    async def start_music(self, channel: ChannelId, music: str) -> None:
        leg = self._core.legs.get(channel)
        if leg.playing:
            await self._stop_playing(leg)
        if music == RING_TONE:
            await self.stop_music(channel)
            await self.start_ring_tone(leg)
            return
        if leg.ring_tone:
            await self.stop_ring_tone(leg)
        leg.music = True
        await self._core.ari.call("POST", f"/channels/{channel}/moh", {"mohClass": music}, channel=channel)

    async def stop_music(self, channel: ChannelId) -> None:
        leg = self._core.legs.get(channel)
        if leg.ring_tone and leg.transfer_to is None:
            await self.stop_ring_tone(leg)
        if leg.music:
            leg.music = False
            await self._core.ari.attempt("DELETE", f"/channels/{channel}/moh")

    async def start_ring_tone(self, leg: Leg) -> None:
        leg.ring_tone = True
        await self._core.ari.call("POST", f"/channels/{leg.id}/ring", channel=leg.id)

    async def stop_ring_tone(self, leg: Leg) -> None:
        if leg.ring_tone:
            leg.ring_tone = False
            await self._core.ari.attempt("DELETE", f"/channels/{leg.id}/ring")

    # --- digits

    async def collect(
        self, channel: ChannelId, rules: DigitRules, playback: PlaybackId | None, sounds: Sequence[Sound]
    ) -> None:
        leg = self._core.legs.get(channel)
        self.end_collecting(leg)
        ahead = leg.ahead.let_in(rules)
        prompt = playback if playback is not None and sounds and not ahead else None
        try:
            state = keys.begin(rules, prompt=prompt is not None, at=self._core.clock.now())
        except ValueError as error:
            raise CommandRefused(str(error), channel=channel) from error
        leg.collecting = collecting = Collecting(state, prompt)
        self._set_timer(leg)
        while leg.collecting is collecting and (key := leg.ahead.next()) is not None:
            self._feed(leg, keys.Digit(key))
        if prompt is None:
            return
        try:
            await self.play(channel, prompt, sounds)
        except SwitchError as error:
            if leg.collecting is collecting and not isinstance(error, ChannelGone):
                leg.collecting = None
            raise

    def end_collecting(self, leg: Leg) -> None:
        """Its prompt is left to whoever takes its place."""
        if leg.collecting:
            self._feed(leg, keys.Stop())

    async def stop_collecting(self, channel: ChannelId) -> None:
        leg = self._core.legs.get(channel)
        if leg.collecting is None:
            return
        prompt = leg.collecting.prompt
        self._feed(leg, keys.Stop())
        if leg.playing and leg.playing.playback == prompt:
            await self._stop_playing(leg)

    def digit(self, leg: Leg, digit: str, at: float) -> None:
        if leg.collecting:
            self._feed(leg, keys.Digit(digit))
        else:
            leg.ahead.add(digit, at)

    def _feed(self, leg: Leg, given: keys.Input) -> None:
        collecting = leg.collecting
        if collecting is None:
            return
        now = self._core.clock.now()
        collecting.state, effects = keys.step(collecting.state, given, now)
        for effect in effects:
            if isinstance(effect, keys.StopPrompt):
                self._core.spawn(self._stop_playing(leg), "stop a prompt")
            else:
                self._core.tell(collecting_over(leg, now, effect.digits, effect.end))
        if leg.collecting is collecting:
            self._set_timer(leg)

    def _set_timer(self, leg: Leg) -> None:
        collecting = leg.collecting
        if collecting is None:
            return
        if collecting.timer:
            collecting.timer.cancel()
            collecting.timer = None
        deadline = collecting.state.deadline
        if deadline is not None:
            # A little late rather than early: an early tick would need another.
            delay = max(0.0, deadline - self._core.clock.now()) + 0.002
            collecting.timer = self._core.clock.call_later(delay, lambda: self._tick(leg, collecting))

    def _tick(self, leg: Leg, collecting: Collecting) -> None:
        if leg.collecting is collecting:
            self._feed(leg, keys.Tick())
