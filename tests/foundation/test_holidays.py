"""The law's shifting of holidays, held against years that people remember."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.holidays import PLACES, easter_sunday, holidays


@pytest.mark.parametrize(
    ("year", "day"),
    [
        (2023, "04-09"),
        (2024, "03-31"),
        (2025, "04-20"),
        (2026, "04-05"),
        (2027, "03-28"),
        (2038, "04-25"),
        (2285, "03-22"),
    ],
)
def test_easter(year: int, day: str) -> None:
    assert easter_sunday(year).isoformat() == f"{year}-{day}"


# 2021 to 2025 as the press told them at the time. Christmas of 2021 and the New Year after it were Saturdays, those of
# 2022 Sundays: they were kept on the Friday before and on the Monday after.
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
    assert [d.strftime("%m-%d") for d in holidays(year)] == days.split()


def test_cuenca_rests_on_its_own_day_too() -> None:
    assert holidays(2024, "cuenca")[dt.date(2024, 4, 12)] == "Fundación de Cuenca"
    assert holidays(2025, "cuenca").keys() - holidays(2025).keys() == {dt.date(2025, 4, 11)}  # a Saturday's, on Friday
    assert holidays(2026, "cuenca").keys() - holidays(2026).keys() == {dt.date(2026, 4, 13)}  # a Sunday's, on Monday


@given(st.integers(1971, 2198), st.sampled_from(PLACES))
def test_no_day_of_rest_is_lost_on_a_weekend_and_all_but_the_exempt_make_a_long_one(year: int, place: str) -> None:
    found = holidays(year, place)
    assert all(day.weekday() < 5 for day in found)
    # Eleven; New Year may be kept in the year before, and a local one may fall on a national one.
    new_years = sum(name == "Año Nuevo" for name in found.values())
    assert 0 <= new_years <= 2
    assert len(found) - new_years in (10, 11) if place == "cuenca" else len(found) - new_years == 10
    alone = {day for day, name in found.items() if name not in ("Año Nuevo", "Navidad", "Carnaval") and day.month != 11}
    assert all(day.weekday() in (0, 4) for day in alone)
    november = sorted(day for day in found if day.month == 11)
    assert len(november) == 2
