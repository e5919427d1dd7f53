"""The customer's system as flows meet it: well, slow, wrong, gone; and what it must never learn or do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from app.customer_systems import MAX_BODY, Breaker, HttpSystems
from app.demo_customer_system import CustomerSystem
from callcontrol.settings import CustomerSystemSettings
from foundation.clock import SystemClock
from foundation.metrics import Metrics
from foundation.settings import Secret
from ivr_flows.protocol import Failure, Request


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.2)  # answers that are held back on purpose are not waited for
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def systems(url: str, **more: Any) -> AsyncIterator[HttpSystems]:
    settings = CustomerSystemSettings.model_validate(
        {
            "systems": [{"name": "clientes", "url": url, "headers": {"Authorization": Secret("Bearer t0ken")}}],
            "secrets": {"otra": Secret("s3creto")},
            **more,
        }
    )
    async with HttpSystems(settings, SystemClock(), Metrics()) as ready:
        yield ready


def asking(path: str = "/v1/cuentas/204510", **more: Any) -> Request:
    return Request(path, **{"system": "clientes", "timeout_s": 0.5, "retries": 0, **more})


@pytest.fixture
def demo() -> CustomerSystem:
    return CustomerSystem(token="t0ken")


async def test_well(demo: CustomerSystem) -> None:
    async with serving(demo.app()) as url, systems(url) as port:
        account = await port.ask(asking())
        client = await port.ask(asking("/v1/clientes?por=caller&valor=0991234567"))
        nobody = await port.ask(asking("/v1/clientes?por=caller&valor="))
        cuts = await port.ask(asking("/v1/cortes?sector=Totoracocha&servicio=agua"))
    assert (account.status, account.body["saldo"]) == (200, 23.47)  # type: ignore[index]
    assert (client.body["nombre"], client.body["corte"]) == ("Ana Lucía Cordero", True)  # type: ignore[index]
    assert (nobody.status, nobody.failure) == (404, None)
    assert [cut["sector"] for cut in cuts.body["cortes"]] == ["Totoracocha"]  # type: ignore[index]


async def test_slow(demo: CustomerSystem) -> None:
    demo.faults.delay_s = 5
    async with serving(demo.app()) as url, systems(url) as port:
        assert (await port.ask(asking(timeout_s=0.1))).failure is Failure.TIMEOUT


async def test_gone() -> None:
    async with systems("http://127.0.0.1:1") as port:
        assert (await port.ask(asking())).failure is Failure.UNREACHABLE


async def test_wrong(demo: CustomerSystem) -> None:
    async with serving(demo.app()) as url, systems(url) as port:
        demo.faults.garbage = True
        assert (await port.ask(asking())).failure is Failure.NOT_JSON
        demo.faults.garbage = False
        demo.faults.status = 500
        answer = await port.ask(asking())
    assert (answer.status, answer.failure) == (500, None)


async def test_a_retry_helps_where_it_may(demo: CustomerSystem) -> None:
    class Mending(list[str]):
        def append(self, path: str) -> None:
            demo.faults.status = None if self else 503
            super().append(path)

    demo.asked = Mending()
    async with serving(demo.app()) as url, systems(url) as port:
        answer = await port.ask(asking(retries=1))
    assert answer.status == 200
    assert len(demo.asked) == 2


async def test_what_fails_again_and_again_is_left_alone(demo: CustomerSystem) -> None:
    demo.faults.status = 500
    async with serving(demo.app()) as url, systems(url, breaker_failures=3, breaker_rest_s=60) as port:
        for _ in range(3):
            assert (await port.ask(asking())).status == 500
        assert (await port.ask(asking())).failure is Failure.BREAKER
    assert len(demo.asked) == 3


def test_the_breaker_lets_one_try_after_its_rest() -> None:
    breaker = Breaker(failures=2, rest_s=10)
    breaker.failed_again(0.0)
    assert breaker.lets_through(0.0)
    breaker.failed_again(1.0)
    assert not breaker.lets_through(10.9)
    assert breaker.lets_through(11.0)
    assert not breaker.lets_through(11.1)
    breaker.succeeded()
    assert breaker.lets_through(11.2)


@pytest.mark.parametrize(
    "request_",
    [
        asking(system="nadie"),
        asking("//evil.example/x"),
        asking("http://evil.example/x"),
        asking(secrets={"X-Key": "desconocido"}),
        Request("https://evil.example/", timeout_s=0.5),
    ],
)
async def test_what_the_settings_do_not_know_is_never_asked(demo: CustomerSystem, request_: Request) -> None:
    async with serving(demo.app()) as url, systems(url, direct=False) as port:
        assert (await port.ask(request_)).failure is Failure.REFUSED
    assert not demo.asked


async def test_secrets_headers_and_bodies_arrive() -> None:
    seen: list[Any] = []

    async def echo(request: web.Request) -> web.Response:
        seen.append((request.headers["X-Key"], request.headers["Authorization"], await request.json()))
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/x", echo)
    async with serving(app) as url, systems(url) as port:
        await port.ask(asking("/x", method="POST", secrets={"X-Key": "otra"}, body={"a": "ñ"}))
    assert seen == [("s3creto", "Bearer t0ken", {"a": "ñ"})]


async def test_no_redirect_is_followed_and_no_flood_is_read() -> None:
    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/flood")

    async def flood(_request: web.Request) -> web.Response:
        return web.Response(body=b"[" + b"1," * MAX_BODY + b"1]", content_type="application/json")

    async def deep(_request: web.Request) -> web.Response:
        return web.Response(body=b"[" * 100_000, content_type="application/json")

    app = web.Application()
    app.router.add_get("/away", away)
    app.router.add_get("/flood", flood)
    app.router.add_get("/deep", deep)
    async with serving(app) as url, systems(url) as port:
        assert (await port.ask(asking("/away"))).status == 302
        assert (await port.ask(asking("/flood"))).failure is Failure.TOO_LARGE
        assert (await port.ask(asking("/deep"))).failure is Failure.NOT_JSON


async def test_a_header_with_a_line_break_goes_nowhere(demo: CustomerSystem) -> None:
    async with serving(demo.app()) as url, systems(url) as port:
        answer = await port.ask(asking(headers={"X-A": "a\r\nX-B: b"}))
    assert answer.failure is Failure.UNREACHABLE
