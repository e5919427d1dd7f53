"""Ports of the servers that tests start: claimed as the product claims its own, so that no two tests, platforms or runs
side by side ever choose the same."""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path

from app.place import Place, cache_folder
from app.ports import Ports


def ports_of(folder: Path) -> Ports:
    """Of whatever lives in that folder; the claim ends with the folder."""
    return Ports(Place(var=folder, cache=cache_folder(), user=None))


def free_port(count: int = 1) -> int:
    """The first of `count` ports in a row, free for UDP and TCP, that nobody else gets while this process lives: below
    those that the system hands out, so that no client's connection and no robot's RTP takes it before it is bound."""
    return _of_this_process().choose(f"free-{next(_numbers)}", count=count)


_numbers = itertools.count()


@functools.cache
def _of_this_process() -> Ports:
    folder = Path(tempfile.mkdtemp(prefix="rimay-test-ports-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return ports_of(folder)
