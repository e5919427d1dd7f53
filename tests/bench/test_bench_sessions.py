"""bench/sessions.py, run very short: every figure is there. No timings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_each_way_answers() -> None:
    done = subprocess.run(
        [sys.executable, "bench/sessions.py", "--json", "--rounds", "1", "--seconds", "0.5"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)  # one object and nothing else
    for way in ("four_trips", "one_trip", "remembered"):
        assert found[f"rps_{way}"] > 0
        assert found[f"cpu_ms_{way}"] > 0
