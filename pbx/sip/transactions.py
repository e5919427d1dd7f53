"""SIP transactions (RFC 3261 section 17): matching, retransmission, absorbing repeats. Timers only, no tasks.

A `ClientTransaction` always ends: with the peer's final response, or with one of our own making (408 when none came,
503 when the layer was closed), so that whoever awaits it needs one path only. A `ServerTransaction` repeats its last
response whenever the request is repeated; the final response to an INVITE is repeated until the ACK.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from sipmessage import Request, Response

from pbx.sip.message import BadMessage, HostPort, branch_of, make_response, parse
from pbx.sip.transport import Transport

log = logging.getLogger(__name__)

T1 = 0.5  # RFC 3261's estimate of a round trip
T2 = 4.0  # the longest wait between repeats
TIMEOUT = 64 * T1


class _Timers:
    """The timers of one transaction; all die with it."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def set(self, name: str, delay: float, callback: Callable[[], None]) -> None:
        self.cancel(name)
        self._handles[name] = asyncio.get_running_loop().call_later(delay, callback)

    def cancel(self, name: str) -> None:
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def clear(self) -> None:
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()


class ClientTransaction:
    def __init__(
        self, layer: TransactionLayer, request: Request, to: HostPort, on_provisional: Callable[[Response], None] | None
    ) -> None:
        self.request, self.to = request, to
        self.final: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.heard_back = asyncio.Event()  # any response at all: from now on an INVITE may be cancelled
        self.ack: tuple[Request, HostPort] | None = None  # of a 2xx to an INVITE: made by the dialog, repeated here
        self.timers = _Timers()
        self._layer = layer
        self._on_provisional = on_provisional
        self._interval = T1

    def start(self) -> None:
        self._layer.transport.send(bytes(self.request), self.to)
        if not self._layer.transport.reliable:
            self.timers.set("repeat", self._interval, self._repeat)
        self.timers.set("timeout", TIMEOUT, lambda: self._end(self._made_up(408)))

    def received(self, response: Response) -> None:
        self.heard_back.set()
        invite = self.request.method == "INVITE"
        if response.code < 200:
            if invite:
                # The far end rings now, for as long as it likes: its own limit ends the wait.
                self.timers.clear()
            if self._on_provisional is not None and not self.final.done():
                self._on_provisional(response)
            return
        if invite and response.code >= 300:
            self._layer.transport.send(bytes(self._ack_of_refusal(response)), self.to)
        elif invite and self.ack is not None:
            ack, to = self.ack
            self._layer.transport.send(bytes(ack), to)  # the 2xx came again: our ACK was lost
        self._end(response)

    def abandon(self) -> None:
        self._end(self._made_up(503))

    def _repeat(self) -> None:
        self._layer.transport.send(bytes(self.request), self.to)
        self._interval *= 2
        if self.request.method != "INVITE":
            self._interval = min(self._interval, T2)
        self.timers.set("repeat", self._interval, self._repeat)

    def _end(self, response: Response) -> None:
        if self.final.done():
            return
        self.timers.clear()
        self.heard_back.set()
        self.final.set_result(response)
        # Repeats of the final response must still be met for as long as the peer may send them.
        self.timers.set("forget", TIMEOUT, lambda: self._layer.forget_client(self))

    def _made_up(self, code: int) -> Response:
        return make_response(self.request, code)

    def _ack_of_refusal(self, response: Response) -> Request:
        ack = Request(method="ACK", uri=self.request.uri)
        for name in ("Via", "Max-Forwards", "Route", "From", "Call-ID"):
            values = self.request.headers.getlist(name)
            if values:
                ack.headers.setlist(name, list(values))
        ack.headers.set("To", response.headers["To"])
        ack.headers.set("CSeq", f"{self.request.cseq.sequence} ACK")
        ack.content_length = 0
        return ack


class ServerTransaction:
    def __init__(self, layer: TransactionLayer, request: Request, source: HostPort) -> None:
        self.request, self.source = request, source
        self.status: int | None = None
        self.on_ack: Callable[[Request], None] | None = None
        self.on_no_ack: Callable[[], None] | None = None
        self.timers = _Timers()
        self._layer = layer
        self._last: bytes | None = None
        self._interval = T1

    @property
    def is_final(self) -> bool:
        return self.status is not None and self.status >= 200

    def respond(self, response: Response) -> None:
        """A later response replaces the earlier; nothing follows a final one."""
        if self.is_final:
            return
        self.status, self._last = response.code, bytes(response)
        self._send_last()
        if not self.is_final:
            return
        self.timers.set("forget", TIMEOUT, self._forget)
        if self.request.method == "INVITE" and (response.code < 300 or not self._layer.transport.reliable):
            self.timers.set("repeat", T1, self._repeat)

    def repeated(self) -> None:
        self._send_last()

    def acked(self, ack: Request) -> None:
        self.timers.cancel("repeat")
        callback, self.on_ack, self.on_no_ack = self.on_ack, None, None
        if callback is not None:
            callback(ack)

    def _send_last(self) -> None:
        if self._last is not None:
            self._layer.transport.send(self._last, self.source)

    def _repeat(self) -> None:
        self._send_last()
        self._interval = min(self._interval * 2, T2)
        self.timers.set("repeat", self._interval, self._repeat)

    def _forget(self) -> None:
        self._layer.forget_server(self)
        if self.on_no_ack is not None:
            self.on_no_ack()


ServerKey: TypeAlias = tuple[str, str, str]  # branch, sent-by, method


class TransactionLayer:
    """All transactions over one transport. `on_request` gets each new request once, ACKs and repeats excepted."""

    def __init__(self, on_request: Callable[[ServerTransaction], None]) -> None:
        self.transport: Transport  # given by the owner, whose sockets need `received` first
        self._on_request = on_request
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self.dropped = 0  # datagrams that were no SIP

    def send(
        self, request: Request, to: HostPort, on_provisional: Callable[[Response], None] | None = None
    ) -> ClientTransaction:
        transaction = ClientTransaction(self, request, to, on_provisional)
        self._clients[branch_of(request), request.method] = transaction
        transaction.start()
        return transaction

    def received(self, data: bytes, source: HostPort) -> None:
        try:
            message = parse(data)
        except BadMessage as error:
            self.dropped += 1
            log.debug("dropped %d bytes: %s", len(data), error)
            return
        if isinstance(message, Response):
            transaction = self._clients.get((branch_of(message), message.cseq.method))
            if transaction is not None:
                transaction.received(message)
        elif message.method == "ACK":
            self._ack_received(message)
        else:
            self._request_received(message, source)

    def invite_for(self, cancel: Request) -> ServerTransaction | None:
        return self._servers.get(_key(cancel, "INVITE"))

    def forget_client(self, transaction: ClientTransaction) -> None:
        transaction.timers.clear()
        self._clients.pop((branch_of(transaction.request), transaction.request.method), None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        transaction.timers.clear()
        self._servers.pop(_key(transaction.request, transaction.request.method), None)

    def close(self) -> None:
        for client in tuple(self._clients.values()):
            client.abandon()
            self.forget_client(client)
        for server in tuple(self._servers.values()):
            self.forget_server(server)

    def _request_received(self, request: Request, source: HostPort) -> None:
        key = _key(request, request.method)
        known = self._servers.get(key)
        if known is not None:
            known.repeated()
            return
        transaction = self._servers[key] = ServerTransaction(self, request, source)
        self._on_request(transaction)

    def _ack_received(self, ack: Request) -> None:
        known = self._servers.get(_key(ack, "INVITE"))
        if known is None:  # of a 2xx: has a branch of its own, so the dialog tells
            wanted = ack.call_id, ack.cseq.sequence
            known = next(
                (
                    t
                    for t in self._servers.values()
                    if t.request.method == "INVITE" and (t.request.call_id, t.request.cseq.sequence) == wanted
                ),
                None,
            )
        if known is not None:
            known.acked(ack)


def _key(request: Request, method: str) -> ServerKey:
    via = request.via[0]
    return branch_of(request), f"{via.host}:{via.port}", method
