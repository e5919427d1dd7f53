"""The web application and the server that runs it.

app = build_app(deps)
async with serve(app, "127.0.0.1", 8080) as server:
    print(server.url)
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from aiohttp import WSCloseCode, web

from foundation.errors import RimayError
from foundation.logs import get_logger
from softphone_web import (
    api_around,
    api_audit,
    api_board,
    api_calls,
    api_control,
    api_desk,
    api_flows,
    api_interactions,
    api_messages,
    api_oidc,
    api_organisation,
    api_people,
    api_phone,
    api_recordings,
    api_session,
    api_supervision,
    api_users,
    api_webphone,
    guards,
    health,
    live_socket,
    pages,
    problems,
)
from softphone_web.call import handler_of
from softphone_web.deps import DEPS, WebDeps
from softphone_web.live import LiveHub
from softphone_web.look_ups import LOOK_UPS, LookUps
from softphone_web.openapi import Json, build_document
from softphone_web.ports import HealthCheck
from softphone_web.routes import Route
from softphone_web.tickets import Tickets
from softphone_web.wire import Runner

__all__ = ["ROUTES", "PortInUse", "RunningServer", "WebDeps", "build_app", "serve"]

log = get_logger(__name__)
SHUTDOWN_S = 5.0  # downloads and sockets get this long to end when the server stops
KEEP_ALIVE_S = 75.0  # longer than the usual proxy's, so that the proxy is the one who closes

ROUTES: tuple[Route, ...] = tuple(
    chain(
        api_interactions.routes,
        api_recordings.routes,
        api_flows.routes,
        api_around.customer_routes,
        api_around.knowledge_routes,
        api_around.me_routes,
        api_desk.routes,
        api_calls.routes,
        api_supervision.routes,
        api_phone.routes,
        api_webphone.routes,
        api_people.queue_routes,
        api_people.agent_routes,
        api_people.trunk_routes,
        api_board.routes,
        api_control.routes,
        api_messages.routes,
        api_organisation.routes,
        live_socket.routes,
        api_people.me_routes,
        api_session.routes,
        api_oidc.routes,
        api_users.routes,
        api_audit.routes,
        health.routes,
    )
)


class PortInUse(RimayError):
    code = "web.port_in_use"
    is_permanent = True


class CannotListen(RimayError):
    code = "web.cannot_listen"
    is_permanent = True


@dataclass(frozen=True, slots=True)
class RunningServer:
    host: str
    port: int
    url: str


@cache
def _document(version: str) -> Json:
    """Of the routes alone: one for all applications of this process (tests make hundreds)."""
    return build_document(ROUTES, version)


def build_app(deps: WebDeps) -> web.Application:
    """Everything under one application; its start and clean-up own the task that fans out live events."""
    app = web.Application(
        middlewares=[guards.around, problems.problems], client_max_size=deps.settings.body_limit_bytes
    )
    hub = LiveHub(deps.live, deps.clock, deps.settings, deps.metrics)
    checks = (*deps.checks, HealthCheck(name="live", check=hub.check, critical=False))
    app[DEPS] = replace(deps, checks=checks)
    app[live_socket.HUB] = hub
    app[live_socket.TICKETS] = Tickets(deps.clock, deps.settings.ticket_s)
    app[LOOK_UPS] = LookUps(deps.look_up_key, deps.settings.look_ups_per_minute, deps.canonical)
    app[health.DESK] = health.HealthDesk(deps, checks, deps.clock)
    _add(app, ROUTES)
    pages.add_pages(app, _document(deps.version), deps.version, deps.pages, deps.pages_missing)
    app.on_response_prepare.append(guards.add_headers)
    app.on_response_prepare.append(problems.note_start)
    app.cleanup_ctx.append(_fan_out)
    app.on_shutdown.append(_close_sockets)
    return app


def _add(app: web.Application, routes: Iterable[Route]) -> None:
    for route in routes:
        handler = handler_of(route)
        if route.method == "GET" and route.produces != "websocket":
            app.router.add_get(route.path, handler, name=route.name)  # with HEAD
        else:
            app.router.add_route(route.method, route.path, handler, name=route.name)


async def _fan_out(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[live_socket.HUB].run(), name="web-live-hub")
    task.add_done_callback(_tell_death)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _tell_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.critical("web.live_hub_died", exc_info=task.exception())


async def _close_sockets(app: web.Application) -> None:
    app[live_socket.HUB].close_all(WSCloseCode.GOING_AWAY, b"the server stops")


@asynccontextmanager
async def serve(
    app: web.Application, host: str, port: int, *, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[RunningServer]:
    """Listen until the block is left; then sockets are told goodbye and open requests get a moment to end.

    `port` 0 takes a free one. Raises `PortInUse`, or `CannotListen` for an address that is not ours.
    """
    runner = Runner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=KEEP_ALIVE_S)
    await runner.setup()
    try:
        await _listen(runner, host, port, ssl_context)
        bound = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        server = RunningServer(host, bound, f"{'https' if ssl_context else 'http'}://{shown}:{bound}")
        log.info("web.listening", host=host, port=bound)
        yield server
    finally:
        await runner.cleanup()
        log.info("web.stopped", port=port)


async def _listen(runner: web.AppRunner, host: str, port: int, ssl_context: ssl.SSLContext | None) -> None:
    try:
        await web.TCPSite(runner, host, port, ssl_context=ssl_context, backlog=1024).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use by another program. Choose another one (--port) or stop it."
            raise PortInUse(message, host=host, port=port) from error
        raise CannotListen(f"Cannot listen on {host} port {port}: {error.strerror}", host=host, port=port) from error
