"""Who sends a request: a program by the bearer token of its Authorization header, a browser by its session's cookie.

A cookie comes along with whatever a page makes a browser send, so what it authorises must come from a page of ours:
methods that change something need our `Origin` and the session's token in ``X-CSRF-Token``, web sockets our `Origin`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from foundation.access import Principal
from foundation.errors import Denied, Unauthenticated
from foundation.identity.accounts import SignedIn, Visitor
from softphone_web.client import client_address
from softphone_web.deps import WebDeps
from softphone_web.settings import WebSettings

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
_SIGNED_IN: web.RequestKey[SignedIn] = web.RequestKey("signed_in", SignedIn)
_AGAIN: web.RequestKey[Callable[[], Awaitable[Principal]]] = web.RequestKey("again")
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{1,512})")


class ForeignRequest(Denied):
    """A page of another site made the browser send it, or it lacks the session's token."""

    code = "access.foreign_request"


def bearer_token(request: web.Request) -> str | None:
    """None without an Authorization header; raises `Unauthenticated` for one that is not a bearer token."""
    headers = request.headers.getall("Authorization", [])
    if not headers:
        return None
    match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if match is None:
        raise Unauthenticated("The Authorization header must be: Bearer <token>.")
    return match[1]


def cookie_name(settings: WebSettings) -> str:
    """``__Host-``: the browser takes it only over TLS, from this host, for all of it; no neighbour can plant one."""
    return "__Host-rimay" if settings.behind_tls else "rimay"


def session_cookie(request: web.Request, settings: WebSettings) -> str | None:
    return request.cookies.get(cookie_name(settings))


def visitor_of(request: web.Request, settings: WebSettings) -> Visitor:
    return Visitor(origin=client_address(request, settings), agent_text=request.headers.get("User-Agent", ""))


async def authenticate(request: web.Request, deps: WebDeps, token: str | None = None) -> Principal:
    """The principal of `token`, of the header's one, or of the session; also noted for the access log.

    The same for requests and web sockets. Raises `Unauthenticated`, `ForeignRequest`."""
    if token is None:
        token = bearer_token(request)
    if token is not None:
        return await _by_token(request, deps, token)
    cookie = session_cookie(request, deps.settings)
    if cookie is None:
        raise Unauthenticated("Sign in: a session or an Authorization header with a token is needed.")
    return await _by_session(request, deps, cookie)


async def _by_token(request: web.Request, deps: WebDeps, token: str) -> Principal:
    async def again() -> Principal:
        return await deps.tokens.check(token)

    request[_AGAIN] = again
    principal = await again()
    request[_PRINCIPAL] = principal
    return principal


async def _by_session(request: web.Request, deps: WebDeps, cookie: str) -> Principal:
    async def again() -> Principal:
        return (await deps.accounts.check(cookie)).principal

    request[_AGAIN] = again
    signed_in = await deps.accounts.check(cookie)
    _refuse_foreign(request, deps.settings, signed_in.csrf)
    request[_SIGNED_IN] = signed_in
    request[_PRINCIPAL] = signed_in.principal
    return signed_in.principal


def _refuse_foreign(request: web.Request, settings: WebSettings, csrf: str) -> None:
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in _SAFE and not upgrade:
        return
    if request.headers.get("Origin") is None:
        raise ForeignRequest("A session's cookie is taken only from pages: an Origin header is needed.")
    check_origin(request, settings)
    if not upgrade and not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), csrf.encode()):
        raise ForeignRequest(f"The {CSRF_HEADER} header must hold the session's `csrf`.")


def check_origin(request: web.Request, settings: WebSettings) -> None:
    """A page of another site gets no further, whatever it got hold of. What names no origin is no page."""
    origin = request.headers.get("Origin")
    if origin is None or origin in settings.allowed_origins:
        return
    sent = urlsplit(origin)
    host = request.headers.get("Host", "").lower()
    if sent.netloc.lower() != host or (settings.behind_tls and sent.scheme != "https"):
        raise ForeignRequest("Pages of other sites may not do this.")


async def authenticate_again(request: web.Request) -> Principal:
    """Whether what opened a long connection still holds, and who that is now; raises `Unauthenticated`."""
    return await request[_AGAIN]()


def principal_of(request: web.Request) -> Principal | None:
    """Who was found to ask, for the access log; None before authentication and for open operations."""
    return request.get(_PRINCIPAL)


def signed_in_of(request: web.Request) -> SignedIn:
    """The session of a request that came with one; raises `Unauthenticated` for a program's token."""
    found: SignedIn | None = request.get(_SIGNED_IN)
    if found is None:
        raise Unauthenticated("This needs a session, not a token.")
    return found
