"""What stands around every request: its id, one log line, its figures, and the security headers of every answer."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from foundation.logs import get_logger
from softphone_web.authenticate import principal_of
from softphone_web.deps import DEPS, WebDeps
from softphone_web.problems import Handler
from softphone_web.request_id import HEADER, give_request_id, request_id_of

log = get_logger(__name__)

REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
CLIENT_LEFT = 499  # nginx's number for a client that did not wait for the answer
QUIET = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})  # asked every few seconds, for ever

# Nothing from other hosts, nothing inline. The pages that need more say so here, not in their templates.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=63072000; includeSubDomains"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The signal handler that every response passes, streams and web sockets too."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app[DEPS].settings.behind_tls:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    response.headers[HEADER] = request_id_of(request) or give_request_id(request)
    response.headers["Server"] = "rimay"


def route_of(request: web.Request) -> str:
    """The route's pattern: paths themselves have ids in them and never end."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    deps = request.app[DEPS]
    give_request_id(request)
    begun = time.perf_counter()
    status = CLIENT_LEFT
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    except (asyncio.CancelledError, ConnectionError):
        raise  # the client left
    else:
        return response
    finally:
        _tell(request, deps, status, time.perf_counter() - begun)


def _tell(request: web.Request, deps: WebDeps, status: int, seconds: float) -> None:
    route = route_of(request)
    method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"} else "other"
    labels = ("method", "route", "status")
    requests = deps.metrics.counter("web_requests_total", "Requests answered", labels)
    requests.labels(method, route, str(status)).inc()
    if status != 101:
        taken = deps.metrics.histogram("web_request_seconds", "Time to answer a request", REQUEST_S, ("route",))
        taken.labels(route).observe(seconds)
    who = principal_of(request)
    level = log.debug if route in QUIET and status < 400 else log.info
    level(
        "web.request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=request_id_of(request),
        principal=who.id if who is not None else None,
        role=who.role if who is not None else None,
    )
