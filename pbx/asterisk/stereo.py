"""The file of a recording: a WAV header, then 16 bit stereo at 8 kHz as Asterisk appends it. Blocking; for threads."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from pbx.terms import RecordedFile

RATE = 8000
CHANNELS = 2
_FRAME = 2 * CHANNELS
HEADER = 44  # bytes, and a multiple of a frame, so that left stays left behind it
_CLOSE_TIMEOUT_S = 3.0
_ASK_EVERY_S = 0.01
_QUIET_S = 0.15
# Less room than this and a file that does not grow is explained.
_FULL_BYTES = 1 << 20


def unfinished(path: Path) -> Path:
    """Where the recording is while it runs. Asterisk takes the format from the extension."""
    return path.with_suffix(".raw")


def begin(raw: Path) -> None:
    """The header alone, owned by whom the folder belongs to: the switch, which shall append to it."""
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_bytes(header(0))
    raw.chmod(0o660)
    if os.geteuid() == 0:
        folder = raw.parent.stat()
        os.chown(raw, folder.st_uid, folder.st_gid)


def header(frames: int) -> bytes:
    size = frames * _FRAME
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        CHANNELS,
        RATE,
        RATE * _FRAME,
        _FRAME,
        16,
        b"data",
        size,
    )


def finish(path: Path) -> RecordedFile | None:
    """Make the file complete and measure it; None when there is none. Again is the same again, also at the same time:
    the channel's end and the daemon that asks for the file may meet, the second waits for the first."""
    raw = unfinished(path)
    try:
        with raw.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is(file, raw):
                _wait_closed(file)
                _complete(raw)
                raw.replace(path)
    except FileNotFoundError:
        pass  # finished before, or never begun
    if not path.exists():
        return None
    size = path.stat().st_size
    return RecordedFile(path=path, channels=CHANNELS, seconds=max(0, size - HEADER) // _FRAME / RATE)


def _is(file: IO[bytes], path: Path) -> bool:
    """Whether that name still stands for the file that was opened by it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _complete(raw: Path) -> None:
    """Cut a torn frame off and write the lengths. A file without a header (never begun by us) gets none."""
    frames = max(0, raw.stat().st_size - HEADER) // _FRAME
    with raw.open("r+b") as file:
        file.truncate(HEADER + frames * _FRAME)
        file.write(header(frames))
        file.flush()
        os.fsync(file.fileno())


def _wait_closed(file: IO[bytes]) -> None:
    """Until nobody has it open for writing. The kernel knows: it grants a read lease only then. Where we may not ask
    (a file of another user's), until it has not grown for a while."""
    end = time.monotonic() + _CLOSE_TIMEOUT_S
    size, since = -1, time.monotonic()
    # Whoever opens it for writing while we hold the lease has the kernel signal us; the usual signal would end us.
    fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
    while time.monotonic() < end:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            now = file.seek(0, os.SEEK_END)
            if now != size:
                size, since = now, time.monotonic()
            elif error.errno != errno.EAGAIN and time.monotonic() - since > _QUIET_S:
                return
        else:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return
        time.sleep(_ASK_EVERY_S)


def sizes(paths: Sequence[Path]) -> list[int]:
    """Of files under way; -1 for one that is not there."""
    found = []
    for path in paths:
        try:
            found.append(unfinished(path).stat().st_size)
        except OSError:
            found.append(-1)
    return found


def why_stalled(path: Path) -> str | None:
    """Why a file under way does not grow. None when nothing stands in its way: then neither side sends audio."""
    try:
        unfinished(path).stat()
        if shutil.disk_usage(path.parent).free < _FULL_BYTES:
            return os.strerror(errno.ENOSPC)
    except OSError as error:
        return reason(error)
    return None


def reason(error: OSError) -> str:
    return os.strerror(error.errno or errno.EIO)
