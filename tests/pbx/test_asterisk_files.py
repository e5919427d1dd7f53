"""A recording's file: finished, torn, finished again, still open elsewhere, and on a disk with no room."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.place import CHECKOUT
from pbx.asterisk import stereo
from pbx.music import has_music, write_music


def torn(folder: Path, frames: int, extra: bytes = b"") -> Path:
    """As a killed Asterisk leaves it: our header with no length, audio, maybe half a frame."""
    path = folder / "a.wav"
    stereo.begin(stereo.unfinished(path))
    left, right = np.full(frames, 1000, "<i2"), np.full(frames, -2000, "<i2")
    with stereo.unfinished(path).open("ab") as file:
        file.write(np.column_stack([left, right]).tobytes() + extra)
    return path


@pytest.mark.parametrize("extra", [b"", b"\x01", b"\x01\x02\x03"])
def test_a_torn_file_is_made_whole(tmp_path: Path, extra: bytes) -> None:
    path = torn(tmp_path, 16_000, extra)
    file = stereo.finish(path)
    assert file is not None
    assert (file.path, file.channels, file.seconds) == (path, 2, 2.0)
    samples, rate = soundfile.read(path, dtype="int16")
    assert (rate, samples.shape) == (8000, (16_000, 2))
    assert (samples[0].tolist(), samples[-1].tolist()) == ([1000, -2000], [1000, -2000])
    assert stereo.finish(path) == file
    assert not stereo.unfinished(path).exists()


def test_nothing_was_recorded(tmp_path: Path) -> None:
    assert stereo.finish(tmp_path / "no.wav") is None
    empty = stereo.finish(torn(tmp_path, 0))
    assert empty is not None
    assert empty.seconds == 0.0
    assert len(soundfile.read(empty.path)[0]) == 0


def test_it_waits_until_the_writer_has_closed(tmp_path: Path) -> None:
    path = torn(tmp_path, 800)
    done = threading.Event()
    found: list[float] = []

    def finish() -> None:
        file = stereo.finish(path)
        found.append(file.seconds if file else -1)
        done.set()

    with stereo.unfinished(path).open("ab") as writer:
        thread = threading.Thread(target=finish)
        thread.start()
        assert not done.wait(0.2)
        writer.write(struct.pack("<hh", 1, 2) * 800)
    thread.join(5)
    assert found == [0.2]


def test_whoever_finishes_it_too_waits_and_finds_the_same(tmp_path: Path) -> None:
    path = torn(tmp_path, 800)
    with ThreadPoolExecutor(4) as threads, stereo.unfinished(path).open("ab") as writer:
        asked = [threads.submit(stereo.finish, path) for _ in range(4)]
        assert not wait(asked, 0.2).done
        writer.close()
        found = [one.result(5) for one in asked]
    assert found[0] is not None
    assert found[0].seconds == 0.1
    assert found == found[:1] * 4


_OPENED_IN_THAT_INSTANT = """
import fcntl, os, pathlib, sys
from pbx.asterisk import stereo
path, real = pathlib.Path(sys.argv[1]), fcntl.fcntl
class Instant:
    def __getattr__(self, name): return getattr(fcntl, name)
    def fcntl(self, file, what, how):
        done = real(file, what, how)
        if (what, how) == (fcntl.F_SETLEASE, fcntl.F_RDLCK):
            try: os.open(stereo.unfinished(path), os.O_WRONLY | os.O_NONBLOCK)
            except BlockingIOError: print("refused while it is looked at", flush=True)
        return done
stereo.fcntl = Instant()
print(stereo.finish(path).seconds)
"""


def test_it_bears_that_somebody_opens_the_file_in_that_instant(tmp_path: Path) -> None:
    """A process of its own: the kernel's signal to who holds a lease ends it unless it is asked for another."""
    path = torn(tmp_path, 800)
    argv = [sys.executable, "-c", _OPENED_IN_THAT_INSTANT, str(path)]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["refused while it is looked at", "0.1"]), done.stderr


def test_a_full_disk_is_told_when_a_recording_begins(tmp_path: Path) -> None:
    raw = tmp_path / "a.raw"
    raw.symlink_to("/dev/full")
    with pytest.raises(OSError) as full:
        raw.write_bytes(stereo.header(0))
    assert full.value.errno == errno.ENOSPC
    assert stereo.reason(full.value) == "No space left on device"


def test_a_file_that_does_not_grow_is_explained(tmp_path: Path) -> None:
    path = torn(tmp_path, 10)
    assert stereo.why_stalled(path) is None  # silence on both sides is no fault
    stereo.unfinished(path).unlink()
    assert stereo.why_stalled(path) == "No such file or directory"
    assert stereo.sizes([path, tmp_path / "b.wav"]) == [-1, -1]


def test_music_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert not has_music(None)
    assert not has_music(tmp_path)
    path = write_music(tmp_path)
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    assert np.abs(samples).max() > 1000
    assert np.sqrt(np.mean(samples[-4000:].astype(float) ** 2)) > 100
    assert has_music(tmp_path)
    before = path.stat().st_mtime_ns
    assert write_music(tmp_path).stat().st_mtime_ns == before
