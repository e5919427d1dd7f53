"""bench/queueing.py, small, on the real switch: agents who accept, refuse and are not there; nothing is ever wrong."""

from __future__ import annotations

import pytest

from tests.support.benches import figures_of


@pytest.mark.timeout(200)
def test_many_wait_and_some_agents_refuse_or_vanish() -> None:
    found = figures_of("queueing", "--agents", "8", "--waiting", "16", "--talk", "3", timeout=180)
    assert found["wrong"] == []
    assert found["started"] == found["closed"] == 16
    assert found["offers_accepted"] > 0
    assert found["offers_failed"] > 0  # the phone that is not there
    assert found["free_to_offer_p99_ms"] > 0
