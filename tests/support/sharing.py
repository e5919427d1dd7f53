"""How the tests are shared out among workers: which go together, which first, and which wait for whom."""

from __future__ import annotations

import os
import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

from tests.support.engines import ENGINES

MOST_WORKERS = 4
# What goes together to one worker, in the order in which it is begun: first what is long because it listens in real
# time, each kind in one group, so that no two of a kind wait for each other's Chromium or switch; every other file by
# itself; last what only computes, test by test, which fills whatever processor is left.
_REAL_TIME = {
    "journeys": ("tests/browser/", "tests/bench/"),
    "platforms": ("tests/acceptance/",),
}
_COMPUTING = ("tests/callcontrol/routing/test_oracle.py", "tests/ivr_flows/test_many_cases.py")
# What listens to real sound in real time, by folder or by the end of a file's name.
_LISTENING = ("tests/browser/", "tests/acceptance/", "tests/contract/")
_LISTENING_FILES = ("_on_a_switch.py", "_live.py", "test_sip_phone.py")
_BEHIND = 10  # of niceness: a tenth of what the others may take


def workers() -> int:
    """Most tests wait for a switch, not for a processor."""
    return min(len(os.sched_getaffinity(0)) + 1, MOST_WORKERS)


def listens(nodeid: str) -> bool:
    """To real sound in real time."""
    path = nodeid.partition("::")[0]
    return path.startswith(_LISTENING) or path.endswith(_LISTENING_FILES)


def rank(nodeid: str) -> int:
    """When it is begun."""
    return _group(nodeid)[0]


def stand_behind() -> None:
    """The last of several workers computes while the others listen: sound that a test listens to does not wait for it.
    To be called in a worker, once."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if os.environ.get("PYTEST_XDIST_WORKER") == _last(count):
        os.nice(_BEHIND)


def _last(count: int) -> str | None:
    """Its name; None where nobody can be spared."""
    return f"gw{count - 1}" if count > 2 else None


def _group(nodeid: str) -> tuple[int, str]:
    """Its rank and its name."""
    path, _, case = nodeid.partition("::")
    for place, (name, folders) in enumerate(_REAL_TIME.items()):
        if path.startswith(folders):
            return place, name
    if path.startswith("tests/contract/"):  # a server is started once, and not for every file
        words = set(re.split(r"[\[\]-]", case))
        return len(_REAL_TIME), f"contract: {next((engine for engine in ENGINES if engine in words), '')}"
    if path.endswith(_LISTENING_FILES):
        return len(_REAL_TIME) + 1, path
    if path in _COMPUTING:
        return len(_REAL_TIME) + 3, nodeid
    return len(_REAL_TIME) + 2, path


class Sharing(LoadScopeScheduling):
    """Groups in their order; the worker that stands behind is given none that listens."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)[1]

    def _next(self, node: Any) -> str | None:
        """The first group that this worker may have."""
        behind = node.gateway.id == _last(self.numnodes)
        return next(
            (name for name, unit in self.workqueue.items() if not (behind and any(listens(one) for one in unit))), None
        )

    def _assign_work_unit(self, node: Any) -> None:
        if (name := self._next(node)) is not None:
            self.workqueue.move_to_end(name, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: Any) -> None:
        if self.workqueue and self._next(node) is None and not node.shutting_down:
            node.shutdown()  # what is left is for the others
            return
        super()._reschedule(node)
