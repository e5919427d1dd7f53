"""One platform for the tests of a module, started when the first asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engines import why_absent
from tests.support.platform import ENGINE, PlatformProcess, running_platform


@pytest.fixture(scope="session", autouse=True)
def _switch_is_there() -> None:
    if reason := why_absent(ENGINE):
        pytest.skip(reason)


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformProcess]:
    with running_platform() as process:
        yield process
