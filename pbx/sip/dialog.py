"""A dialog's memory (RFC 3261 section 12): tags, sequence numbers, where requests go. Makes messages, sends none."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from sipmessage import URI, Address, Request, Response, Via

from pbx.sip.message import BadMessage, HostPort, make_request, tag_of


@dataclass(slots=True)
class Dialog:
    call_id: str
    local: str  # our From, with our tag
    remote: str  # the peer's address, with its tag
    target: str  # the peer's Contact
    routes: tuple[str, ...]
    cseq: int
    peer: HostPort  # where its messages come from

    @classmethod
    def of_response(cls, request: Request, response: Response, source: HostPort) -> Self:
        """The one that a 2xx to our INVITE opens."""
        if not response.contact:
            raise BadMessage("a 2xx to an INVITE without Contact")
        return cls(
            call_id=request.call_id,
            local=request.headers["From"],
            remote=response.headers["To"],
            target=str(response.contact[0].uri),
            routes=tuple(reversed([str(route) for route in response.record_route])),
            cseq=request.cseq.sequence,
            peer=source,
        )

    @classmethod
    def of_request(cls, request: Request, local_tag: str, source: HostPort) -> Self:
        """The one that the peer's INVITE opens."""
        if not request.contact:
            raise BadMessage("an INVITE without Contact")
        return cls(
            call_id=request.call_id,
            local=f"{request.headers['To']};tag={local_tag}",
            remote=request.headers["From"],
            target=str(request.contact[0].uri),
            routes=tuple(str(route) for route in request.record_route),
            cseq=0,
            peer=source,
        )

    @property
    def local_tag(self) -> str:
        return tag_of(self.local) or ""

    @property
    def remote_tag(self) -> str:
        return tag_of(self.remote) or ""

    @property
    def replaces(self) -> str:
        """The dialog as its *peer* names it, escaped for the headers part of a URI (RFC 3891)."""
        return quote(f"{self.call_id};to-tag={self.remote_tag};from-tag={self.local_tag}", safe="")

    def refresh_target(self, message: Request | Response) -> None:
        if message.contact:
            self.target = str(message.contact[0].uri)

    def request(
        self, method: str, via: Via, *, headers: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Request:
        self.cseq += 1
        return self._make(method, self.cseq, via, headers, body, content_type)

    def ack(self, cseq: int, via: Via, headers: Mapping[str, str]) -> Request:
        return self._make("ACK", cseq, via, headers, b"", "")

    @property
    def next_hop(self) -> HostPort:
        """The first route, else the Contact; where that is no address (a name, a browser's .invalid), the source."""
        uri = Address.parse(self.routes[0]).uri if self.routes else URI.parse(self.target)
        host, port = uri.host, uri.port or 5060
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return self.peer
        return host, port

    def _make(
        self, method: str, cseq: int, via: Via, headers: Mapping[str, str], body: bytes, content_type: str
    ) -> Request:
        request = make_request(
            method,
            self.target,
            local=self.local,
            remote=self.remote,
            call_id=self.call_id,
            cseq=cseq,
            via=via,
            headers=headers,
            body=body,
            content_type=content_type,
        )
        if self.routes:
            request.headers.setlist("Route", list(self.routes))
        return request
