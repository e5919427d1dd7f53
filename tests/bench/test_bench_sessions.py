"""bench/sessions.py, run very short: every figure is there. No timings."""

from __future__ import annotations

from tests.support.benches import figures_of


def test_each_way_answers() -> None:
    found = figures_of("sessions", "--rounds", "1", "--seconds", "0.5", timeout=170)
    for way in ("four_trips", "one_trip", "remembered"):
        assert found[f"rps_{way}"] > 0
        assert found[f"cpu_ms_{way}"] > 0
