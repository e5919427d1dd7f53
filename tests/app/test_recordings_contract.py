"""The contract of recordings (`softphone_web.ports.Recordings`), for the twin and for the recordings' folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web_data import KeptRecordings
from callcontrol.model import InteractionId, Recording
from foundation.errors import Conflict, NotFound
from recording.place import RecordingFolder
from softphone_web.ports import RecordingFile, Recordings
from tests.support.web import FolderRecordings, MemoryInteractions, interaction
from tests.support.web_people import NOW

CALL, ONE, OTHER = InteractionId("i-1"), "i-1-rec1", "i-1-rec2"
AUDIO = bytes(range(256)) * 4


@dataclass
class Rig:
    """`file` is where the audio of a recording is looked for."""

    recordings: Recordings
    interactions: MemoryInteractions
    file: Callable[[str], Path]

    def keep(self, *recordings: Recording) -> None:
        record = interaction(1, id=CALL, recordings=recordings)
        self.interactions.records[record.id] = record

    async def read(self, recording: str, start: int, length: int) -> bytes:
        file = await self.recordings.open(recording)
        try:
            return await _read(file, start, length)
        finally:
            await file.close()


@pytest.fixture(params=["memory", "folder"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    kept = MemoryInteractions()
    recordings: Recordings
    if request.param == "memory":
        recordings = FolderRecordings(kept, tmp_path)
    else:
        recordings = KeptRecordings(kept, RecordingFolder(tmp_path, min_free_bytes=0))
    return Rig(recordings, kept, lambda recording: tmp_path / f"{recording}.wav")


def recording(name: str, state: str = "complete", **more: object) -> Recording:
    base = {"path": f"{name}.wav", "started_at": NOW, "seconds": 2.5, "channels": 2}
    return Recording(id=name, state=state, **{**base, **more})  # type: ignore[arg-type]


async def _read(file: RecordingFile, start: int, length: int) -> bytes:
    return b"".join([piece async for piece in file.chunks(start, length)])


async def test_those_of_a_call_are_told_in_their_order(rig: Rig) -> None:
    rig.keep(recording(OTHER), recording(ONE, "failed", seconds=None, channels=None, detail="no space left"))
    rig.file(OTHER).write_bytes(AUDIO)
    whole, failed = await rig.recordings.of_interaction(CALL)
    assert (whole.id, whole.interaction, whole.started_at, whole.state) == (OTHER, CALL, NOW, "complete")
    assert (whole.seconds, whole.channels, whole.bytes, whole.detail) == (2.5, 2, len(AUDIO), None)
    assert (failed.id, failed.state, failed.detail) == (ONE, "failed", "no space left")
    assert (failed.seconds, failed.channels, failed.bytes) == (None, None, None)
    assert await rig.recordings.get(ONE) == failed
    rig.keep()
    assert list(await rig.recordings.of_interaction(CALL)) == []


async def test_none_is_made_up(rig: Rig) -> None:
    rig.keep(recording(ONE))
    with pytest.raises(NotFound):
        await rig.recordings.of_interaction(InteractionId("i-nobody"))
    for name in (OTHER, "i-nobody-rec1", "i-1", "nothing", ""):
        with pytest.raises(NotFound):
            await rig.recordings.get(name)
        with pytest.raises(NotFound):
            await rig.recordings.open(name)


async def test_a_whole_one_is_read_in_any_part(rig: Rig) -> None:
    rig.keep(recording(ONE))
    rig.file(ONE).write_bytes(AUDIO)
    file = await rig.recordings.open(ONE)
    assert (file.size, file.media_type) == (len(AUDIO), "audio/wav")
    assert file.modified_at == rig.file(ONE).stat().st_mtime
    await file.close()
    assert await rig.read(ONE, 0, len(AUDIO)) == AUDIO
    assert await rig.read(ONE, 100, 7) == AUDIO[100:107]
    assert await rig.read(ONE, 5, 0) == b""
    with pytest.raises(EOFError):
        await rig.read(ONE, len(AUDIO) - 1, 2)


@pytest.mark.parametrize("state", ["recording", "paused", "failed"])
async def test_what_is_not_whole_is_not_given(rig: Rig, state: str) -> None:
    rig.keep(recording(ONE, state))
    rig.file(ONE).write_bytes(AUDIO)
    assert (await rig.recordings.get(ONE)).state == state
    with pytest.raises(Conflict):
        await rig.recordings.open(ONE)


async def test_whose_file_is_gone_is_known_and_not_found(rig: Rig) -> None:
    rig.keep(recording(ONE))
    assert (await rig.recordings.get(ONE)).bytes is None
    with pytest.raises(NotFound):
        await rig.recordings.open(ONE)


async def test_it_is_read_to_its_end_though_it_is_deleted_meanwhile(rig: Rig) -> None:
    rig.keep(recording(ONE))
    rig.file(ONE).write_bytes(AUDIO)
    file = await rig.recordings.open(ONE)
    rig.file(ONE).unlink()
    assert await _read(file, 0, len(AUDIO)) == AUDIO
    await file.close()


async def test_a_path_out_of_the_folder_is_nobodys_file(rig: Rig) -> None:
    """Whoever came to write one into the database reads nothing else of the machine by it."""
    rig.keep(recording(ONE, path="../../etc/passwd"))
    assert (await rig.recordings.get(ONE)).bytes is None
    with pytest.raises(NotFound):
        await rig.recordings.open(ONE)
