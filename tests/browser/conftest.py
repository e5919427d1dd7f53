"""One platform for all journeys, with its pages built and its people's accounts made; named as skipped where there is
no browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.pages_build import build_pages
from foundation.errors import RimayError
from tests.support.browser import PASSWORD, Crowd, crowd, why_no_browser
from tests.support.engines import why_absent
from tests.support.platform import ENGINE, PlatformProcess, rimay, running_platform

# User name, role, and the agent that they are.
PEOPLE = (
    ("ana", "agent", "ana"),
    ("luis", "agent", "luis"),
    ("sofia", "supervisor", None),
    ("marco", "manager", None),
    ("admin", "admin", None),
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", ()) if "tests/browser/" in r.nodeid]
    if skipped and isinstance(skipped[0].longrepr, tuple):
        reason = str(skipped[0].longrepr[2]).removeprefix("Skipped: ")
        terminalreporter.write_line(f"journeys in a browser: {len(skipped)} skipped, {reason}")


@pytest.fixture(scope="session")
def platform() -> Iterator[PlatformProcess]:
    if reason := why_no_browser() or why_absent(ENGINE):
        pytest.skip(reason)
    try:
        asyncio.run(build_pages())
    except RimayError as error:
        pytest.skip(f"the pages cannot be built: {error.message.splitlines()[0]}")
    with running_platform() as process:
        for name, role, agent in PEOPLE:
            who = ["--agent", agent] if agent else []
            words = ("user", "add", name, "--name", name.title(), "--role", role, *who, "--ask-password")
            done = rimay(*words, var=process.var, config=process.config, said=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield process


@pytest.fixture
async def people(platform: PlatformProcess, tmp_path: Path) -> AsyncIterator[Crowd]:
    async with crowd(platform.url, tmp_path) as made:
        yield made
