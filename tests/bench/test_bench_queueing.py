"""bench/queueing.py, small, on the real switch: agents who accept, refuse and are not there; nothing is ever wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(200)
def test_many_wait_and_some_agents_refuse_or_vanish() -> None:
    done = subprocess.run(
        [sys.executable, "bench/queueing.py", "--agents", "8", "--waiting", "16", "--talk", "3", "--json"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["started"] == found["closed"] == 16
    assert found["offers_accepted"] > 0
    assert found["offers_failed"] > 0  # the phone that is not there
    assert found["free_to_offer_p99_ms"] > 0
