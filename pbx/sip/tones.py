"""Tones: make them, and find them in what was heard. Levels are sine amplitudes in 16-bit steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pbx.sip.g711 import Pcm

RATE = 8000
TONE_LEVEL = 8000  # -12 dBFS: loud, and two of them mixed do not clip
DTMF_ROWS = (697, 770, 852, 941)
DTMF_COLUMNS = (1209, 1336, 1477, 1633)
DTMF_KEYS = ("123A", "456B", "789C", "*0#D")
_DTMF_MIN = 500  # weaker pairs are echo or speech
_DTMF_TWIST = 4.0  # the stronger of a pair may be 12 dB above the weaker
_DTMF_CLEAR = 4.0  # ... and 12 dB above the other tones of its own group


def sine(hz: float, ms: int, *, level: int = TONE_LEVEL, rate: int = RATE) -> Pcm:
    n = np.arange(rate * ms // 1000)
    return np.round(level * np.sin(2 * np.pi * hz * n / rate)).astype(np.int16)


@lru_cache(maxsize=64)
def tone_loop(hz: int) -> Pcm:
    """One second that repeats without a click, because `hz` is whole; zeros for 0. Not to be written to."""
    loop = sine(hz, 1000)
    loop.flags.writeable = False
    return loop


def dtmf(digit: str, ms: int, *, level: int = TONE_LEVEL) -> Pcm:
    for row, keys in zip(DTMF_ROWS, DTMF_KEYS, strict=True):
        if digit in keys:
            return sine(row, ms, level=level) + sine(DTMF_COLUMNS[keys.index(digit)], ms, level=level)
    raise ValueError(f"no such DTMF digit: {digit!r}")


def level(samples: Pcm, hz: float, *, rate: int = RATE) -> float:
    """Amplitude of the sine of `hz`. Resolution is 2/duration: 300 ms tell tones 14 Hz apart."""
    if len(samples) == 0:
        return 0.0
    n = np.arange(len(samples))
    window = np.hanning(len(samples) + 2)[1:-1]
    turned = np.exp(-2j * np.pi * hz * n / rate)
    return float(abs(np.sum(samples * window * turned)) * 2 / np.sum(window))


def rms(samples: Pcm) -> float:
    if len(samples) == 0:
        return 0.0
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


def dominant_hz(samples: Pcm, *, rate: int = RATE, min_level: float = 100) -> float | None:
    """The loudest tone, to about 1 Hz; None where nothing reaches `min_level`."""
    if len(samples) < rate // 50:
        return None
    window = np.hanning(len(samples))
    size = 1 << (max(len(samples), rate) - 1).bit_length()  # bins of at most 1 Hz
    spectrum = np.abs(np.fft.rfft(samples * window, size)) * 2 / np.sum(window)
    spectrum[: max(1, size * 20 // rate)] = 0  # no voice below 20 Hz, but offsets
    peak = int(np.argmax(spectrum))
    return float(peak * rate / size) if spectrum[peak] >= min_level else None


def find_dtmf(samples: Pcm, *, frame_ms: int = 20) -> str:
    """The digits in a recording. A digit counts after two frames alike and again only after a frame without it."""
    size = RATE * frame_ms // 1000
    found: list[str] = []
    before = current = ""
    for start in range(0, len(samples) - size + 1, size):
        key = _dtmf_key(samples[start : start + size])
        if key == before and key != current:
            current = key
            if key:
                found.append(key)
        before = key
    return "".join(found)


def _dtmf_key(frame: Pcm) -> str:
    rows = [level(frame, hz) for hz in DTMF_ROWS]
    columns = [level(frame, hz) for hz in DTMF_COLUMNS]
    row, column = _clear_peak(rows), _clear_peak(columns)
    if row is None or column is None:
        return ""
    pair = rows[row], columns[column]
    return DTMF_KEYS[row][column] if max(pair) <= _DTMF_TWIST * min(pair) else ""


def _clear_peak(levels: Sequence[float]) -> int | None:
    ordered = sorted(levels, reverse=True)
    if ordered[0] < _DTMF_MIN or ordered[0] < _DTMF_CLEAR * ordered[1]:
        return None
    return levels.index(ordered[0])
