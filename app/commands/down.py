"""`rimay down`: stops what runs in a `var` folder, and what a killed run left there."""

from __future__ import annotations

import argparse
import asyncio
import signal

from app.place import Place
from foundation.pid_files import stop_leftovers, stop_process

_DRAIN_S = 45.0  # the daemon lets calls end for up to 30 s, then stops its servers


def run(args: argparse.Namespace) -> int:
    place = Place.open(args.var)
    stopped = asyncio.run(_down(place))
    print(f"stopped: {', '.join(stopped)}" if stopped else f"nothing was running in {place.var}")
    return 0


async def _down(place: Place) -> list[str]:
    stopped = []
    daemon = place.daemon
    if daemon is not None:
        await stop_process(daemon.process, signal.SIGTERM, _DRAIN_S)
        stopped.append(daemon.name)
    return stopped + await stop_leftovers(place.servers)
