"""The live socket: who hears what, tickets, slow pages, lost buses, goodbyes."""

from __future__ import annotations

import asyncio
import re
import socket as sockets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvloop

from app.live import BusHerald
from callcontrol.model import AgentId, AgentState, InteractionId
from callcontrol.routing.terms import AgentChanged
from foundation.access import OPERATOR, Principal, Role
from foundation.bus import MemoryBus
from foundation.clock import VirtualClock
from foundation.identity.people import UserFields
from foundation.metrics import Metrics
from softphone_web import live
from softphone_web.facts import live_event
from softphone_web.live_socket import PROTOCOL, SIGNED_OUT, TRY_AGAIN
from softphone_web.ports import LiveEvent, Topic
from softphone_web.settings import WebSettings
from softphone_web.tickets import EACH, BadTicket, Tickets
from tests.support.web import ANA, LUIS, NOW, Api, Platform, facts_of, interaction, running

Socket = aiohttp.ClientWebSocketResponse
PATH = "/api/v1/live"


@asynccontextmanager
async def page(
    api: Api, who: str | None, query: str = "", protocols: Sequence[str] = (), **more: Any
) -> AsyncIterator[Socket]:
    headers = {**api.headers(who), **more.pop("headers", {})}
    url = f"{api.server.url}{PATH}{query}"
    async with api.session.ws_connect(url, headers=headers, protocols=protocols, **more) as socket:
        yield socket


async def frame(socket: Socket) -> dict[str, Any]:
    got: dict[str, Any] = await asyncio.wait_for(socket.receive_json(), 5)
    return got


async def hello(socket: Socket) -> dict[str, Any]:
    got = await frame(socket)
    assert (got["topic"], got["type"]) == ("live", "hello")
    return got


async def until_closed(socket: Socket) -> list[dict[str, Any]]:
    return [message.json() async for message in socket]


def event(topic: Topic = Topic.QUEUES, key: str = "k", agents: Sequence[AgentId] = (), **data: Any) -> LiveEvent:
    return LiveEvent(
        topic=topic, type="changed", at=NOW, key=key, data=data, private={"number": "+593"}, agents=frozenset(agents)
    )


async def refused(api: Api, who: str | None, query: str = "", **more: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with page(api, who, query, **more):
            pass
    return caught.value.status


async def ticket(api: Api, who: str = "ana") -> str:
    answer = await api.json("POST", f"{PATH}/ticket", who, 201)
    return f"ticket.{answer['ticket']}"


@pytest.fixture
def everything() -> list[LiveEvent]:
    return [
        event(Topic.INTERACTIONS, "ana's", [ANA]),
        event(Topic.INTERACTIONS, "luis'", [LUIS]),
        event(Topic.AGENTS, "luis", [LUIS]),
        event(Topic.QUEUES, "averias"),
        event(Topic.TRUNKS, "gateway"),
        event(Topic.ALERTS, "alert"),
    ]


@pytest.mark.parametrize(
    ("who", "heard", "private"),
    [
        ("ana", ["ana's", "luis", "averias"], {"ana's"}),
        ("luis", ["luis'", "luis", "averias"], {"luis'", "luis"}),
        ("supervisor", ["ana's", "luis'", "luis", "averias", "gateway", "alert"], None),
        ("manager", ["ana's", "luis'", "luis", "averias", "gateway", "alert"], None),
        ("service", ["ana's", "luis'", "luis", "averias", "gateway", "alert"], None),
        ("admin", ["ana's", "luis'", "luis", "averias", "gateway", "alert"], set()),
    ],
)
async def test_each_role_hears_its_own(
    api: Api, everything: list[LiveEvent], who: str, heard: list[str], private: set[str] | None
) -> None:
    async with page(api, who) as socket:
        await hello(socket)
        for one in everything:
            api.platform.live.put(one)
        got = [await frame(socket) for _ in heard]
        assert [one["id"] for one in got] == heard
        assert {one["id"] for one in got if "number" in one["data"]} == (set(heard) if private is None else private)
        api.platform.live.put(event(key="last"))
        assert (await frame(socket))["id"] == "last"  # and nothing was between


async def test_topics_by_query_and_by_message(api: Api) -> None:
    async with page(api, "ana", "?topics=queues,trunks") as socket:
        assert (await hello(socket))["data"]["topics"] == ["queues"]  # trunks are not for agents
        await socket.send_json({"op": "topics", "topics": ["agents", "alerts"]})
        assert (await frame(socket))["data"] == {"topics": ["agents", "alerts"]}
        api.platform.live.put(event(Topic.QUEUES, "unwanted"))
        api.platform.live.put(event(Topic.AGENTS, "wanted"))
        assert (await frame(socket))["id"] == "wanted"


async def test_a_fact_becomes_an_event_without_paths_and_with_private_parts_apart() -> None:
    record = interaction(1)
    made = [live_event(fact, frozenset({ANA})) for fact in facts_of(record)]
    assert "+593987654321" not in str([one.data for one in made])
    assert "0102030405" not in str([one.data for one in made])
    assert "0102030405" in str([one.private for one in made])
    assert "/secret/" not in str(made)
    assert made[2].data == {"n": 3, "kind": "menu", "data": {"choice": "1"}, "private": False}


async def test_a_ticket_opens_one_socket_once(api: Api) -> None:
    mine = await ticket(api)
    async with page(api, None, protocols=[PROTOCOL, mine]) as socket:
        assert socket.protocol == PROTOCOL
        await hello(socket)
    assert await refused(api, None, protocols=[PROTOCOL, mine]) == 401
    assert await refused(api, None, protocols=[PROTOCOL]) == 401
    assert await refused(api, None, protocols=[PROTOCOL, "ticket.made-up"]) == 401


async def test_a_ticket_or_token_in_the_url_is_refused(api: Api) -> None:
    mine = await ticket(api)
    assert await refused(api, None, f"?ticket={mine.removeprefix('ticket.')}") == 401
    assert await refused(api, "ana", f"?token={api.platform.tokens['ana']}") == 422


async def test_a_ticket_of_a_revoked_token_opens_nothing(api: Api) -> None:
    mine = await ticket(api)
    await api.platform.token_desk.revoke(api.platform.token_ids["ana"])
    assert await refused(api, None, protocols=[PROTOCOL, mine]) == 401


async def test_tickets_expire_and_are_bounded() -> None:
    clock = VirtualClock()
    tickets = Tickets(clock, 60.0)
    who = Principal(id="token:1", name="ana", role=Role.AGENT)
    late, expires_at = tickets.issue(who, "t")
    assert expires_at == clock.now() + 60
    await clock.advance(60)
    with pytest.raises(BadTicket):
        tickets.redeem(late)
    many = [tickets.issue(who, "t")[0] for _ in range(EACH + 1)]
    with pytest.raises(BadTicket):
        tickets.redeem(many[0])
    assert tickets.redeem(many[1]) == "t"


async def test_bad_openings(api: Api) -> None:
    assert await refused(api, "ana", "?topics=everything") == 422
    assert await refused(api, None) == 401
    assert await refused(api, "ana", headers={"Origin": "https://elsewhere.example"}) == 403
    async with page(api, "ana", headers={"Origin": api.server.url}) as socket:
        await hello(socket)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("nonsense", 1008),
        ('{"op": "shutdown"}', 1008),
        ('{"op": "topics", "topics": ["fax"]}', 1008),
        ("x" * 5000, 1009),
        (b"\x00\x01", 1003),
    ],
)
async def test_bad_messages_end_the_conversation(api: Api, sent: str | bytes, code: int) -> None:
    async with page(api, "supervisor") as socket:
        await hello(socket)
        await (socket.send_str(sent) if isinstance(sent, str) else socket.send_bytes(sent))
        await asyncio.wait_for(until_closed(socket), 5)
        assert socket.close_code == code
    await api.get("/health/live", None)


async def test_a_slow_page_is_told_what_it_lost_and_dropped_and_others_are_not(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_queue=8))
    async with running(platform) as api:
        async with page(api, "supervisor") as slow, page(api, "supervisor", "?topics=alerts") as other:
            await hello(slow)
            await hello(other)
            for n in range(600):  # all at once: no writer gets its turn between
                platform.live.put(event(key=str(n)))
            platform.live.put(event(Topic.ALERTS, "alert"))
            got = await asyncio.wait_for(until_closed(slow), 5)
            assert [one["id"] for one in got[:-1]] == [str(n) for n in range(8)]
            assert (got[-1]["type"], got[-1]["data"]) == ("lost", {"lost": 593})
            assert slow.close_code == TRY_AGAIN
            assert (await frame(other))["id"] == "alert"
        async with api.ask("GET", "/metrics", None) as response:
            assert "rimay_web_live_dropped_total 1.0" in await response.text()


async def test_after_the_first_loss_nothing_is_queued_so_that_no_hole_is_hidden() -> None:
    who = Principal(id="token:1", name="s", role=Role.SUPERVISOR)
    client = live.Client(who, None, frozenset(Topic), 2)
    for name in (b"1", b"2", b"3"):
        client.put(name)
    assert await client.next() == b"1"
    client.put(b"4")  # there is room again, but 3 is missing
    assert [await client.next(), await client.next(), client.lost] == [b"2", None, 2]


def opening(api: Api) -> bytes:
    """Of a page that speaks for itself."""
    lines = (
        f"GET {PATH} HTTP/1.1", f"Host: {api.server.host}:{api.server.port}", "Upgrade: websocket",
        f"Authorization: Bearer {api.platform.tokens['supervisor']}", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


@contextmanager
def raw_page(api: Api) -> Iterator[Callable[[bytes], bytes]]:
    """Gives a function that reads up to a word, while the loop, if it is called from there, stands still."""
    with sockets.create_connection((api.server.host, api.server.port), timeout=5) as page:
        page.sendall(opening(api))

        def until(word: bytes) -> bytes:
            heard = b""
            while word not in heard:
                more = page.recv(1 << 20)
                assert more, heard[-200:]
                heard += more
            return heard

        yield until


@asynccontextmanager
async def welcomed_page(folder: Path) -> AsyncIterator[tuple[Api, Callable[[bytes], bytes]]]:
    """A raw page that has heard `hello`."""
    async with running(Platform(folder)) as api:
        await asyncio.wait_for(api.platform.live.subscribed.wait(), 5)
        with raw_page(api) as until:
            await asyncio.to_thread(until, b'"hello"')
            yield api, until


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_offer_is_on_the_wire_before_the_loop_has_its_next_turn(
    tmp_path: Path, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    async def journey() -> None:
        async with welcomed_page(tmp_path) as (api, until):
            api.platform.live.put(event(Topic.AGENTS, "before"))
            api.platform.live.put(replace(event(Topic.INTERACTIONS, "call"), type="offered"))
            api.platform.live.put(event(Topic.QUEUES, "board"))
            heard = until(b'"offered"')  # here, in the loop's own thread
            assert heard.index(b'"before"') < heard.index(b'"offered"')
            assert b'"board"' not in heard
            assert b'"board"' in await asyncio.to_thread(until, b'"board"')

    run(journey())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_offer_waits_its_turn_behind_what_a_page_has_not_taken(
    tmp_path: Path, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    async def journey() -> None:
        async with welcomed_page(tmp_path) as (api, until):
            big = "x" * 1_000_000  # some of them fill every buffer on the way
            names = [f"n{n}" for n in range(16)]
            for name in names:
                api.platform.live.put(event(key=name, big=big))
                await _open_pages(api)  # the writer has its turn
            api.platform.live.put(replace(event(Topic.INTERACTIONS, "call"), type="offered"))
            api.platform.live.put(event(key="last"))
            heard = await asyncio.to_thread(until, b'"last"')
            found = re.findall(rb'"id":"(\w+)"', heard)
            assert found == [*(name.encode() for name in names), b"call", b"last"]

    run(journey())


async def test_a_page_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_queue=64, live_drop_after_s=0.2))
    async with running(platform) as api:
        reader, writer = await asyncio.open_connection(api.server.host, api.server.port, limit=1024)
        writer.write(opening(api))
        assert b"101" in await asyncio.wait_for(reader.readline(), 5)
        big = "x" * 1_000_000  # some of them fill every buffer on the way
        for n in range(64):
            platform.live.put(event(key=str(n), big=big))
        async with asyncio.timeout(10):
            while await _open_pages(api):
                pass
        writer.close()


async def _open_pages(api: Api) -> int:
    async with api.ask("GET", "/metrics", None) as response:
        lines = (await response.text()).splitlines()
    return int(float(next(line for line in lines if line.startswith("rimay_web_live_clients ")).split()[1]))


async def test_a_lost_bus_is_told_and_listened_to_again(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_retry_s=0.05, health_cache_s=0))
    async with running(platform) as api, page(api, "supervisor") as socket:
        await hello(socket)
        platform.live.fail()
        assert (await frame(socket))["type"] == "interrupted"
        await asyncio.wait_for(platform.live.subscribed.wait(), 5)
        platform.live.put(event(key="after"))
        assert (await frame(socket))["id"] == "after"


async def test_heartbeats_and_a_token_that_is_revoked_meanwhile(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_heartbeat_s=0.05))
    async with running(platform) as api, page(api, "ana") as socket:
        await hello(socket)
        assert (await frame(socket))["type"] == "heartbeat"
        await platform.token_desk.revoke(platform.token_ids["ana"])
        await asyncio.wait_for(until_closed(socket), 5)
        assert socket.close_code == SIGNED_OUT


async def test_room_is_bounded_for_each_identity(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_clients_each=2))
    async with running(platform) as api, page(api, "ana"), page(api, "ana"):
        assert await refused(api, "ana") == 503
        async with page(api, "luis") as socket:
            await hello(socket)


async def test_stopping_says_goodbye(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as session:
        api = await stack.enter_async_context(running(platform))
        url = api.server.url + PATH
        socket = await session.ws_connect(url, headers=api.headers("supervisor"))
        await hello(socket)
        rest = asyncio.create_task(until_closed(socket))
        await asyncio.wait_for(stack.aclose(), 5)
        await asyncio.wait_for(rest, 5)
        assert socket.close_code == 1001


async def test_two_hundred_pages_cost_two_encodings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_clients_each=200))
    encoded = 0
    real = live.event_frame

    def counting(one: LiveEvent, data: Any) -> bytes:
        nonlocal encoded
        encoded += 1
        return real(one, data)

    monkeypatch.setattr(live, "event_frame", counting)
    async with running(platform) as api, AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(page(api, who)) for who in ["supervisor"] * 100 + ["admin"] * 100]
        for socket in sockets:
            await hello(socket)
        platform.live.put(event(Topic.INTERACTIONS, "one", [ANA]))
        got = await asyncio.gather(*(frame(socket) for socket in sockets))
        assert {one["id"] for one in got} == {"one"}
        assert sum("number" in one["data"] for one in got) == 100
    assert encoded == 2


@pytest.mark.parametrize(("who", "told"), [("ana", False), ("luis", True), ("supervisor", True), ("admin", True)])
async def test_why_somebody_is_away_and_whom_they_speak_with_is_told_as_the_api_tells_it(
    api: Api, who: str, told: bool
) -> None:
    """The herald's own event: an agent hears of a colleague what `GET /agents` shows of them, and no more."""
    herald = BusHerald(MemoryBus(), VirtualClock(), Metrics())
    herald.watchers.append(api.platform.live.put)
    state = AgentChanged(
        agent=LUIS, state=AgentState.NOT_READY, reason="medico", since=NOW, item=InteractionId("i-00001")
    )
    shown = await api.get("/api/v1/agents/luis", who)
    assert (shown["reason"] is not None) is told
    async with page(api, who) as socket:
        await hello(socket)
        herald.agent(state)
        got = await frame(socket)
        assert (got["type"], got["id"]) == ("agent_state", "luis")
        rest = {"reason": "medico", "reason_title": None, "interaction": "i-00001"} if told else {}
        assert got["data"] == {"state": "not_ready", **rest}


async def test_a_page_that_is_signed_in_needs_no_ticket(api: Api) -> None:
    headers = await api.session_headers("ana")
    async with page(api, None, headers=headers, protocols=[PROTOCOL]) as socket:
        assert "interactions" in (await hello(socket))["data"]["topics"]
    elsewhere = {**headers, "Origin": "https://elsewhere.example"}
    assert await refused(api, None, headers=elsewhere, protocols=[PROTOCOL]) == 403
    nowhere = {"Cookie": headers["Cookie"]}
    assert await refused(api, None, headers=nowhere, protocols=[PROTOCOL]) == 403


@pytest.mark.parametrize("how", ["signed out", "disabled", "other role", "other agent", "password reset"])
async def test_a_session_that_ends_meanwhile(tmp_path: Path, how: str) -> None:
    platform = Platform(tmp_path, settings=WebSettings(live_heartbeat_s=0.05))
    async with running(platform) as api:
        headers = await api.session_headers("ana")
        async with page(api, None, headers=headers) as socket:
            await hello(socket)
            assert (await frame(socket))["type"] == "heartbeat"
            user = platform.user_ids["ana"]
            fields = {"username": "ana", "name": "Ana", "role": "agent", "agent": "ana"}
            if how == "other agent":
                fields["agent"] = "luis"
                await platform.accounts.stores.users.change(platform.user_ids["luis"], None, agent=None)
            if how == "signed out":
                async with api.ask("DELETE", "/api/v1/session", None, headers=headers) as response:
                    assert response.status == 204
            elif how == "password reset":
                await platform.people.reset_password(user, by=OPERATOR, origin="local")
            else:
                change = {"role": "supervisor"} if how == "other role" else {}
                disabled = how == "disabled"
                given = UserFields(**{**fields, **change}, disabled=disabled)  # type: ignore[arg-type]
                await platform.people.change(user, given, by=OPERATOR, origin="local")
            await asyncio.wait_for(until_closed(socket), 5)
            assert socket.close_code == SIGNED_OUT
