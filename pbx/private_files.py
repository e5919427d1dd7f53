"""Files of a switch that we start: what holds passwords is nobody else's to read, and all of it is the switch's own."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace a file that holds passwords; nobody else reads it, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(path)


def give_away(folder: Path, owner: tuple[int, int]) -> None:
    """As root: what we wrote belongs to the unprivileged user that the switch runs as."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            info = path.lstat()
            if (info.st_uid, info.st_gid) != owner and not stat.S_ISSOCK(info.st_mode):
                os.chown(path, *owner, follow_symlinks=False)


def give_away_if_new(folder: Path, owner: tuple[int, int]) -> None:
    """The same for a folder that may hold years of files: once it is the switch's, all in it was made by its owner."""
    info = folder.stat()
    if (info.st_uid, info.st_gid) != owner:
        give_away(folder, owner)
