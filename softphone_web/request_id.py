"""The id that ties a response, its log lines and a person's complaint together."""

from __future__ import annotations

import re
import secrets

from aiohttp import web

HEADER = "X-Request-Id"
_KEY: web.RequestKey[str] = web.RequestKey("request_id", str)
_TAKEN = re.compile(r"[A-Za-z0-9_.-]{8,64}")  # what we accept from a proxy before us; anything else is replaced


def give_request_id(request: web.Request) -> str:
    given = request.headers.get(HEADER, "")
    chosen = given if _TAKEN.fullmatch(given) else secrets.token_hex(8)
    request[_KEY] = chosen
    return chosen


def request_id_of(request: web.Request) -> str:
    found: str = request.get(_KEY, "")
    return found
