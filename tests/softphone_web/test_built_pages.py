"""The built pages as they are served: addresses, caching, compression, headers."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.web import Api, Platform, running

PAGE = b"<!doctype html><title>Rimay</title>"
SCRIPT = b"export const greeting = 'hola';" * 50


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    built = tmp_path / "pages"
    (built / "assets").mkdir(parents=True)
    for name in ("index", "agente", "admin"):
        (built / f"{name}.html").write_bytes(PAGE + name.encode())
    (built / "assets/agente-Ab12.js").write_bytes(SCRIPT)
    (built / "assets/inter-Ab12.woff2").write_bytes(b"wOF2")
    (built / "manifest.json").write_text("{}")
    async with running(Platform(tmp_path, pages=built)) as api:
        yield api


@pytest.mark.parametrize(
    ("path", "name"), [("/", "index"), ("/agente", "agente"), ("/admin", "admin"), ("/admin/colas/agua", "admin")]
)
async def test_each_page_has_its_address_and_those_below_it(api: Api, path: str, name: str) -> None:
    async with api.ask("GET", path, None) as response:
        assert response.status == 200
        assert await response.read() == PAGE + name.encode()
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "microphone=(self)" in response.headers["Permissions-Policy"]
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]


async def test_who_has_the_page_is_told_so(api: Api) -> None:
    async with api.ask("GET", "/agente", None) as response:
        tag = response.headers["ETag"]
    async with api.ask("GET", "/agente", None, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
        assert await response.read() == b""


async def test_assets_are_kept_for_ever_and_come_compressed(api: Api) -> None:
    async with api.ask("GET", "/assets/agente-Ab12.js", None, headers={"Accept-Encoding": "identity"}) as response:
        assert await response.read() == SCRIPT
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "Content-Encoding" not in response.headers
    async with api.ask("GET", "/assets/agente-Ab12.js", None, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert int(response.headers["Content-Length"]) == len(gzip.compress(SCRIPT, 9, mtime=0)) < len(SCRIPT)
        assert await response.read() == SCRIPT
    async with api.ask("GET", "/assets/inter-Ab12.woff2", None, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Type"] == "font/woff2"
        assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("path", ["/assets/none.js", "/assets/..%2fmanifest.json", "/manifest.json", "/supervisor"])
async def test_what_was_not_built_is_not_there(api: Api, path: str) -> None:
    async with api.ask("GET", path, None) as response:
        assert response.status == 404


async def test_without_a_build_the_start_page_stands_at_the_root(tmp_path: Path) -> None:
    async with running(Platform(tmp_path)) as api:
        for path in ("/", "/estado"):
            async with api.ask("GET", path, None) as response:
                assert response.status == 200
                assert "Consultando el estado" in await response.text()
