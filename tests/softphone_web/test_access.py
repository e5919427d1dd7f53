"""What the table of routes and roles (`test_matrix`) cannot say: guards on objects, personal data, audit."""

from __future__ import annotations

import pytest

from tests.support.access_table import PUBLIC_PAGES
from tests.support.web import Api


@pytest.mark.parametrize("path", sorted(PUBLIC_PAGES | {"/health", "/health/live", "/health/ready"}))
async def test_public_pages_are_open_and_carry_the_security_headers(api: Api, path: str) -> None:
    async with api.ask("GET", path, None) as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "//" not in policy  # no other host
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        tag = response.headers.get("ETag")
    if tag is not None:
        async with api.ask("GET", path, None, headers={"If-None-Match": tag}) as response:
            assert response.status == 304


async def test_an_agent_sees_only_their_own(api: Api) -> None:
    mine = await api.get("/api/v1/interactions", "ana")
    assert [item["id"] for item in mine["items"]] == ["i-00001", "i-00002", "i-00003"]
    assert (await api.get("/api/v1/interactions", "luis"))["items"] == []
    assert (await api.get("/api/v1/interactions/i-00001", "ana"))["from_name"] == "Rosa Quito"
    (api.platform.folder / "r-00001.wav").write_bytes(b"RIFF")
    async with api.ask("GET", "/api/v1/recordings/r-00001/audio", "ana") as response:
        assert response.status == 200


@pytest.mark.parametrize(("kind", "known", "unknown"), [
    ("interactions", "i-00001", "i-99999"), ("recordings", "r-00001", "r-99999"),
])  # fmt: skip
async def test_what_is_not_mine_looks_like_what_is_not_there(api: Api, kind: str, known: str, unknown: str) -> None:
    answers = [await api.get(f"/api/v1/{kind}/{one}", "luis", 404) for one in (known, unknown)]
    for answer in answers:
        del answer["request_id"]
    assert answers[0] == answers[1]


async def test_an_agent_changes_only_themself(api: Api) -> None:
    body = {"state": "not_ready", "reason": "pausa"}
    assert (await api.json("PUT", "/api/v1/agents/ana/state", "ana", 200, json=body))["reason"] == "pausa"
    assert (await api.json("PUT", "/api/v1/agents/luis/state", "ana", 403, json=body))["code"] == "access.denied"
    other = await api.get("/api/v1/agents/luis", "ana")
    assert other["reason"] is None
    assert [agent for agent, *_ in api.platform.agents.done] == ["ana"]


async def test_acting_for_another_is_audited_and_for_oneself_is_not(api: Api) -> None:
    await api.json("PUT", "/api/v1/agents/ana/state", "ana", 200, json={"state": "ready"})
    assert await api.platform.audit.entries(target="agent:ana") == []
    await api.json("PUT", "/api/v1/agents/ana/state", "supervisor", 200, json={"state": "signed_out"})
    (entry,) = await api.platform.audit.entries(target="agent:ana")
    assert (entry.action, entry.actor_name, entry.origin) == ("agent.state_set", "supervisor", "127.0.0.1")


@pytest.mark.parametrize("role", ["admin", "supervisor"])
async def test_personal_data_only_for_who_may_hear_the_citizen(api: Api, role: str) -> None:
    shown = role == "supervisor"
    for path in ("/api/v1/interactions", "/api/v1/interactions/i-00001", "/api/v1/interactions/i-00001/events"):
        async with api.ask("GET", path, role) as response:
            text = await response.text()
        assert ("+593987654321" in text) is shown
        assert ("Rosa Quito" in text) is shown
        assert ("0102030405" in text) is (shown and path.endswith("events"))
        assert "/secret/" not in text
    number = {"number": "+593987654321"}
    async with api.ask("POST", "/api/v1/interactions/search", role, json=number) as response:
        assert response.status == (200 if shown else 403)


async def test_metrics_need_a_token_from_elsewhere(api: Api) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    for who, status in ((None, 401), ("agent", 403), ("manager", 403), ("service", 200), ("admin", 200)):
        async with api.ask("GET", "/metrics", who, headers=elsewhere) as response:
            assert response.status == status
    async with api.ask("GET", "/metrics", None) as response:
        assert "rimay_web_requests_total" in await response.text()


async def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    await api.get("/api/v1/me", "manager")
    await api.platform.token_desk.revoke(api.platform.token_ids["manager"])
    assert (await api.get("/api/v1/me", "manager", 401))["code"] == "access.bad_token"
