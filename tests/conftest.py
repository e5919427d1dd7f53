"""What the run grants, and what it says at its end: of the contract suite, per switch, how many passed, and which was
not there; what was skipped; what needed a second attempt."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import settings

from tests.support import sharing
from tests.support.servers import database, empty_database, postgres_server, redis_server
from tests.support.tools import node
from tests.support.voices import voices

__all__ = ["database", "empty_database", "node", "postgres_server", "redis_server", "voices"]

# How long one example takes says how busy the machine is, and nothing of the code.
settings.register_profile("rimay", deadline=None)
settings.load_profile("rimay")

_PROPERTY = "contract_engine"
# What listens to real sound shares its processors with all else: a second attempt is granted, and told of. Where many
# are needed the run fails all the same.
_MOST_SECOND_ATTEMPTS = 3


def pytest_configure() -> None:
    sharing.stand_behind()


def pytest_xdist_auto_num_workers() -> int:
    return sharing.workers()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> sharing.Sharing:
    return sharing.Sharing(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("switch")
        if marker and "/contract/" in item.path.as_posix():
            item.user_properties.append((_PROPERTY, marker.args[0]))
        if sharing.listens(item.nodeid):
            item.add_marker(pytest.mark.flaky(reruns=1))
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=lambda item: sharing.rank(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Here, for the conftest of a folder is known to the workers alone."""
    _tell_contracts(terminalreporter)
    _tell_skipped(terminalreporter)
    for report in terminalreporter.stats.get("rerun", ()):
        crash = getattr(report.longrepr, "reprcrash", None)
        why = str(crash.message if crash else report.longrepr).partition("\n")[0]
        terminalreporter.write_line(f"needed a second attempt: {report.nodeid}: {why}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # a test that fails and then cannot clear up either is told of twice, and is one
    again = {report.nodeid for report in reporter.stats.get("rerun", ())} if reporter is not None else set()
    if len(again) > _MOST_SECOND_ATTEMPTS and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _tell_skipped(terminalreporter: pytest.TerminalReporter) -> None:
    """What did not run here, by room and reason: nobody takes a machine that lacks something for one that has it."""
    skipped = Counter(
        ("/".join(report.nodeid.split("/")[:2]), _reason(report))
        for report in terminalreporter.stats.get("skipped", ())
        if _PROPERTY not in dict(getattr(report, "user_properties", ()))
    )
    for (room, why), number in sorted(skipped.items()):
        terminalreporter.write_line(f"{room}: {number} skipped, {why}")


def _reason(report: Any) -> str:
    """Why it was skipped."""
    told = report.longrepr
    return str(told[2]).removeprefix("Skipped: ") if isinstance(told, tuple | list) else "no reason given"


def _tell_contracts(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, str] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            engine = dict(getattr(report, "user_properties", ())).get(_PROPERTY)
            if not isinstance(engine, str):
                continue
            counts[engine][outcome] += 1
            if outcome == "skipped":
                reasons[engine] = _reason(report)
    for engine, count in counts.items():
        if set(count) == {"skipped"}:
            told = f"skipped, {reasons.get(engine, 'no reason given')}"
        else:
            told = ", ".join(f"{number} {outcome}" for outcome, number in count.items())
        terminalreporter.write_line(f"contract suite on {engine}: {told}")
