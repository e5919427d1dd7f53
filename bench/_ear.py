"""A supervisor's page that does nothing but listen, in a process of its own: each frame with the moment of its arrival.

    python -m bench._ear URL FILE        the token in RIMAY_TOKEN

It says `open` on its output when the socket is up, and writes lines of ``[unix seconds, frame]`` to FILE until its
input ends. What else the bench does (requests, sipp's processes) neither delays the stamp nor is delayed by it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench._sipp import LoadFailed

_OPEN_S = 20.0


class Ear:
    """What was heard; whole when the context that gave it is over."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def heard(self) -> Iterator[tuple[float, dict[str, Any]]]:
        with self._file.open() as lines:
            for line in lines:
                at, frame = json.loads(line)
                yield at, frame


@asynccontextmanager
async def listening(url: str, token: str, file: Path) -> AsyncIterator[Ear]:
    """Raises `LoadFailed` when the socket does not open, or breaks before the context ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench._ear", url, str(file)),
        env={**os.environ, "RIMAY_TOKEN": token},
        cwd=Path(__file__).resolve().parent.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(_OPEN_S):
            if not await process.stdout.readline():
                raise LoadFailed(f"nobody listens: {(await process.stderr.read()).decode()[-500:]}")
        yield Ear(file)
        if process.returncode is not None:
            raise LoadFailed(f"the socket broke: {(await process.stderr.read()).decode()[-500:]}")
        process.stdin.close()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listen(url: str, file: Path) -> None:
    loop = asyncio.get_running_loop()
    headers = {"Authorization": f"Bearer {os.environ['RIMAY_TOKEN']}"}
    with file.open("w") as out:
        async with aiohttp.ClientSession(headers=headers) as api, api.ws_connect(url, max_msg_size=0) as socket:
            ended = loop.create_future()
            loop.add_reader(sys.stdin.fileno(), lambda: ended.done() or ended.set_result(None))
            print("open", flush=True)
            hearing = asyncio.ensure_future(_write(socket, out))
            await asyncio.wait({hearing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
                raise SystemExit(f"the platform closed the socket: {socket.close_code}")
            hearing.cancel()


async def _write(socket: aiohttp.ClientWebSocketResponse, out: Any) -> None:
    async for message in socket:
        out.write(f"[{time.time()!r},{message.data}]\n")


if __name__ == "__main__":
    asyncio.run(_listen(sys.argv[1], Path(sys.argv[2])))
