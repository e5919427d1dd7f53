"""The pages for people, as `npm run build` left them: every `NAME.html` is served at `/NAME` and below it (`index` at
`/`), what they load at `/assets/`, whose names carry a hash of the content and are kept by browsers for ever.

All of it is read and compressed once, at the start: it is small, and a build that goes on beside us changes nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from softphone_web.guards import SECURITY_HEADERS

Handler = Callable[[web.Request], Awaitable[web.Response]]
FOR_EVER = "public, max-age=31536000, immutable"
_PACKED = frozenset({".css", ".html", ".js", ".json", ".svg"})  # fonts are compressed in themselves
# Pages may ask for the microphone; nothing else that we serve may.
_MICROPHONE = SECURITY_HEADERS["Permissions-Policy"].replace("microphone=()", "microphone=(self)")


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes | None
    media_type: str
    tag: str

    def answer(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        headers = {**headers, hdrs.ETAG: self.tag, hdrs.VARY: hdrs.ACCEPT_ENCODING}
        if request.headers.get(hdrs.IF_NONE_MATCH) == self.tag:
            return web.Response(status=304, headers=headers)
        body = self.body
        if self.packed is not None and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body, headers[hdrs.CONTENT_ENCODING] = self.packed, "gzip"
        headers[hdrs.CONTENT_TYPE] = self.media_type
        return web.Response(body=body, headers=headers)


def add_built_pages(app: web.Application, folder: Path) -> None:
    """Raises `OSError` when the folder cannot be read."""
    for path in sorted(folder.glob("*.html")):
        handler = _page(_read(path))
        if path.stem == "index":
            app.router.add_get("/", handler)
        else:
            app.router.add_get(f"/{path.stem}", handler)
            app.router.add_get(f"/{path.stem}/{{inside:.*}}", handler)
    app.router.add_get("/assets/{name}", _assets({path.name: _read(path) for path in folder.glob("assets/*")}))


def _read(path: Path) -> _File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix in {".html", ".js", ".css"}:
        media_type = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}[
            path.suffix
        ] + "; charset=utf-8"
    packed = gzip.compress(body, 9, mtime=0) if path.suffix in _PACKED else None
    return _File(body, packed, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _page(file: _File) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return file.answer(request, {hdrs.CACHE_CONTROL: "no-cache", "Permissions-Policy": _MICROPHONE})

    return answer


def _assets(files: dict[str, _File]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        file = files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return file.answer(request, {hdrs.CACHE_CONTROL: FOR_EVER})

    return answer
