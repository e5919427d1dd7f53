"""Business time: the law's shifting of holidays held against years that people remember, and hours across them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from callcontrol.routing.calendar import Calendar
from callcontrol.routing.holidays import cuenca, easter, ecuador
from callcontrol.routing.service_level import ServiceLevel, Variant

ZONE = ZoneInfo("America/Guayaquil")
SPLIT = ((480, 780), (840, 1020))
WEEK = Calendar((SPLIT,) * 5 + ((), ()), ZONE, "cuenca", {dt.date(2026, 12, 24): ((480, 720),)})


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("year", "day"),
    [(2023, "04-09"), (2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28"), (2038, "04-25")],
)
def test_easter(year: int, day: str) -> None:
    assert easter(year).isoformat() == f"{year}-{day}"


# 2021 to 2023 as the press told them at the time; the later ones follow from the law's text.
@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2021, "01-01 02-15 02-16 04-02 04-30 05-24 08-09 10-08 11-01 11-02 12-24 12-31"),
        (2022, "02-28 03-01 04-15 05-02 05-23 08-12 10-10 11-03 11-04 12-26"),
        (2023, "01-02 02-20 02-21 04-07 05-01 05-26 08-11 10-09 11-02 11-03 12-25"),
        (2024, "01-01 02-12 02-13 03-29 05-03 05-24 08-09 10-11 11-01 11-04 12-25"),
        (2025, "01-01 03-03 03-04 04-18 05-02 05-23 08-11 10-10 11-03 11-04 12-25"),
    ],
)
def test_national_days_of_rest(year: int, days: str) -> None:
    assert [d.strftime("%m-%d") for d in sorted(ecuador(year))] == days.split()


def test_cuenca_rests_on_its_own_day_too() -> None:
    assert cuenca(2026)[dt.date(2026, 4, 13)] == "Fundación de Cuenca"  # a Sunday: kept on Monday
    assert dt.date(2026, 4, 13) not in ecuador(2026)


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
