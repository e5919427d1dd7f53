"""Servers do not run as root: who they run as, and which folders that user can reach."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import Invalid

DEFAULT_USER = "nobody"


class UnknownUser(Invalid):
    code = "process.unknown_user"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
    """The unprivileged user of our servers, when we ourselves are root."""

    name: str
    uid: int
    gid: int


def run_as(name: str | None = None) -> RunAs | None:
    """None when we are not root: then servers run as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(name or DEFAULT_USER)
    except KeyError as exc:
        raise UnknownUser(f"there is no user {name or DEFAULT_USER!r} to run the servers as") from exc
    if entry.pw_uid == 0:
        raise UnknownUser("the servers must run as an unprivileged user, not as root")
    return RunAs(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def can_traverse(folder: Path, user: RunAs | None) -> bool:
    """Whether that user can reach what stands in `folder` (its existing part). Permission bits only: a right that an
    ACL grants is not seen, and one that only a group of the user grants is not used, for servers drop their groups."""
    folder = folder.absolute()
    for part in (folder, *folder.parents):
        try:
            mode = part.stat()
        except FileNotFoundError:
            continue
        except PermissionError:
            return False
        if user is None:
            if not os.access(part, os.X_OK):
                return False
        elif mode.st_uid == user.uid:
            if not mode.st_mode & stat.S_IXUSR:
                return False
        elif mode.st_gid == user.gid:
            if not mode.st_mode & stat.S_IXGRP:
                return False
        elif not mode.st_mode & stat.S_IXOTH:
            return False
    return True


def make_folder(path: Path, user: RunAs | None, mode: int = 0o750) -> Path:
    """A folder that the user owns; its missing parents are made too, passable for all."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=mode, exist_ok=True)
    if user is not None or os.geteuid() == path.stat().st_uid:
        path.chmod(mode)
    if user is not None:
        os.chown(path, user.uid, user.gid)
    return path


def write_for(path: Path, text: str, user: RunAs | None, mode: int = 0o600) -> None:
    """A new file that the user owns. In a folder that this user owns too, nothing that already stands under the name is
    written through: it may be a link to a file of root's."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w") as file:
        if user is not None:
            os.fchown(descriptor, user.uid, user.gid)
        file.write(text)


def append_for(path: Path, user: RunAs | None, mode: int = 0o640) -> int:
    """A descriptor that appends to a file of the user's; links are refused."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    if user is not None:
        os.fchown(descriptor, user.uid, user.gid)
    return descriptor
