"""A program of `bench/` run as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parents[2] / "bench"


def run_bench(program: str, *argv: str, timeout: float, cwd: Path = BENCH.parent) -> str:
    """What it printed; it must end well."""
    done = subprocess.run(
        [sys.executable, str(BENCH / f"{program}.py"), *argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done.stdout


def figures_of(program: str, *argv: str, timeout: float) -> dict[str, Any]:
    """With `--json`: one object and nothing else."""
    found: dict[str, Any] = json.loads(run_bench(program, *argv, "--json", timeout=timeout))
    return found
