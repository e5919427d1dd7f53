"""Who sends a request: the bearer token of its Authorization header, nothing else (no cookie, nothing in the URL)."""

from __future__ import annotations

import re

from aiohttp import web

from foundation.access import Principal
from foundation.errors import Unauthenticated
from softphone_web.deps import WebDeps

_PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{1,512})")


def bearer_token(request: web.Request) -> str | None:
    """None without an Authorization header; raises `Unauthenticated` for one that is not a bearer token."""
    headers = request.headers.getall("Authorization", [])
    if not headers:
        return None
    match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if match is None:
        raise Unauthenticated("The Authorization header must be: Bearer <token>.")
    return match[1]


async def authenticate(request: web.Request, deps: WebDeps, token: str | None = None) -> Principal:
    """The principal of `token`, or of the header's one; also noted for the access log."""
    if token is None:
        token = bearer_token(request)
    if token is None:
        raise Unauthenticated("Sign in: an Authorization header with a token is needed.")
    principal = await deps.tokens.check(token)
    request[_PRINCIPAL] = principal
    return principal


def principal_of(request: web.Request) -> Principal | None:
    """Who was found to ask, for the access log; None before authentication and for open operations."""
    return request.get(_PRINCIPAL)
