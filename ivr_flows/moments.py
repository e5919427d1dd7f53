"""Points in time as flows see them: unix seconds inside, ISO texts outside, the clock of Ecuador on the wall."""

from __future__ import annotations

import datetime as dt
import re

# Ecuador has no summer time; the Galápagos are an hour behind.
ZONES = {
    "America/Guayaquil": dt.timezone(dt.timedelta(hours=-5)),
    "Pacific/Galapagos": dt.timezone(dt.timedelta(hours=-6)),
}
HOME = "America/Guayaquil"
# Day first, as Ecuador writes dates, or the year first with digits left out; then perhaps a time.
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>\d{4})(?P<rest>.*)")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})([/.-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?P<rest>.*)")
_DAY_ALONE = re.compile(r"\d{4}-\d\d-\d\d")
_EARLY = re.compile(r"^[ T]+(\d):")
# Years 1970 to 2200: what lies beyond is a mistake in somebody's data.
_LAST = 7_258_118_400.0


def instant(value: object) -> float:
    """Unix seconds of a text (without a zone: Ecuador's time; ISO, or as in ``16/03/2026 18:00``) or of a number. 0,
    which stands for no time in flows, is none. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a point in time")  # noqa: TRY004 - one kind of error for whatever is none
    if isinstance(value, str):
        text = value.strip()[:40]
        try:
            seconds = float(text)
        except ValueError:
            seconds = _from_iso(text)
    else:
        seconds = float(value)
    if not 0 < seconds <= _LAST:
        raise ValueError("a time outside of 1970 to 2200")
    return seconds


def _from_iso(text: str) -> float:
    try:
        read = dt.datetime.fromisoformat(iso(text))
        return (read if read.tzinfo is not None else read.replace(tzinfo=ZONES[HOME])).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a point in time") from error


def iso(text: str) -> str:
    """A date in ISO's order and width, and what follows it; any other text as it is."""
    found = _DAY_FIRST.fullmatch(text) or _YEAR_FIRST.fullmatch(text)
    if found is None:
        return text
    rest = _EARLY.sub(r"T0\1:", found["rest"])
    return f"{found['year']}-{int(found['month']):02}-{int(found['day']):02}{rest}"


def day(value: object) -> dt.date:
    """The day of a text (a date, or a point in time) or of unix seconds. Raises ValueError."""
    text = iso(value.strip()) if isinstance(value, str) else ""
    return dt.date.fromisoformat(text) if _DAY_ALONE.fullmatch(text) else local(instant(value)).date()


def local(at: float, zone: str = HOME) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, ZONES[zone])
