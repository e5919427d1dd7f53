"""Recordings as files: measured, and made readable when their writer died before it could write the lengths."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from pbx.terms import RecordedFile

_HEAD = 12  # RIFF, size, WAVE
_LONGEST_HEAD = 4096


def unfinished(path: Path) -> Path:
    """Where a recording is written until it is complete: beside its place, with a suffix that names the format."""
    return path.with_name(f"{path.stem}.part.wav")


def finish(path: Path) -> RecordedFile | None:
    """The finished file, from the unfinished one where that is all there is; None where there is nothing to hear."""
    part = unfinished(path)
    if not path.exists():
        if not part.exists() or not repair(part):
            return None
        part.replace(path)
    return measure(path)


def measure(path: Path) -> RecordedFile | None:
    found = _layout(path)
    if found is None:
        return None
    channels, rate, frame, start, _ = found
    size = path.stat().st_size - start
    return RecordedFile(path=path, channels=channels, seconds=size // frame / rate)


def repair(path: Path) -> bool:
    """Write the lengths that fit the file, cutting off half a frame at its end. False for what is no WAV file."""
    found = _layout(path)
    if found is None:
        return False
    _, _, frame, start, _ = found
    size = (path.stat().st_size - start) // frame * frame
    if size <= 0:
        return False
    with path.open("r+b") as file:
        file.truncate(start + size)
        file.seek(4)
        file.write(struct.pack("<I", start + size - 8))
        file.seek(start - 4)
        file.write(struct.pack("<I", size))
        file.flush()
        os.fsync(file.fileno())
    return True


def _layout(path: Path) -> tuple[int, int, int, int, int] | None:
    """Channels, rate, bytes of a frame, where the samples begin, and how many bytes the head says they are."""
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEAD)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, channels, rate, frame = _HEAD, 0, 0, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt " and at + 24 <= len(head):
            channels, rate, _, frame = struct.unpack_from("<HIIH", head, at + 10)
        if name == b"data":
            return (channels, rate, frame, at + 8, size) if channels and rate and frame else None
        at += 8 + size + size % 2
    return None
