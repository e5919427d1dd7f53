"""Recorded audio compared with the prompt that should be in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The prompt's pieces: found in what was heard; `broken`, where a packet of it was lost or came too late on our
    side, which says nothing about who sent it; and missing without such an excuse."""

    found: int
    broken: int
    missing: int

    @property
    def share(self) -> float:
        """Of what can be judged, 0 to 1; where half was broken, nothing can."""
        judged = self.found + self.missing
        return self.found / judged if self.broken <= judged else 0.0


def share_heard(prompt: Pcm, heard: Pcm) -> float:
    """How much of the prompt is in what was heard, without a break: 0 to 1."""
    return compare(prompt, heard, [(0, len(heard))]).share


def compare(prompt: Pcm, heard: Pcm, runs: Sequence[tuple[int, int]]) -> Comparison:
    """The prompt's pieces, each looked for in its place behind the one before, at the level of the prompt within 3 dB.
    `runs` say where what was heard came without a break."""
    pieces = [prompt[start : start + PIECE] for start in range(0, len(prompt) - PIECE + 1, PIECE)]
    pieces = [piece for piece in pieces if rms(piece) > _QUIET]
    sound = heard.astype(np.float64)
    found = broken = missing = after = unfound = behind = 0
    for piece in pieces:
        place = _place(piece.astype(np.float64), sound[after:])
        if place is None:
            unfound += 1
            continue
        # What was not found lies between the one before and this one, and a break there spoils what lies about it.
        spoilt = min(unfound, 2 * _breaks(runs, behind, after + place))
        found, broken, missing, unfound = found + 1, broken + spoilt, missing + unfound - spoilt, 0
        behind = after + place + PIECE
        after += place + PIECE // 2
    return Comparison(found, broken, missing + unfound)


def _breaks(runs: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """How many of them lie there."""
    return sum(1 for (_, over), (begun, _) in pairwise(runs) if start < max(over, begun) and min(over, begun) < end)


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
