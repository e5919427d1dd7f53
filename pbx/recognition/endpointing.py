"""Where speech begins and ends in a stream of 20 ms frames. Pure but for the voice detector's own memory.

Speech has begun when most of the last 200 ms are voice, and is over after 0.7 s without; what was a cough or a click
is dropped. An utterance carries 0.3 s from before it was noticed: words begin softly."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import webrtcvad

from pbx.recognition.terms import Pcm

FRAME_MS = 20
_WINDOW, _BEGINS = 10, 8  # frames, and how many of them are voice
_ENDS_AFTER = 35
_BEFORE = 15
_LEAST_VOICE = 10
MOST_FRAMES = 500  # ten seconds: who talks longer than that is not answering a question
_QUIET = 60.0  # RMS of 16 bit samples: under it nobody speaks


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    pass


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """`pcm` is None for what was too short to be a word."""

    pcm: Pcm | None


Mark: TypeAlias = SpeechBegan | SpeechEnded


class Endpointer:
    """One question's ear."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._vad = webrtcvad.Vad(2)
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._before: deque[bytes] = deque(maxlen=_BEFORE)
        self._said: list[bytes] = []
        self._voiced = 0
        self._silent = 0
        self.in_speech = False

    def feed(self, frame: bytes) -> Mark | None:
        """`frame`: 20 ms of 16 bit samples."""
        voice = self._is_voice(frame)
        if not self.in_speech:
            return self._outside(frame, voice)
        self._said.append(frame)
        self._voiced += voice
        self._silent = 0 if voice else self._silent + 1
        if self._silent < _ENDS_AFTER and len(self._said) < MOST_FRAMES:
            return None
        pcm = np.frombuffer(b"".join(self._said), "<i2").astype(np.int16)
        short = self._voiced < _LEAST_VOICE
        self.forget()
        return SpeechEnded(None if short else pcm)

    def forget(self) -> None:
        """Begin anew: what was said does not count."""
        self._recent.clear()
        self._before.clear()
        self._said = []
        self._voiced = self._silent = 0
        self.in_speech = False

    def _outside(self, frame: bytes, voice: bool) -> Mark | None:
        self._recent.append(voice)
        self._before.append(frame)
        if sum(self._recent) < _BEGINS:
            return None
        self.in_speech = True
        self._said = list(self._before)
        self._voiced, self._silent = sum(self._recent), 0
        return SpeechBegan()

    def _is_voice(self, frame: bytes) -> bool:
        if len(frame) != self._rate * FRAME_MS // 1000 * 2:
            return False  # the last piece of a stream that ends
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        if float(np.sqrt(np.mean(samples**2))) < _QUIET:
            return False
        found: bool = self._vad.is_speech(frame, self._rate)
        return found
