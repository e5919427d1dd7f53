"""What /proc tells: who lives, since when, who listens on a port. Linux only; a process is named by pid *and* start
time, because the kernel gives a pid away again."""

# ruff: noqa: PTH208  # /proc is read by names, thousands of them at a time

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
_TCP_LISTEN = "0A"


@cache
def boot_id() -> str:
    """Changes with each boot: a pid file of an earlier boot means nothing."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class ProcessId:
    pid: int
    start: int  # clock ticks since boot


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInfo:
    id: ProcessId
    parent: int
    session: int
    is_zombie: bool


def inspect(pid: int) -> ProcessInfo | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # the command, in brackets, may itself hold spaces and brackets: fields are counted after the last one
    fields = stat[stat.rindex(")") + 2 :].split()
    return ProcessInfo(
        id=ProcessId(pid, int(fields[19])),
        parent=int(fields[1]),
        session=int(fields[3]),
        is_zombie=fields[0] in "ZX",
    )


def is_alive(process: ProcessId) -> bool:
    info = inspect(process.pid)
    return info is not None and info.id == process and not info.is_zombie


def all_processes() -> Iterator[ProcessInfo]:
    for name in os.listdir(PROC):
        if name.isdigit() and (info := inspect(int(name))) is not None:
            yield info


def family(leader: ProcessId) -> set[ProcessId]:
    """The leader, its session and all their descendants (PostgreSQL gives each child a session of its own)."""
    infos = [info for info in all_processes() if not info.is_zombie]
    members = {info.id.pid for info in infos if info.id == leader or info.session == leader.pid}
    grown = True
    while grown:
        more = {info.id.pid for info in infos if info.parent in members} - members
        members |= more
        grown = bool(more)
    # the session may outlive its leader; a process older than the leader cannot belong to it
    return {info.id for info in infos if info.id.pid in members and info.id.start >= leader.start}


def signal_process(process: ProcessId, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone. A pid file descriptor keeps a reused pid safe."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    except OSError:  # a kernel before 5.3
        if not is_alive(process):
            return False
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        return True
    try:
        if not is_alive(process):
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
        return True
    finally:
        os.close(descriptor)


def signal_all(processes: Iterable[ProcessId], number: signal.Signals) -> None:
    for process in processes:
        signal_process(process, number)


def owner(pid: int) -> int | None:
    try:
        return (PROC / str(pid)).stat().st_uid
    except OSError:
        return None


def command_line(pid: int) -> str:
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def environment(pid: int) -> dict[str, str]:
    """Empty when it may not be read."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (item.split(b"=", 1) for item in raw.split(b"\0") if b"=" in item)
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in pairs}


# ---- ports -----------------------------------------------------------------------------------------------------------


def _rows(table: str) -> Iterator[tuple[int, str, str]]:
    """(local port, state, socket inode) of a table in /proc/net."""
    try:
        lines = (PROC / "net" / table).read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        yield int(fields[1].rsplit(":", 1)[1], 16), fields[3], fields[9]


def _sockets_in_use(kinds: Iterable[str] = ("tcp", "udp")) -> Iterator[tuple[int, str]]:
    for kind in kinds:
        for table in (kind, f"{kind}6"):
            for port, state, inode in _rows(table):
                if kind == "udp" or state == _TCP_LISTEN:
                    yield port, inode


def ports_in_use() -> set[int]:
    """Ports with a TCP listener or a UDP socket, on any address of this machine."""
    return {port for port, _ in _sockets_in_use()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PortHolder:
    port: int
    pid: int | None  # None: /proc does not tell us (another user's process)
    command: str = ""

    def __str__(self) -> str:
        if self.pid is None:
            return "a process of another user"
        return f"process {self.pid} ({self.command[:80]})"


def port_holder(port: int) -> PortHolder | None:
    """Who holds a port, or None when nobody does."""
    inodes = {f"socket:[{inode}]" for used, inode in _sockets_in_use() if used == port}
    if not inodes:
        return None
    for name in filter(str.isdigit, os.listdir(PROC)):
        folder = f"/proc/{name}/fd/"
        try:
            descriptors = os.listdir(folder)
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                target = os.readlink(folder + descriptor)  # noqa: PTH115  # thousands of them
            except OSError:
                continue
            if target in inodes:
                return PortHolder(port=port, pid=int(name), command=command_line(int(name)))
    return PortHolder(port=port, pid=None)
