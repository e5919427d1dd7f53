"""The ways in which a value can be said, by name: the filters of texts (``{{ deuda | money }}``) and the kinds of
prompts (``money: deuda``), in the caller's language. A language that has no words here hears plain figures, which its
speech engine knows to read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ivr_flows.moments import day, instant, local
from ivr_flows.speech import english, spanish

_DIGITS = re.compile(r"[^0-9*#+]")
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?")


def _as_it_is(value: object) -> object:
    return value


def _time(value: object) -> dt.time:
    if isinstance(value, str) and _CLOCK.fullmatch(value.strip()):
        hour, _, rest = value.strip().partition(":")
        return dt.time.fromisoformat(f"{hour.zfill(2)}:{rest}")
    return local(instant(value)).time()


def _moment(value: object) -> dt.datetime:
    return local(instant(value))


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number of seconds")  # noqa: TRY004 - one kind of error for whatever cannot be said
    return min(max(float(value), 0.0), 86_400.0)


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("not digits")  # noqa: TRY004
    return _DIGITS.sub("", str(value))[:40]


# Each kind, and how its values are read, whatever the language.
SAYINGS: Mapping[str, Callable[[object], Any]] = {
    "number": _as_it_is,
    "money": _as_it_is,
    "date": day,
    "day": day,  # a date in the near past or future: no year
    "time": _time,
    "moment": _moment,
    "digits": _plain,
    "phone": _plain,
    "duration": _seconds,
}

_Words = Mapping[str, Callable[..., str]]
_SPANISH: _Words = {
    "number": spanish.number,
    "money": spanish.money,
    "date": spanish.date,
    "day": partial(spanish.date, year=False),
    "time": spanish.time,
    "moment": spanish.moment,
    "digits": spanish.digits,
    "phone": spanish.phone,
    "duration": spanish.duration,
    "count": spanish.count,
}
_ENGLISH: _Words = {
    "number": english.number,
    "money": english.money,
    "date": english.date,
    "day": partial(english.date, year=False),
    "time": english.time,
    "moment": english.moment,
    "digits": english.digits,
    "phone": english.phone,
    "duration": english.duration,
    "count": english.count,
}
_FIGURES: _Words = {
    **dict.fromkeys(SAYINGS, lambda value: str(value)[:40]),
    "time": lambda value: f"{value:%H:%M}",
    "moment": lambda value: f"{value:%Y-%m-%d %H:%M}",
    "duration": lambda value: f"{max(1, round(value / 60))} min",
    "count": lambda value, noun, plural="", gender="": f"{str(value)[:40]} {plural or noun}",
}
_LANGUAGES: Mapping[str, _Words] = {"es": _SPANISH, "en": _ENGLISH}


def say(kind: str, value: object, language: str = "es") -> str:
    """The value as a prompt of that kind. Raises ValueError for one that cannot be said so."""
    return _LANGUAGES.get(language[:2], _FIGURES)[kind](SAYINGS[kind](value))


def say_count(value: object, noun: object, plural: object = "", gender: object = "", *, language: str = "es") -> str:
    """So many of a noun (``{{ n | count('persona') }}``). Raises ValueError."""
    words = (str(each)[:60] for each in (noun, plural, gender))
    return _LANGUAGES.get(language[:2], _FIGURES)["count"](value, *words)
