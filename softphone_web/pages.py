"""The pages that need no sign-in: the start page, the reference of the API, and the files they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from softphone_web.built_pages import add_built_pages
from softphone_web.openapi import Json
from softphone_web.reference import groups_of, models_of

_HERE = Path(__file__).parent
_FILES = {
    "tokens.css": ("pages/src/kit/tokens.css", "text/css"),  # the same for the pages for people
    "start.css": ("start.css", "text/css"),
    "start.js": ("start.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}


def add_pages(app: web.Application, document: Json, version: str, built: Path | None = None, missing: str = "") -> None:
    """All of it is rendered once, now: a broken template stops the start, not a visitor.

    `built` is the folder of the pages for people; without it, `missing` says why, and the start page stands at `/`.
    """
    start = _templates().get_template("start.html").render(here="start", version=version, missing=missing)
    described = msgspec.json.encode(document)
    app.router.add_get("/estado", _constant(start.encode(), "text/html"))
    if built is None:
        app.router.add_get("/", _constant(start.encode(), "text/html"))
    else:
        add_built_pages(app, built)
    app.router.add_get("/api", _constant(_reference(described, version), "text/html"))
    app.router.add_get("/openapi.json", _constant(described, "application/json"))
    for name, (path, media_type) in _FILES.items():
        app.router.add_get(f"/static/{name}", _constant((_HERE / path).read_bytes(), media_type))


@lru_cache(maxsize=1)
def _reference(described: bytes, version: str) -> bytes:
    document = msgspec.json.decode(described)
    page = _templates().get_template("reference.html")
    return page.render(here="api", version=version, groups=groups_of(document), models=models_of(document)).encode()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _constant(body: bytes, media_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers with the same bytes for ever, or with 304 to who has them."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        charset = None if media_type == "application/json" else "utf-8"
        return web.Response(body=body, content_type=media_type, charset=charset, headers=headers)

    return answer
