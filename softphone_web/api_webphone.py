"""The citizen's phone in a web page: one call to the contact centre, for anybody, within limits."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from foundation.errors import Unauthenticated
from softphone_web.call import Call
from softphone_web.client import client_address
from softphone_web.permissions import Open
from softphone_web.routes import Model, Routes
from softphone_web.schemas import at
from softphone_web.sip_proxy import PROTOCOL, carry

routes = Routes("/api/v1", tag="webphone")

SOCKET = "/api/v1/webphone/socket"
_TICKET = "ticket."


class WebPhoneOut(Model):
    uri: str
    username: str
    password: str
    domain: str
    socket: str
    ticket: str
    call: str
    expires_at: datetime
    max_s: float
    ice_servers: list[str]


@routes.get("/webphone", Open.PUBLIC, raises=(404, 429, 503))
async def get_may_call(call: Call) -> None:
    """Whether a call can begin now, before somebody is asked for a microphone.

    Refused as `POST /webphone` would be, with the same codes; takes no line and counts for no limit.
    """
    call.deps.webphones.may_call(client_address(call.request, call.deps.settings))


@routes.post("/webphone", Open.PUBLIC, status=201, raises=(404, 429, 503))
async def mint_webphone(call: Call) -> WebPhoneOut:
    """Credentials for one call to `call`, and nothing else.

    So many an address and in all. 404 `webphone.not_offered`: the operator offers none. 429 says when to come back:
    `webphone.lines_busy` to anybody, `webphone.too_many_calls` to this address. The socket takes the subprotocols
    `sip` and `ticket.<ticket>`; the ticket is good once, within a minute.
    """
    line = await call.deps.webphones.mint(client_address(call.request, call.deps.settings))
    minted = line.minted
    return WebPhoneOut(
        uri=f"sip:{minted.endpoint}@{minted.domain}",
        username=minted.endpoint,
        password=minted.password,
        domain=minted.domain,
        socket=SOCKET,
        ticket=line.ticket,
        call=f"sip:{minted.calls}@{minted.domain}",
        expires_at=at(minted.expires_at),
        max_s=line.max_s,
        ice_servers=[],
    )


@routes.get("/webphone/socket", Open.PUBLIC, status=101, produces="websocket", raises=(400, 401, 503))
async def open_webphone_socket(call: Call) -> web.StreamResponse:
    """The SIP web socket of a citizen's one call (RFC 7118). What is over is closed with 4410."""
    lines = call.request.headers.getall("Sec-WebSocket-Protocol", [])
    offered = [one.strip() for line in lines for one in line.split(",")]
    tickets = [one.removeprefix(_TICKET) for one in offered if one.startswith(_TICKET)]
    if len(tickets) != 1 or PROTOCOL not in offered:
        raise Unauthenticated("Offer the subprotocols `sip` and `ticket.<ticket>`.")
    return await carry(call, call.deps.webphones, call.deps.webphones.redeem(tickets[0]))
