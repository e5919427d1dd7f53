"""Sockets for SIP: UDP, and TCP with one connection a peer, opened when first needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from pbx.sip.message import BadMessage, HostPort, StreamFramer

log = logging.getLogger(__name__)
Receiver: TypeAlias = Callable[[bytes, HostPort], None]


class Transport(Protocol):
    name: str  # as in Via
    reliable: bool

    @property
    def address(self) -> HostPort: ...
    def send(self, data: bytes, to: HostPort) -> None:
        """Never blocks and never fails: what cannot be sent is lost, and the transaction times out."""
        ...

    async def close(self) -> None: ...


class UdpTransport(asyncio.DatagramProtocol):
    name = "UDP"
    reliable = False

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.DatagramTransport  # given by connection_made, before `open` returns
        self._closed = asyncio.Event()

    @classmethod
    async def open(cls, address: HostPort, receiver: Receiver) -> UdpTransport:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: cls(receiver), local_addr=address)
        return protocol

    @property
    def address(self) -> HostPort:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip():  # else a keep-alive
            self._receiver(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        log.debug("sip socket: %s", exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def send(self, data: bytes, to: HostPort) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, to)

    async def close(self) -> None:
        self._transport.close()
        await self._closed.wait()


class _Connection(asyncio.Protocol):
    def __init__(self, owner: TcpTransport) -> None:
        self._owner = owner
        self._framer = StreamFramer()
        self.transport: asyncio.Transport  # given by connection_made
        self.peer: HostPort = ("", 0)
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")[:2]
        self._owner.connections[self.peer] = self

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._framer.feed(data):
                self._owner.receiver(message, self.peer)
        except BadMessage as error:
            log.warning("sip stream cannot be framed, closing it: %s", error)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._owner.connections.get(self.peer) is self:
            del self._owner.connections[self.peer]
        self.closed.set()


class TcpTransport:
    name = "TCP"
    reliable = True

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.connections: dict[HostPort, _Connection] = {}
        self._server: asyncio.Server  # given by `open`
        self._waiting: dict[HostPort, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, address: HostPort, receiver: Receiver) -> TcpTransport:
        self = cls(receiver)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), *address)
        return self

    @property
    def address(self) -> HostPort:
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def send(self, data: bytes, to: HostPort) -> None:
        connection = self.connections.get(to)
        if connection is not None and not connection.transport.is_closing():
            connection.transport.write(data)
        elif to in self._waiting:
            self._waiting[to].append(data)
        else:
            self._waiting[to] = [data]
            task = asyncio.create_task(self._connect(to), name=f"sip-connect-{to[1]}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, to: HostPort) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: _Connection(self), *to)
        except OSError as error:
            log.debug("sip connection: %s", error)
            self._waiting.pop(to, None)
            return
        for data in self._waiting.pop(to, []):
            transport.write(data)

    async def close(self) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        open_ones = list(self.connections.values())
        for connection in open_ones:
            connection.transport.close()
        for connection in open_ones:
            await connection.closed.wait()
        await self._server.wait_closed()
