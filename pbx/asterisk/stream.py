"""Audio of one channel over a web socket (chan_websocket, Asterisk 20.16 / 22.6 and later): for voice bots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import msgspec

from pbx.asterisk.bridges import Bridges, dissolve
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Leg
from pbx.asterisk.prompts import Prompts
from pbx.terms import ChannelGone, CommandRefused, SwitchError, SwitchUnreachable

_FORMATS = {8000: "slin", 16000: "slin16"}
_FRAME_S = 0.02
# What is heard and not yet read; a reader that is later than this loses the oldest.
_HEARD_FRAMES = 250


class _MediaChannel(msgspec.Struct):
    channelvars: dict[str, str] = {}


class WebSocketStream:
    """One open stream. Frames come and go on Asterisk's own clock; it paces what we send."""

    def __init__(self, core: Core, leg: Leg, rate: int, channel: str, bridge: str) -> None:
        self.rate = rate
        self._core, self._leg = core, leg
        self._channel, self._bridge = channel, bridge
        self._frame = int(rate * _FRAME_S) * 2
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue(_HEARD_FRAMES)
        self._rest = b""
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._stack = AsyncExitStack()
        self._over = False

    async def start(self, connection: str) -> None:
        try:
            self._socket = await self._stack.enter_async_context(self._core.ari.media_socket(connection))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SwitchUnreachable("no audio connection to Asterisk", reason=str(error)) from error
        self._core.spawn(self._read(self._socket), "read a stream")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._put(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self._control(message.data)
        finally:
            self._ended()

    def _put(self, frame: bytes | None) -> None:
        if self._heard.full():
            self._heard.get_nowait()
        self._heard.put_nowait(frame)

    def _control(self, text: str) -> None:
        if "MEDIA_XOFF" in text:
            self._may_send.clear()
        elif "MEDIA_XON" in text:
            self._may_send.set()

    def _ended(self) -> None:
        if not self._over:
            self._over = True
            self._may_send.set()
            self._put(None)
            if self._leg.stream is self:
                self._leg.stream = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (frame := await self._heard.get()) is not None:
            yield frame
        self._put(None)  # for a second reader

    async def send(self, pcm: bytes) -> None:
        """Whole frames go out, the rest waits for more."""
        await self._may_send.wait()
        if self._over or self._socket is None:
            raise ChannelGone("the stream is over", channel=self._leg.id)
        data = self._rest + pcm
        whole = len(data) - len(data) % self._frame
        self._rest = data[whole:]
        try:
            for start in range(0, whole, self._frame):
                await self._may_send.wait()
                await self._socket.send_bytes(data[start : start + self._frame])
        except (aiohttp.ClientError, OSError) as error:
            raise ChannelGone("the stream is over", channel=self._leg.id) from error

    async def flush(self) -> None:
        self._rest = b""
        if self._socket is not None and not self._over:
            await self._socket.send_str("FLUSH_MEDIA")
            self._may_send.set()

    async def close(self) -> None:
        self._ended()
        await self._stack.aclose()
        await self._core.ari.attempt("DELETE", f"/channels/{self._channel}")
        await dissolve(self._core, self._bridge, self._leg.id)


class Streams:
    def __init__(self, core: Core, prompts: Prompts, bridges: Bridges) -> None:
        self._core, self._prompts, self._bridges = core, prompts, bridges

    async def open(self, leg: Leg, rate: int) -> WebSocketStream:
        if rate not in _FORMATS:
            raise CommandRefused("a stream has 8000 or 16000 samples a second", rate=rate)
        await self._prompts.silence(leg)
        channel = self._core.own_id("stream")
        bridge = await self._bridges.take()
        stream = WebSocketStream(self._core, leg, rate, channel, bridge)
        try:
            async with self._core.entering(channel):
                made = await self._core.ari.call(
                    "POST", "/channels/externalMedia", self._params(channel, rate), body={}
                )
                variables = msgspec.json.decode(made, type=_MediaChannel).channelvars
                await stream.start(variables.get("MEDIA_WEBSOCKET_CONNECTION_ID", ""))
            await self._bridges.add(bridge, channel, leg.id)
        except SwitchError:
            await stream.close()
            raise
        leg.stream = stream
        return stream

    def _params(self, channel: str, rate: int) -> dict[str, str]:
        return {
            "channelId": channel,
            "app": self._core.app,
            "external_host": "INCOMING",
            "transport": "websocket",
            "encapsulation": "none",
            "connection_type": "server",
            "format": _FORMATS[rate],
        }
