"""Recorded event-socket sessions: what went over the wire, in both directions, as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pbx.freeswitch.codec import EslDecoder, Event, EventMessage, Message

FOLDER = Path(__file__).parent.parent / "data" / "freeswitch"
SESSIONS = ("inbound.json", "inbound.plain", "outbound.plain", "errors.json")


@dataclass(frozen=True, slots=True)
class Record:
    from_switch: bool
    at: float
    data: bytes


def records(name: str) -> list[Record]:
    return list(_parse((FOLDER / f"{name}.esl").read_bytes()))


def _parse(raw: bytes) -> Iterator[Record]:
    """`>>>` or `<<<`, seconds, size, a line feed, that many bytes, a line feed."""
    at = 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        direction, when, size = raw[at:end].split()
        data = raw[end + 1 : end + 1 + int(size)]
        assert len(data) == int(size)
        yield Record(direction == b"<<<", float(when), data)
        at = end + 2 + int(size)


def from_switch(name: str) -> bytes:
    return b"".join(record.data for record in records(name) if record.from_switch)


def messages(name: str) -> list[Message]:
    return list(EslDecoder().feed(from_switch(name)))


def events(name: str) -> list[Event]:
    return [message.event for message in messages(name) if isinstance(message, EventMessage)]
