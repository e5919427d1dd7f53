"""The phone in an agent's or supervisor's page: its credentials, its SIP socket, and which phone offers ring."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from callcontrol.model import PhoneKind
from foundation.access import Permission
from foundation.errors import Conflict
from softphone_web.api_desk import own_agent
from softphone_web.call import Call
from softphone_web.ports_phone import Minted
from softphone_web.routes import Model, Routes
from softphone_web.schemas import at
from softphone_web.sip_proxy import carry

routes = Routes("/api/v1", tag="phone")

USE = (Permission.PHONE_USE,)
SOCKET = "/api/v1/phone/socket"


class NoPhone(Conflict):
    """Nothing was minted for whoever asks, or it is over."""

    code = "phone.none"


class PhoneOut(Model):
    endpoint: str
    uri: str
    username: str
    password: str
    domain: str
    socket: str
    open_leg: str
    expires_at: datetime
    ice_servers: list[str]


class KindBody(Model):
    kind: PhoneKind


@routes.post("/me/phone", USE, status=201, raises=(409, 503))
async def mint_phone(call: Call) -> PhoneOut:
    """Credentials for the phone of this page, for this sign-in.

    Those of another tab end, and its socket is closed with 4409. The page registers over `socket` (subprotocol `sip`)
    and calls `open_leg`, the only thing that these credentials can call.
    """
    agent = own_agent(call)
    async with call.act("phone.mint", f"agent:{agent}"):
        minted = await call.deps.phones.mint(call.who.id, agent)
    return PhoneOut(**_fields(minted), socket=SOCKET, open_leg=f"sip:{minted.calls}@{minted.domain}")


def _fields(minted: Minted) -> dict[str, object]:
    return {
        "endpoint": minted.endpoint,
        "uri": f"sip:{minted.endpoint}@{minted.domain}",
        "username": minted.endpoint,
        "password": minted.password,
        "domain": minted.domain,
        "expires_at": at(minted.expires_at),
        "ice_servers": [],
    }


@routes.delete("/me/phone", USE)
async def drop_phone(call: Call) -> None:
    """End the phone of this page: its credentials, its socket, its audio."""
    await call.deps.phones.drop(call.who.id)


@routes.put("/me/phone/kind", USE, raises=(409,))
async def set_phone_kind(call: Call, body: KindBody) -> None:
    """Where offers ring: `web`, on the page and its open leg, or `desk`, the SIP phone of the settings.

    409 `phone.no_desk_phone` where the settings name none for this agent.
    """
    call.deps.phones.choose_kind(own_agent(call), body.kind)


@routes.get("/phone/socket", USE, status=101, produces="websocket", raises=(400, 409, 503))
async def open_phone_socket(call: Call) -> web.StreamResponse:
    """The SIP web socket of the page's phone (RFC 7118), as `POST /me/phone` names it.

    Only SIP of the minted name passes; anything else closes it with 1008. 4409: another tab has the phone. 4401: signed
    out. 4410: the credentials are over.
    """
    endpoint = call.deps.phones.endpoint_of(call.who.id)
    if endpoint is None:
        raise NoPhone("Ask for a phone first: POST /api/v1/me/phone.")
    return await carry(call, call.deps.phones, endpoint)
