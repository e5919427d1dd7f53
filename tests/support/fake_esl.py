"""A fake event socket on a real TCP port: answers as told, replays events, and can stall, cut, split and reorder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PASSWORD = "secreto"


@dataclass(slots=True)
class Received:
    """One command as it arrived."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)


# The reply to a command as bytes; None: none at all. `api` commands are given without the word.
Answer = Callable[[Received], bytes | None]


def command_reply(text: str = "+OK") -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def api_response(body: str) -> bytes:
    data = body.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(data), data)


def json_event(name: str, headers: Mapping[str, object] | None = None, body: str = "") -> bytes:
    data = {"Event-Name": name, **(headers or {})}
    if body:
        data |= {"Content-Length": str(len(body)), "_body": body}
    text = json.dumps(data).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(text), text)


def healthy(received: Received) -> bytes | None:
    """As a FreeSWITCH without calls answers."""
    line = received.line
    if not line.startswith("api "):
        return command_reply()
    api = line.removeprefix("api ")
    if api.startswith("global_getvar core_uuid"):
        return api_response("core-1")
    if api.startswith("version"):
        return api_response("1.10.12")
    if api.startswith("strepoch"):
        return api_response("1795000000")
    if api.startswith("show "):
        return api_response('{"row_count":0}')
    if api.startswith("sofia xmlstatus"):
        return api_response("<gateway><state>NOREG</state><status>UP</status><pingtime>1.0</pingtime></gateway>")
    return api_response("+OK\n")


class FakeEsl:
    def __init__(self, answer: Answer = healthy, *, password: str = PASSWORD) -> None:
        self.answer = answer
        self.password = password
        self.received: list[Received] = []
        self.connections = 0
        self.wakes = 0  # bare line feeds
        self.stalled = False
        self.refusing = False
        self.chunk: int | None = None  # write in pieces of so many bytes
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> FakeEsl:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what a test does with it

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def send(self, *data: bytes) -> None:
        """To every client, in one write unless `chunk` says otherwise."""
        for writer in self._writers:
            self._write(writer, b"".join(data))

    def send_reordered(self, events: Sequence[bytes]) -> None:
        self.send(*reversed(events))

    async def until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(condition)

    async def command(self, start: str, count: int = 1) -> Received:
        """Wait for the n-th command that begins so."""
        await self.until(lambda: len(self.commands(start)) >= count)
        return self.commands(start)[count - 1]

    def commands(self, start: str) -> list[Received]:
        return [received for received in self.received if received.line.startswith(start)]

    # --- the wire

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if self.refusing:
                writer.transport.abort()
                return
            self._writers.add(writer)
            self._write(writer, b"Content-Type: auth/request\n\n")
            await self._read(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines: list[str] = []
        while True:
            text = (await reader.readuntil(b"\n")).decode().rstrip("\n")
            if text:
                lines.append(text)
                continue
            if not lines:
                async with self._news:
                    self.wakes += 1
                    self._news.notify_all()
                continue
            headers = dict(line.split(": ", 1) for line in lines[1:])
            received = Received(lines[0], headers)
            lines = []
            reply = self._reply(received)
            if reply is not None and not self.stalled:
                self._write(writer, reply)
            async with self._news:
                self.received.append(received)
                self._news.notify_all()

    def _reply(self, received: Received) -> bytes | None:
        if received.line.startswith("auth "):
            fine = received.line == f"auth {self.password}"
            return command_reply("+OK accepted" if fine else "-ERR invalid")
        if received.line.startswith("event "):
            return command_reply("+OK event listener enabled json")
        return self.answer(received)

    def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        step = self.chunk or len(data) or 1
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
