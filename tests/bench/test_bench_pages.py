"""bench/pages.py, run very short against the real parts: the figures that need no browser are there. No timings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_fanout_reaches_every_page_and_is_measured_beside_redis_alone() -> None:
    done = subprocess.run(
        [sys.executable, "bench/pages.py", "--only", "fanout", "--pages", "20", "--rounds", "1", "--json"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)  # one object and nothing else
    assert found["fanout_deliveries"] == 20 * 5
    assert all(found[name] > 0 for name in ("event_fanout_p50_ms", "event_fanout_p99_ms", "redis_fanout_p99_ms"))


@pytest.mark.usefixtures("node")
def test_the_agents_page_is_weighed() -> None:
    done = subprocess.run(
        [sys.executable, "bench/pages.py", "--only", "size", "--json"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert 10 < json.loads(done.stdout)["agent_js_gzip_kb"] <= 150
