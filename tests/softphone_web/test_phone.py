"""Phones in pages: credentials, the socket that carries SIP, and what may pass it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from callcontrol.model import PhoneKind
from foundation.identity.accounts import SignedIn
from softphone_web.ports_phone import OTHER_TAB, OVER, SIGNED_OUT
from softphone_web.settings import WebSettings
from softphone_web.sip_guard import BURST, LARGEST, SipGuard
from tests.support.ports import free_port
from tests.support.web import Api, Platform

SOCKET = "/api/v1/phone/socket"


def sip(method: str, name: str, *, to: str = "", extra: str = "", body: str = "") -> str:
    return (
        f"{method} sip:rimay.local SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nMax-Forwards: 69\r\n"
        f"To: <sip:{to or name}@rimay.local>\r\nFrom: <sip:{name}@rimay.local>;tag=1\r\nCall-ID: 1\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@x.invalid;transport=ws>\r\n{extra}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def authorization(username: str) -> str:
    return f'Authorization: Digest username="{username}", realm="r", nonce="n", uri="sip:r", response="0"\r\n'


class Switch:
    """What stands for the switch's web socket."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.sockets: list[web.WebSocketResponse] = []
        self.from_addresses: list[str] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        assert socket.ws_protocol == "sip"
        self.sockets.append(socket)
        self.from_addresses.append(str(request.remote))
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            self.got.put_nowait(message.data)
        return socket

    async def next(self) -> str:
        return await asyncio.wait_for(self.got.get(), 5)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """Looks often whether who has a phone is still signed in."""
    return Platform(tmp_path, settings=WebSettings(live_heartbeat_s=0.2))


@pytest.fixture
async def switch(api: Api) -> AsyncIterator[Switch]:
    switch, app = Switch(), web.Application()
    app.router.add_get("/ws", switch.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    api.platform.phones.url = api.platform.webphones.url = f"ws://127.0.0.1:{port}/ws"
    yield switch
    await runner.cleanup()


@asynccontextmanager
async def page(api: Api, headers: dict[str, str], path: str = SOCKET, protocols: Any = ("sip",)) -> AsyncIterator[Any]:
    url = f"{api.server.url}{path}"
    async with api.session.ws_connect(url, headers=headers, protocols=protocols) as socket:
        yield socket


async def minted(api: Api, headers: dict[str, str]) -> Any:
    async with api.ask("POST", "/api/v1/me/phone", None, headers=headers) as response:
        assert response.status == 201, await response.text()
        return await response.json()


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(5):
        async for _ in socket:
            pass
    return socket.close_code


async def test_credentials_are_given_and_audited(api: Api) -> None:
    phone = await minted(api, await api.session_headers("ana"))
    assert phone["uri"] == f"sip:{phone['endpoint']}@rimay.local"
    assert phone["open_leg"] == "sip:open-leg@rimay.local"
    assert phone["socket"] == SOCKET
    assert phone["username"] == phone["endpoint"]
    (entry,) = await api.platform.audit.entries(target="agent:ana")
    assert entry.action == "phone.mint"
    assert phone["password"] not in repr(entry)


async def test_sip_goes_both_ways_from_an_address_of_our_own(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    name = (await minted(api, headers))["endpoint"]
    async with page(api, headers) as socket:
        assert socket.protocol == "sip"
        await socket.send_str(sip("REGISTER", name, extra=authorization(name)))
        assert (await switch.next()).startswith("REGISTER ")
        await socket.send_bytes(sip("INVITE", name, to="open-leg").encode())
        assert (await switch.next()).startswith("INVITE ")
        await switch.sockets[0].send_str("SIP/2.0 100 Trying\r\n\r\n")
        assert (await socket.receive_str(timeout=5)).startswith("SIP/2.0 100")
        await socket.send_str("\r\n\r\n")  # keep-alive
        assert await switch.next() == "\r\n\r\n"
    assert switch.from_addresses == ["127.83.73.80"]


async def test_no_socket_without_a_phone_a_session_or_from_another_site(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    for given, status in (
        (headers, 409),
        ({}, 401),
        ({**headers, "Origin": "https://otro.example"}, 403),
        ({"Cookie": headers["Cookie"]}, 403),
    ):
        if status != 409:
            await minted(api, headers)
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with page(api, given):
                pass
        assert caught.value.status == status
    assert not switch.sockets


@pytest.mark.parametrize(
    "message",
    [
        sip("REGISTER", "otra"),
        sip("REGISTER", "web-1", to="otra"),
        sip("REGISTER", "web-1", extra=authorization("otra")),
        sip("REGISTER", "web-1", extra=authorization("web-1") + authorization("otra")),
        sip("INVITE", "1001", to="open-leg"),
        "hola",
        "GET / HTTP/1.1\r\n\r\n",
        sip("INVITE", "otra", to="open-leg").replace("From:", "f:"),
        "x" * (LARGEST - 10),
    ],
)
async def test_what_is_not_sip_of_ones_own_name_closes_the_socket(api: Api, switch: Switch, message: str) -> None:
    headers = await api.session_headers("ana")
    assert (await minted(api, headers))["endpoint"] == "web-1"
    async with page(api, headers) as socket:
        await socket.send_str(message)
        assert await closed(socket) == 1008
    assert switch.got.empty()


async def test_a_newer_tab_has_the_phone(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as older:
        await minted(api, headers)
        assert await closed(older) == OTHER_TAB
        async with page(api, headers) as second, page(api, headers) as third:
            assert await closed(second) == OTHER_TAB
            await third.send_str("\r\n\r\n")
            assert await switch.next() == "\r\n\r\n"


async def test_the_phone_ends(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as socket:
        async with api.ask("DELETE", "/api/v1/me/phone", None, headers=headers) as response:
            assert response.status == 204
        assert await closed(socket) == OVER


async def test_who_signs_out_has_no_phone_any_more(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as socket:
        api.platform.age_sessions(idle=False)
        assert await closed(socket) == SIGNED_OUT
    assert api.platform.phones.endpoint_of("user:u-ana") is None


@pytest.mark.parametrize("change", [{"role": "manager"}, {"agent": "luis"}, {"agent": None}, {"role": "service"}])
async def test_a_right_that_is_withdrawn_takes_the_phone_along(
    api: Api, switch: Switch, change: dict[str, str | None]
) -> None:
    """Also another agent: the endpoint was lent to the former one."""
    users = api.platform.accounts.stores.users
    await users.change(api.platform.user_ids["luis"], None, agent=None)
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as socket:
        await users.change(api.platform.user_ids["ana"], None, **change)
        assert await closed(socket) == SIGNED_OUT
    assert api.platform.phones.endpoint_of("user:u-ana") is None


async def test_another_role_that_has_a_phone_too_ends_no_talk(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as socket:
        asked, check = asyncio.Event(), api.platform.accounts.check

        async def checked(cookie: str) -> SignedIn:
            found = await check(cookie)
            if found.user.role == "supervisor":
                asked.set()
            return found

        api.platform.accounts.check = checked  # type: ignore[method-assign]
        await api.platform.accounts.stores.users.change(api.platform.user_ids["ana"], None, role="supervisor")
        await asyncio.wait_for(asked.wait(), 5)
        await socket.send_str("\r\n\r\n")
        assert await switch.next() == "\r\n\r\n"
        assert not socket.closed


async def test_a_switch_that_goes_away_or_is_not_there(api: Api, switch: Switch) -> None:
    headers = await api.session_headers("ana")
    await minted(api, headers)
    async with page(api, headers) as socket:
        await socket.send_str("\r\n\r\n")
        await switch.next()
        await switch.sockets[0].close()
        assert await closed(socket) == 1013
    api.platform.phones.url = f"ws://127.0.0.1:{free_port()}/ws"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with page(api, headers):
            pass
    assert caught.value.status == 503


async def test_where_offers_ring(api: Api) -> None:
    headers = await api.session_headers("ana")
    for kind, status in (("web", 204), ("desk", 409), ("fax", 422)):
        async with api.ask("PUT", "/api/v1/me/phone/kind", None, headers=headers, json={"kind": kind}) as response:
            assert response.status == status
    assert api.platform.phones.kinds == {"ana": PhoneKind.WEB}


async def test_a_citizens_phone(api: Api, switch: Switch) -> None:
    line = await api.json("POST", "/api/v1/webphone", None, 201)
    assert line["call"] == "sip:ivr@rimay.local"
    assert line["ticket"] not in line["socket"]
    path, name = line["socket"], line["username"]
    async with page(api, {}, path, ("sip", f"ticket.{line['ticket']}")) as socket:
        assert socket.protocol == "sip"
        await socket.send_str(sip("INVITE", name, to="ivr"))
        assert (await switch.next()).startswith("INVITE ")
        await socket.send_str(sip("BYE", name, to="ivr"))
        assert (await switch.next()).startswith("BYE ")
        await switch.sockets[0].send_str(sip("BYE", "ivr"))
        await socket.receive_str(timeout=5)
        assert api.platform.webphones.over == [name, name]
        await api.platform.phones_clock.advance(5)
        assert await closed(socket) == OVER
    for protocols in (("sip", f"ticket.{line['ticket']}"), ("sip",), (f"ticket.{line['ticket']}",)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with page(api, {}, path, protocols):
                pass
        assert caught.value.status == 401


async def refused(api: Api, status: int) -> tuple[str, str | None]:
    """Code and Retry-After; who asks before the call is told the same as who calls."""
    told = []
    for method in ("GET", "POST"):
        async with api.ask(method, "/api/v1/webphone", None) as response:
            assert response.status == status
            told.append(((await response.json())["code"], response.headers.get("Retry-After")))
    assert told[0] == told[1]
    return told[0]


async def test_all_lines_taken_too_many_of_an_address_or_none_offered(api: Api) -> None:
    for _ in range(2):
        await api.json("GET", "/api/v1/webphone", None, 204)
        await api.json("POST", "/api/v1/webphone", None, 201)
    assert await refused(api, 429) == ("webphone.lines_busy", "30")
    api.platform.webphones.lines, api.platform.webphones.each = 10, 2
    assert await refused(api, 429) == ("webphone.too_many_calls", "60")
    api.platform.webphones.lines = 0
    assert await refused(api, 404) == ("webphone.not_offered", None)
    api.platform.webphones.lines, api.platform.webphones.each, api.platform.webphones.url = 10, 9, ""
    assert (await refused(api, 503))[0] == "unavailable"


def test_a_flood_is_cut_and_a_busy_page_is_not() -> None:
    guard = SipGuard("web-1", 0.0)
    calm = sip("REGISTER", "web-1").encode()
    assert not any(guard.from_page(calm, 0.0).refusal for _ in range(BURST))
    assert guard.from_page(calm, 0.0).refusal
    assert not guard.from_page(calm, 1.0).refusal


@pytest.mark.parametrize(
    ("message", "ends"),
    [
        (sip("BYE", "x"), True),
        (sip("OPTIONS", "x"), False),
        ("SIP/2.0 404 Not Found\r\nCSeq: 1 INVITE\r\n\r\n", True),
        ("SIP/2.0 401 Unauthorized\r\nCSeq: 1 INVITE\r\n\r\n", False),
        ("SIP/2.0 403 Forbidden\r\nCSeq: 1 REGISTER\r\n\r\n", False),
        ("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", False),
    ],
)
def test_what_ends_a_call(message: str, ends: bool) -> None:
    assert SipGuard.ends_call(message.encode()) is ends
