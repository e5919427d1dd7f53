"""Which ports are chosen: small ones together, so that there is room for a long row when many were taken."""

from __future__ import annotations

import pytest

from app.ports import NoFreePorts, _free_range


def test_a_long_row_is_found_beside_many_that_were_taken() -> None:
    taken: set[int] = set()
    for count in (1, 1, 1, 1, 1, 1, 1, 100) * 40:
        taken.update(_free_range(count, taken).numbers)
    found = _free_range(400, taken)
    assert taken.isdisjoint(found.numbers)
    assert found.first % 2 == 0


def test_the_only_row_that_is_left_is_found() -> None:
    left = set(range(20_502, 20_902))
    assert _free_range(400, set(range(15_000, 32_000)) - left).first == 20_502


def test_none_is_left() -> None:
    with pytest.raises(NoFreePorts, match="no 400 free ports in a row"):
        _free_range(400, set(range(15_000, 32_000, 399)))


def test_more_than_half_of_them_may_reach_higher() -> None:
    assert _free_range(20_000, set()).first + 20_000 <= 65_000
