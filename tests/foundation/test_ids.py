from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import IdMaker, new_id, time_of


@given(st.lists(st.floats(min_value=0, max_value=4e9), min_size=1, max_size=30), st.binary(min_size=8, max_size=8))
def test_they_sort_by_making_whatever_the_clock_does(times: list[float], random: bytes) -> None:
    ticks = iter(times)
    make = IdMaker(lambda: next(ticks), lambda _: random)
    made = [make() for _ in times]
    assert made == sorted(set(made))
    for text in made:
        value = uuid.UUID(text)
        assert (str(value), value.version, value.variant) == (text, 7, uuid.RFC_4122)


def test_time_and_randomness_are_handed_in() -> None:
    # The example of RFC 9562, appendix A.6, without its fraction of a millisecond.
    make = IdMaker(lambda: 1645557742.0, lambda n: b"\xff" * n)
    assert make() == "017f22e2-79b0-7000-bfff-ffffffffffff"


def test_the_time_comes_back() -> None:
    assert time_of(IdMaker(lambda: 1795000000.123)()) == pytest.approx(1795000000.123, abs=0.001)
    with pytest.raises(ValueError, match="not a UUIDv7"):
        time_of(str(uuid.uuid4()))


def test_the_default_never_repeats() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))
