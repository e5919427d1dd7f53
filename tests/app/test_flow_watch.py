"""The flows' watcher outlives what goes wrong on the disk."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from app import flow_watch
from app.live import BusHerald
from foundation.bus import MemoryBus
from foundation.clock import SystemClock
from foundation.metrics import Metrics
from ivr_flows.book import FlowBook
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import FlowSettings
from pbx.sounds import SoundLibrary


async def test_a_disk_that_cannot_be_read_does_not_end_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, metrics = SystemClock(), Metrics()
    book = FlowBook(FlowSettings(), known=Known({QueueName: ["contact-center"]}))
    sounds = SoundLibrary([tmp_path], tmp_path / "cache", None)
    looked = asyncio.Event()
    looks: list[int] = []

    def broken(_self: Any) -> None:
        looks.append(1)
        if len(looks) > 1:
            looked.set()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(flow_watch, "LOOK_EVERY_S", 0.01)
    work = await flow_watch.FlowWatch(book, sounds, BusHerald(MemoryBus(), clock, metrics), clock).begin()
    monkeypatch.setattr(FlowBook, "refresh", broken)
    task = asyncio.create_task(work)
    await asyncio.wait_for(looked.wait(), 5)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
