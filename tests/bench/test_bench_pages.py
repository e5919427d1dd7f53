"""bench/pages.py, run very short against the real parts: the figures that need no browser are there. No timings."""

from __future__ import annotations

import pytest

from tests.support.benches import figures_of


@pytest.mark.timeout(240)
def test_fanout_reaches_every_page_and_is_measured_beside_redis_alone() -> None:
    found = figures_of("pages", "--only", "fanout", "--pages", "20", "--rounds", "1", timeout=220)
    assert found["fanout_deliveries"] == 20 * 5
    assert all(found[name] > 0 for name in ("event_fanout_p50_ms", "event_fanout_p99_ms", "redis_fanout_p99_ms"))


@pytest.mark.usefixtures("node")
def test_the_agents_page_is_weighed() -> None:
    found = figures_of("pages", "--only", "size", timeout=170)
    assert 10 < found["agent_js_gzip_kb"] <= 150
