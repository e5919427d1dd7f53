"""Our asyncio client of FreeSWITCH's event socket: one connection, kept up, over which everything goes.

Theory of operation
-------------------
Replies come in the order of the commands, and only so are they told apart: each command puts a waiter at the end of a
queue *in the same step* that writes its bytes, and each reply takes the waiter at the front. A waiter whose owner was
cancelled stays in the queue as a tombstone and swallows its reply; taking it out would give every later reply to the
wrong owner.

When the connection breaks, every command that waits fails with `SwitchUnreachable`: it may have been carried out, so it
is never sent again. The client comes back by itself, with growing pauses, authenticates, subscribes, and tells
`on_up`; what was missed meanwhile is the listener's to find out (reconcile) before `on_up` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from pbx.freeswitch import commands
from pbx.freeswitch.codec import (
    ApiResponse,
    AuthRequest,
    BadMessage,
    CommandReply,
    Disconnected,
    EslDecoder,
    Event,
    EventMessage,
    Message,
    Rejected,
)
from pbx.terms import ChannelGone, CommandRefused, SwitchError, SwitchUnreachable

log = logging.getLogger(__name__)

Reply: TypeAlias = CommandReply | ApiResponse

_T = TypeVar("_T")
_READ = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EslOptions:
    """How patient the client is. The defaults suit a switch on the same machine or the same network."""

    connect_s: float = 5.0
    reply_s: float = 10.0
    # Idle time after which the peer is asked whether it lives; without an answer in `reply_s` the connection is cut.
    ping_s: float = 5.0
    backoff_first_s: float = 0.2
    backoff_max_s: float = 5.0
    # A listener of FreeSWITCH sleeps up to 20 ms before it looks for events; an empty line written to it wakes it up.
    # Off (None) by default: it costs a system call on both sides each time.
    keep_awake_s: float | None = None
    # More commands than this in flight means that the switch has stopped answering.
    max_in_flight: int = 4096
    # Jobs and executions whose end never came are forgotten beyond this many.
    max_expected: int = 8192


@dataclass(slots=True)
class _Waiter:
    future: asyncio.Future[Reply]
    sent_at: float


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    waiters: deque[_Waiter] = field(default_factory=deque)
    ready: bool = False
    heard_at: float = 0.0


class EslClient:
    """Commands are methods; events go to `on_event`, in the order of their sequence numbers, one at a time."""

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        events: Sequence[str],
        on_event: Callable[[Event], None],
        on_up: Callable[[], Awaitable[None]],
        on_down: Callable[[str], None],
        options: EslOptions | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._password = password
        self._events = tuple(events)
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self.options = options or EslOptions()
        self._connection: _Connection | None = None
        self._jobs: OrderedDict[str, asyncio.Future[str]] = OrderedDict()
        self._executions: OrderedDict[str, asyncio.Future[Event]] = OrderedDict()
        self._runner: asyncio.Task[None] | None = None
        self.bad_messages = 0

    # --- life

    async def __aenter__(self) -> EslClient:
        self._runner = asyncio.create_task(self._run(), name=f"esl {self._host}:{self._port}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await runner

    @property
    def runner(self) -> asyncio.Task[None] | None:
        """Ends only by a defect of ours: whoever owns the client watches it."""
        return self._runner

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._connection.ready

    @property
    def local_address(self) -> str:
        """Our own address as the switch sees it, for media that it is to send to us."""
        if self._connection is None:
            raise SwitchUnreachable("no connection to the switch")
        return str(self._connection.writer.get_extra_info("sockname")[0])

    def drop(self, reason: str) -> None:
        """Cut the connection; it is made anew at once."""
        if self._connection is not None:
            log.error("event socket: connection cut by us: %s", reason)
            self._connection.writer.transport.abort()

    async def _run(self) -> None:
        pause = self.options.backoff_first_s
        while True:
            reason = "connection refused"
            was_up = False
            try:
                was_up, reason = await self._one_connection()
            except TimeoutError:
                reason = "no answer while connecting"
            except OSError as error:
                reason = error.strerror or type(error).__name__
            if was_up:
                pause = self.options.backoff_first_s
                self._on_down(reason)
            log.info("event socket: %s; next try in %.1f s", reason, pause)
            # Spread out, so that several daemons do not come back in the same instant.
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
            pause = min(pause * 2, self.options.backoff_max_s)

    async def _one_connection(self) -> tuple[bool, str]:
        """Whether it ever was up, and why it ended."""
        async with asyncio.timeout(self.options.connect_s):
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=_READ)
        connection = _Connection(reader, writer)
        connection.heard_at = self._now()
        self._connection = connection
        was_up = False
        reason = "connection lost"
        tasks: list[asyncio.Task[str]] = []
        try:
            authenticated = asyncio.get_running_loop().create_future()
            tasks.append(asyncio.create_task(self._read(connection, authenticated), name="esl read"))
            tasks.append(asyncio.create_task(self._watch(connection), name="esl watch"))
            tasks.append(asyncio.create_task(self._greet(connection, authenticated), name="esl greet"))
            if self.options.keep_awake_s:
                tasks.append(asyncio.create_task(self._keep_awake(connection), name="esl keep awake"))
            pending: set[asyncio.Task[str]] = set(tasks)
            while True:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                ended = [text for text in (task.result() for task in done) if text]
                if ended:
                    reason = ended[0]
                    break
        finally:
            was_up = connection.ready
            connection.ready = False
            self._connection = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError):
                writer.transport.abort()
            self._fail_all(connection, reason)
        return was_up, reason

    def _fail_all(self, connection: _Connection, reason: str) -> None:
        for waiter in connection.waiters:
            _fail(waiter.future, f"the connection broke before the reply: {reason}")
        connection.waiters.clear()
        for job in self._jobs.values():
            _fail(job, f"the connection broke before the end was known: {reason}")
        for execution in self._executions.values():
            _fail(execution, f"the connection broke before the end was known: {reason}")
        self._jobs.clear()
        self._executions.clear()

    async def _greet(self, connection: _Connection, authenticated: asyncio.Future[None]) -> str:
        try:
            async with asyncio.timeout(self.options.connect_s + self.options.reply_s):
                await authenticated
                reply = await self._send(commands.command(f"auth {self._password}"), connection)
                if not reply.ok:
                    log.error("event socket: the password is refused")
                    return "the password is refused"
                for text in _subscriptions(self._events):
                    reply = await self._send(commands.command(text), connection)
                    if not reply.ok:
                        return "the subscription is refused"
            connection.ready = True
            await self._on_up()
        except TimeoutError:
            return "no answer while connecting"
        except SwitchError as error:
            return error.message
        return ""

    async def _read(self, connection: _Connection, authenticated: asyncio.Future[None]) -> str:
        decoder = EslDecoder()
        while True:
            try:
                data = await connection.reader.read(_READ)
            except OSError as error:
                return error.strerror or type(error).__name__
            if not data:
                return "closed by the switch"
            connection.heard_at = self._now()
            events: list[Event] = []
            for message in decoder.feed(data):
                if isinstance(message, EventMessage):
                    events.append(message.event)
                    continue
                # A reply is handed over in its place among the events, so that a command's effects are not seen
                # before what led to it.
                self._dispatch(events)
                end = self._take(connection, message, authenticated)
                if end:
                    return end
            self._dispatch(events)

    def _take(self, connection: _Connection, message: Message, authenticated: asyncio.Future[None]) -> str:
        """Anything but an event; a text ends the connection."""
        if isinstance(message, CommandReply | ApiResponse):
            if connection.waiters:
                future = connection.waiters.popleft().future
                if not future.done():  # else a tombstone
                    future.set_result(message)
            else:
                log.warning("event socket: a reply that nobody waits for")
        elif isinstance(message, AuthRequest):
            if not authenticated.done():
                authenticated.set_result(None)
        elif isinstance(message, Disconnected):
            return f"the switch said good-bye: {message.reason}"
        elif isinstance(message, Rejected):
            log.error("event socket: our address is refused")
            return "our address is refused"
        elif isinstance(message, BadMessage):
            self.bad_messages += 1
            log.warning("event socket: unreadable message skipped: %s, %d bytes", message.reason, message.size)
        return ""

    def _dispatch(self, events: list[Event]) -> None:
        """Sorted by sequence: several threads of the switch hand events to the socket, and now and then one overtakes
        another by a few milliseconds. (Gaps are normal, for we subscribe to some events only: there is no waiting.)"""
        if len(events) > 1 and all(event.sequence for event in events):
            events.sort(key=_sequence)
        for event in events:
            name = event.name
            if name == "BACKGROUND_JOB":
                job = self._jobs.pop(event.get("Job-UUID"), None)
                if job is not None and not job.done():
                    job.set_result(event.body)
                continue
            if name == "CHANNEL_EXECUTE_COMPLETE":
                execution = self._executions.pop(event.get("Application-UUID"), None)
                if execution is not None and not execution.done():
                    execution.set_result(event)
            try:
                self._on_event(event)
            except Exception:  # one event we stumble over must not end the reader
                log.exception("event socket: %s could not be handled", event)
        events.clear()

    async def _watch(self, connection: _Connection) -> str:
        """Cut a connection on which nothing is answered any more; TCP alone would take minutes to notice."""
        step = max(0.02, min(self.options.ping_s, self.options.reply_s) / 4)
        while True:
            await asyncio.sleep(step)
            now = self._now()
            if connection.waiters and now - connection.waiters[0].sent_at > self.options.reply_s:
                return "the switch answers no more"
            idle = not connection.waiters and now - connection.heard_at > self.options.ping_s
            if idle and connection.ready:
                # Its reply pops this waiter; nobody waits for it.
                self._write(commands.command("api strepoch"), connection)

    async def _keep_awake(self, connection: _Connection) -> str:
        while True:
            await asyncio.sleep(self.options.keep_awake_s or 1.0)
            if connection.ready:
                connection.writer.write(b"\n")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # --- commands

    async def api(self, text: str) -> str:
        """The body of an `api` command that did not fail; -ERR raises."""
        reply = await self._send(commands.command(f"api {text}"))
        body = reply.body if isinstance(reply, ApiResponse) else reply.text
        if body.startswith(("-ERR", "-USAGE")):
            raise refusal(body)
        return body

    async def sendmsg(self, channel: str, headers: Mapping[str, str]) -> None:
        reply = await self._send(commands.sendmsg(channel, headers))
        if not reply.ok:
            raise refusal(reply.text if isinstance(reply, CommandReply) else reply.body)

    async def send_event(self, name: str, headers: Mapping[str, str]) -> None:
        """Fire an event in the switch; one with a `unique-id` is queued to that channel."""
        reply = await self._send(commands.command(f"sendevent {name}", headers))
        if not reply.ok:
            raise refusal(reply.text if isinstance(reply, CommandReply) else reply.body)

    async def execute(
        self, channel: str, application: str, argument: str = "", *, token: str | None = None
    ) -> asyncio.Future[Event]:
        """Have the channel run an application; the future is its CHANNEL_EXECUTE_COMPLETE."""
        token = token or str(uuid.uuid4())
        headers = {"call-command": "execute", "execute-app-name": application, "Event-UUID": token}
        if argument:
            headers["execute-app-arg"] = argument
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        with self._expecting(self._executions, token, future):
            await self.sendmsg(channel, headers)
        return future

    async def bgapi(self, text: str, *, job: str | None = None) -> asyncio.Future[str]:
        """Start a background command; the future is its result. The job's id is ours, so that a result which
        overtakes the reply still finds its owner."""
        job = job or str(uuid.uuid4())
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with self._expecting(self._jobs, job, future):
            reply = await self._send(commands.command(f"bgapi {text}", {"Job-UUID": job}))
            if not reply.ok:
                raise refusal(reply.text if isinstance(reply, CommandReply) else reply.body)
        return future

    @contextlib.contextmanager
    def _expecting(
        self, table: OrderedDict[str, asyncio.Future[_T]], token: str, future: asyncio.Future[_T]
    ) -> Iterator[None]:
        table[token] = future
        while len(table) > self.options.max_expected:
            _, oldest = table.popitem(last=False)
            oldest.cancel()
        try:
            yield
        except BaseException:
            table.pop(token, None)
            raise

    async def _send(self, data: bytes, connection: _Connection | None = None) -> Reply:
        if connection is None:
            connection = self._connection
            if connection is None or not connection.ready:
                raise SwitchUnreachable("no connection to the switch")
        waiter = self._write(data, connection)
        # Not drained: a reply is awaited at once, and what may be in flight is bounded. A broken connection fails it.
        return await waiter.future

    def _write(self, data: bytes, connection: _Connection) -> _Waiter:
        if len(connection.waiters) >= self.options.max_in_flight:
            raise SwitchUnreachable("too many commands wait for their replies")
        if connection.writer.is_closing():
            raise SwitchUnreachable("no connection to the switch")
        waiter = _Waiter(asyncio.get_running_loop().create_future(), self._now())
        connection.waiters.append(waiter)
        connection.writer.write(data)
        return waiter


def _fail(future: asyncio.Future[_T], why: str) -> None:
    if not future.done():
        future.set_exception(SwitchUnreachable(why))
        future.exception()  # who no longer waits for it need not hear of it


def _sequence(event: Event) -> int:
    return event.sequence


def _subscriptions(events: Sequence[str]) -> list[str]:
    plain = [name for name in events if "::" not in name]
    custom = [name for name in events if "::" in name]
    # CUSTOM takes all words after it as subclasses: it comes last.
    return [" ".join(["event json", *plain, *(["CUSTOM", *custom] if custom else [])])]


_GONE = ("no such channel", "invalid session id", "invalid uuid", "cannot locate session", "no such channel id")


def refusal(text: str) -> ChannelGone | CommandRefused:
    """What a `-ERR` means. Its text goes into the error: the switch writes no personal data there."""
    text = text.strip()
    lowered = text.lower()
    if any(sign in lowered for sign in _GONE):
        return ChannelGone("no such channel, or it hung up")
    return CommandRefused(f"the switch refused: {text[:200]}")
