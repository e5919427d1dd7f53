"""Pid files, and stopping what they name: exactly that process with its family, never one that took its pid."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from foundation import process_table as table
from foundation.errors import RimayError
from foundation.process_table import ProcessId
from foundation.run_as import write_for

MARKER = "RIMAY_SERVER"  # in the environment of every server of ours: "<name>:<folder>"
KILL_WAIT_S = 5.0  # the kernel needs a moment to take a killed process away


class ServerNotOurs(RimayError):
    """It runs, but as another user: we can neither stop nor adopt it."""

    code = "process.not_ours"
    is_permanent = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PidRecord:
    name: str
    process: ProcessId
    boot: str
    fingerprint: str
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def is_alive(self) -> bool:
        return self.boot == table.boot_id() and table.is_alive(self.process)


def pid_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.pid.json"


def read_pid(path: Path) -> PidRecord | None:
    """None when there is none, it is torn, or its owner had no right to say it: then nothing may be concluded."""
    try:
        owner = path.lstat().st_uid
        raw = json.loads(path.read_text())
        record = PidRecord(
            name=str(raw["name"]),
            process=ProcessId(int(raw["pid"]), int(raw["start"])),
            boot=str(raw["boot"]),
            fingerprint=str(raw["fingerprint"]),
            stop_signal=signal.Signals(int(raw.get("stop_signal", signal.SIGTERM))),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The folder belongs to the server's user. A broken-in server must not make root kill a process of its choice.
    return record if owner in {0, os.geteuid(), table.owner(record.process.pid)} else None


def write_pid(path: Path, record: PidRecord) -> None:
    raw = {
        "name": record.name,
        "pid": record.process.pid,
        "start": record.process.start,
        "boot": record.boot,
        "fingerprint": record.fingerprint,
        "stop_signal": int(record.stop_signal),
    }
    new = path.with_name(path.name + ".new")
    write_for(new, json.dumps(raw) + "\n", None, 0o644)
    new.replace(path)


def running_in(root: Path) -> list[PidRecord]:
    """The servers with a pid file somewhere under `root` that live."""
    records = (read_pid(path) for path in sorted(root.rglob("*.pid.json")))
    return [record for record in records if record is not None and record.is_alive]


async def until(condition: Callable[[], bool], timeout_s: float | None) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  # the kernel offers no event for a whole family
                await asyncio.sleep(0.02)
            return True
    return condition()


async def stop_process(process: ProcessId, first: signal.Signals, timeout_s: float) -> bool:
    """Signal, wait, then kill the whole family. True when the first signal was enough."""
    members = table.family(process)
    try:
        table.signal_process(process, first)
    except PermissionError as exc:
        raise ServerNotOurs(f"process {process.pid} runs as another user and cannot be stopped by this one") from exc
    gently = await until(lambda: not table.is_alive(process), timeout_s)
    # what it left behind goes too, also those born since the list was made
    leftovers = {member for member in members | table.family(process) if table.is_alive(member)}
    if leftovers - {process}:
        table.signal_all(leftovers, signal.SIGTERM)
        await until(lambda: not any(map(table.is_alive, leftovers)), 1.0)
    table.signal_all(filter(table.is_alive, leftovers), signal.SIGKILL)
    await until(lambda: not any(map(table.is_alive, leftovers)), KILL_WAIT_S)
    return gently


def _marked(root: Path) -> Iterator[tuple[str, ProcessId]]:
    prefix = f"{root.absolute()}/"
    for info in list(table.all_processes()):
        name, _, folder = table.environment(info.id.pid).get(MARKER, "").partition(":")
        if name and f"{folder}/".startswith(prefix) and not info.is_zombie:
            yield name, info.id


def _forget(root: Path, keep: Collection[str]) -> None:
    for path in root.rglob("*.pid.json"):
        if path.name.removesuffix(".pid.json") not in keep:
            path.unlink(missing_ok=True)


async def stop_leftovers(root: Path, *, keep: Collection[str] = (), timeout_s: float = 10.0) -> list[str]:
    """Stop every server that an earlier run left under `root`, by pid file or by the marker in its environment; not
    those whose names are in `keep`."""
    stopped = []
    for record in reversed(running_in(root)):
        if record.name not in keep:
            await stop_process(record.process, record.stop_signal, timeout_s)
            stopped.append(record.name)
    for name, process in list(_marked(root)):
        if name not in keep and table.is_alive(process):
            await stop_process(process, signal.SIGTERM, timeout_s)
            stopped.append(name)
    _forget(root, keep)
    return stopped
