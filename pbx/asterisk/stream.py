"""Audio of one channel over a web socket (chan_websocket, Asterisk 20.16 / 22.6 and later).

A stream takes the channel itself into a bridge with the socket's: it hears nothing but what is sent. An ear takes a
snoop channel there, which hears what the channel says and leaves it where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import aiohttp
import msgspec

from pbx.asterisk.bridges import Bridges, dissolve
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Leg
from pbx.asterisk.prompts import Prompts
from pbx.terms import ChannelGone, CommandRefused, SwitchUnreachable

_FORMATS = {8000: "slin", 16000: "slin16"}
_FRAME_S = 0.02
# What is heard and not yet read; a reader that is later than this loses the oldest.
_HEARD_FRAMES = 250


class _MediaChannel(msgspec.Struct):
    channelvars: dict[str, str] = {}


class WebSocketEar:
    """What one channel says. Frames come on Asterisk's own clock. `inside` is bridged with the socket's channel."""

    def __init__(self, core: Core, leg: Leg, rate: int, channel: str, bridge: str, inside: str) -> None:
        self.rate = rate
        self._core, self._leg = core, leg
        self.channel, self.bridge, self._inside = channel, bridge, inside
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue(_HEARD_FRAMES)
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
        """The flow control of what is sent: an ear sends nothing."""

    def _ended(self) -> None:
        if not self._over:
            self._over = True
            self._put(None)
            if self._leg.ear is self:
                self._leg.ear = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (frame := await self._heard.get()) is not None:
            yield frame
        self._put(None)  # for a second reader

    async def close(self) -> None:
        self._ended()
        await self._stack.aclose()
        await self._core.ari.attempt("DELETE", f"/channels/{self.channel}")
        await self._let_go()

    async def _let_go(self) -> None:
        await self._core.ari.attempt("DELETE", f"/channels/{self._inside}")
        await self._core.ari.attempt("DELETE", f"/bridges/{self.bridge}")


class WebSocketStream(WebSocketEar):
    """An ear that speaks, too; Asterisk paces what we send."""

    def __init__(self, core: Core, leg: Leg, rate: int, channel: str, bridge: str) -> None:
        super().__init__(core, leg, rate, channel, bridge, leg.id)
        self._frame = int(rate * _FRAME_S) * 2
        self._rest = b""
        self._may_send = asyncio.Event()
        self._may_send.set()

    def _control(self, text: str) -> None:
        if "MEDIA_XOFF" in text:
            self._may_send.clear()
        elif "MEDIA_XON" in text:
            self._may_send.set()

    def _ended(self) -> None:
        super()._ended()
        self._may_send.set()
        if self._leg.stream is self:
            self._leg.stream = None

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
            with suppress(aiohttp.ClientError, OSError):  # it has just ended, which `_read` tells
                await self._socket.send_str("FLUSH_MEDIA")
            self._may_send.set()

    async def _let_go(self) -> None:
        await dissolve(self._core, self.bridge, self._inside)


def _check(rate: int) -> None:
    if rate not in _FORMATS:
        raise CommandRefused("a stream has 8000 or 16000 samples a second", rate=rate)


class Streams:
    def __init__(self, core: Core, prompts: Prompts, bridges: Bridges) -> None:
        self._core, self._prompts, self._bridges = core, prompts, bridges

    async def open(self, leg: Leg, rate: int) -> WebSocketStream:
        _check(rate)
        await self._prompts.silence(leg)
        bridge = await self._bridges.take()
        stream = WebSocketStream(self._core, leg, rate, self._core.own_id("stream"), bridge)
        await self._connect(stream, leg.id)
        leg.stream = stream
        return stream

    async def open_ear(self, leg: Leg, rate: int) -> WebSocketEar:
        _check(rate)
        if leg.ear:
            await leg.ear.close()
        snoop = self._core.own_id("ear")
        ear = WebSocketEar(self._core, leg, rate, self._core.own_id("stream"), await self._bridges.take(), snoop)
        params = {"spy": "in", "whisper": "none", "app": self._core.app, "appArgs": "ear"}
        try:
            async with self._core.entering(snoop):
                await self._core.ari.call("POST", f"/channels/{leg.id}/snoop/{snoop}", params, channel=leg.id)
        except BaseException:
            await ear.close()
            raise
        await self._connect(ear, snoop)
        leg.ear = ear
        if self._core.legs.find(leg.id) is not leg:  # it hung up meanwhile, and nobody else closes this one
            await ear.close()
            raise ChannelGone("no such channel, or it hung up", channel=leg.id)
        return ear

    async def _connect(self, audio: WebSocketEar, inside: str) -> None:
        """Its channel made, its socket open, both in one bridge with `inside`."""
        try:
            async with self._core.entering(audio.channel):
                params = self._params(audio.channel, audio.rate)
                made = await self._core.ari.call("POST", "/channels/externalMedia", params, body={})
                variables = msgspec.json.decode(made, type=_MediaChannel).channelvars
                await audio.start(variables.get("MEDIA_WEBSOCKET_CONNECTION_ID", ""))
            await self._bridges.add(audio.bridge, audio.channel, inside)
        except BaseException:
            await audio.close()
            raise

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
