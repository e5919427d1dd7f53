"""SIP messages: the `sipmessage` library for messages and headers, and here what a user agent needs around it.

The library parses and renders well, but it is strict where the field is not: it takes no folded headers and no space
before a colon, and it breaks a header's error (`ValueError`, `KeyError`) over whoever first reads the header. `parse`
mends the first two and checks every mandatory header once, so that the code behind it need not. Digest challenges are
parsed in `digest`: the library splits ``qop="auth,auth-int"`` at the comma.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sipmessage import URI, Address, CSeq, Message, Request, Response, Via

from foundation.errors import RimayError

HostPort: TypeAlias = tuple[str, int]

MAX_MESSAGE = 65_535  # a stream that announces more is not SIP (RFC 3261 sets no bound; UDP does)
USER_AGENT = "Rimay"
REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}

_FOLD = re.compile(rb"\r\n[ \t]+")
_SPACE_BEFORE_COLON = re.compile(rb"(?m)^([A-Za-z0-9_.!%*+`'~-]+)[ \t]+:")
_CONTENT_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*\r?$")


class BadMessage(RimayError):
    """Bytes that are not a SIP message; they are dropped, never answered blindly."""

    code = "sip.bad_message"
    is_permanent = True


def parse(data: bytes) -> Request | Response:
    """One whole message. Raises `BadMessage` unless every header that routing and matching need is there and valid."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise BadMessage("no empty line ends the headers")
    head = _SPACE_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", head))
    try:
        message = Message.parse(head + b"\r\n\r\n" + body)
        if not message.via or not message.call_id:
            raise BadMessage("no Via or Call-ID")
        cseq = message.cseq
        _ = message.from_address, message.to_address, message.contact
        length = message.content_length
    except (ValueError, KeyError, TypeError) as error:
        raise BadMessage(f"not a SIP message: {error}") from error
    if isinstance(message, Request) and cseq.method != message.method:
        raise BadMessage("CSeq names another method")
    if length is not None:
        if length > len(message.body):
            raise BadMessage("the body is shorter than Content-Length")
        message.body = message.body[:length]
    return message


class StreamFramer:
    """Cuts a TCP stream into messages by Content-Length; `feed` raises `BadMessage` when it cannot frame."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")  # keep-alives between messages
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MAX_MESSAGE:
                    raise BadMessage("headers without end")
                return
            found = _CONTENT_LENGTH.search(self._buffer[:end])
            if found is None:
                raise BadMessage("a message without Content-Length in a stream")
            total = end + 4 + int(found[1])
            if total > MAX_MESSAGE:
                raise BadMessage("a message longer than any we take")
            if len(self._buffer) < total:
                return
            message, self._buffer = self._buffer[:total], self._buffer[total:]
            yield message


def token(length: int = 8) -> str:
    return secrets.token_hex(length)


def branch() -> str:
    return "z9hG4bK" + token(8)


def make_request(
    method: str,
    uri: str,
    *,
    local: str,
    remote: str,
    call_id: str,
    cseq: int,
    via: Via,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    content_type: str = "",
) -> Request:
    given = (local, remote, content_type, *(headers or {}), *(headers or {}).values())
    if any("\r" in text or "\n" in text for text in given):
        raise ValueError("a header must not hold a line break")  # it would smuggle in another header
    request = Request(method=method, uri=URI.parse(uri), body=body)
    request.via = [via]
    request.headers.set("Max-Forwards", "70")
    request.headers.set("From", local)
    request.headers.set("To", remote)
    request.call_id = call_id
    request.cseq = CSeq(sequence=cseq, method=method)
    request.headers.set("User-Agent", USER_AGENT)
    for name, value in (headers or {}).items():
        request.headers.add(name, value)
    if body:
        request.headers.set("Content-Type", content_type)
    request.content_length = len(body)
    return request


def make_response(
    request: Request,
    code: int,
    *,
    reason: str = "",
    to_tag: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    content_type: str = "",
) -> Response:
    response = Response(code=code, phrase=reason or REASONS.get(code, "Unknown"), body=body)
    for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
        values = request.headers.getlist(name)
        if values and (name != "Record-Route" or code < 300):
            response.headers.setlist(name, list(values))
    if to_tag and tag_of(request.headers["To"]) is None:
        response.headers.set("To", f"{request.headers['To']};tag={to_tag}")
    response.headers.set("User-Agent", USER_AGENT)
    for name, value in (headers or {}).items():
        response.headers.set(name, value)
    if body:
        response.headers.set("Content-Type", content_type)
    response.content_length = len(body)
    return response


def tag_of(address: str) -> str | None:
    return Address.parse(address).parameters.get("tag")


def branch_of(message: Request | Response) -> str:
    return message.via[0].parameters.get("branch") or ""


def q850_of(message: Request | Response) -> int | None:
    """The number in ``Reason: Q.850;cause=17``, when there is one."""
    for value in message.headers.getlist("Reason"):
        found = re.search(r"Q\.850\s*;.*?cause=(\d+)", value, re.IGNORECASE)
        if found:
            return int(found[1])
    return None
