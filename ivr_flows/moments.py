"""Points in time as flows see them: unix seconds inside, ISO texts outside, the clock of Ecuador on the wall."""

from __future__ import annotations

import datetime as dt

# Ecuador has no summer time; the Galápagos are an hour behind.
ZONES = {
    "America/Guayaquil": dt.timezone(dt.timedelta(hours=-5)),
    "Pacific/Galapagos": dt.timezone(dt.timedelta(hours=-6)),
}
HOME = "America/Guayaquil"
# Years 1970 to 2200: what lies beyond is a mistake in somebody's data.
_LAST = 7_258_118_400.0


def instant(value: object) -> float:
    """Unix seconds of an ISO text (without a zone: Ecuador's time) or of a number. Raises ValueError."""
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
    if not 0 <= seconds <= _LAST:
        raise ValueError("a time outside of 1970 to 2200")
    return seconds


def _from_iso(text: str) -> float:
    try:
        read = dt.datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=ZONES[HOME])).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a point in time") from error


def local(at: float, zone: str = HOME) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, ZONES[zone])
