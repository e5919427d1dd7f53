"""The ways of a drawn flow: one arrow for all ways from one node to another, and labels that lie upon nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ivr_flows.lint import Edge

_LETTER, _LINE, _LONGEST = 5, 11, 22  # of a label, in units of the picture
_SIDE = 60  # how far a way that leads back swings out
# Where along its way a label is tried, the best place first: a third of it, then up and down from there.
_ALONG = (0.33, 0.4, 0.26, 0.47, 0.2, 0.54, 0.61, 0.14, 0.68, 0.75, 0.82, 0.88)

Point = tuple[int, int]

# And beside that, the nearest first: sideways, then above and below a row of nodes.
_BESIDE = sorted(
    ((aside, down) for aside in range(-156, 157, 26) for down in range(-56, 57, 14)),
    key=lambda place: abs(place[0]) + 2 * abs(place[1]),
)


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0


def arrows(ways: Sequence[Edge], places: dict[str, Point], size: Point) -> Iterator[str]:
    """All paths first, then the labels: no line goes over a word.

    `places` are the upper left corners of the nodes, `size` is their width and height.
    """
    taken = [Box(x, y, x + size[0], y + size[1]) for x, y in places.values()]
    together: dict[tuple[str, str], list[str]] = {}
    for edge in ways:
        together.setdefault((edge.origin, edge.target), []).append(_cut(edge.label))
    labels: list[str] = []
    for (origin, target), words in together.items():
        curve, is_back = _curve(places[origin], places[target], size)
        style = ' class="back"' if is_back else ""
        (x1, y1), *others = curve
        rest = " ".join(f"{x} {y}" for x, y in others)
        yield f'<path d="M{x1} {y1}C{rest}"{style} marker-end="url(#a)"/>'
        box = _free(curve, words, taken)
        taken.append(box)
        labels += [
            f'<text class="l" x="{(box.left + box.right) / 2:.0f}" y="{box.top + _LINE * (line + 1) - 2:.0f}"'
            f' text-anchor="middle">{html.escape(word)}</text>'
            for line, word in enumerate(words)
        ]
    yield from labels


def _curve(origin: Point, target: Point, size: Point) -> tuple[list[Point], bool]:
    """The four points of a Bezier curve, and whether it leads back or sideways (then around the side)."""
    (x1, y1), (x2, y2), (width, height) = origin, target, size
    if y2 > y1:
        start, end, bend = (x1 + width // 2, y1 + height), (x2 + width // 2, y2), (y2 - y1 - height) // 2
        return [start, (start[0], start[1] + bend), (end[0], end[1] - bend), end], False
    start, end = (x1 + width, y1 + height // 2), (x2 + width, y2 + height // 2)
    return [start, (start[0] + _SIDE, start[1]), (end[0] + _SIDE, end[1]), end], True


def _free(curve: Sequence[Point], words: Sequence[str], taken: Sequence[Box]) -> Box:
    """The first place along the way, or a little beside it, where nothing lies; else where the least does."""
    wide, high = max(map(len, words)) * _LETTER, _LINE * len(words)
    best, least = Box(0, 0, wide, high), float("inf")
    for aside, down in _BESIDE:
        for along in _ALONG:
            x, y = _at(curve, along)
            x, y = x + aside, y + down
            box = Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            covered = sum(box.shared(other) for other in taken) + (1e6 if box.left < 0 else 0)
            if covered == 0:
                return box
            if covered < least:
                best, least = box, covered
    return best


def _at(curve: Sequence[Point], along: float) -> tuple[float, float]:
    rest = 1 - along
    weights = (rest**3, 3 * rest**2 * along, 3 * rest * along**2, along**3)
    x = sum(weight * point[0] for weight, point in zip(weights, curve, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, curve, strict=True))
    return x, y


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
