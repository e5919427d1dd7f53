"""What happens, to the pages of 200 supervisors: real sockets, each read by a task of its own; beside Redis alone."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import aiohttp
from redis.asyncio import Redis

from tests.support.platform import PlatformProcess
from tests.support.stage import Api

_SETTLE_S = 0.15  # between two events, so that each is measured alone
_AGENT = "ana"


def percentiles(name: str, values_ms: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values_ms)
    at = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return {f"{name}_p50_ms": round(statistics.median(ordered), 2), f"{name}_p99_ms": round(ordered[at], 2)}


async def fanout(process: PlatformProcess, *, pages: int, rounds: int) -> dict[str, Any]:
    """An agent's state changes; when does each page have it? From the moment that the event itself bears."""
    token = await asyncio.to_thread(process.token)
    events: list[list[float]] = []
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers={"Authorization": f"Bearer {token}"})
        )
        url = f"{process.url}/api/v1/live?topics=agents"
        sockets = [await stack.enter_async_context(session.ws_connect(url)) for _ in range(pages)]
        frames: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for message in socket:
                # the clock is read before anything is looked at: what the reader costs is the bench's, not the page's
                frames.put_nowait((time.time(), message.data))

        listeners = [asyncio.create_task(listen(socket)) for socket in sockets]
        api = Api(session, process)
        await api.order("POST", f"/agents/{_AGENT}/sign-in")
        await asyncio.sleep(1.0)
        while not frames.empty():
            frames.get_nowait()
        for number in range(rounds):
            state = {"state": "ready"} if number % 2 else {"state": "not_ready", "reason": "pausa"}
            await api.order("PUT", f"/agents/{_AGENT}/state", state)
            events.append(await _arrivals(frames, pages))
            await asyncio.sleep(_SETTLE_S)
        await api.order("POST", f"/agents/{_AGENT}/sign-out")
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    late = [ms for event in events for ms in event]
    found: dict[str, Any] = percentiles("event_fanout", late)
    found |= percentiles("event_fanout_first", [min(event) for event in events])
    found |= percentiles("event_fanout_spread", [max(event) - min(event) for event in events])
    found |= {"fanout_pages": pages, "fanout_deliveries": len(late)}
    return found | await _redis_alone(process, pages, rounds, size=400)


async def _arrivals(frames: asyncio.Queue[tuple[float, bytes]], pages: int) -> list[float]:
    found: list[float] = []
    async with asyncio.timeout(10):
        while len(found) < pages:
            at, data = await frames.get()
            event = json.loads(data)
            if event["type"] == "agent_state":
                found.append((at - datetime.fromisoformat(event["at"]).timestamp()) * 1000)
    return found


async def _redis_alone(process: PlatformProcess, subscribers: int, rounds: int, size: int) -> dict[str, float]:
    """The same news by the platform's own Redis, straight to as many subscribers: nothing in between."""
    password = (process.var / "secrets/redis").read_text().strip()
    port = process.ports()["redis"]
    late: list[float] = []
    async with AsyncExitStack() as stack:
        teller = await stack.enter_async_context(Redis(port=port, password=password))
        heard: asyncio.Queue[float] = asyncio.Queue()

        async def listen(hearing: Any) -> None:
            async for message in hearing.listen():
                if message["type"] == "message":
                    heard.put_nowait(time.time() - float(message["data"][:20]))

        listeners = []
        for _ in range(subscribers):
            hearing = (await stack.enter_async_context(Redis(port=port, password=password))).pubsub()
            await stack.enter_async_context(hearing)
            await hearing.subscribe("bench")
            listeners.append(asyncio.create_task(listen(hearing)))
        await asyncio.sleep(0.5)
        for _ in range(rounds):
            await teller.publish("bench", f"{time.time():020.6f}".ljust(size, "x"))
            async with asyncio.timeout(10):
                late += [await heard.get() * 1000 for _ in range(subscribers)]
            await asyncio.sleep(_SETTLE_S)
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    return percentiles("redis_fanout", late)
