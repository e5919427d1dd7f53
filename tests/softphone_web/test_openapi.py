"""The generated document is valid, and what the server answers is what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import ClientResponse
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from callcontrol.model import AgentState
from softphone_web.openapi import build_document
from softphone_web.server import ROUTES
from tests.support.access_table import PUBLIC
from tests.support.web import ANA, Api

DOCUMENT = build_document(ROUTES, "0.1.0")


def test_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_operation_tells_who_may_call_it() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert ("security" in operation) == (operation["operationId"] not in PUBLIC)


def test_every_reference_has_its_target() -> None:
    found = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
    assert found
    assert found <= set(DOCUMENT["components"]["schemas"])


def check(path: str, method: str, response: ClientResponse, body: Any) -> None:
    """The answer's status, media type and content against the document."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    described = responses.get(str(response.status))
    assert described is not None, f"{method} {path} does not tell of {response.status}"
    schema = described["content"][response.content_type]["schema"]
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(body)


@pytest.mark.parametrize(
    ("path", "actual", "who", "status"),
    [
        ("/api/v1/interactions", "/api/v1/interactions?limit=2&medium=voice", "supervisor", 200),
        ("/api/v1/interactions", "/api/v1/interactions", "admin", 200),
        ("/api/v1/interactions", "/api/v1/interactions?limit=0&bad=1", "admin", 422),
        ("/api/v1/interactions", "/api/v1/interactions", None, 401),
        ("/api/v1/interactions/{interaction}", "/api/v1/interactions/i-00001", "supervisor", 200),
        ("/api/v1/interactions/{interaction}", "/api/v1/interactions/nope", "supervisor", 404),
        ("/api/v1/interactions/{interaction}/events", "/api/v1/interactions/i-00001/events?limit=3", "supervisor", 200),
        ("/api/v1/recordings", "/api/v1/recordings?interaction=i-00001", "supervisor", 200),
        ("/api/v1/recordings", "/api/v1/recordings?interaction=i-00001", "admin", 403),
        ("/api/v1/recordings/{recording}", "/api/v1/recordings/r-00001", "supervisor", 200),
        ("/api/v1/queues", "/api/v1/queues", "agent", 200),
        ("/api/v1/queues/{queue}", "/api/v1/queues/averias", "agent", 200),
        ("/api/v1/agents", "/api/v1/agents", "agent", 200),
        ("/api/v1/agents/{agent}", "/api/v1/agents/ana", "agent", 200),
        ("/api/v1/trunks", "/api/v1/trunks", "supervisor", 200),
        ("/api/v1/trunks", "/api/v1/trunks", "agent", 403),
        ("/api/v1/me", "/api/v1/me", "ana", 200),
        ("/api/v1/live", "/api/v1/live", "ana", 400),
        ("/health", "/health", None, 200),
        ("/health/live", "/health/live", None, 200),
        ("/health/ready", "/health/ready", None, 200),
    ],
)
async def test_answers_are_as_documented(api: Api, path: str, actual: str, who: str | None, status: int) -> None:
    async with api.ask("GET", actual, who) as response:
        assert response.status == status
        check(path, "get", response, await response.json(content_type=None))


@pytest.mark.parametrize(
    ("method", "path", "actual", "body", "status"),
    [
        ("put", "/api/v1/agents/{agent}/state", "/api/v1/agents/ana/state", {"state": "ready"}, 200),
        ("put", "/api/v1/agents/{agent}/state", "/api/v1/agents/ana/state", {"state": "flying"}, 422),
        ("put", "/api/v1/agents/{agent}/state", "/api/v1/agents/nobody/state", {"state": "ready"}, 404),
        ("post", "/api/v1/agents/{agent}/sign-in", "/api/v1/agents/ana/sign-in", None, 200),
        ("post", "/api/v1/agents/{agent}/sign-out", "/api/v1/agents/ana/sign-out", None, 200),
        ("post", "/api/v1/agents/{agent}/wrap-up/finish", "/api/v1/agents/luis/wrap-up/finish", {}, 409),
        (
            "post",
            "/api/v1/agents/{agent}/wrap-up/finish",
            "/api/v1/agents/ana/wrap-up/finish",
            {"disposition": "resuelto"},
            200,
        ),
        ("post", "/api/v1/live/ticket", "/api/v1/live/ticket", None, 201),
    ],
)
async def test_changes_are_as_documented(
    api: Api, method: str, path: str, actual: str, body: dict[str, str] | None, status: int
) -> None:
    api.platform.agents.force(ANA, AgentState.WRAP_UP)
    async with api.ask(method.upper(), actual, "supervisor", json=body) as response:
        assert response.status == status, await response.text()
        check(path, method, response, await response.json(content_type=None))


async def test_served_document_and_reference_page(api: Api) -> None:
    assert await api.get("/openapi.json", None) == DOCUMENT
    async with api.ask("GET", "/api", None) as response:
        page = await response.text()
    for route in ROUTES:
        assert f'id="{route.name}"' in page
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))
