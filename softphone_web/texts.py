"""Texts from outside. None has a NUL or half a surrogate pair: PostgreSQL keeps neither. `line` and `lines` are the
types that models take; `unfit` finds what still gets by inside free JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import StringConstraints

_NEVER = re.compile("[\x00\ud800-\udfff]")


def line(longest: int, *, shortest: int = 1, strip: bool = True) -> StringConstraints:
    """One line without control characters; `shortest` and `longest` count what is left of it after `strip`."""
    return StringConstraints(
        pattern=r"^[^\x00-\x1f\x7f]*$", min_length=shortest, max_length=longest, strip_whitespace=strip
    )


def lines(longest: int, *, shortest: int = 1, strip: bool = True) -> StringConstraints:
    """Several lines: of control characters only tabs and the ends of lines."""
    return StringConstraints(
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
        min_length=shortest,
        max_length=longest,
        strip_whitespace=strip,
    )


def unfit(value: Any) -> str | None:
    """The dotted place of a text (a key, too) that cannot be kept; None where there is none."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str):
            if _NEVER.search(one):
                return place
        else:
            waiting.extend(_inside(place, one))
    return None


def _inside(place: str, one: Any) -> Iterator[tuple[str, Any]]:
    before = f"{place}." if place else ""
    if isinstance(one, dict):
        for key, value in one.items():
            yield place, key  # a key that cannot be kept cannot be told either
            yield f"{before}{key}", value
    elif isinstance(one, list):
        for number, value in enumerate(one):
            yield f"{before}{number}", value
