"""What a channel says, on its way to one reader: cut into frames, the oldest dropped where nobody takes them."""

from __future__ import annotations

import asyncio
from collections import deque

FRAME_S = 0.02


class Heard:
    """An iterator that ends when `end` was called and what is left was taken. More than `most_s` is not kept: a reader
    that hangs must not fill the memory."""

    def __init__(self, rate: int, most_s: float) -> None:
        self._frame = int(rate * FRAME_S) * 2
        self._frames: deque[bytes] = deque(maxlen=int(most_s / FRAME_S))
        self._rest = b""
        self._news = asyncio.Event()
        self._ended = False

    def put(self, pcm: bytes) -> None:
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % self._frame
        self._rest = pcm[whole:]
        for start in range(0, whole, self._frame):
            self._frames.append(pcm[start : start + self._frame])
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def __aiter__(self) -> Heard:
        return self

    async def __anext__(self) -> bytes:
        while not self._frames:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._frames.popleft()
