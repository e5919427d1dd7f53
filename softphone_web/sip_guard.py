"""What may pass a page's SIP socket: whole messages of its own name, not too many, not too large. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sipmessage import Request

from pbx.sip.message import BadMessage, parse

LARGEST = 65_535
# A page registers, calls, and asks again once a minute; a call's beginning is some ten messages.
A_SECOND = 20
BURST = 80
_KEEP_ALIVE = (b"\r\n\r\n", b"\r\n", b"")  # RFC 5626


@dataclass(frozen=True, slots=True)
class Seen:
    """`refusal` is why the page's socket is to be closed; empty for a message that passes."""

    refusal: str = ""
    ends_call: bool = False


class SipGuard:
    """Of one socket. `username` is the name that was minted for it."""

    def __init__(self, username: str, at: float) -> None:
        self._username = username
        self._tokens, self._at = float(BURST), at

    def from_page(self, data: bytes, at: float) -> Seen:
        gained = max(0.0, at - self._at) * A_SECOND
        self._tokens, self._at = min(float(BURST), self._tokens + gained) - 1, at
        if self._tokens < 0:
            return Seen("too many messages")
        if len(data) > LARGEST:
            return Seen("a message is too large")
        if data in _KEEP_ALIVE:
            return Seen()
        try:
            message = parse(data)
            if not isinstance(message, Request):
                return Seen()
            return self._request(message)
        except (BadMessage, ValueError, KeyError, TypeError):
            return Seen("not SIP")

    def _request(self, message: Request) -> Seen:
        names = [message.from_address.uri.user]
        for header in ("Authorization", "Proxy-Authorization"):
            if len(message.headers.getlist(header)) > 1:
                return Seen("more than one authorization")
        given = (message.authorization, message.proxy_authorization)
        names.extend(one.parameters.get("username") if one.parameters else None for one in given if one)
        if message.method == "REGISTER":
            names.append(message.to_address.uri.user)
        if any(name != self._username for name in names):
            return Seen("another name than the one that was given")
        return Seen(ends_call=message.method == "BYE")

    @staticmethod
    def ends_call(data: bytes) -> bool:
        """Of a message to the page: the other side hung up, or its call was refused for good."""
        if data.startswith(b"BYE "):
            return True
        status = data[8:11]
        if not data.startswith(b"SIP/2.0 ") or not status.isdigit() or int(status) < 300 or int(status) in (401, 407):
            return False
        return b"INVITE" in data.partition(b"\r\n\r\n")[0].partition(b"CSeq:")[2].split(b"\r\n")[0]
