"""What a caller hears while a bot thinks: nothing where it answers soon, else a short phrase, another one, and then a
soft sound now and then. Nobody waits in silence for more than four seconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from callcontrol.listening import RATE, Ears, pcm_of, seconds_of
from callcontrol.prompts import sounds_of
from foundation.clock import Clock, pause
from foundation.errors import RimayError
from foundation.logs import get_logger
from ivr_flows.protocol import Prompt
from pbx.sip.tones import sine
from pbx.switch import AudioStream

log = get_logger(__name__)

# Of silence: before the first word, and between what follows. Well under four, for what a busy machine adds.
FIRST_AFTER_S = 1.5
AGAIN_AFTER_S = 2.5
# In one turn; who hears the same words again and again is not soothed.
_PHRASES_A_TURN = 2
# Two soft notes, which say nothing but that somebody is there.
_NOTES_HZ, _NOTE_MS, _NOTE_LEVEL = (523, 659), 180, 1500


def soft_sound() -> bytes:
    notes = [sine(hz, _NOTE_MS, level=_NOTE_LEVEL, rate=RATE) for hz in _NOTES_HZ]
    return b"".join((note * np.hanning(len(note))).astype("<i2").tobytes() for note in notes)


class Filler:
    """Of one talk. `fill` until the bot has answered, then `finish`; the phrases take turns over the whole talk."""

    def __init__(self, clock: Clock, ears: Ears, phrases: tuple[Prompt, ...]) -> None:
        self._clock = clock
        self._ears = ears
        self._phrases = phrases
        self._spoken: list[bytes] = []
        self._said = 0
        self._until = 0.0  # the phrase that is being said ends then

    async def prepare(self) -> None:
        """The phrases' sounds, beside the talk: one that is not ready when it is needed is left out."""
        for phrase in self._phrases:
            try:
                self._spoken.append(await pcm_of(self._ears.sounds, sounds_of([phrase])))
            except RimayError as error:
                log.warning("bot.no_filler", code=error.code, problem=error.message)

    async def fill(self, stream: AudioStream) -> None:
        """For ever."""
        await pause(self._clock, FIRST_AFTER_S)
        for phrase in self._of_a_turn():
            sound = phrase or soft_sound()
            if phrase:
                self._until = self._clock.now() + seconds_of(phrase)
            await stream.send(sound)
            await pause(self._clock, seconds_of(sound) + AGAIN_AFTER_S)

    def _of_a_turn(self) -> Iterator[bytes]:
        """Empty: the soft sound."""
        for _ in range(_PHRASES_A_TURN):
            self._said += 1
            yield self._spoken[(self._said - 1) % len(self._spoken)] if self._spoken else b""
        while True:
            yield b""

    async def finish(self, stream: AudioStream) -> None:
        """No word is cut in two."""
        await pause(self._clock, self._until - self._clock.now())
        await stream.flush()
