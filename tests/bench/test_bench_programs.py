"""Each program of `bench/` can be run by itself, from anywhere, and says what it measures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
PROGRAMS = sorted(path.stem for path in BENCH.glob("[!_]*.py"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_runs_by_itself(program: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, str(BENCH / f"{program}.py"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "usage:" in told.stdout
    assert "--json" in told.stdout or program == "shots"
