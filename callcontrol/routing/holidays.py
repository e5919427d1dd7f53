"""Ecuador's holidays and Cuenca's: the days on which one really rests.

The law (Código del Trabajo art. 65 and LOSEP, as reformed in December 2016) moves a holiday that falls on a Tuesday to
the Monday before, on a Wednesday or Thursday to the Friday after, on a Saturday to the Friday before, on a Sunday to
the Monday after. 1 January and 25 December move only off a weekend (so a New Year's Day may be kept on 31 December);
carnival and Good Friday stay. The 2nd and 3rd of November are moved together.
A government may decree otherwise for one year: that is a calendar's special day.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

_DAY = dt.timedelta(days=1)
# To the day of rest, by weekday, Monday first.
_SHIFT = (0, -1, 2, 1, 0, -1, 1)
# Of the 2nd of November's weekday: where the two days are kept. Saturday and Sunday become Friday and Monday.
_SHIFT_PAIR = ((0, 0), (-1, -1), (1, 1), (0, 0), (-1, -1), (-1, 1), (1, 1))

FIXED = {
    (5, 1): "Día del Trabajo",
    (5, 24): "Batalla de Pichincha",
    (8, 10): "Primer Grito de Independencia",
    (10, 9): "Independencia de Guayaquil",
}
CUENCA = {(4, 12): "Fundación de Cuenca"}


def easter(year: int) -> dt.date:
    """The Gregorian computus (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month, day = divmod(h - m + r + 90, 25)[0], (h - m + r + (h - m + r + 90) // 25 + 19) % 32
    return dt.date(year, month, day)


def rest_day(day: dt.date) -> dt.date:
    return day + _SHIFT[day.weekday()] * _DAY


def _off_the_weekend(day: dt.date) -> dt.date:
    return rest_day(day) if day.weekday() >= 5 else day


@lru_cache(maxsize=64)
def ecuador(year: int) -> dict[dt.date, str]:
    sunday = easter(year)
    found = {
        sunday - 48 * _DAY: "Carnaval",
        sunday - 47 * _DAY: "Carnaval",
        sunday - 2 * _DAY: "Viernes Santo",
        _off_the_weekend(dt.date(year, 12, 25)): "Navidad",
    }
    for new_year in (dt.date(year, 1, 1), dt.date(year + 1, 1, 1)):
        kept = _off_the_weekend(new_year)
        if kept.year == year:
            found[kept] = "Año Nuevo"
    found |= {rest_day(dt.date(year, *day)): name for day, name in FIXED.items()}
    souls = dt.date(year, 11, 2)
    first, second = _SHIFT_PAIR[souls.weekday()]
    found[souls + first * _DAY] = "Día de los Difuntos"
    found[souls + _DAY + second * _DAY] = "Independencia de Cuenca"
    return found


@lru_cache(maxsize=64)
def cuenca(year: int) -> dict[dt.date, str]:
    """With the national ones."""
    return ecuador(year) | {rest_day(dt.date(year, *day)): name for day, name in CUENCA.items()}


SETS = {"ecuador": ecuador, "cuenca": cuenca}
