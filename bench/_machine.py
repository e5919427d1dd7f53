"""What the kernel tells: CPU time of processes, facts of the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def cpu_ms(pids: Iterable[int]) -> float:
    """CPU time that these processes, and their children that have ended, have used so far."""
    total = 0.0
    for pid in pids:
        try:
            # after the name, which may hold anything, in its brackets
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15]) * _TICK_MS
    return total


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def busy_ms() -> float:
    """CPU time that all processes of this machine have used so far."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[n]) for n in (0, 1, 2, 5, 6)) * _TICK_MS  # all but idle, waiting and stolen time


class Others:
    """How busy the machine was with what is none of ours, from the making of this on, in cores."""

    def __init__(self) -> None:
        self._at, self._before = time.monotonic(), self._theirs()

    @staticmethod
    def _theirs() -> float:
        return busy_ms() - cpu_ms(family(os.getpid()))

    def cores(self) -> float:
        return max(0.0, (self._theirs() - self._before) / (time.monotonic() - self._at) / 1000)


def facts() -> dict[str, object]:
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
