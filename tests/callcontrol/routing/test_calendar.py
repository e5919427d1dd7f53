"""Business time: hours across nights, breaks, weekends and holidays; the definitions of the service level."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from callcontrol.routing.calendar import Calendar
from callcontrol.routing.service_level import ServiceLevel, Variant

ZONE = ZoneInfo("America/Guayaquil")
SPLIT = ((480, 780), (840, 1020))
WEEK = Calendar((SPLIT,) * 5 + ((), ()), ZONE, "cuenca", {dt.date(2026, 12, 24): ((480, 720),)})


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 07:59:59", False),
        ("2026-11-23 08:00", True),
        ("2026-11-23 13:00", False),  # the split day's break
        ("2026-11-23 14:00", True),
        ("2026-11-21 10:00", False),  # Saturday
        ("2026-11-02 10:00", False),  # holiday
        ("2026-12-24 11:59", True),  # special day
        ("2026-12-24 12:00", False),
    ],
)
def test_hours(moment: str, is_open: bool) -> None:
    assert WEEK.is_open(at(moment)) is is_open


def test_business_time_skips_nights_breaks_weekends_and_holidays() -> None:
    assert WEEK.open_seconds(at("2026-10-30 16:00"), at("2026-11-04 09:00")) == 2 * 3600
    assert WEEK.next_open(at("2026-10-30 17:00")) == at("2026-11-04 08:00")
    assert Calendar(((),) * 7, ZONE).next_open(at("2026-01-01 00:00")) is None


@pytest.mark.parametrize(
    ("moment", "closes"),
    [
        ("2026-11-23 07:00", "2026-11-23 13:00"),
        ("2026-11-23 08:00", "2026-11-23 13:00"),
        ("2026-11-23 13:00", "2026-11-23 17:00"),
        ("2026-11-20 17:00", "2026-11-23 13:00"),
        ("2026-12-24 11:00", "2026-12-24 12:00"),
    ],
)
def test_the_next_closing(moment: str, closes: str) -> None:
    assert WEEK.next_close(at(moment)) == at(closes)


def test_midnight_between_two_open_days_is_no_closing() -> None:
    always = Calendar((((0, 1440),),) * 7, ZONE)
    assert always.next_close(at("2026-11-23 10:00")) is None
    nights = Calendar((((0, 360), (1200, 1440)),) * 7, ZONE)
    assert nights.next_close(at("2026-11-23 21:00")) == at("2026-11-24 06:00")


@pytest.mark.parametrize(
    ("variant", "percent"),
    [
        (Variant.STANDARD, 83.0),
        (Variant.ANSWERED_ONLY, 86.0),
        (Variant.STRICT, 81.1),
        (Variant.LATE_ABANDONS, 82.7),
        (Variant.SHORT_AS_MET, 82.1),
        (Variant.SHORT_EXCLUDED, 81.9),
    ],
)
def test_service_level_by_each_definition(variant: Variant, percent: float) -> None:
    level = ServiceLevel(variant=variant)
    assert round(100 * (level.of_counts(1000, 60, 860, 20, 10) or 0), 1) == percent
    reached = level.reached([10.0] * 860 + [30.0] * 140, [3.0] * 10 + [15.0] * 10 + [25.0] * 40)
    assert reached == level.of_counts(1000, 60, 860, 20, 10)
