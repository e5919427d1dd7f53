"""bench/calls.py, run very short against the real parts: all figures are there and no call is lost. No timings."""

from __future__ import annotations

import pytest

from tests.support.benches import figures_of

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
    found = figures_of("calls", "--seconds", "2", "--size", "small", timeout=280)
    missing = [name for name in FIGURES if not isinstance(found.get(name), int | float)]
    assert not missing
    assert found["failed"] == 0, found["failures"]
    assert found["measured_calls"] > 0
    assert found["recorded_calls_held"] >= found["size"]
    assert found["engine"] == "asterisk"
    assert found["engine_version"]
    assert {"cores", "kernel", "python"} <= found["machine"].keys()
