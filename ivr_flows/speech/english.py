"""Numbers, money, dates and times in English, for callers who choose it."""

from __future__ import annotations

import datetime as dt

from ivr_flows.amounts import MAX_SAID, parts_of_money, parts_of_number, sayable
from ivr_flows.speech.grouping import in_threes, of_phone

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_SIZES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_SIGNS = {"*": "star", "#": "pound", "+": "plus"}


def cardinal(number: int) -> str:
    """``21`` is ``twenty-one``, ``130`` ``one hundred thirty``. Raises ValueError for one that is too large."""
    if abs(number) > MAX_SAID:
        raise ValueError("the number is too large to be said")
    if number < 0:
        return f"minus {cardinal(-number)}"
    for size, word in _SIZES:
        if number >= size:
            head, rest = divmod(number, size)
            return f"{cardinal(head)} {word}" + (f" {cardinal(rest)}" if rest else "")
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" {cardinal(rest)}" if rest else "")
    if number < len(_SMALL):
        return _SMALL[number]
    tens, unit = divmod(number, 10)
    return _TENS[tens] if unit == 0 else f"{_TENS[tens]}-{_SMALL[unit]}"


def ordinal(number: int) -> str:
    """Of a day of the month: ``21`` is ``twenty-first``."""
    head, dash, last = cardinal(number).rpartition("-")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = f"{last[:-1]}ieth"
    else:
        last = f"{last[:-2]}fth" if last.endswith("ve") else f"{last}th"
    return head + dash + last


def number(value: object) -> str:
    """``3.5`` is ``three point five``; what follows the point is said one by one."""
    negative, whole, fraction = parts_of_number(value)
    words = ("minus " if negative else "") + cardinal(whole)
    return f"{words} point {_one_by_one(fraction)}" if fraction else words


def money(value: object) -> str:
    """``twelve dollars and fifty cents``."""
    negative, dollars, cents = parts_of_money(value)
    parts = [count(dollars, "dollar")] if dollars or not cents else []
    if cents:
        parts.append(count(cents, "cent"))
    return ("minus " if negative else "") + " and ".join(parts)


def date(day: dt.date, *, year: bool = True) -> str:
    """``Monday, March second, twenty twenty-six``."""
    words = f"{_DAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {ordinal(day.day)}"
    return f"{words}, {_year(day.year)}" if year else words


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if rest == 0 or 2000 <= year < 2010:
        return f"{cardinal(century)} hundred" if rest == 0 and century % 10 else cardinal(year)
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def time(moment: dt.time) -> str:
    """``three thirty in the afternoon``, ``twelve noon``."""
    if moment.minute == 0 and moment.hour in (0, 12):
        return "twelve midnight" if moment.hour == 0 else "twelve noon"
    words = cardinal(moment.hour % 12 or 12)
    if moment.minute == 0:
        words += " o'clock"
    else:
        words += f" {'oh ' if moment.minute < 10 else ''}{cardinal(moment.minute)}"
    return f"{words} {_part_of_day(moment.hour)}"


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "in the morning"
    if hour < 18:
        return "in the afternoon"
    return "in the evening" if hour < 21 else "at night"


def moment(when: dt.datetime) -> str:
    return f"{date(when.date(), year=False)}, at {time(when.time())}"


def digits(text: str) -> str:
    return ", ".join(_one_by_one(group) for group in in_threes(text))


def phone(text: str) -> str:
    return ", ".join(_one_by_one(group) for group in of_phone(text))


def count(value: object, noun: str, plural: str = "", gender: str = "") -> str:
    """``twenty-one days``; `plural` where it is not the noun with an s. `gender` is of other languages."""
    amount = sayable(value)
    return f"{number(amount)} {noun if abs(amount) == 1 else plural or _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than one minute"
    return count(minutes, "minute") if minutes < 60 else count(round(minutes / 60), "hour")


def _one_by_one(text: str) -> str:
    return " ".join(_SIGNS[c] if c in _SIGNS else _SMALL[int(c)] for c in text)
