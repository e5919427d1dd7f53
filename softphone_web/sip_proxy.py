"""A page's SIP socket, carried to the switch's own: one TLS port for everything, and the switch's reachable from this
machine only. Nothing is answered here but by closing."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMsgType, web

from foundation.access import Principal
from foundation.errors import Unauthenticated, Unavailable
from foundation.logs import get_logger
from softphone_web.authenticate import authenticate_again, check_origin
from softphone_web.call import Call
from softphone_web.permissions import phone_withdrawn
from softphone_web.ports_phone import OVER, SIGNED_OUT, SipPages
from softphone_web.problems import FieldError, RequestInvalid
from softphone_web.sip_guard import LARGEST, SipGuard

log = get_logger(__name__)

PROTOCOL = "sip"
_REFUSED = 1008  # RFC 6455: against our rules
_SWITCH_AWAY = 1013  # try again later
_CONNECT_S = 5.0
# Our own end of the connections to a switch on this machine: no trunk's gateway has this address, so that no list of
# addresses can take a page for a trunk.
_OWN_ADDRESS = "127.83.73.80"
_LOOPBACK = ip_network("127.0.0.0/8")


async def carry(call: Call, pages: SipPages, endpoint: str) -> web.WebSocketResponse:
    """Serve this request until the page, the switch, or who gave the credentials ends it."""
    request, settings = call.request, call.deps.settings
    check_origin(request, settings)
    socket = web.WebSocketResponse(
        protocols=(PROTOCOL,), compress=False, max_msg_size=LARGEST, heartbeat=settings.live_heartbeat_s
    )
    if not socket.can_prepare(request):
        message = "Ask for an upgrade to a web socket."
        raise RequestInvalid([FieldError(where="header", field="Upgrade", code="upgrade", message=message)], status=400)
    url = pages.upstream()
    async with _session(url) as session:
        try:
            async with asyncio.timeout(_CONNECT_S):
                upstream = await session.ws_connect(url, protocols=(PROTOCOL,), max_msg_size=0, autoclose=True)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("The switch takes no browsers at this moment.") from error
        async with upstream:
            await socket.prepare(request)
            await _Line(call, pages, endpoint, socket, upstream).run()
    return socket


def _session(url: str) -> aiohttp.ClientSession:
    host = urlsplit(url).hostname or ""
    try:
        loopback = ip_address(host) in _LOOPBACK
    except ValueError:
        loopback = False
    connector = aiohttp.TCPConnector(local_addr=(_OWN_ADDRESS, 0)) if loopback else aiohttp.TCPConnector()
    return aiohttp.ClientSession(connector=connector)


class _Line:
    """One page's socket and its counterpart to the switch."""

    def __init__(
        self,
        call: Call,
        pages: SipPages,
        endpoint: str,
        socket: web.WebSocketResponse,
        upstream: aiohttp.ClientWebSocketResponse,
    ) -> None:
        self._call, self._pages, self._endpoint = call, pages, endpoint
        self._socket, self._upstream = socket, upstream
        self._ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._clock = call.deps.clock
        self._guard = SipGuard(endpoint, self._clock.now())
        self._send_s = call.deps.settings.live_drop_after_s

    def end(self, code: int, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result((code, reason))

    async def run(self) -> None:
        if not self._pages.attach(self._endpoint, self.end):
            self.end(OVER, "these credentials are over")
        tasks = [
            asyncio.create_task(work, name=f"sip-{name}")
            for name, work in (("up", self._up()), ("down", self._down()), ("keep", self._keep()))
        ]
        try:
            waits: list[asyncio.Future[Any]] = [*tasks, self._ended]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            code, reason = self._ended.result() if self._ended.done() else (1000, "")
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    log.info("web.phone_cut", endpoint=self._endpoint, reason=type(error).__name__)
                    code = code if self._ended.done() else _SWITCH_AWAY
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._pages.detach(self._endpoint, self.end)
        if code == _REFUSED:
            log.warning("web.phone_refused", endpoint=self._endpoint, reason=reason)
        if not self._socket.closed:
            async with asyncio.timeout(self._send_s):
                await self._socket.close(code=code, message=reason.encode())

    async def _up(self) -> None:
        """From the page. One message waits until the one before it is with the switch: that is all the back-pressure
        there needs to be."""
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            data = message.data.encode() if isinstance(message.data, str) else bytes(message.data)
            seen = self._guard.from_page(data, self._clock.now())
            if seen.refusal:
                self.end(_REFUSED, seen.refusal)
                return
            async with asyncio.timeout(self._send_s):
                await self._upstream.send_frame(data, WSMsgType.TEXT)
            if seen.ends_call:
                self._pages.call_is_over(self._endpoint)

    async def _down(self) -> None:
        async for message in self._upstream:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            data = message.data.encode() if isinstance(message.data, str) else bytes(message.data)
            async with asyncio.timeout(self._send_s):
                await self._socket.send_frame(data, WSMsgType.TEXT)
            if SipGuard.ends_call(data):
                self._pages.call_is_over(self._endpoint)
        self.end(_SWITCH_AWAY, "the switch closed the connection")

    async def _keep(self) -> None:
        """Whoever signed out, was signed out, or may use no phone any more has none: neither socket nor credentials,
        and no call goes on."""
        former = self._call.principal
        if former is None:
            await self._ended
            return
        while True:
            await asyncio.sleep(self._call.deps.settings.live_heartbeat_s)
            try:
                now = await authenticate_again(self._call.request)
            except Unauthenticated:
                await self._withdraw(former, "signed out")
                return
            except Unavailable as error:
                log.warning("web.phone_unchecked", endpoint=self._endpoint, code=error.code)
            else:
                if phone_withdrawn(former, now):
                    await self._withdraw(former, "role or agent changed")
                    return

    async def _withdraw(self, who: Principal, reason: str) -> None:
        self.end(SIGNED_OUT, reason)
        phones = self._call.deps.phones
        if phones.endpoint_of(who.id) == self._endpoint:  # else another page of theirs has one by now
            await phones.drop(who.id, SIGNED_OUT)
