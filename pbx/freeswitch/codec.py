"""FreeSWITCH's event socket as bytes: a sans-IO decoder. Bytes in, typed messages out; no socket, no clock, no loop.

Theory of operation
-------------------
A message is a block of ``Name: value`` lines, an empty line, and as many bytes of body as its Content-Length says.
Everything is found by bytes: lines are split *before* any percent-decoding, so that a caller who writes ``%0A`` into a
name cannot add a header. What cannot be read becomes a `BadMessage` and the decoder goes on with the next message; a
message beyond the limits is skipped without being kept, so that memory stays bounded whatever the other side sends.

The kind of a message is its Content-Type alone. (The reply to an outbound ``connect`` contains an Event-Name, too.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

# The longest block of headers met in the wild is 200 bytes; event bodies of calls are 2 to 20 kB.
MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024
# `show channels as json` of some thousand channels is the largest legitimate body.

HeaderValue: TypeAlias = str | list[str]


class Event:
    """One switch event. Values of plain events are percent-decoded when first asked for: most never are."""

    __slots__ = ("_lazy", "_values", "body")

    def __init__(self, values: dict[str, HeaderValue], body: str = "", lazy: dict[str, bytes] | None = None) -> None:
        self._values = values
        self._lazy = lazy if lazy is not None else {}
        self.body = body

    @property
    def name(self) -> str:
        return self.get("Event-Name")

    @property
    def subclass(self) -> str:
        return self.get("Event-Subclass")

    @property
    def channel(self) -> str:
        return self.get("Unique-ID")

    @property
    def sequence(self) -> int:
        text = self.get("Event-Sequence")
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def at(self) -> float | None:
        """Unix seconds at which the switch made it."""
        text = self.get("Event-Date-Timestamp")
        return int(text) / 1e6 if text.isascii() and text.isdigit() else None

    def get(self, name: str, default: str = "") -> str:
        """The value; the last one of a header that repeats."""
        value = self._value(name)
        if value is None:
            return default
        return value if isinstance(value, str) else (value[-1] if value else default)

    def all(self, name: str) -> list[str]:
        value = self._value(name)
        if value is None:
            return []
        return [value] if isinstance(value, str) else list(value)

    def variable(self, name: str) -> str:
        return self.get(f"variable_{name}")

    def names(self) -> list[str]:
        return [*self._values, *self._lazy]

    def headers(self) -> dict[str, HeaderValue]:
        """All of them, decoded: for tests and for snapshots, not for the hot path."""
        for name in list(self._lazy):
            self._value(name)
        return dict(self._values)

    def _value(self, name: str) -> HeaderValue | None:
        raw = self._lazy.pop(name, None)
        if raw is not None:
            self._values[name] = _decode_plain(raw)
        return self._values.get(name)

    def __repr__(self) -> str:
        # No values: they hold telephone numbers and names.
        return f"<Event {self.name} #{self.sequence} {self.channel}>"


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """The switch asks for the password; the first message of every connection that it accepts."""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The reply to anything but `api`, in the order in which commands were sent."""

    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return self.text.startswith("+OK")


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """The reply to `api`, in the same order as the others."""

    body: str

    @property
    def ok(self) -> bool:
        return not self.body.startswith("-")


@dataclass(frozen=True, slots=True)
class EventMessage:
    event: Event


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The switch says good-bye; the connection closes behind it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Our address is not on the switch's list."""

    reason: str


@dataclass(frozen=True, slots=True)
class LogLine:
    text: str


@dataclass(frozen=True, slots=True)
class BadMessage:
    """Something unreadable was skipped. Holds no content: it may be personal data."""

    reason: str
    size: int


Message: TypeAlias = (
    AuthRequest | CommandReply | ApiResponse | EventMessage | Disconnected | Rejected | LogLine | BadMessage
)


class EslDecoder:
    """Feed it bytes as they come, split anywhere; it yields the messages that became complete."""

    def __init__(self, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._searched = 0  # how much of the buffer is known to hold no end of a head
        self._head: dict[str, str] | None = None
        self._need = 0
        self._skip = 0  # bytes of a body too large to keep
        self._resync = False  # inside a head too large to keep: dropping until its end

    def feed(self, data: bytes) -> Iterator[Message]:
        self._buffer += data
        while (message := self._next()) is not None:
            yield message

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def _next(self) -> Message | None:
        while True:
            if self._skip:
                self._drop_skipped()
                if self._skip:
                    return None
            if self._head is None:
                head = self._take_head()
                if head is None:
                    return None
                if isinstance(head, BadMessage):
                    return head
                problem = self._expect(head)
                if problem:
                    return problem
            if len(self._buffer) < self._need:
                return None
            head, self._head = self._head or {}, None
            body = bytes(self._buffer[: self._need])
            del self._buffer[: self._need]
            self._searched = 0
            try:
                return _message(head, body)
            except (ValueError, RecursionError) as error:
                return BadMessage(f"{head.get('Content-Type', 'no type')}: {type(error).__name__}", len(body))

    def _drop_skipped(self) -> None:
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped
        self._searched = 0

    def _take_head(self) -> dict[str, str] | BadMessage | None:
        buffer = self._buffer
        if not self._searched:
            blank = len(buffer) - len(buffer.lstrip(b"\r\n"))
            del buffer[:blank]  # empty lines between messages say nothing
        end = buffer.find(b"\n\n", max(0, self._searched - 1))
        if end < 0:
            if len(buffer) <= self._max_head:
                self._searched = len(buffer)
                return None
            size = len(buffer)
            del buffer[:-1]  # the last byte may be the first half of the end we look for
            self._searched = len(buffer)
            if self._resync:
                return None
            self._resync = True
            return BadMessage("head too large", size)
        raw = bytes(buffer[:end])
        del buffer[: end + 2]
        self._searched = 0
        if self._resync:
            self._resync = False
            return self._take_head()
        if len(raw) > self._max_head:
            return BadMessage("head too large", len(raw))
        return _parse_head(raw)

    def _expect(self, head: dict[str, str]) -> BadMessage | None:
        """Take the head in and learn how long the body is; or say why not."""
        text = head.get("Content-Length", "0")
        # Not int(): it also takes "+5", " 5", "1_0" and other scripts' digits.
        if not (text.isascii() and text.isdigit()) or len(text) > 12:
            return BadMessage("bad Content-Length", 0)
        size = int(text)
        if size > self._max_body:
            self._skip = size
            return BadMessage("body too large", size)
        self._head, self._need = head, size
        return None


def _parse_head(raw: bytes) -> dict[str, str]:
    head: dict[str, str] = {}
    for line in raw.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            head[name.strip().decode("utf-8", "replace")] = value.strip().decode("utf-8", "replace")
    return head


def _message(head: dict[str, str], body: bytes) -> Message:
    kind = head.get("Content-Type", "")
    if kind == "text/event-json":
        return EventMessage(_json_event(body))
    if kind == "text/event-plain":
        return EventMessage(_plain_event(body))
    if kind == "command/reply":
        return CommandReply(head.get("Reply-Text", ""), head)
    text = body.decode("utf-8", "replace")
    if kind == "api/response":
        return ApiResponse(text)
    if kind == "auth/request":
        return AuthRequest()
    if kind == "text/disconnect-notice":
        return Disconnected(text.strip().partition("\n")[0])
    if kind == "text/rude-rejection":
        return Rejected(text.strip())
    if kind == "log/data":
        return LogLine(text)
    return BadMessage(f"unknown Content-Type, {len(head)} headers", len(body))


def _json_event(body: bytes) -> Event:
    data = json.loads(body.decode("utf-8", "replace"))
    if not isinstance(data, dict):
        raise ValueError("an event is an object")  # noqa: TRY004 -- what the sender did, not a caller's mistake
    values: dict[str, HeaderValue] = {}
    for name, value in data.items():
        if isinstance(value, list):
            values[name] = [item if isinstance(item, str) else json.dumps(item) for item in value]
        else:
            values[name] = value if isinstance(value, str) else json.dumps(value)
    if not values.get("Event-Name"):
        raise ValueError("an event has a name")
    text = values.pop("_body", "")
    values.pop("Content-Length", None)
    return Event(values, text if isinstance(text, str) else "\n".join(text))


def _plain_event(body: bytes) -> Event:
    head, _, rest = body.partition(b"\n\n")
    lazy: dict[str, bytes] = {}
    values: dict[str, HeaderValue] = {}
    for line in head.split(b"\n"):
        name_raw, colon, value = line.partition(b": ")
        if not colon:
            continue
        name = name_raw.decode("utf-8", "replace")
        if name in lazy:  # repeated: rare, so decoded at once
            values[name] = [_one(lazy.pop(name)), _one(value)]
        elif isinstance(earlier := values.get(name), list):
            earlier.append(_one(value))
        else:
            lazy[name] = value
    if not lazy.get("Event-Name"):
        raise ValueError("an event has a name")
    length = lazy.pop("Content-Length", b"")
    if length.isdigit():
        rest = rest[: int(length)]
    return Event(values, rest.decode("utf-8", "replace"), lazy)


def _one(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def _decode_plain(raw: bytes) -> HeaderValue:
    text = _one(raw)
    # How FreeSWITCH writes a list where it has no other means.
    return text.removeprefix("ARRAY::").split("|:") if text.startswith("ARRAY::") else text
