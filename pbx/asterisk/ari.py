"""ARI: requests over a pool of kept connections, events over one web socket.

A request is sent once. When no reply comes, nothing is known of it and `SwitchUnreachable` says so; the caller
reconciles. An idle connection is dropped by us (10 s) well before Asterisk would drop it (15 s by default), so that a
command never meets a closing connection.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TypeVar

import aiohttp
import msgspec

from pbx.asterisk.instance import AsteriskLink
from pbx.asterisk.wire import Problem
from pbx.terms import ChannelGone, ChannelId, CommandRefused, SwitchError, SwitchUnreachable

_REPLY_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 2.0
_IDLE_S = 10.0
# A ping every so often; a peer that answers none within half of it is dead.
_PING_S = 5.0

# Variables that dialplan and values can change at will are most of Asterisk's events, and tell us nothing.
_NOISE = ("ChannelVarset", "ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine", "Dial", "DeviceStateChanged")

T = TypeVar("T")


class AriClient:
    def __init__(self, link: AsteriskLink) -> None:
        self._link = link
        self._base = link.ari_url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> AriClient:
        # In a header, never in the URL, which ends up in logs.
        credentials = base64.b64encode(f"{self._link.ari_user}:{self._link.ari_password}".encode()).decode()
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Basic {credentials}"},
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S),
            # Ten requests a call: what Asterisk does not read is not put together for each.
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=_REPLY_TIMEOUT_S, sock_connect=_CONNECT_TIMEOUT_S),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def event_socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Connected and registered as the application. Asterisk hands our calls to the newest connection."""
        try:
            async with self._open_session().ws_connect(
                f"{self._base}/events",
                params={"app": self._link.app},
                heartbeat=_PING_S,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ) as socket:
                yield socket
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SwitchUnreachable("no event connection to Asterisk", reason=_reason(error)) from error

    @asynccontextmanager
    async def media_socket(self, connection: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The audio of one web-socket channel; served beside /ari on the same port."""
        url = f"{self._base.removesuffix('/ari')}/media/{connection}"
        async with self._open_session().ws_connect(url, protocols=("media",), max_msg_size=0) as socket:
            yield socket

    async def subscribe(self) -> None:
        """Ask for the events of all channels and bridges, except those that we do not read.

        Not by `subscribeAll` of the socket: it subscribes to all endpoints as well, and Asterisk 22.10 dies when such
        an application's connection is lost while an endpoint changes its state. Trunks and phones are told by AMI."""
        await self.call("POST", f"/applications/{self._link.app}/subscription", {"eventSource": "channel:,bridge:"})
        await self.call(
            "PUT",
            f"/applications/{self._link.app}/eventFilter",
            body={"disallowed": [{"type": name} for name in _NOISE]},
        )

    async def get(self, path: str, kind: type[T], params: Mapping[str, str] | None = None) -> T:
        return msgspec.json.decode(await self._request("GET", path, params=params), type=kind)

    async def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: object = None,
        channel: ChannelId | None = None,
    ) -> bytes:
        """One command. `channel` is the one whose absence a "not found" means."""
        return await self._request(method, path, params=params, body=body, channel=channel)

    async def attempt(self, method: str, path: str, params: Mapping[str, str] | None = None) -> bool:
        """A command whose subject may be gone already, which then needs no doing. True when it was carried out."""
        try:
            await self._request(method, path, params=params)
        except (ChannelGone, CommandRefused):
            return False
        return True

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        channel: ChannelId | None = None,
    ) -> bytes:
        data = None if body is None else msgspec.json.encode(body)
        headers = None if data is None else {"Content-Type": "application/json"}
        try:
            async with self._open_session().request(
                method, self._base + path, params=params, data=data, headers=headers
            ) as reply:
                content = await reply.read()
                status = reply.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SwitchUnreachable("Asterisk did not answer", reason=_reason(error)) from error
        if status < 300:
            return content
        raise refusal(status, content, channel)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            raise SwitchUnreachable("not connected to Asterisk")
        return self._session


def refusal(status: int, content: bytes, channel: ChannelId | None) -> SwitchError:
    """What a reply that is no success means to us."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
        text = problem.message or problem.error
    except msgspec.DecodeError:
        text = ""
    if "hannel not found" in text or (status == 404 and channel is not None):
        return ChannelGone("no such channel, or it hung up", channel=channel)
    if status in (502, 503, 504):
        return SwitchUnreachable("Asterisk cannot take commands now", status=status, reason=text)
    return CommandRefused("Asterisk refused the command", status=status, reason=text, channel=channel)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
