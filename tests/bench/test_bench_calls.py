"""bench/calls.py, run very short against the real parts: all figures are there and no call is lost. No timings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FIGURES = (
    "added_setup_p50_ms",
    "added_setup_p99_ms",
    "calls_per_s",
    "calls_per_s_plain",
    "failed",
    "switch_cpu_ms_per_call",
    "python_cpu_ms_per_call",
    "python_to_switch_cpu",
    "recorded_calls_held",
)


@pytest.mark.timeout(300)
def test_all_figures_are_measured_and_no_call_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "bench/calls.py", "--seconds", "2", "--size", "small", "--json"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    found = json.loads(done.stdout)  # one object and nothing else
    missing = [name for name in FIGURES if not isinstance(found.get(name), int | float)]
    assert not missing
    assert found["failed"] == 0, found["failures"]
    assert found["measured_calls"] > 0
    assert found["recorded_calls_held"] >= found["size"]
    assert found["engine"] == "asterisk"
    assert found["engine_version"]
    assert {"cores", "kernel", "python"} <= found["machine"].keys()
