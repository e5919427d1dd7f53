"""The ways in which a value can be said, by name: the filters of texts (``{{ deuda | money }}``) and the kinds of
prompts (``money: deuda``). Other languages than Spanish hear plain figures, which their speech engines know to read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

from ivr_flows.moments import instant, local
from ivr_flows.speech import spanish

_DIGITS = re.compile(r"[^0-9*#+]")


def say_number(value: object) -> str:
    return spanish.number(value)


def say_money(value: object) -> str:
    return spanish.money(value)


def say_date(value: object) -> str:
    return spanish.date(_day(value))


def say_day(value: object) -> str:
    """A date in the near past or future: no year."""
    return spanish.date(_day(value), year=False)


def say_time(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", value.strip()):
        return spanish.time(dt.time.fromisoformat(value.strip().zfill(5)))
    return spanish.time(local(instant(value)).time())


def say_moment(value: object) -> str:
    return spanish.moment(local(instant(value)))


def say_digits(value: object) -> str:
    return spanish.digits(_plain(value))


def say_phone(value: object) -> str:
    return spanish.phone(_plain(value))


def say_duration(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number of seconds")  # noqa: TRY004 - one kind of error for whatever cannot be said
    return spanish.duration(min(max(float(value), 0.0), 86_400.0))


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("not digits")  # noqa: TRY004
    return _DIGITS.sub("", str(value))[:40]


def _day(value: object) -> dt.date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return dt.date.fromisoformat(value.strip())
    return local(instant(value)).date()


SAYINGS: Mapping[str, Callable[[object], str]] = {
    "number": say_number,
    "money": say_money,
    "date": say_date,
    "day": say_day,
    "time": say_time,
    "moment": say_moment,
    "digits": say_digits,
    "phone": say_phone,
    "duration": say_duration,
}


def say(kind: str, value: object, language: str = "es") -> str:
    """The value as a prompt of that kind. Raises ValueError for one that cannot be said so."""
    return SAYINGS[kind](value) if language[:2] == "es" else str(value)[:40]
