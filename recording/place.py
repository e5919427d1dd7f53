"""Where recordings are written, and whether there is room."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path, PurePosixPath

from foundation.errors import Unavailable


class NoFolder(Unavailable):
    code = "recording.no_folder"


class NoRoom(Unavailable):
    code = "recording.no_room"


class RecordingFolder:
    """`owner` is the (uid, gid) of the switch, when that is another user than ours."""

    def __init__(self, root: Path, *, min_free_bytes: int, owner: tuple[int, int] | None = None) -> None:
        self.root = root
        self._min_free = min_free_bytes
        self._owner = owner

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.root).free

    def check_room(self) -> int:
        """The free bytes; Unavailable when calls go unrecorded now."""
        try:
            free = self.free_bytes()
        except OSError as error:
            raise NoFolder(f"the folder cannot be reached: {error.strerror}", reason=error.strerror) from error
        if free < self._min_free:
            mb, needed = free // 1_000_000, self._min_free // 1_000_000
            raise NoRoom(f"nothing is recorded: {mb} MB free of {needed} needed", free_mb=mb, needed_mb=needed)
        return free

    def prepare(self, path: str) -> Path:
        """The absolute path of a recording to come, its folder made. Raises OSError (ENOSPC) when the disk is full: a
        call is not ended for that, it goes on unrecorded and somebody is told."""
        self._make(self.root)  # an operator's own folder, perhaps not yet made
        if self.free_bytes() < self._min_free:
            raise OSError(errno.ENOSPC, f"less than {self._min_free // 1_000_000} MB free")
        target = self.resolve(path)
        self._make(target.parent)
        return target

    def resolve(self, path: str) -> Path:
        """Raises ValueError for a path that leads out of the folder."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError("a recording's path stays below its folder")
        return self.root / parts

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(mode=0o750, exist_ok=True)
        if self._owner is not None:
            os.chown(folder, *self._owner)
