"""Recorded audio compared with the prompt that should be in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbx.sip.tones import RATE, rms

Pcm = NDArray[np.int16]
# Short enough that a hole of a busy machine spoils few; of another prompt in the same voice a quarter is alike.
PIECE = 1200
ALIKE = 0.8  # of 1: what G.711 and a lost packet leave
FRAME = RATE // 50
_SILENT = 30  # rms: what a caller takes for a dead line
_QUIET = 150  # a pause says nothing about which prompt it belongs to


def share_heard(prompt: Pcm, heard: Pcm) -> float:
    """How much of the prompt is in what was heard: 0 to 1 of its pieces, each in its place behind the one before, at
    the level of the prompt within 3 dB."""
    pieces = [prompt[start : start + PIECE] for start in range(0, len(prompt) - PIECE + 1, PIECE)]
    pieces = [piece for piece in pieces if rms(piece) > _QUIET]
    found, after = 0, 0
    for piece in pieces:
        place = _place(piece.astype(np.float64), heard[after:].astype(np.float64))
        if place is not None:
            found, after = found + 1, after + place + PIECE // 2
    return found / len(pieces)


def _place(piece: NDArray[Any], heard: NDArray[Any]) -> int | None:
    """Where the piece begins in the sound, by normalised cross-correlation."""
    if len(heard) < PIECE:
        return None
    size = 1 << (len(heard) + PIECE - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    products = products[: len(heard) - PIECE + 1]
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    energy = np.sqrt(np.maximum(sums[PIECE:] - sums[:-PIECE], 1.0))
    own = float(np.sqrt(np.sum(piece**2)))
    alike = products / (energy * own)
    best = int(np.argmax(alike))
    in_level = 0.7 < energy[best] / own < 1.42
    return best if alike[best] >= ALIKE and in_level else None


def longest_silence_s(heard: Pcm) -> float:
    """The longest time in which nothing was on the line."""
    longest = run = 0
    for start in range(0, len(heard) - FRAME + 1, FRAME):
        run = run + 1 if rms(heard[start : start + FRAME]) < _SILENT else 0
        longest = max(longest, run)
    return longest * FRAME / RATE
