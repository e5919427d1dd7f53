"""A page's live socket, as tests read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.web import Api


class Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @classmethod
    @asynccontextmanager
    async def open(cls, api: Api, who: str) -> AsyncIterator[Socket]:
        """Open, and greeted: what happens from now on is heard."""
        url = api.server.url + "/api/v1/live"
        async with api.session.ws_connect(url, headers=api.headers(who)) as socket:
            greeted = cls(socket)
            assert (await greeted.frame())["type"] == "hello"
            yield greeted

    async def frame(self) -> dict[str, Any]:
        got: dict[str, Any] = await asyncio.wait_for(self._socket.receive_json(), 5)
        return got

    async def until(self, key: str) -> list[dict[str, Any]]:
        """All frames up to the one about that id."""
        frames = [await self.frame()]
        while frames[-1].get("id") != key:
            frames.append(await self.frame())
        return frames
