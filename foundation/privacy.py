"""Personal data in logs: only inside `private(...)`, which shows itself masked whoever formats it."""

from __future__ import annotations

from enum import StrEnum

MASK = "***"
# Enough for an operator to tell two callers apart, too little to call one.
_DIGITS_SHOWN = 3
# Short codes (911, 1800...) and extensions are not masked in part: three of four digits would be the number.
_SHORTEST_NUMBER = 7


class PrivateKind(StrEnum):
    TEXT = "text"  # names, transcripts, anything else: wholly masked
    PHONE = "phone"  # the last digits are shown
    DIGITS = "digits"  # what a caller keyed in: wholly masked, its length too


class Private:
    """A value that `str`, `repr` and f-strings show masked."""

    __slots__ = ("kind", "value")

    def __init__(self, value: object, kind: PrivateKind) -> None:
        self.value = value
        self.kind = kind

    @property
    def masked(self) -> str:
        text = str(self.value)
        if self.kind is PrivateKind.PHONE and sum(c.isdigit() for c in text) >= _SHORTEST_NUMBER:
            return MASK + text[-_DIGITS_SHOWN:]
        return MASK

    def __str__(self) -> str:
        return self.masked

    __repr__ = __str__


def private(value: object, kind: PrivateKind | str = PrivateKind.TEXT) -> Private:
    return Private(value, PrivateKind(kind))
