"""Audio of the twin: every voice is a set of sines, so who hears whom is a set to compare and a file to measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from pbx.terms import FileSound, RecordedFile, RecordingSpec, Sound, TextSound

Tones: TypeAlias = frozenset[int]
SILENCE: Tones = frozenset()

RATE = 8000
MUSIC_HZ = 350  # music on hold
RING_HZ = 425  # the ring-back tone of Ecuador's network
VOWEL: Tones = frozenset({120, 240, 360, 480})  # somebody who speaks
SPEECH_HZ = 620  # synthesised text
SPEECH_S_PER_LETTER = 0.06
AMPLITUDE = 0.25
# Quieter than this (of full scale) is silence; comfort noise and G.711 idle codes stay well below.
SILENT_LEVEL = 0.01


class MissingSound(Exception):
    """The sound is not there or cannot be read."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound as the twin plays it: what is heard, and how long."""

    tones: Tones
    seconds: float


def clip(sound: Sound, library: Mapping[str, Clip]) -> Clip:
    """Raises `MissingSound`. Files given by absolute path are really read and measured."""
    if isinstance(sound, TextSound):
        return Clip(frozenset({SPEECH_HZ}), max(0.3, SPEECH_S_PER_LETTER * len(sound.text)))
    if not isinstance(sound, FileSound):
        return Clip(frozenset({sound.hz}), sound.ms / 1000)
    if sound.name in library:
        return library[sound.name]
    path = Path(sound.name)
    candidates = (path, path.with_name(path.name + ".wav")) if path.is_absolute() else ()
    for candidate in candidates:
        if candidate.is_file():
            return _measured(candidate)
    if sound.fallback is not None:
        return clip(sound.fallback, library)
    raise MissingSound(sound.name)


def _measured(path: Path) -> Clip:
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise MissingSound(str(path)) from error
    return Clip(tones_of(samples[:, 0], rate), len(samples) / rate)


def tones_of(samples: npt.NDArray[Any], rate: int) -> Tones:
    """The loudest frequency of a piece of audio; nothing when it is silent."""
    if len(samples) == 0 or float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) < SILENT_LEVEL:
        return SILENCE
    # Padded far beyond its length: the peak of one sine is then exact to a few hertz even in 20 ms.
    size = max(8192, 1 << len(samples).bit_length())
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    return frozenset({round(int(np.argmax(spectrum)) * rate / size)})


def pcm_of(tones: Tones, rate: int, start_s: float, count: int) -> bytes:
    """`count` samples of 16 bit audio; `start_s` keeps the phase from one piece to the next."""
    return (_wave(tones, rate, round(start_s * rate), count) * 32767).astype("<i2").tobytes()


def _wave(tones: Tones, rate: int, first: int, count: int) -> npt.NDArray[np.float64]:
    at = (np.arange(count) + first) / rate
    wave = np.zeros(count)
    for hz in tones:
        wave += AMPLITUDE * np.sin(2 * np.pi * hz * at)
    return np.clip(wave, -1.0, 1.0)


@dataclass(slots=True)
class Track:
    """A recording in the making: what was said and heard since when."""

    spec: RecordingSpec
    started_at: float
    paused: bool = False
    _turns: list[tuple[float, Tones, Tones]] = field(default_factory=list)

    def turn(self, at: float, left: Tones, right: Tones) -> None:
        now = (at, SILENCE, SILENCE) if self.paused else (at, left, right)
        if not self._turns or self._turns[-1][1:] != now[1:]:
            self._turns.append(now)

    def write(self, path: Path, until: float) -> None:
        """The stereo file from the start until then."""
        path.parent.mkdir(parents=True, exist_ok=True)
        total = round(max(0.0, until - self.started_at) * RATE)
        audio = np.zeros((total, 2))
        ends = [at for at, _, _ in self._turns[1:]] + [until]
        for (at, left, right), end in zip(self._turns, ends, strict=True):
            first, last = round((at - self.started_at) * RATE), min(total, round((end - self.started_at) * RATE))
            audio[first:last, 0] = _wave(left, RATE, first, last - first)
            audio[first:last, 1] = _wave(right, RATE, first, last - first)
        soundfile.write(path, audio, RATE, subtype="PCM_16", format="WAV")


def unfinished(path: Path) -> Path:
    """Where a recording stands until it is complete, and stays when the switch dies."""
    return path.with_name(path.name + ".part")


def cut_off(path: Path) -> None:
    """Make a WAV file look as a killed writer leaves it: sizes never written, the last sample torn."""
    with path.open("r+b") as file:
        file.seek(4)
        file.write(bytes(4))
        file.seek(40)
        file.write(bytes(4))
        file.seek(0, 2)
        file.truncate(file.tell() - 3)


def repair(path: Path) -> None:
    """Write the sizes that the length of the file tells into its header (44 bytes, as `Track.write` makes it)."""
    with path.open("r+b") as file:
        data = (file.seek(0, 2) - 44) // 4 * 4
        file.truncate(44 + data)
        file.seek(4)
        file.write((36 + data).to_bytes(4, "little"))
        file.seek(40)
        file.write(data.to_bytes(4, "little"))


def measure(path: Path) -> RecordedFile:
    info = soundfile.info(path)
    return RecordedFile(path=path, channels=info.channels, seconds=info.frames / info.samplerate)


def near(tones: Tones, hz: float, tolerance_hz: float = 15) -> bool:
    return any(abs(tone - hz) <= tolerance_hz for tone in tones)
