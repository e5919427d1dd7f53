"""The twin's audio of one leg: frames of what it says, and of a stream a queue of what it is to hear, too."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import numpy as np

from foundation.clock import Clock, Timer
from pbx.memory.audio import SILENCE, Tones, pcm_of, tones_of
from pbx.terms import ChannelGone

FRAME_S = 0.02


class MemoryEar:
    """Implements `AudioEar`. `says` gives the leg's voice."""

    def __init__(self, clock: Clock, rate: int, says: Callable[[], Tones]) -> None:
        self.rate = rate
        self._clock = clock
        self._says = says
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._opened_at = clock.now()
        self._timer: Timer | None = None
        self._open = True
        self._next()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._read()

    async def _read(self) -> AsyncIterator[bytes]:
        while (frame := await self._frames.get()) is not None:
            yield frame

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        if not self._open:
            return
        self._open = False
        if self._timer:
            self._timer.cancel()
        self._frames.put_nowait(None)

    def _next(self) -> None:
        self._timer = self._clock.call_later(FRAME_S, self._tick)

    def _tick(self) -> None:
        count = round(self.rate * FRAME_S)
        self._frames.put_nowait(pcm_of(self._says(), self.rate, self._clock.now() - self._opened_at, count))
        self._next()


class MemoryStream(MemoryEar):
    """Implements `AudioStream`: an ear that speaks as well. `changed` is told when what the leg hears changes."""

    def __init__(self, clock: Clock, rate: int, says: Callable[[], Tones], changed: Callable[[], None]) -> None:
        self.speaking: Tones = SILENCE
        self._changed = changed
        self._queued: deque[tuple[Tones, int]] = deque()  # tones, frames left
        super().__init__(clock, rate, says)

    async def send(self, pcm: bytes) -> None:
        if not self._open:
            raise ChannelGone("the audio stream is closed")
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        count = -(-len(samples) // round(self.rate * FRAME_S))
        self._queued.append((tones_of(samples, self.rate), count))

    async def flush(self) -> None:
        self._queued.clear()
        self._speak(SILENCE)

    def end(self) -> None:
        if self._open:
            super().end()
            self._queued.clear()
            self._speak(SILENCE)

    def _tick(self) -> None:
        super()._tick()
        if not self._queued:
            self._speak(SILENCE)
        else:
            tones, left = self._queued.popleft()
            if left > 1:
                self._queued.appendleft((tones, left - 1))
            self._speak(tones)

    def _speak(self, tones: Tones) -> None:
        if tones != self.speaking:
            self.speaking = tones
            self._changed()
