"""Audio of one parked channel both ways, over FreeSWITCH's `unicast`: datagrams of bare PCM, no RTP.

FreeSWITCH sends what it decodes and plays what it gets at once: the pacing is ours. There is no command that ends it:
it ends when the channel leaves its park loop, which `on_close` sees to.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import soxr

from pbx.freeswitch.heard import FRAME_S, Heard
from pbx.terms import ChannelGone

_MAX_HEARD_S = 10.0
# Nobody speaks for longer in one breath; a sender that never stops must not fill the memory either.
_MAX_QUEUED_S = 600.0


class UnicastStream:
    """Implements `AudioStream`."""

    def __init__(self, rate: int, channel_rate: int, on_close: Callable[[], Awaitable[None]]) -> None:
        self.rate = rate
        self._channel_rate = channel_rate
        self._channel_frame = int(channel_rate * FRAME_S) * 2
        self._on_close = on_close
        self._heard = Heard(rate, _MAX_HEARD_S)
        self._speech = bytearray()
        self._to_say = asyncio.Event()
        self._ended = False
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None
        self._pacer: asyncio.Task[None] | None = None
        same = rate == channel_rate
        self._down = None if same else soxr.ResampleStream(channel_rate, rate, 1, dtype="int16")
        self._up = None if same else soxr.ResampleStream(rate, channel_rate, 1, dtype="int16")

    async def bind(self, address: str) -> int:
        """Our end of it; returns its port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Receiver(self), local_addr=(address, 0))
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def start(self, peer: tuple[str, int]) -> None:
        self._peer = peer
        self._pacer = asyncio.create_task(self._pace(), name="unicast pacer")

    # --- AudioStream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._heard

    async def send(self, pcm: bytes) -> None:
        if self._ended:
            raise ChannelGone("the stream has ended")
        self._speech += _resampled(self._up, pcm)
        surplus = len(self._speech) - int(_MAX_QUEUED_S * self._channel_rate) * 2
        if surplus > 0:
            del self._speech[-surplus:]
        self._to_say.set()

    async def flush(self) -> None:
        self._speech.clear()

    async def close(self) -> None:
        if self._ended:
            return
        self.end()
        await self._on_close()

    def end(self) -> None:
        """The channel is gone, or bridged: nothing more comes or goes."""
        self._ended = True
        self._speech.clear()
        self._heard.end()
        if self._pacer is not None:
            self._pacer.cancel()
        if self._transport is not None:
            self._transport.close()

    # --- inside

    def receive(self, data: bytes) -> None:
        if self._ended:
            return
        self._heard.put(_resampled(self._down, data))

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._speech:
                self._to_say.clear()
                await self._to_say.wait()
                due = loop.time()
            frame = bytes(self._speech[: self._channel_frame]).ljust(self._channel_frame, b"\0")
            del self._speech[: self._channel_frame]
            if self._transport is not None:
                self._transport.sendto(frame, self._peer)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, stream: UnicastStream) -> None:
        self._stream = stream

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._stream.receive(data)

    def error_received(self, exc: Exception) -> None:
        """The switch's end is closed: its hang-up is told on the event socket."""


def _resampled(resampler: soxr.ResampleStream | None, pcm: bytes) -> bytes:
    if resampler is None:
        return pcm
    samples = resampler.resample_chunk(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2"))
    return bytes(samples.astype("<i2").tobytes())


def free_udp_port(host: str) -> int:
    """For the switch's end: free just now, where the switch is on this machine; else a guess."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.bind((host, 0))
            return int(probe.getsockname()[1])
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
