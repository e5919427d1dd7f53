"""The event-socket decoder on recorded sessions cut anywhere, on hostile bytes, and in both formats."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from tests.support.esl_sessions import SESSIONS, events, from_switch, messages, records


def digest(message: Message) -> object:
    return message.event.headers() | {"": message.event.body} if isinstance(message, EventMessage) else message


def decode(*pieces: bytes) -> list[Message]:
    decoder = EslDecoder()
    return [message for piece in pieces for message in decoder.feed(piece)]


def only(data: bytes) -> Message:
    (message,) = decode(data)
    return message


def event_of(data: bytes) -> Event:
    message = only(data)
    assert isinstance(message, EventMessage)
    return message.event


def framed(kind: str, body: bytes) -> bytes:
    return f"Content-Length: {len(body)}\nContent-Type: {kind}\n\n".encode() + body


def plain(*lines: bytes, body: bytes = b"") -> bytes:
    return framed("text/event-plain", b"\n".join((b"Event-Name: TEST", *lines)) + b"\n\n" + body)


# --- recorded sessions


@pytest.mark.parametrize("name", SESSIONS)
def test_each_recorded_message_is_one_message(name: str) -> None:
    sent = [record for record in records(name) if record.from_switch]
    assert len(messages(name)) == len(sent)
    assert not any(isinstance(message, BadMessage) for message in messages(name))
    for record in sent:
        assert len(decode(record.data)) == 1


@pytest.mark.parametrize("name", SESSIONS)
def test_split_at_every_byte(name: str) -> None:
    """Byte by byte is every split at once; two pieces at each boundary of the first messages is the rest."""
    stream = from_switch(name)
    whole = [digest(message) for message in messages(name)]
    assert [digest(message) for message in decode(*(stream[i : i + 1] for i in range(len(stream))))] == whole
    head = stream[:6000]
    expected = [digest(message) for message in decode(head)]
    for at in range(len(head)):
        assert [digest(message) for message in decode(head[:at], head[at:])] == expected


@settings(deadline=None, max_examples=60)
@given(name=st.sampled_from(SESSIONS), cuts=st.lists(st.integers(0, 200_000), max_size=60))
def test_split_anywhere(name: str, cuts: list[int]) -> None:
    stream = from_switch(name)
    places = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert [digest(message) for message in decode(*pieces)] == [digest(message) for message in messages(name)]


def test_plain_and_json_tell_the_same_story() -> None:
    """Two runs of one scenario: other ids and times, but the same kinds of events with the same kinds of values."""

    def story(name: str) -> dict[str, set[str]]:
        kinds: dict[str, set[str]] = {}
        for event in events(name):
            kinds.setdefault(event.name, set()).update(
                n for n in event.names() if n.startswith(("Caller-", "Channel-"))
            )
        return kinds

    in_json, in_plain = story("inbound.json"), story("inbound.plain")
    assert set(in_json) <= set(in_plain)
    for kind in set(in_json) - {"CUSTOM"}:
        assert in_json[kind] <= in_plain[kind] | in_json["CHANNEL_PARK"]
    history = [
        event.all("variable_transfer_history") for name in ("inbound.json", "inbound.plain") for event in events(name)
    ]
    assert any(len(entries) > 1 for entries in history)


NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_-]{0,20}\Z").filter(lambda n: n not in ("Event-Name", "Content-Length"))
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda v: not v.startswith("ARRAY::"))


@given(headers=st.dictionaries(NAMES, VALUES, max_size=8), body=st.text(st.characters(codec="ascii"), max_size=50))
@example(headers={"Caller-Name": "x\nEvent-Name: CHANNEL_HANGUP\n\n"}, body="+OK\n\n")
def test_plain_and_json_agree(headers: dict[str, str], body: str) -> None:
    in_json = event_of(framed("text/event-json", json.dumps({"Event-Name": "TEST", **headers, "_body": body}).encode()))
    lines = [f"{name}: {quote(value, safe='')}".encode() for name, value in headers.items()]
    in_plain = event_of(plain(*lines, f"Content-Length: {len(body)}".encode(), body=body.encode()))
    assert in_plain.headers() == in_json.headers()
    assert in_plain.body == in_json.body == body


def test_a_repeated_header_is_a_list_in_every_spelling() -> None:
    in_json = event_of(framed("text/event-json", b'{"Event-Name":"TEST","a":["1","2"],"b":"3"}'))
    repeated = event_of(plain(b"a: 1", b"a: 2", b"b: 3"))
    array = event_of(plain(b"a: ARRAY%3A%3A1%7C%3A2", b"b: 3"))
    for event in (in_json, repeated, array):
        assert event.all("a") == ["1", "2"]
        assert event.get("a") == "2"
        assert event.all("b") == ["3"]
        assert event.all("c") == []
        assert event.get("c", "none") == "none"


# --- kinds of messages


def test_kinds() -> None:
    assert only(b"Content-Type: auth/request\n\n") == AuthRequest()
    assert only(framed("api/response", b"+OK 1\n")) == ApiResponse("+OK 1\n")
    assert only(framed("text/disconnect-notice", b"Disconnected, goodbye.\nSee you\n")) == Disconnected(
        "Disconnected, goodbye."
    )
    assert only(framed("text/rude-rejection", b"Access Denied, go away.\n")) == Rejected("Access Denied, go away.")
    reply = only(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
    assert isinstance(reply, CommandReply)
    assert not reply.ok


def test_a_reply_that_holds_an_event_is_a_reply() -> None:
    """The answer to an outbound `connect`."""
    replies = [message for message in messages("outbound.plain") if isinstance(message, CommandReply)]
    assert any(reply.headers.get("Event-Name") == "CHANNEL_DATA" for reply in replies)


def test_empty_lines_between_messages_say_nothing() -> None:
    assert decode(b"\n\n\nContent-Type: auth/request\n\n\n\n", framed("api/response", b"x")) == [
        AuthRequest(),
        ApiResponse("x"),
    ]


# --- hostile


def test_a_callers_name_injects_nothing() -> None:
    event = event_of(plain(b"Caller-Name: a%0AEvent-Name%3A%20CHANNEL_HANGUP%0A%0A", b"Unique-ID: u"))
    assert event.name == "TEST"
    assert event.get("Caller-Name") == "a\nEvent-Name: CHANNEL_HANGUP\n\n"
    assert event.channel == "u"


def test_undecodable_bytes_do_not_stop_anything() -> None:
    event = event_of(plain(b"a: \xff%FE%zz%", b"b\xff: 1"))
    assert event.get("a") == "��%zz%"
    assert event.get("b�") == "1"
    assert event_of(framed("text/event-json", b'{"Event-Name":"TEST","a":"\xff"}')).get("a") == "�"


@pytest.mark.parametrize(
    "bad",
    [
        framed("text/event-json", b"{"),
        framed("text/event-json", b"[1]"),
        framed("text/event-json", b'{"a":"1"}'),
        framed("text/event-json", b"[" * 20_000),
        framed("text/event-plain", b"nothing here"),
        framed("no/such-type", b"12345"),
        b"Content-Length: -7\nContent-Type: api/response\n\n",
        b"Content-Length: +7\nContent-Type: api/response\n\n",
        b"Content-Length: \xd9\xa7\nContent-Type: api/response\n\n",
        b"Content-Length: 99999999999999999999\nContent-Type: api/response\n\n",
        b"no colon at all\n\n",
        b"\x00\x01\x02\n\n",
    ],
)
def test_one_bad_message_never_kills_the_reader(bad: bytes) -> None:
    first, second = decode(bad + framed("api/response", b"fine"))
    assert isinstance(first, BadMessage)
    assert second == ApiResponse("fine")


def test_numbers_and_nested_values_become_text() -> None:
    event = event_of(framed("text/event-json", b'{"Event-Name":"TEST","a":1,"b":null,"c":{"d":[]},"e":[1,"x"]}'))
    assert (event.get("a"), event.get("b"), event.get("c"), event.all("e")) == ("1", "null", '{"d": []}', ["1", "x"])
    assert event.sequence == 0
    assert event.at is None


def test_a_body_too_large_is_skipped_without_being_kept() -> None:
    decoder = EslDecoder(max_body=1000)
    assert list(decoder.feed(b"Content-Length: 1000000\nContent-Type: api/response\n\n")) == [
        BadMessage("body too large", 1_000_000)
    ]
    for _ in range(1000):
        assert list(decoder.feed(b"x" * 1000)) == []
        assert decoder.buffered <= 1000
    assert list(decoder.feed(framed("api/response", b"fine"))) == [ApiResponse("fine")]


def test_a_head_without_end_is_dropped_and_the_next_message_found() -> None:
    decoder = EslDecoder(max_head=500)
    found = []
    for _ in range(100):
        found += list(decoder.feed(b"y" * 400))
        assert decoder.buffered <= 1000
    assert [type(message) for message in found] == [BadMessage]
    assert list(decoder.feed(b"\n")) == []
    assert list(decoder.feed(b"\n" + framed("api/response", b"fine"))) == [ApiResponse("fine")]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_any_bytes_at_all(pieces: list[bytes]) -> None:
    decode(*pieces)


@settings(deadline=None, max_examples=100)
@given(at=st.integers(0, 20_000), junk=st.binary(min_size=1, max_size=20))
def test_corruption_in_mid_stream_is_survived(at: int, junk: bytes) -> None:
    """Whatever it destroys, a message of later is read, once the decoder is not inside a body that eats it."""
    stream = from_switch("errors.json")[:20_000]
    decoder = EslDecoder(max_body=50_000)
    for _ in decoder.feed(stream[:at] + junk + stream[at:]):
        pass
    marker = framed("api/response", b"still here")
    found = [message for _ in range(1000) for message in decoder.feed(b"\n\n" + marker)]
    assert ApiResponse("still here") in found


def test_a_representation_holds_nothing_personal() -> None:
    event = event_of(plain(b"Caller-Caller-ID-Number: 0991234567", b"Unique-ID: u-1"))
    assert "0991234567" not in repr(event)
