"""Where recordings are written, and what is said when there is no room."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.errors import Unavailable
from recording.place import RecordingFolder


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    place = RecordingFolder(tmp_path / "new" / "recordings", min_free_bytes=0)
    target = place.prepare("2026/01/02/a-rec1.wav")
    assert target.parent.is_dir()
    assert place.resolve("2026/01/02/a-rec1.wav") == target


def test_a_full_disk_is_told_by_the_health_of_the_platform(tmp_path: Path) -> None:
    place = RecordingFolder(tmp_path, min_free_bytes=1 << 62)
    with pytest.raises(Unavailable, match="nothing is recorded"):
        place.check_room()
    with pytest.raises(OSError, match="free"):
        place.prepare("a.wav")
    with pytest.raises(Unavailable, match="cannot be reached"):
        RecordingFolder(tmp_path / "away", min_free_bytes=0).check_room()


@pytest.mark.parametrize("path", ["../a.wav", "/etc/a.wav", "a/../../b.wav"])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="below its folder"):
        RecordingFolder(tmp_path, min_free_bytes=0).resolve(path)
