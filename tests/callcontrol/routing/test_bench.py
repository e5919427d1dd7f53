"""The measurement itself runs, and what it says of a small centre is sane."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "bench/routing.py"
    spec = importlib.util.spec_from_file_location("bench_routing", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_routing", module)
    spec.loader.exec_module(module)
    return module


def test_a_small_measurement(bench: ModuleType) -> None:
    row = bench.measure(1, (60, 20), 90, why=True)
    assert row["p99_cpu_ms"] < 5
    assert row["cpu_ratio"] > 10


def test_the_cost_does_not_grow_with_the_line(bench: ModuleType) -> None:
    """A scan would be an exponent near 1; the best of three, for the machine may have other things to do."""
    assert min(bench.growth(1, 60)[0] for _ in range(3)) < 0.35
