"""Whatever is sent: a problem document with a 4xx, never a 5xx, and nothing of ours or theirs in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.errors import Conflict, Invalid, RimayError, Unavailable
from pbx.terms import SwitchUnreachable
from softphone_web.problems import Problem
from softphone_web.server import ROUTES
from tests.support.web import Api, Platform, running

STATE = "/api/v1/agents/ana/state"


async def problem(api: Api, method: str, path: str, who: str | None = "supervisor", **more: Any) -> tuple[int, Problem]:
    async with api.ask(method, path, who, **more) as response:
        assert response.content_type == "application/problem+json", await response.text()
        found = Problem.model_validate(await response.json(content_type=None))
        assert found.status == response.status
        assert found.request_id == response.headers["X-Request-Id"]
        return response.status, found


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=0", {"limit"}),
        ("limit=201", {"limit"}),
        ("limit=1e3", {"limit"}),
        ("limit=99999999999999999999999999", {"limit"}),
        ("limit=", {"limit"}),
        ("medium=fax", {"medium"}),
        ("queue=a%00b", {"queue"}),
        ("queue=%F0%28%8C%28", {"queue"}),
        ("queue=" + "x" * 129, {"queue"}),
        ("from=yesterday", {"from"}),
        ("from=2026-11-18T11:06:28", {"from"}),  # no zone: whose morning?
        ("from=0001-01-01T00:00:00%2B14:00", {"from"}),
        ("to=9999-12-31T23:59:59-14:00", {"to"}),
        ("from=1e400", {"from"}),
        ("from=-62135596800", {"from"}),
        ("number=%2B593987654321", {"number"}),  # personal data stands in no URL
        ("cursor=nonsense", {"cursor"}),
        ("cursor=!!", {"cursor"}),
        ("cursor=" + "A" * 300, {"cursor"}),
        ("cursor=WzFlOTk5LCJhIl0", {"cursor"}),  # [1e999,"a"]
        ("cursor=WyJ4IiwxXQ", {"cursor"}),  # ["x",1]
        ("token=abc", {"token"}),
        ("medium=voice&medium=chat", {"medium"}),
        ("limit=0&medium=fax&wrong=1&phase=x", {"limit", "medium", "wrong", "phase"}),
    ],
)
async def test_bad_queries_list_every_field(api: Api, query: str, fields: set[str]) -> None:
    status, found = await problem(api, "GET", f"/api/v1/interactions?{query}")
    assert (status, found.code) == (422, "request.invalid")
    assert {error.field for error in found.errors} == fields
    assert all(error.where == "query" for error in found.errors)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"", 400, "json"),
        (b"{", 400, "json"),
        (b"\xff\xfe\x00", 400, "json"),
        (b'{"state": NaN}', 400, "json"),
        (b"[" * 60_000, 400, "json"),
        (b"[]", 422, "model_type"),
        (b"null", 422, "model_type"),
        (b'"ready"', 422, "model_type"),
        (b"{}", 422, "missing"),
        (b'{"state": 1}', 422, "literal_error"),
        (b'{"state": "interacting"}', 422, "literal_error"),  # only the router makes that so
        (b'{"state": "ready", "admin": true}', 422, "extra_forbidden"),
        (b'{"state": "not_ready"}', 422, "reason"),
        (b'{"state": "ready", "reason": "x"}', 422, "reason"),
        (b'{"state": "not_ready", "reason": ""}', 422, "string_too_short"),
        (b'{"state": "not_ready", "reason": "a\\u0000b"}', 422, "string_pattern_mismatch"),
        (b'{"state": "not_ready", "reason": "\\ud800"}', 422, None),
        (b'{"state": ' + b"9" * 5000 + b"}", 400, "json"),
    ],
)
async def test_bad_bodies(api: Api, sent: bytes, status: int, code: str | None) -> None:
    headers = {"Content-Type": "application/json"}
    got, found = await problem(api, "PUT", STATE, data=sent, headers=headers)
    assert got == status
    if code is not None:
        assert [error.code for error in found.errors] == [code]


async def test_body_too_large_or_of_another_kind_or_not_wanted(api: Api) -> None:
    status, found = await problem(api, "PUT", STATE, json={"state": "x" * 70_000})
    assert (status, found.code) == (413, "request.too_large")
    status, _ = await problem(api, "PUT", STATE, data=b"state=ready", headers={"Content-Type": "text/plain"})
    assert status == 415
    status, found = await problem(api, "POST", "/api/v1/agents/ana/sign-in", json={"a": 1})
    assert (status, found.errors[0].where) == (422, "body")


@pytest.mark.parametrize("given", ["Basic YTpi", "Bearer", "Bearer a b", "Bearer " + "x" * 600, "rimay_x", "Bearer é"])
async def test_bad_credentials(api: Api, given: str) -> None:
    status, found = await problem(api, "GET", "/api/v1/me", None, headers={"Authorization": given})
    assert (status, found.title) == (401, "Unauthorized")
    assert "YTpi" not in found.model_dump_json()
    assert "xxxx" not in found.model_dump_json()


async def test_a_token_in_the_url_is_no_token(api: Api) -> None:
    token = api.platform.tokens["supervisor"]
    status, _ = await problem(api, "GET", f"/api/v1/me?token={token}", None)
    assert status == 401


async def test_unknown_paths_and_methods(api: Api) -> None:
    assert (await problem(api, "GET", "/api/v1/nothing"))[0] == 404
    assert (await problem(api, "GET", "/static/../server.py"))[0] == 404
    assert (await problem(api, "GET", "/static/%2e%2e/server.py"))[0] == 404
    async with api.ask("DELETE", STATE) as response:
        assert (response.status, response.headers["Allow"]) == (405, "PUT")


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Conflict("busy", agent="ana"), 409, "conflict"),
        (Invalid("no such"), 422, "invalid"),
        (Unavailable("postgresql://user:pw@db.internal is down"), 503, "unavailable"),
        (SwitchUnreachable("10.1.2.3 refused"), 503, "switch.unreachable"),
        (RimayError("at /var/lib/place"), 500, "internal"),
        (ZeroDivisionError("at /var/lib/place"), 500, "internal"),
    ],
)
async def test_errors_from_below(api: Api, raised: Exception, status: int, code: str) -> None:
    api.platform.interactions.broken = raised
    got, found = await problem(api, "GET", "/api/v1/interactions")
    assert (got, found.code) == (status, code)
    for inner in ("db.internal", "10.1.2.3", "/var/lib", "Traceback"):
        assert inner not in found.model_dump_json()


async def test_an_operation_that_hangs_is_ended(tmp_path: Path) -> None:
    from softphone_web.settings import WebSettings

    platform = Platform(tmp_path, settings=WebSettings(request_timeout_s=0.05))

    async def hang() -> list[Any]:
        await asyncio.Event().wait()
        return []

    platform.queues.list = hang  # type: ignore[method-assign]
    async with running(platform) as api:
        status, found = await problem(api, "GET", "/api/v1/queues")
        assert (status, found.code) == (504, "request.timeout")


async def test_the_log_has_no_personal_data_and_no_token(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    import structlog

    with structlog.testing.capture_logs() as lines:
        await api.json("POST", "/api/v1/interactions/search", "supervisor", 200, json={"number": "+593987654321"})
    (line,) = [line for line in lines if line["event"] == "web.request"]
    assert (line["route"], line["status"], line["role"]) == ("/api/v1/interactions/search", 200, "supervisor")
    assert "987654321" not in str(lines)
    assert api.platform.tokens["supervisor"] not in str(lines)


async def test_a_sane_request_id_is_kept_and_another_is_replaced(api: Api) -> None:
    for sent, kept in (("abc-123.DEF_9", True), ("short", False), ("x" * 65, False), ("a b c d e f g", False)):
        async with api.ask("GET", "/health/live", None, headers={"X-Request-Id": sent}) as response:
            assert (response.headers["X-Request-Id"] == sent) is kept


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)  # fmt: skip
FIELDS = st.sampled_from(
    ["state", "reason", "disposition", "limit", "cursor", "from", "to", "after", "interaction", "x"]
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_that_is_sent_gives_a_5xx(tmp_path: Path, data: st.DataObject) -> None:
    asyncio.run(_throw_at_everything(tmp_path, data))


async def _throw_at_everything(tmp_path: Path, data: st.DataObject) -> None:
    async with running(Platform(tmp_path)) as api:
        for route in ROUTES:
            segment = quote(data.draw(st.text(min_size=1, max_size=30)), safe="")
            path = route.path
            for name in ("interaction", "recording", "queue", "agent"):
                path = path.replace(f"{{{name}}}", segment)
            query = data.draw(st.dictionaries(FIELDS, st.text(max_size=30), max_size=4))
            text = "&".join(f"{quote(k)}={quote(v, safe='')}" for k, v in query.items())
            body = data.draw(st.dictionaries(FIELDS, ANYTHING, max_size=4)) if route.method != "GET" else None
            sent = {} if body is None else {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}}
            async with api.ask(route.method, f"{path}?{text}", "supervisor", **sent) as response:
                assert response.status < 500, f"{route.method} {path}?{text} {body}"
                if response.status >= 400:
                    assert response.content_type == "application/problem+json"
