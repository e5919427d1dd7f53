"""The flows' watcher outlives what goes wrong on the disk."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from app import flow_watch
from app.flow_watch import FlowsRefused, FlowWatch
from app.live import BusHerald
from foundation.bus import MemoryBus
from foundation.clock import SystemClock
from foundation.errors import Invalid
from foundation.metrics import Metrics
from ivr_flows.book import FlowBook
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import FlowSettings
from pbx.sounds import SoundLibrary
from softphone_web.ports import LiveEvent


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


TEXT = """\
id: {id}
entry: uno
person: {{to: fin}}
on_error: fin
nodes:
  uno: {{kind: {kind}, to: fin}}
  fin: {{kind: hangup}}
"""


class Started:
    """A platform's flows on its disk, from one start to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flows = folder / "flows"
        self.flows.mkdir()
        self.alerts: list[LiveEvent] = []

    def write(self, flow_id: str, kind: str = "goto") -> None:
        (self.flows / f"{flow_id}.yaml").write_text(TEXT.format(id=flow_id, kind=kind), encoding="utf-8")

    async def start(self) -> tuple[FlowBook, FlowWatch]:
        clock, metrics = SystemClock(), Metrics()
        settings = FlowSettings(folders=[str(self.flows)], shipped=False, default="a")
        book = FlowBook(settings, archive=self.folder / "archive")
        herald = BusHerald(MemoryBus(), clock, metrics)
        herald.watchers.append(self.alerts.append)
        watch = FlowWatch(book, SoundLibrary([self.folder], self.folder / "cache", None), herald, clock)
        (await watch.begin()).close()
        return book, watch


async def test_a_bad_file_does_not_keep_the_platform_from_starting(tmp_path: Path) -> None:
    place = Started(tmp_path)
    place.write("a")
    place.write("b")
    book, watch = await place.start()
    assert await watch.check() == 2
    served = book.choose("").version
    assert place.alerts == []

    place.write("a", kind="gotoo")
    place.write("c", kind="gotoo")  # never was good: the others serve all the same
    book, watch = await place.start()
    assert [flow.id for flow in book.flows()] == ["a", "b"]
    assert book.choose("").version == served
    told = [str(event.data["message"]) for event in place.alerts]
    assert [event.type for event in place.alerts] == ["flow_refused", "flow_refused"]
    assert f"a.yaml: version {served} of a serves on." in told[0]
    assert "unknown kind 'gotoo'" in told[0]
    assert "c.yaml: nothing serves in its place." in told[1]
    with pytest.raises(FlowsRefused) as refused:
        await watch.check()
    assert refused.value.facts["files"] == "a.yaml, c.yaml"

    place.write("a")
    (place.flows / "c.yaml").unlink()
    await watch.look()
    assert await watch.check() == 2


async def test_without_any_version_of_the_default_flow_the_start_is_refused_with_every_mistake(tmp_path: Path) -> None:
    place = Started(tmp_path)
    place.write("a", kind="gotoo")
    place.write("b")
    with pytest.raises(Invalid, match="unknown kind 'gotoo'"):
        await place.start()
