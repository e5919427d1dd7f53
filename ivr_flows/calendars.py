"""When somebody is there: weekly hours, holidays, and the days that differ. Pure: the time comes in."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from foundation.holidays import holidays
from ivr_flows.moments import local
from ivr_flows.terms import DATE, DAYS, HOURS, Spec

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Hours = Annotated[tuple[Annotated[str, Field(pattern=HOURS)], ...], BeforeValidator(_a_list), Field(max_length=10)]
DayRange = Annotated[str, Field(pattern=DAYS)]
Date = Annotated[str, Field(pattern=DATE)]


class When(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  # at this hour or on this weekday
    HOLIDAY = "holiday"


class Calendar(Spec):
    """`weekly` by days (``mon-fri``, ``sat``), each a list of ``08:00-13:00``. Days in `closed` and `open` win over
    holidays and the week."""

    zone: Literal["America/Guayaquil", "Pacific/Galapagos"] = "America/Guayaquil"
    weekly: dict[DayRange, Hours] = Field(min_length=1)
    holidays: Literal["none", "ecuador", "cuenca"] = "ecuador"
    closed: dict[Date, str] = Field(default={}, description="more days without service, and why")
    open: dict[Date, Hours] = Field(default={}, description="days with hours of their own")

    @model_validator(mode="after")
    def _readable(self) -> Calendar:
        for hours in (*self.weekly.values(), *self.open.values()):
            for each in hours:
                start, end = each.split("-")
                if start >= end:
                    raise PydanticCustomError("hours", "{hours} ends before it begins", {"hours": each})
        for text in (*self.closed, *self.open):
            try:
                dt.date.fromisoformat(text)
            except ValueError as error:
                raise PydanticCustomError("date", "{text} is no day", {"text": text}) from error
        return self

    def at(self, moment: float) -> tuple[When, str]:
        """Whether somebody is there, and the holiday's name."""
        now = local(moment, self.zone)
        day, clock = now.date().isoformat(), now.strftime("%H:%M")
        if day in self.open:
            return (When.OPEN if _within(self.open[day], clock) else When.CLOSED), ""
        if day in self.closed:
            return When.HOLIDAY, self.closed[day]
        name = "" if self.holidays == "none" else holidays(now.year, self.holidays).get(now.date(), "")
        if name:
            return When.HOLIDAY, name
        return (When.OPEN if _within(self._of(now.weekday()), clock) else When.CLOSED), ""

    def _of(self, weekday: int) -> list[str]:
        return [hours for days, each in self.weekly.items() if _covers(days, weekday) for hours in each]

    def next_opening(self, moment: float) -> float | None:
        """When somebody will be there: now, or the next opening within two weeks."""
        if self.at(moment)[0] is When.OPEN:
            return moment
        now = local(moment, self.zone)
        for ahead in range(15):
            day = now.date() + dt.timedelta(days=ahead)
            written = self.open.get(day.isoformat()) or self._of(day.weekday())
            for start in sorted(hours[:5] for hours in written):
                opening = dt.datetime.combine(day, dt.time.fromisoformat(start), now.tzinfo).timestamp()
                if opening > moment and self.at(opening)[0] is When.OPEN:
                    return opening
        return None


def _within(hours: tuple[str, ...] | list[str], clock: str) -> bool:
    return any(each[:5] <= clock < each[6:] for each in hours)


def _covers(days: str, weekday: int) -> bool:
    match = re.fullmatch(DAYS, days)
    assert match is not None  # noqa: S101 - the pattern was checked when the file was loaded
    first = _WEEK.index(match[1])
    last = _WEEK.index(match[2]) if match[2] else first
    return first <= weekday <= last if first <= last else weekday >= first or weekday <= last
