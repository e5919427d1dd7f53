"""A small recogniser that needs no model from elsewhere: it lets the speech program say what is expected, stretches
that into several voices, and compares.

It knows a few dozen phrases and picks one out of a longer sentence, of callers who sound like its examples: other
voices of the same speech program it knows, those of another program hardly (both were measured), and people are further
away. So it is for demonstrations and tests; for the public there are `vosk` and a service. Of strings of digits it
hears some, dictation is beyond it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from foundation.errors import RimayError
from pbx.recognition.features import RATE, features
from pbx.recognition.templates import Example, Examples, Match
from pbx.recognition.terms import Expected, Pcm, Recognised, RecognitionFailed
from pbx.sounds import SoundLibrary
from pbx.terms import TextSound

# The same sentence as if by longer and shorter throats, slower and faster.
THROATS = (0.8, 0.87, 0.94, 1.0, 1.07, 1.15, 1.25)
# What a phrase must gain over "something else"; with voices that are in no example, other words stay below it.
SURE_ENOUGH = 0.12
MOST_PHRASES = 60
_MOST_SETS = 64
_DIGITS = {
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}


class LikenessRecogniser:
    """`pbx.recognition.terms.Recogniser`. What a flow expects is spoken once and kept by the sound library."""

    def __init__(self, voices: Sequence[SoundLibrary]) -> None:
        """`voices`: a library for each speech program that gives examples."""
        self._voices = list(voices)
        self._made: OrderedDict[tuple[tuple[str, ...], str], Examples] = OrderedDict()
        self._lock = asyncio.Lock()

    async def prepare(self, expected: Sequence[Expected]) -> None:
        for each in expected:
            words = _words(each)
            if words:
                await self._examples(words, each.language)

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        words = _words(expected)
        if not words:
            return None
        examples = await self._examples(words, expected.language)
        several = expected.digits > 0
        match = await asyncio.to_thread(_match, examples, pcm, rate, several)
        if match is None or not match.labels or match.gain < SURE_ENOUGH:
            return None
        text = "".join(map(str, match.labels)) if several else words[match.labels[0]]
        return Recognised(text[: expected.digits] if several else text, min(1.0, max(0.0, match.gain)))

    async def close(self) -> None:
        self._made.clear()

    async def _examples(self, words: tuple[str, ...], language: str) -> Examples:
        async with self._lock:
            key = words, language
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            spoken = [
                (label, await self._spoken(voice, word, language))
                for label, word in enumerate(words)
                for voice in self._voices
            ]
            made = self._made[key] = await asyncio.to_thread(_examples_of, spoken)
            while len(self._made) > _MOST_SETS:
                self._made.popitem(last=False)
            return made

    async def _spoken(self, voice: SoundLibrary, word: str, language: str) -> Pcm:
        try:
            path = await voice.resolve(TextSound(word, language), RATE)
            return await asyncio.to_thread(_read, path)
        except (RimayError, OSError, soundfile.SoundFileError) as error:
            raise RecognitionFailed(f"what callers may say cannot be spoken as an example: {error}") from error


def _read(path: Path) -> Pcm:
    pcm: Pcm = soundfile.read(path, dtype="int16")[0]
    return pcm


def _words(expected: Expected) -> tuple[str, ...]:
    if expected.digits:
        return _DIGITS.get(expected.language[:2], ())
    return tuple(dict.fromkeys(expected.phrases))[:MOST_PHRASES]


def _match(examples: Examples, pcm: Pcm, rate: int, several: bool) -> Match | None:
    return examples.match(features(_at_rate(pcm, rate)), several=several)


def _at_rate(pcm: Pcm, rate: int) -> Pcm:
    if rate == RATE:
        return pcm
    return _stretched(pcm, RATE / rate)


def _examples_of(spoken: Sequence[tuple[int, Pcm]]) -> Examples:
    return Examples(
        [Example(label, features(_stretched(trimmed(pcm), 1 / throat))) for label, pcm in spoken for throat in THROATS]
    )


def _stretched(pcm: Pcm, factor: float) -> Pcm:
    if factor == 1.0:
        return pcm
    sound = soxr.resample(pcm.astype(np.float32), 1.0, factor)
    stretched: Pcm = np.clip(np.round(sound), -32_768, 32_767).astype(np.int16)
    return stretched


def trimmed(pcm: Pcm) -> Pcm:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 0.02 * max(1, int(np.abs(pcm.astype(np.int32)).max())))
    return pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm
