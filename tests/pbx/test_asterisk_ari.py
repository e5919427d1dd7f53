"""The ARI client against a real HTTP server that answers badly, late, never, or dies: each fate has its error, and no
command is ever sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import pbx.asterisk.ari as ari_module
from pbx.asterisk.ari import AriClient, refusal
from pbx.asterisk.instance import AsteriskLink
from pbx.asterisk.wire import AriInfo
from pbx.terms import ChannelGone, ChannelId, CommandRefused, SwitchUnreachable


class FakeAri:
    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.urls: list[str] = []
        self.authorization = ""
        app = web.Application()
        app.router.add_route("*", "/ari/{tail:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["tail"]
        self.asked[f"{request.method} {path}"] += 1
        self.urls.append(str(request.url))
        self.authorization = request.headers.get("Authorization", "")
        if path == "never":
            await asyncio.sleep(30)
        if path == "dies":
            assert request.transport
            request.transport.close()
            return web.Response()
        if path == "asterisk/info":
            return web.json_response({"system": {"version": "22.1", "new": 1}, "status": {"startup_time": "t"}})
        status, _, text = path.partition("/")
        body = {"message": text.replace("_", " ")} if text else {"error": "Allocation failed"}
        return web.json_response(body, status=int(status))


@pytest.fixture
async def fake() -> AsyncIterator[FakeAri]:
    ari = FakeAri()
    await ari.server.start_server()
    yield ari
    await ari.server.close()


@pytest.fixture
async def client(fake: FakeAri, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AriClient]:
    monkeypatch.setattr(ari_module, "_REPLY_TIMEOUT_S", 0.3)
    async with AriClient(link(str(fake.server.make_url("/ari")))) as made:
        yield made


def link(url: str) -> AsteriskLink:
    return AsteriskLink(
        ari_url=url,
        ari_user="rimay",
        ari_password="ari-clave",
        ami_host="127.0.0.1",
        ami_port=1,
        ami_user="rimay",
        ami_password="ami-clave",
        recordings=Path(),
    )


async def test_a_typed_reply_and_no_secret_in_the_url(client: AriClient, fake: FakeAri) -> None:
    info = await client.get("/asterisk/info", AriInfo)
    assert (info.system.version, info.life) == ("22.1", " t")
    assert fake.authorization.startswith("Basic ")
    assert not any("clave" in url or "api_key" in url for url in fake.urls)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/404/Channel_not_found", ChannelGone),
        ("/400/Channel_not_found", ChannelGone),
        ("/404/Bridge_not_found", CommandRefused),
        ("/409/Channel_in_wrong_state", CommandRefused),
        ("/422/Channel_not_in_Stasis_application", CommandRefused),
        ("/500", CommandRefused),
        ("/503", SwitchUnreachable),
        ("/never", SwitchUnreachable),
        ("/dies", SwitchUnreachable),
    ],
)
async def test_every_fate_has_its_error_and_nothing_is_sent_again(
    client: AriClient, fake: FakeAri, path: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await client.call("POST", path)
    assert sum(fake.asked.values()) == 1


async def test_a_connection_that_was_dropped_is_not_met_again(client: AriClient, fake: FakeAri) -> None:
    with pytest.raises(SwitchUnreachable):
        await client.call("POST", "/dies")
    assert await client.call("POST", "/200/ok")


async def test_an_attempt_may_find_nothing_to_do(client: AriClient) -> None:
    assert await client.attempt("DELETE", "/200/ok")
    assert not await client.attempt("DELETE", "/404/Playback_not_found")
    with pytest.raises(SwitchUnreachable):
        await client.attempt("DELETE", "/dies")


async def test_nobody_listens(unused_tcp_port: int) -> None:
    async with AriClient(link(f"http://127.0.0.1:{unused_tcp_port}/ari")) as client:
        with pytest.raises(SwitchUnreachable):
            await client.call("POST", "/channels/x/answer")
        with pytest.raises(SwitchUnreachable):
            async with client.event_socket():
                pass


async def test_before_and_after_the_connection_commands_are_unreachable() -> None:
    client = AriClient(link("http://127.0.0.1:1/ari"))
    with pytest.raises(SwitchUnreachable):
        await client.call("POST", "/x")
    async with client:
        pass
    with pytest.raises(SwitchUnreachable):
        await client.call("POST", "/x")


def test_a_not_found_of_a_channels_own_command_is_the_channels() -> None:
    assert isinstance(refusal(404, b"{}", ChannelId("c")), ChannelGone)
    assert isinstance(refusal(404, b"no json", None), CommandRefused)
    assert refusal(500, b'{"error":"Allocation failed"}', None).facts["reason"] == "Allocation failed"
