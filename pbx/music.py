"""Music on hold for an installation that has none: a calm progression, synthesised, so that silence is never meant."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

_RATE = 8000
_CHORD_S = 2.0
# Am, F, C, G: triads in Hz, played as slow arpeggios.
_CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7))
_LEVEL = 3500.0  # about -19 dBFS: under a voice


def write_music(folder: Path) -> Path:
    """Write `rimay.wav` unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rimay.wav"
    if path.exists():
        return path
    samples = int(_RATE * _CHORD_S)
    total = np.zeros(samples * len(_CHORDS))
    for number, chord in enumerate(_CHORDS):
        for voice, hz in enumerate(chord):
            start = number * samples + voice * samples // 4
            length = (number + 1) * samples - start
            t = np.arange(length) / _RATE
            total[start : start + length] += np.sin(2 * np.pi * hz * t) * np.exp(-1.2 * t) / 2
    pcm = (np.clip(total, -1, 1) * _LEVEL).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(pcm.tobytes())
    return path


def has_music(folder: Path | None) -> bool:
    return folder is not None and folder.is_dir() and any(entry.is_file() for entry in folder.iterdir())
