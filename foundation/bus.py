"""The bus: what happens now, told to whoever looks now. Nothing is kept; the truth is in PostgreSQL.

Topics are dotted (``interaction.<id>.answered``). In a pattern ``*`` stands for one part and ``**``, at the end, for
any number of parts. `publish` returns at once and never fails for want of a network: a call must not wait for a
dashboard. A subscriber that cannot keep up loses the oldest messages and is told so by `Lost`; it then reads the truth
anew."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeAlias

import msgspec

from foundation.errors import Invalid

# A page that is 1,000 messages behind will not catch up by reading them.
QUEUE_SIZE = 1000

_PART = r"[A-Za-z0-9_:@+-]+"
_TOPIC = re.compile(rf"{_PART}(\.{_PART})*")
_PATTERN = re.compile(rf"(\*\*|({_PART}|\*)(\.({_PART}|\*))*(\.\*\*)?)")


class BadMessage(Invalid):
    """The topic or the message cannot be sent: a mistake in the program."""

    code: ClassVar[str] = "bus.bad_message"


@dataclass(frozen=True, slots=True)
class Message:
    """`body` is plain JSON, as it would arrive over the network, also when it did not travel."""

    topic: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages are missing here. `count` is None when nobody knows how many (the link was down)."""

    count: int | None


Heard: TypeAlias = Message | Lost


class Bus(Protocol):
    def publish(self, topic: str, body: Mapping[str, object]) -> None:
        """Hand over and return; `BadMessage` when it cannot be JSON."""
        ...

    def subscribe(self, pattern: str, *, queue_size: int = QUEUE_SIZE) -> Subscription:
        """Everything published from now on that fits. Close it, or use it as an async context manager."""
        ...

    def listen(self, pattern: str, hear: Callable[[Heard], None]) -> Listener:
        """As `subscribe`, for who has nothing to wait for: `hear` is called with each at once, by the publisher in the
        same process. It must neither wait nor publish. What it raises ends the listening and is told to whoever waits
        for `Listener.over`; the publisher does not notice."""
        ...


class Subscription:
    """Async iterator over `Message` and `Lost`; ends when it is closed, after what is queued."""

    def __init__(self, pattern: str, queue_size: int, owner: LocalFanout) -> None:
        self._fits = _compile(pattern).fullmatch
        self._owner = owner
        self._queue: deque[Heard] = deque()
        self._size = queue_size
        self._dropped: Lost | None = None  # from the front of the queue
        self._closed = False
        self._wake = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[Heard]:
        return self

    async def __anext__(self) -> Heard:
        while True:
            if self._dropped is not None:
                dropped, self._dropped = self._dropped, None
                return dropped
            if self._queue:
                return self._queue.popleft()
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closed = True
        self._owner.forget(self)
        self._wake.set()

    def offer(self, message: Message) -> None:
        if self._fits(message.topic):
            self._put(message)

    def mark_lost(self, count: int | None) -> None:
        """A gap in what reached us, at this point of the stream."""
        if self._queue and isinstance(self._queue[-1], Lost):
            self._queue[-1] = _sum(self._queue[-1], Lost(count))
        else:
            self._put(Lost(count))

    def _put(self, heard: Heard) -> None:
        if len(self._queue) >= self._size:
            oldest = self._queue.popleft()
            gap = oldest if isinstance(oldest, Lost) else Lost(1)
            self._dropped = gap if self._dropped is None else _sum(self._dropped, gap)
        self._queue.append(heard)
        self._wake.set()


class Listener:
    """Until it is closed; a context manager."""

    def __init__(self, pattern: str, hear: Callable[[Heard], None], owner: LocalFanout) -> None:
        self._fits = _compile(pattern).fullmatch
        self._hear = hear
        self._owner = owner
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def over(self) -> None:
        """Until it is closed. Raises what `hear` raised."""
        await asyncio.shield(self._over)

    def close(self) -> None:
        self._owner.forget(self)
        if not self._over.done():
            self._over.set_result(None)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def offer(self, message: Message) -> None:
        if self._fits(message.topic):
            self._tell(message)

    def mark_lost(self, count: int | None) -> None:
        self._tell(Lost(count))

    def _tell(self, heard: Heard) -> None:
        try:
            self._hear(heard)
        except Exception as error:  # noqa: BLE001 - raised by `over`
            self._owner.forget(self)
            if not self._over.done():
                self._over.set_exception(error)


def _sum(a: Lost, b: Lost) -> Lost:
    return Lost(None if a.count is None or b.count is None else a.count + b.count)


class LocalFanout:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._ears: dict[Subscription | Listener, None] = {}  # in the order in which they came

    def subscribe(self, pattern: str, *, queue_size: int = QUEUE_SIZE) -> Subscription:
        subscription = Subscription(pattern, queue_size, self)
        self._ears[subscription] = None
        return subscription

    def listen(self, pattern: str, hear: Callable[[Heard], None]) -> Listener:
        listener = Listener(pattern, hear, self)
        self._ears[listener] = None
        return listener

    def forget(self, ear: Subscription | Listener) -> None:
        self._ears.pop(ear, None)

    def deliver(self, message: Message) -> None:
        for ear in tuple(self._ears):
            ear.offer(message)

    def mark_lost(self, count: int | None) -> None:
        for ear in tuple(self._ears):
            ear.mark_lost(count)


class MemoryBus:
    """The twin: one process, no network; messages take the same JSON form."""

    def __init__(self) -> None:
        self._local = LocalFanout()

    def publish(self, topic: str, body: Mapping[str, object]) -> None:
        self._local.deliver(Message(topic, decode(encode(topic, body))))

    def subscribe(self, pattern: str, *, queue_size: int = QUEUE_SIZE) -> Subscription:
        return self._local.subscribe(pattern, queue_size=queue_size)

    def listen(self, pattern: str, hear: Callable[[Heard], None]) -> Listener:
        return self._local.listen(pattern, hear)


def encode(topic: str, body: Mapping[str, object]) -> bytes:
    if not _TOPIC.fullmatch(topic):
        raise BadMessage("a topic is dotted words", topic=topic)
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadMessage(f"a message must be plain JSON: {error}", topic=topic) from error


def decode(raw: bytes) -> Mapping[str, Any]:
    return msgspec.json.decode(raw, type=dict[str, Any])


def _compile(pattern: str) -> re.Pattern[str]:
    if not _PATTERN.fullmatch(pattern):
        raise BadMessage("a pattern is dotted words, '*' for one of them, '**' at the end for the rest", topic=pattern)
    if pattern == "**":
        return re.compile(".+")
    rest = pattern.endswith(".**")
    words = pattern.removesuffix(".**").split(".")
    regex = r"\.".join(_PART if word == "*" else re.escape(word) for word in words)
    return re.compile(regex + (r"(\..+)?" if rest else ""))
