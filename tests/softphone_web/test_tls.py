"""Over TLS of our own: https on the one port, headers of the top grade, a renewed certificate taken up."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from foundation.access import OPERATOR
from foundation.identity.people import UserFields
from foundation.secret import Secret
from softphone_web.server import RunningServer, build_app, serve
from softphone_web.settings import WebSettings
from softphone_web.tls import BadCertificate, Certificate, open_certificate
from tests.support.certificates import write_pair
from tests.support.observatory import score
from tests.support.web import Platform

PAGE = '<!doctype html><html lang="es"><title>x</title><script type="module" src="/assets/x.js"></script></html>'
PASSWORD = "caballo pila grapa correcta"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    pair = (tmp_path / "web.crt", tmp_path / "web.key")
    write_pair(*pair)
    return pair


@pytest.fixture
async def secure(tmp_path: Path, files: tuple[Path, Path]) -> AsyncIterator[tuple[Platform, RunningServer]]:
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    for name in ("index", "agente", "supervisor", "admin", "llamar"):
        (built / f"{name}.html").write_text(PAGE)
    (built / "assets/x.js").write_text("1")
    settings = WebSettings(certificate=files[0], private_key=files[1])
    platform = Platform(tmp_path, settings=settings, pages=built)
    await platform.mint()
    certificate = open_certificate(settings)
    assert certificate is not None
    async with serve(build_app(platform.deps()), "127.0.0.1", 0, ssl_context=certificate.context) as server:
        yield platform, server


def trusting(certificate: Path) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(certificate))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))


@pytest.mark.parametrize(
    "path",
    ["/", "/agente", "/supervisor", "/admin", "/llamar", "/estado", "/api", "/openapi.json", "/assets/x.js",
     "/static/tokens.css", "/health", "/api/v1/session", "/api/v1/nothing"],
)  # fmt: skip
async def test_headers_of_the_top_grade(
    secure: tuple[Platform, RunningServer], files: tuple[Path, Path], path: str
) -> None:
    _, server = secure
    assert server.url.startswith("https://")
    async with trusting(files[0]) as session, session.get(server.url + path) as response:
        found = score(response.headers)
        assert min(found.values()) >= 0, found
        assert found["total"] >= 125, found  # A+ begins at 100
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "//" not in policy
        pages = {"/", "/agente", "/supervisor", "/admin", "/llamar"}
        expected = "microphone=(self)" if path in pages else "microphone=()"
        assert expected in response.headers["Permissions-Policy"]


def test_the_rules_find_what_is_missing() -> None:
    assert score({}, https=False)["total"] == 10
    worse = {"Content-Security-Policy": "default-src 'self' 'unsafe-inline'", "Strict-Transport-Security": "max-age=60"}
    assert score(worse, ["a=b; Secure"])["total"] == 100 - 20 - 40 - 10 - 5 - 20


async def test_the_session_cookie_earns_its_points(
    secure: tuple[Platform, RunningServer], files: tuple[Path, Path]
) -> None:
    platform, server = secure
    fields = UserFields(username="rosa", name="Rosa", role="agent")
    await platform.people.add(fields, by=OPERATOR, origin="local", password=Secret(PASSWORD))
    body = {"username": "rosa", "password": PASSWORD}
    async with (
        trusting(files[0]) as session,
        session.post(server.url + "/api/v1/session", json=body, headers={"Origin": server.url}) as response,
    ):
        assert response.status == 201
        cookies = response.headers.getall("Set-Cookie")
        assert score(response.headers, cookies)["cookies"] == 5
        assert cookies[0].startswith("__Host-rimay=")


async def test_a_renewed_certificate_counts_from_the_next_connection_on(
    secure: tuple[Platform, RunningServer], files: tuple[Path, Path]
) -> None:
    certificate = Certificate(*files)
    async with serve(build_app(secure[0].deps()), "127.0.0.1", 0, ssl_context=certificate.context) as server:
        reader, writer = await _connect(server, files[0])
        old = files[0].read_bytes()
        write_pair(*files)
        assert certificate.refresh()
        assert not certificate.refresh()
        # The open connection goes on.
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        _, writer = await _connect(server, files[0])  # trusts the new one
        writer.close()
        files[0].with_suffix(".old").write_bytes(old)
        with pytest.raises(ssl.SSLError):
            await _connect(server, files[0].with_suffix(".old"))


async def test_a_pair_that_does_not_fit_changes_nothing(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = Certificate(*files)
    good = files[0].read_bytes()
    write_pair(files[0], tmp_path / "other.key")
    for _ in range(2):  # it is looked at again, and told again
        with pytest.raises(BadCertificate, match="is not the key of"):
            certificate.refresh()
    files[0].write_bytes(good)
    assert certificate.refresh()


async def _connect(server: RunningServer, trusted: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=str(trusted))
    return await asyncio.open_connection(server.host, server.port, ssl=context, server_hostname="127.0.0.1")


async def test_old_protocols_are_refused(secure: tuple[Platform, RunningServer], files: tuple[Path, Path]) -> None:
    context = Certificate(*files).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_what_is_wrong_with_files_is_said(tmp_path: Path, files: tuple[Path, Path]) -> None:
    with pytest.raises(BadCertificate, match="cannot read"):
        Certificate(tmp_path / "no.crt", files[1])
    (tmp_path / "bad.crt").write_text("nothing of a certificate")
    with pytest.raises(BadCertificate, match="no usable certificate"):
        Certificate(tmp_path / "bad.crt", files[1])
    sealed = (tmp_path / "sealed.crt", tmp_path / "sealed.key")
    write_pair(*sealed, password=b"secret")
    with pytest.raises(BadCertificate, match="encrypted"):
        Certificate(*sealed)
    with pytest.raises(ValidationError, match="go together"):
        WebSettings(certificate=files[0])
