from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.web import Api, Platform, interaction, running


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    platform = Platform(tmp_path)
    platform.add(*(interaction(n) for n in range(1, 4)), interaction(4, agent=None))
    return platform


@pytest.fixture
async def api(platform: Platform) -> AsyncIterator[Api]:
    async with running(platform) as api:
        await asyncio.wait_for(platform.live.subscribed.wait(), 5)
        yield api
