from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engines import Engine, start_engine


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.switch(name)) for name in ("asterisk", "freeswitch")],
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A real switch, for the files whose flows are called on one (`*_on_a_switch.py`)."""
    with start_engine(request.param) as running:
        yield running
