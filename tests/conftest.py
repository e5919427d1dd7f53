"""What the run says at its end about the contract suite: per switch, how many passed, and which was not there."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

_PROPERTY = "contract_engine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("switch")
        if marker and "/contract/" in item.path.as_posix():
            item.user_properties.append((_PROPERTY, marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, str] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            engine = dict(getattr(report, "user_properties", ())).get(_PROPERTY)
            if not isinstance(engine, str):
                continue
            counts[engine][outcome] += 1
            if outcome == "skipped" and isinstance(report.longrepr, tuple):
                reasons[engine] = str(report.longrepr[2]).removeprefix("Skipped: ")
    for engine, count in counts.items():
        if set(count) == {"skipped"}:
            told = f"skipped, {reasons.get(engine, 'no reason given')}"
        else:
            told = ", ".join(f"{number} {outcome}" for outcome, number in count.items())
        terminalreporter.write_line(f"contract suite on {engine}: {told}")
