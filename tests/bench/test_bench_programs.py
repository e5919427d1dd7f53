"""Each program of `bench/` can be run by itself, from anywhere, and says what it measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.benches import BENCH, run_bench

PROGRAMS = sorted(path.stem for path in BENCH.glob("[!_]*.py"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_runs_by_itself(program: str, tmp_path: Path) -> None:
    told = run_bench(program, "--help", timeout=120, cwd=tmp_path)
    assert "usage:" in told
    assert "--json" in told or program == "shots"
