"""The core against the brute-force oracle: every decision of every step, in 100,000 random scenarios."""

from __future__ import annotations

import os

import pytest

from tests.support.routing_scenarios import disagreement

# RIMAY_ORACLE_SCENARIOS=1000000 for more; bench/routing.py counts its own.
SCENARIOS = int(os.environ.get("RIMAY_ORACLE_SCENARIOS", "100000"))
PARTS = 8


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_core_and_oracle_decide_the_same(part: int) -> None:
    for seed in range(part, SCENARIOS, PARTS):
        found = disagreement(seed)
        assert not found, found


def test_with_explanations_the_decisions_are_the_same() -> None:
    for seed in range(300):
        found = disagreement(seed, length=60, why=True)
        assert not found, found
