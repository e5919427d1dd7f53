"""Ecuador's holidays and Cuenca's: the days on which one really rests. Pure: a year in, dates out.

The law is art. 65 of the Código del Trabajo and the disposition of the LOSEP, as reformed by the Ley Orgánica
Reformatoria of December 2016 (Registro Oficial, Suplemento 906, 20 December 2016):

* off the weekend, of every holiday: Saturday to the Friday before, Sunday to the Monday after;
* to a long weekend: Tuesday to the Monday before, Wednesday and Thursday to the Friday after. From this rule 1 January,
  25 December and the Tuesday of carnival are exempt, and from this rule only: the Ministry of Tourism's calendars kept
  24 and 31 December 2021 (Saturdays' holidays), 26 December 2022 and 2 January 2023 (Sundays');
* two in a row (2 and 3 November) stay together: Tuesday and Wednesday are kept on Monday and Tuesday, Wednesday and
  Thursday on Thursday and Friday, Friday and Saturday on Thursday and Friday, Sunday and Monday on Monday and Tuesday.

Local holidays follow the same rules. A government may decree otherwise for one year: that is a calendar's special day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

PLACES = ("ecuador", "cuenca")

_DAY = dt.timedelta(days=1)
# To the day of rest, by weekday, Monday first.
_SHIFT = (0, -1, 2, 1, 0, -1, 1)
# By the weekday of the 2nd of November: how many days each of the two is moved.
_SHIFT_PAIR = ((0, 0), (-1, -1), (1, 1), (0, 0), (-1, -1), (-1, 1), (1, 1))

_FIXED = {
    (5, 1): "Día del Trabajo",
    (5, 24): "Batalla de Pichincha",
    (8, 10): "Primer Grito de Independencia",
    (10, 9): "Independencia de Guayaquil",
}
_CUENCA = {(4, 12): "Fundación de Cuenca"}


@lru_cache(maxsize=64)
def holidays(year: int, place: str = "ecuador") -> Mapping[dt.date, str]:
    """The days of that year that are kept, with their names, in order. `place`: ecuador, or cuenca (with the national
    ones). A New Year's Day on a Saturday is kept in the year before."""
    sunday = easter_sunday(year)
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
    fixed = _FIXED | (_CUENCA if place == "cuenca" else {})
    found |= {_rest_day(dt.date(year, *day)): name for day, name in fixed.items()}
    souls = dt.date(year, 11, 2)
    first, second = _SHIFT_PAIR[souls.weekday()]
    found[souls + first * _DAY] = "Día de los Difuntos"
    found[souls + _DAY + second * _DAY] = "Independencia de Cuenca"
    return dict(sorted(found.items()))


def easter_sunday(year: int) -> dt.date:
    """Of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7  # noqa: E741 - the algorithm's own letter
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def _rest_day(day: dt.date) -> dt.date:
    return day + _SHIFT[day.weekday()] * _DAY


def _off_the_weekend(day: dt.date) -> dt.date:
    return _rest_day(day) if day.weekday() >= 5 else day
