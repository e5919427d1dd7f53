"""Words told apart by likeness to spoken examples: dynamic time warping, all examples in one pass. Pure.

Each example is a row of states, one a 10 ms frame. A path goes through an utterance frame by frame: first through the
filler (what is said around a phrase: "quiero hablar con una ..."), then through one example, or where digits are
expected through one after the other, then through the filler again. The filler costs a little less than an example that
does not fit and more than one that does; an utterance whose best path hardly beats the filler alone is none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pbx.recognition.features import QUIET, Floats

# How many of the closest states make the filler, and how it stands to them.
_FILLER_SHARE = 0.02
_FILLER_FACTOR = 1.12
# Between two digits, in frames' worth of the filler's mean cost: against digits that are there twice.
_NEXT_DIGIT = 3.0
_LOUD_FILLER = 1.6
_BIG = np.float32(1e9)


@dataclass(frozen=True, slots=True)
class Example:
    label: int
    rows: Floats


@dataclass(frozen=True, slots=True)
class Match:
    """`labels` in the order in which they were said; `gain` is what the path costs less than the filler alone, as a
    share of the filler's cost over the examples' frames; `share` of the loud frames lie within the examples."""

    labels: tuple[int, ...]
    gain: float
    share: float


class Examples:
    """Of one set of words."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._states = np.vstack([each.rows for each in examples])
        lengths = np.array([len(each.rows) for each in examples])
        self._ends = np.cumsum(lengths) - 1
        self._starts = self._ends - lengths + 1
        self._labels = np.array([each.label for each in examples])
        self._norms = (self._states**2).sum(axis=1)
        first = np.zeros(len(self._states), bool)
        first[self._starts] = True
        self._first = first
        second = np.zeros(len(self._states), bool)
        second[np.minimum(self._starts + 1, self._ends)] = True
        self._no_jump = first | second

    def match(self, rows: Floats, *, several: bool = False) -> Match | None:
        """None for an utterance that is too short to be anything."""
        if len(rows) < 8:
            return None
        costs = self._costs(rows)
        filler = _filler(costs)
        if several:  # digits leave no room for other words: only pauses may lie between them
            filler = filler * np.where(rows[:, 12] > QUIET, np.float32(_LOUD_FILLER), np.float32(1.0))
        cost, path = self._best(costs, filler, several)
        labels = tuple(int(self._labels[example]) for example, _, _ in path)
        spans = [(begin, end) for _, begin, end in path]
        inside = np.zeros(len(rows), bool)
        for begin, end in spans:
            inside[begin : end + 1] = True
        loud = rows[:, 12] > QUIET
        beaten = float(filler[inside].sum()) or 1.0
        return Match(labels, (float(filler.sum()) - cost) / beaten, float((inside & loud).sum() / max(1, loud.sum())))

    def _costs(self, rows: Floats) -> Floats:
        squares = (rows**2).sum(axis=1)[:, None] + self._norms[None, :] - 2 * rows @ self._states.T
        costs: Floats = np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)
        return costs

    def _best(self, costs: Floats, filler: Floats, several: bool) -> tuple[float, list[tuple[int, int, int]]]:
        """The cheapest path's cost, and its (example, first frame, last frame)s."""
        frames, states = costs.shape
        score = np.full(states, _BIG, np.float32)
        begun = np.zeros(states, np.int32)
        # Standing in the filler before, between or after examples; where the way there came from.
        outside = np.float32(0.0)
        inter = np.float32(_NEXT_DIGIT * filler.mean())
        done = _BIG
        exits: list[tuple[float, int, int]] = []  # at each frame: the best example that ends there
        came: list[int] = []  # in the filler after an example: at which frame it was left; -1 before any
        left_at = -1
        first_from: list[int] = []
        for t in range(frames):
            entry = outside if not several or left_at < 0 else outside + inter
            one = np.concatenate(([_BIG], score[:-1]))
            two = np.concatenate(([_BIG, _BIG], score[:-2]))
            one[self._first] = entry
            two[self._no_jump] = _BIG
            begun_one = np.concatenate(([0], begun[:-1]))
            begun_two = np.concatenate(([0, 0], begun[:-2]))
            begun_one[self._first] = t
            # Staying costs as much again: an example may be stretched to twice its length, not for ever.
            stay = score + 0.3 * costs[t]
            best = np.minimum(np.minimum(stay, one), two + 0.3 * costs[t])
            begun = np.where(best == one, begun_one, np.where(best == stay, begun, begun_two)).astype(np.int32)
            score = best + costs[t]
            first_from.append(left_at)
            ends = score[self._ends]
            k = int(np.argmin(ends))
            exits.append((float(ends[k]), k, int(begun[self._ends[k]])))
            if several:
                stay_out = outside + filler[t]
                if exits[-1][0] < stay_out:
                    outside, left_at = np.float32(exits[-1][0]), t
                else:
                    outside = np.float32(stay_out)
            else:
                outside = np.float32(outside + filler[t])
                done_stay = done + filler[t]
                if exits[-1][0] < done_stay:
                    done, left_at = np.float32(exits[-1][0]), t
                else:
                    done = np.float32(done_stay)
            came.append(left_at)
        total = float(outside if several else done)
        path: list[tuple[int, int, int]] = []
        t = came[-1]
        while t >= 0:
            _, k, begin = exits[t]
            path.append((k, begin, t))
            t = first_from[begin] if several else -1
        return total, path[::-1]


def _filler(costs: Floats) -> Floats:
    """For each frame, what it costs to be in no example."""
    count = max(4, int(costs.shape[1] * _FILLER_SHARE))
    nearest: NDArray[np.float32] = np.partition(costs, count, axis=1)[:, :count].mean(axis=1)
    return (nearest * np.float32(_FILLER_FACTOR)).astype(np.float32)
