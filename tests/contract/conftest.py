"""The `lab` fixture: one contract suite for all switches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.engines import ENGINES, Engine, start_engine
from tests.support.lab import Lab, MemoryLab


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.switch(name)) for name in ENGINES])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine | None]:
    """The server under test, one for the session; None for the twin, which needs none."""
    name: str = request.param
    if name == "memory":
        yield None
        return
    with start_engine(name) as running:
        yield running


@pytest.fixture
async def lab(engine: Engine | None, tmp_path: Path) -> AsyncIterator[Lab]:
    async with MemoryLab(tmp_path) if engine is None else engine.lab() as laboratory:
        yield laboratory
