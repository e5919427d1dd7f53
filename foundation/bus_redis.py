"""The bus over Redis, between the processes of one platform.

Why pub/sub and not streams: a message is of use only while it is news. Whoever was away reads the truth from
PostgreSQL, so a stream's history would be a second, poorer copy of it that has to be trimmed, with a reader per page to
keep positions for. Pub/sub may lose messages while a link is down; that is told to subscribers by `Lost`, and they read
anew, as they must anyway when they are slow.

Local subscribers are served first and directly, so that one process goes on when Redis is away. What is for others
waits in a bounded outbox. Each process subscribes to the whole namespace and sorts by itself: `subscribe` then takes
effect at once, also when Redis is away, and the platform's traffic (hundreds of messages a second) is small."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import msgspec
from pydantic import Field, field_validator
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from foundation.bus import QUEUE_SIZE, Heard, Listener, LocalFanout, Message, Subscription, encode
from foundation.ids import new_id
from foundation.logs import get_logger
from foundation.settings import Secret, Section

log = get_logger(__name__)

# About 10 s of a busy platform; then others are told how many they missed.
_OUTBOX_SIZE = 5000
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
# A silent link is asked; no answer within the timeout means that it is broken (a NAT that forgot us).
_PING_EVERY_S = 5.0
_TIMEOUT_S = 5.0
# How long a stopping process tries to send what is still in the outbox.
_FLUSH_S = 1.0
# Messages gather for this long before they leave together: a page in another process notices nothing, and one command
# to Redis carries dozens. One by one they took a quarter of the main thread's time at 30 new calls a second.
_GATHER_S = 0.02
_MAX_BATCH = 500
# Senders whose last number we know; a platform has a handful of processes, each restart is a new one.
_SENDERS = 256


class BusSettings(Section):
    url: str | None = Field(
        default=None, description="redis://host:6379/0, without password; none: Rimay starts its own server"
    )
    password: Secret | None = None
    prefix: str = Field(
        default="rimay", pattern=r"^[a-z0-9_-]+$", description="platforms that share a Redis differ here"
    )

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value is not None:
            if not value.startswith(("redis://", "rediss://", "unix://")):
                raise ValueError("expected a URL like redis://host:6379/0")
            if "@" in value:
                raise ValueError("a user or password must not stand in the URL; set 'password: {env: NAME}' beside it")
        return value


class _Envelope(msgspec.Struct, array_like=True, frozen=True):
    """One message; they travel as a JSON list of these."""

    sender: str
    number: int  # of this sender, from 1: a message sent twice around a reconnect is recognised
    lost: int  # how many of this sender's messages before this one were given up
    topic: str
    body: msgspec.Raw


class RedisBus:
    """`run` keeps the two links (a `Supervisor` owns it); `publish` and `subscribe` work before, during and after."""

    def __init__(
        self, url: str, *, password: str | None = None, prefix: str = "rimay", outbox_size: int = _OUTBOX_SIZE
    ) -> None:
        self._url = url
        self._password = password
        self._channel = f"{prefix}:bus"
        self._local = LocalFanout()
        self._sender = new_id()
        self._number = 0
        self._outbox: deque[bytes] = deque()
        self._outbox_size = outbox_size
        self._given_up = 0
        self._filled = asyncio.Event()
        self._heard: OrderedDict[str, int] = OrderedDict()
        self._ever_connected = False
        self._listening = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def connected(self) -> bool:
        """Whether messages of other processes reach us now."""
        return self._listening.is_set()

    async def wait_connected(self) -> None:
        await self._listening.wait()

    async def wait_sent(self) -> None:
        """Until Redis has everything that was published."""
        await self._empty.wait()

    def publish(self, topic: str, body: Mapping[str, object]) -> None:
        raw = encode(topic, body)
        self._local.deliver(Message(topic, msgspec.json.decode(raw, type=dict[str, Any])))
        if len(self._outbox) >= self._outbox_size:
            self._outbox.popleft()
            self._given_up += 1
        self._number += 1
        # The count of the lost is put in when it is sent, for it may still grow.
        self._outbox.append(msgspec.json.encode(_Envelope(self._sender, self._number, 0, topic, msgspec.Raw(raw))))
        self._filled.set()
        self._empty.clear()

    def subscribe(self, pattern: str, *, queue_size: int = QUEUE_SIZE) -> Subscription:
        return self._local.subscribe(pattern, queue_size=queue_size)

    def listen(self, pattern: str, hear: Callable[[Heard], None]) -> Listener:
        return self._local.listen(pattern, hear)

    async def run(self) -> None:
        """Until cancelled; then what is in the outbox is sent if Redis takes it at once."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep("send", self._send), name="bus-send")
                group.create_task(self._keep("listen", self._listen), name="bus-listen")
        finally:
            self._listening.clear()
            await self._flush()

    async def _keep(self, what: str, work: Any) -> None:
        """Do the work on a fresh client, again after every loss of the link, with growing pauses."""
        pause = _FIRST_PAUSE_S
        failing = False
        loop = asyncio.get_running_loop()
        while True:
            client = self._client()
            began = loop.time()
            try:
                await work(client)
            except (RedisError, OSError, TimeoutError) as error:
                if loop.time() - began > _LONGEST_PAUSE_S:
                    pause, failing = _FIRST_PAUSE_S, False  # it had worked for a while
                if not failing:
                    # A wrong password will not mend itself: told louder, tried on (the operator may mend it).
                    tell = log.error if isinstance(error, AuthenticationError) else log.warning
                    tell("bus.link_lost", link=what, problem=f"{type(error).__name__}: {error}")
                    failing = True
            finally:
                await client.aclose()
            _end_if_cancelled()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _send(self, client: Redis) -> None:
        while True:
            if not self._outbox:
                self._empty.set()
                self._filled.clear()
                await self._filled.wait()
                await asyncio.sleep(_GATHER_S)
            await self._send_batch(client)
            _end_if_cancelled()

    async def _send_batch(self, client: Redis) -> None:
        """Messages leave the outbox only when Redis has them; a loss in between sends them twice, see `number`."""
        batch, lost = list(islice(self._outbox, _MAX_BATCH)), self._given_up
        frames = list(batch)
        if lost:
            first = msgspec.json.decode(frames[0], type=_Envelope)
            frames[0] = msgspec.json.encode(msgspec.structs.replace(first, lost=lost))
        await client.publish(self._channel, b"[" + b",".join(frames) + b"]")
        self._given_up -= lost
        for sent in batch:
            # While we waited, an overflow may have taken it out already.
            if self._outbox and self._outbox[0] is sent:
                self._outbox.popleft()
            else:
                self._given_up -= 1

    async def _listen(self, client: Redis) -> None:
        pubsub = client.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            loop = asyncio.get_running_loop()
            heard_at = loop.time()
            asked = False
            while True:
                message = await pubsub.get_message(timeout=_PING_EVERY_S)
                if message is not None:
                    heard_at, asked = loop.time(), False
                    self._receive(message)
                elif asked and loop.time() - heard_at > _PING_EVERY_S + _TIMEOUT_S:
                    raise TimeoutError("Redis does not answer")
                elif not asked:
                    await pubsub.ping()
                    asked = True
                _end_if_cancelled()
        finally:
            self._listening.clear()
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    def _receive(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "subscribe":
            if self._ever_connected:
                # Whatever others said while the link was down is gone.
                self._local.mark_lost(None)
                log.info("bus.link_back")
            self._ever_connected = True
            self._listening.set()
        elif message["type"] == "message":
            self._deliver(message["data"])

    def _deliver(self, raw: bytes) -> None:
        try:
            for envelope in msgspec.json.decode(raw, type=list[_Envelope]):
                self._deliver_one(envelope)
        except msgspec.DecodeError as error:
            log.warning("bus.foreign_message", problem=str(error))  # somebody else uses our channel

    def _deliver_one(self, envelope: _Envelope) -> None:
        if envelope.sender == self._sender or envelope.number <= self._heard.get(envelope.sender, 0):
            return
        body = msgspec.json.decode(envelope.body, type=dict[str, Any])
        self._heard[envelope.sender] = envelope.number
        self._heard.move_to_end(envelope.sender)
        if len(self._heard) > _SENDERS:
            self._heard.popitem(last=False)
        if envelope.lost:
            self._local.mark_lost(envelope.lost)
        self._local.deliver(Message(envelope.topic, body))

    async def _flush(self) -> None:
        if not self._outbox:
            return
        client = self._client()
        try:
            async with asyncio.timeout(_FLUSH_S):
                while self._outbox:
                    await self._send_batch(client)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus.unsent", messages=len(self._outbox), problem=type(error).__name__)
        finally:
            await client.aclose()

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url,
            password=self._password,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            # We reconnect ourselves: the library's silent one would hide the gap from subscribers.
            retry=Retry(NoBackoff(), 0),
        )


def _end_if_cancelled() -> None:
    """redis-py writes under `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that arrives together
    with the result: the task would live on, and whoever cancelled it would wait for ever."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
