"""Opening hours in business time: weekly hours with breaks, holidays, special days. Pure: dates in, dates out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from foundation.holidays import holidays

# Minutes of the day, from and to; several make a split day. 1440 is midnight at the day's end.
Periods = tuple[tuple[int, int], ...]

# A calendar that does not open within this time never does.
_FAR_DAYS = 400


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week` has seven entries, Monday first. `special` days win over holidays, and those over the week."""

    week: tuple[Periods, ...]
    zone: ZoneInfo
    holidays: str | None = None  # a place of `foundation.holidays`
    special: Mapping[dt.date, Periods] = field(default_factory=dict)

    def periods(self, day: dt.date) -> Periods:
        if day in self.special:
            return self.special[day]
        return () if self.holiday(day) else self.week[day.weekday()]

    def holiday(self, day: dt.date) -> str | None:
        return holidays(day.year, self.holidays).get(day) if self.holidays else None

    def is_open(self, at: float) -> bool:
        here = dt.datetime.fromtimestamp(at, self.zone)
        minute = here.hour * 60 + here.minute
        return any(start <= minute < end for start, end in self.periods(here.date()))

    def next_open(self, at: float) -> float | None:
        """Now, when it is open; None when it does not open again."""
        if self.is_open(at):
            return at
        day = dt.datetime.fromtimestamp(at, self.zone).date()
        for _ in range(_FAR_DAYS):
            for start, _end in self._spans(day):
                if start >= at:
                    return start
            day += dt.timedelta(days=1)
        return None

    def next_close(self, at: float) -> float | None:
        """The end of the hours that run, or of the next ones. Midnight between two open hours is no closing."""
        day = dt.datetime.fromtimestamp(at, self.zone).date()
        for _ in range(_FAR_DAYS):
            for _start, end in self._spans(day):
                if end > at and not self.is_open(end):
                    return end
            day += dt.timedelta(days=1)
        return None

    def open_seconds(self, start: float, end: float) -> float:
        """Business time between two moments: what a service level in working hours is measured in."""
        total = 0.0
        day = dt.datetime.fromtimestamp(start, self.zone).date()
        last = dt.datetime.fromtimestamp(end, self.zone).date()
        while day <= last:
            for opens, closes in self._spans(day):
                total += max(0.0, min(end, closes) - max(start, opens))
            day += dt.timedelta(days=1)
        return total

    def _spans(self, day: dt.date) -> list[tuple[float, float]]:
        midnight = dt.datetime.combine(day, dt.time(), self.zone)

        def at(minute: int) -> float:
            # By the wall clock: a day of 23 or 25 hours still opens at eight.
            days, rest = divmod(minute, 1440)
            wall = midnight.replace(hour=rest // 60, minute=rest % 60) + dt.timedelta(days=days)
            return wall.timestamp()

        return [(at(start), at(end)) for start, end in self.periods(day)]

    @property
    def ever_opens(self) -> bool:
        return any(self.week) or any(self.special.values())
