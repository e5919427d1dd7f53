"""Health, the server's life, and where requests come from."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from app.bootstrap_web import NoTrunkUp, trunk_check
from foundation.access import Permission
from foundation.errors import Unavailable
from pbx.terms import TrunkState
from softphone_web.call import Call
from softphone_web.client import client_address
from softphone_web.ports import GatewayView, TrunkView
from softphone_web.problems import Problem
from softphone_web.routes import Model, Routes
from softphone_web.server import CannotListen, PortInUse, build_app, serve
from softphone_web.settings import WebSettings
from tests.support.web import Api, Platform, running


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path, settings=WebSettings(health_cache_s=0, health_timeout_s=0.1))


async def test_ready_tells_each_dependency(api: Api) -> None:
    ready = await api.get("/health/ready", None)
    assert ready["ready"] is True
    assert [(one["name"], one["state"], one["detail"]) for one in ready["checks"]] == [
        ("switch", "ok", "memory, 0 channels"),
        ("live", "ok", "0 pages"),
    ]
    api.platform.switch_error = Unavailable("no connection to the switch")
    assert [(one["code"], one["facts"]) for one in ready["checks"]] == [
        ("health.switch", {"engine": "memory", "channels": 0}),
        ("health.live", {"pages": 0}),
    ]
    ready = await api.get("/health/ready", None, 503)
    assert ready["checks"][0]["detail"] == "no connection to the switch"
    assert ready["checks"][0]["code"] == "unavailable"
    assert (await api.get("/health", None))["status"] == "down"
    await api.get("/health/live", None)


async def test_details_are_for_operators(api: Api) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    for who, shown in ((None, False), ("agent", False), ("service", True)):
        checks = (await api.get("/health/ready", who, headers=elsewhere))["checks"]
        assert (checks[0]["detail"] == "memory, 0 channels") is shown
        assert (checks[0]["code"] is not None) is (checks[0]["facts"] is not None) is shown
    for who, shown in (("agent", False), ("admin", True)):  # in a browser, too
        session = {**elsewhere, **await api.session_headers(who)}
        checks = (await api.get("/health/ready", None, headers=session))["checks"]
        assert (checks[0]["code"] is not None) is shown
    over = {**elsewhere, "Cookie": session["Cookie"] + "0"}
    assert (await api.get("/health/ready", None, headers=over))["checks"][0]["code"] is None


@pytest.mark.parametrize("error", [RuntimeError("x"), TimeoutError(), OSError("y")])
async def test_a_check_that_breaks_is_a_failed_check(api: Api, error: Exception) -> None:
    api.platform.switch_error = error
    assert (await api.get("/health/ready", None, 503))["checks"][0]["state"] == "failed"


async def test_a_check_that_hangs_does_not_hang_the_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(api.platform.trunks, "list", hang)
    health = await asyncio.wait_for(api.get("/health", "agent"), 5)
    assert (health["status"], health["takes_calls"]) == ("degraded", None)
    assert (health["figures"]["trunks"], health["figures"]["switch"]) == (None, "ok")


async def test_no_trunk_up_is_degraded(api: Api) -> None:
    down = GatewayView(name="a", state=TrunkState.DOWN)
    api.platform.trunks.views = [TrunkView(name="gateway", gateways=(down,))]
    health = await api.get("/health", "agent")
    assert (health["status"], health["takes_calls"]) == ("degraded", False)
    assert health["figures"]["trunks"] == {"up": 0, "total": 1}
    check = trunk_check(api.platform.trunks)
    assert not check.critical
    with pytest.raises(NoTrunkUp):
        await check.check()
    api.platform.trunks.views = []
    assert (await check.check()).facts == {"up": 0, "total": 0}


async def test_anybody_is_told_a_verdict_and_who_is_signed_in_the_figures(api: Api) -> None:
    for headers in ({}, {"Cookie": "rimay=over"}):
        health = await api.get("/health", None, headers=headers)
        assert set(health) == {"status", "measured_at", "takes_calls", "figures"}
        assert (health["figures"], health["takes_calls"]) == (None, True)
    for told in (
        await api.get("/health", "agent"),
        await api.get("/health", None, headers=await api.session_headers("ana")),
    ):
        assert set(told["figures"]) == {"switch", "trunks", "queues", "calls"}
        assert told["figures"]["queues"] == {"total": 2, "waiting": 2, "longest_wait_s": 42.5}


async def test_health_is_measured_once_for_many(tmp_path: Path) -> None:
    platform = Platform(tmp_path, settings=WebSettings(health_cache_s=30))
    asked = 0
    real = platform.trunks.list

    async def counting() -> object:
        nonlocal asked
        asked += 1
        return await real()

    platform.trunks.list = counting  # type: ignore[method-assign,assignment]
    async with running(platform) as api:
        await asyncio.gather(*(api.get("/health", None) for _ in range(20)))
    assert asked == 1


async def test_port_in_use_is_a_clear_error_and_leaves_nothing(platform: Platform) -> None:
    async with serve(build_app(platform.deps()), "127.0.0.1", 0) as first:
        with pytest.raises(PortInUse, match=f"Port {first.port} of 127.0.0.1 is in use"):
            async with serve(build_app(platform.deps()), "127.0.0.1", first.port):
                pass
    async with serve(build_app(platform.deps()), "127.0.0.1", first.port) as again:
        assert again.url == first.url


async def test_an_address_that_is_not_ours(platform: Platform) -> None:
    with pytest.raises(CannotListen):
        async with serve(build_app(platform.deps()), "192.0.2.1", 0):
            pass


@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        (None, [], "10.0.0.1"),
        ("203.0.113.9", [], "10.0.0.1"),
        ("203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", ["10.0.0.0/8"], "203.0.113.9"),
        ("rubbish", ["10.0.0.0/8"], "unknown"),
    ],
)
def test_client_address(forwarded: str | None, trusted: list[str], expected: str) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="10.0.0.1")
    settings = WebSettings(trusted_proxies=[ip_network(one) for one in trusted])
    assert client_address(request, settings) == expected


async def test_hsts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    async with running(Platform(tmp_path, settings=WebSettings(hsts=True))) as api, api.ask("GET", "/") as response:
        assert "Strict-Transport-Security" in response.headers
    async with running(Platform(tmp_path)) as api, api.ask("GET", "/") as response:
        assert "Strict-Transport-Security" not in response.headers


class OnlyId(Model):
    one: str


def test_declarations_that_do_not_fit_together_are_refused() -> None:
    routes = Routes("/x", tag="x")

    async def no_result(call: Call, path: OnlyId) -> int:
        """Doc."""
        return 1

    async def no_doc(call: Call) -> None:
        pass

    async def strange(call: Call, cookie: OnlyId) -> None:
        """Doc."""

    async def stream(call: Call) -> web.Response:
        """Doc."""
        return web.Response()

    async def good(call: Call, path: OnlyId) -> None:
        """Doc."""

    for path, handler in (
        ("/{one}", no_result),
        ("", no_doc),
        ("", strange),
        ("", stream),
        ("/{two}", good),
        ("", good),
    ):
        with pytest.raises(TypeError):
            routes.get(path, (Permission.AGENTS_READ,))(handler)
    routes.get("/{one}", (Permission.AGENTS_READ,))(good)
    assert [route.path for route in routes] == ["/x/{one}"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer topsecret\x01\r\n\r\n",
        b"POST /api/v1/live/ticket HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/live/ticket HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
    ],
)
async def test_what_is_not_http_is_refused_without_an_echo(
    api: Api, sent: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection(api.server.host, api.server.port)
    writer.write(sent)
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).decode().partition("\r\n\r\n")
    writer.close()
    assert head.split()[1] == "400"
    assert "application/problem+json" in head
    assert Problem.model_validate_json(body).code == "request.malformed"
    out, err = capsys.readouterr()
    for text in (head, body, out, err, caplog.text):
        assert "topsecret" not in text
        assert "aiohttp" not in text
    await api.get("/health/live", None)
