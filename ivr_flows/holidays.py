"""The public holidays of Ecuador and of Cuenca, by the law that moves them to make long week-ends.

The law (Código del Trabajo art. 65, as of 2016): a holiday on a Saturday is kept on the Friday before, on a Sunday on
the Monday after, on a Tuesday on the Monday before, on a Wednesday or Thursday on the Friday after. New Year, Christmas
and Carnival stay. Two holidays in a row are moved together. The government may decree otherwise for a year: then the
calendar's own `closed` and `open` days say so.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

# name: (month, day, the law moves it)
_NATIONAL: dict[str, tuple[int, int, bool]] = {
    "año nuevo": (1, 1, False),
    "día del trabajo": (5, 1, True),
    "batalla de pichincha": (5, 24, True),
    "primer grito de independencia": (8, 10, True),
    "independencia de guayaquil": (10, 9, True),
    "navidad": (12, 25, False),
}
_CUENCA: dict[str, tuple[int, int, bool]] = {"fundación de cuenca": (4, 12, True)}
# Days from Easter Sunday.
_EASTER = {"lunes de carnaval": -48, "martes de carnaval": -47, "viernes santo": -2}
_MOVES = {0: 0, 1: -1, 2: 2, 3: 1, 4: 0, 5: -1, 6: 1}
# 2 and 3 November (the dead; independence of Cuenca) by the weekday of the 2nd: where each of the two goes.
_NOVEMBER = {0: (0, 0), 1: (-1, -1), 2: (1, 1), 3: (0, 0), 4: (-1, -1), 5: (-1, 1), 6: (1, 1)}


@lru_cache(maxsize=64)
def holidays(year: int, place: str = "ecuador") -> dict[dt.date, str]:
    """The days that are kept in that year, with their names. `place`: ecuador, or cuenca (which keeps both)."""
    found: dict[dt.date, str] = {}
    fixed = {**_NATIONAL, **(_CUENCA if place == "cuenca" else {})}
    for name, (month, day, moves) in fixed.items():
        date = dt.date(year, month, day)
        found[date + dt.timedelta(days=_MOVES[date.weekday()]) if moves else date] = name
    easter = easter_sunday(year)
    for name, days in _EASTER.items():
        found[easter + dt.timedelta(days=days)] = name
    second = dt.date(year, 11, 2)
    dead, independence = _NOVEMBER[second.weekday()]
    found[second + dt.timedelta(days=dead)] = "día de los difuntos"
    found[second + dt.timedelta(days=1 + independence)] = "independencia de cuenca"
    return found


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
