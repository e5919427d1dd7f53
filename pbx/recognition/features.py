"""What of a sound tells words apart: mel cepstra with their slopes, 25 ms windows every 10 ms. Pure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 8000
HOP_S = 0.01
QUIET = -4.0  # of the level: what is above is speech
_WINDOW, _HOP, _FFT = 200, 80, 256
_BANDS, _CEPSTRA = 24, 12
_FLOOR = 10**-3.0
# Telephone speech: what lies outside is the line's, not the speaker's.
_LOW_HZ, _HIGH_HZ = 200.0, 3600.0


def features(pcm: NDArray[np.int16]) -> Floats:
    """One row every 10 ms of sound at 8000 samples a second: 12 cepstra, the level under the loudest moment, and how
    these change. Means are taken off, so that a telephone's colour counts for little."""
    sound = pcm.astype(np.float32)
    if len(sound) < _WINDOW:
        return np.zeros((0, 2 * (_CEPSTRA + 1)), np.float32)
    sound = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])
    count = 1 + (len(sound) - _WINDOW) // _HOP
    rows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP][:count] * np.hamming(_WINDOW)
    power = np.abs(np.fft.rfft(rows, _FFT)) ** 2
    energies = _without_noise(power @ _mel().T)
    # What lies that far under the loudest moment is the line's noise: the same floor for all makes it the same noise.
    bands = np.log(np.maximum(energies, max(1e3, float(energies.max()) * _FLOOR)))
    cepstra = bands @ _dct().T
    level = np.maximum(bands.max(axis=1) - bands.max(), -12.0)[:, None] * 0.6
    loud = level[:, 0] > QUIET
    cepstra -= cepstra[loud].mean(axis=0)
    still = np.hstack([cepstra, level])
    return np.hstack([still, 2.0 * _slopes(still)]).astype(np.float32)


def _without_noise(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the line adds to every moment, as it is in the quietest ones, taken off again (spectral subtraction)."""
    total = energies.sum(axis=1)
    quiet = np.sort(np.argsort(total)[: max(1, len(total) // 10)])
    noise = energies[quiet].mean(axis=0)
    cleared: NDArray[np.float64] = np.maximum(energies - 2.0 * noise, 0.05 * noise)
    return cleared


def _slopes(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    slopes: NDArray[np.float64] = (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10
    return slopes


@lru_cache(maxsize=1)
def _mel() -> NDArray[np.float64]:
    def mel(hz: float) -> float:
        return 2595.0 * float(np.log10(1 + hz / 700))

    edges = 700 * (10 ** (np.linspace(mel(_LOW_HZ), mel(_HIGH_HZ), _BANDS + 2) / 2595) - 1)
    bins = np.arange(_FFT // 2 + 1) * RATE / _FFT
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


@lru_cache(maxsize=1)
def _dct() -> NDArray[np.float64]:
    bands = np.arange(_BANDS) + 0.5
    rows = np.arange(1, _CEPSTRA + 1)[:, None]
    # Higher cepstra are smaller; lifted, each counts about as much.
    lift = (1 + 11 * np.sin(np.pi * rows / 22)) / 6
    cosines: NDArray[np.float64] = np.cos(np.pi * rows * bands / _BANDS) * np.sqrt(2 / _BANDS) * lift
    return cosines
