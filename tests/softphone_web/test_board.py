"""The supervisors' API on the twins: the board, steering, messages, the organisation."""

from __future__ import annotations

import pytest

from callcontrol.model import AgentState, InteractionId
from softphone_web.ports import LiveEvent, Topic
from tests.support.web import ANA, NOW, Api
from tests.support.web_live import Socket


async def test_the_board_in_one_answer(api: Api) -> None:
    board = await api.get("/api/v1/board")
    item, later = board["interactions"]
    assert (item["id"], item["phase"], item["queue_title"]) == ("i-00009", "queued", "Averías")
    assert item["sla"] == {"target_s": 20.0, "risk": "late"}
    assert later["sla"] == {"target_s": 20.0, "risk": "ok"}
    assert item["from_address"] == "+593987654321"
    assert [a["team"] for a in board["agents"]] == ["cc", "cc"]
    assert board["queues"][0]["service_level"]["variant"] == "standard"
    assert board["alerts"][0]["message"].startswith("Un contacto espera")
    admin = await api.get("/api/v1/board", "admin")
    assert admin["interactions"][0]["from_address"] is None


async def test_history_and_definitions(api: Api) -> None:
    history = await api.get("/api/v1/queues/averias/history?hours=2")
    assert (history["step_s"], len(history["points"])) == (900, 9)
    await api.get("/api/v1/queues/nada/history", status=404)
    await api.get("/api/v1/queues/averias/history?hours=99", status=422)
    figures = set((await api.get("/api/v1/board"))["queues"][0]) - {"name", "title", "measured_at"}
    explained = {d["figure"] for d in (await api.get("/api/v1/definitions", "ana"))["items"]}
    assert figures <= explained  # no figure without its definition


async def test_a_place_with_its_method(api: Api) -> None:
    await api.get("/api/v1/interactions/i-00001/place", status=409)
    await api.get("/api/v1/interactions/i-99999/place", status=404)
    api.platform.queues.waits["averias"][InteractionId("i-00001")] = NOW - 5
    api.platform.agents.force(ANA, AgentState.READY)
    place = await api.get("/api/v1/interactions/i-00001/place")
    assert (place["position"], place["waited_s"], place["expected_s"]) == (3, 5, 285.0)
    assert place["method"].startswith("handling_time")


async def test_steering_is_checked_done_and_audited(api: Api) -> None:
    twin = api.platform.steering
    twin.waiting = {"i-00001"}
    api.platform.agents.force(ANA, AgentState.READY)
    for path, body in (
        ("move", {"queue": "facturas"}),
        ("raise", {"priority": 10}),
        ("assign", {"agent": "ana"}),
        ("end", None),
    ):
        await api.json("POST", f"/api/v1/interactions/i-00001/{path}", "supervisor", 204, json=body)
    assert [act[0] for act in twin.done] == ["move", "raise", "assign", "end"]
    entries = await api.platform.audit.entries(target="interaction:i-00001")
    assert {e.action for e in entries} == {
        "interaction.moved",
        "interaction.raised",
        "interaction.assigned",
        "interaction.ended",
    }
    moved = next(e for e in entries if e.action == "interaction.moved")
    assert moved.before == {"queue": "averias"}
    assert moved.after is not None
    assert moved.after["queue"] == "facturas"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("interactions/i-00001/move", {"queue": "facturas"}, 409),  # it waits nowhere
        ("interactions/i-00001/end", None, 409),
        ("interactions/i-99999/move", {"queue": "facturas"}, 404),
        ("interactions/i-00001/raise", {"priority": 1001}, 422),
        ("interactions/i-00001/assign", {"agent": "nadie"}, 404),
        ("agents/nadie/force-state", {"state": "ready"}, 404),
        ("agents/luis/force-state", {"state": "not_ready"}, 422),
        ("agents/luis/force-state", {"state": "interacting", "reason": "x"}, 422),
    ],
)
async def test_what_cannot_be_is_refused(api: Api, path: str, body: object, status: int) -> None:
    await api.json("POST", f"/api/v1/{path}", "supervisor", status, json=body)
    assert api.platform.steering.done == []


async def test_a_state_is_forced(api: Api) -> None:
    body = {"state": "not_ready", "reason": "falla_tecnica"}
    answer = await api.json("POST", "/api/v1/agents/luis/force-state", "supervisor", 200, json=body)
    assert answer["state"] == "not_ready"
    (entry,) = await api.platform.audit.entries(target="agent:luis")
    assert entry.action == "agent.forced"


async def test_messages_reach_whom_they_are_for(api: Api) -> None:
    async def send(status: int, kind: str, to: str | None = None) -> None:
        body = {"to": {"kind": kind, **({"id": to} if to else {})}, "text": "  Corte en El Batán  "}
        await api.json("POST", "/api/v1/messages", "supervisor", status, json=body)

    await send(201, "queue", "averias")
    await send(201, "agent", "luis")
    await send(404, "agent", "nadie")
    await send(404, "queue", "nada")
    await send(422, "all", "averias")
    await send(422, "agent")
    to_ana = (await api.get("/api/v1/messages", "ana"))["items"]
    assert [(m["text"], m["to"], m["mine"]) for m in to_ana] == [
        ("Corte en El Batán", {"kind": "queue", "id": "averias"}, False)
    ]
    assert len((await api.get("/api/v1/messages"))["items"]) == 2
    assert (await api.get("/api/v1/messages", "admin"))["items"] == []


async def test_live_messages_and_alerts_come_to_those_they_are_for(api: Api) -> None:
    async with Socket.open(api, "ana") as ana, Socket.open(api, "luis") as luis, Socket.open(api, "supervisor") as boss:
        for topic, kind in ((Topic.MESSAGES, "message"), (Topic.ALERTS, "wrap_up_too_long")):
            api.platform.live.put(
                LiveEvent(topic=topic, type=kind, at=NOW, key="x", data={"n": 1}, agents=frozenset({ANA}))
            )
        api.platform.live.put(LiveEvent(topic=Topic.AGENTS, type="agent_state", at=NOW, key="end", data={}))
        assert [f["topic"] for f in await ana.until("end")] == ["messages", "alerts", "agents"]
        assert [f["topic"] for f in await luis.until("end")] == ["agents"]
        assert [f["topic"] for f in await boss.until("end")] == ["alerts", "agents"]


GOOD = "skills: {agua: Agua}  # la primera\n"


async def test_the_organisation_is_read_checked_and_put(api: Api) -> None:
    first = await api.get("/api/v1/organisation", "admin")
    assert first["document"] == {}
    bad = {"yaml": "skills: {agua: Agua}\nqueues:\n  - {name: a, requires: aqua}\n"}
    check = await api.json("POST", "/api/v1/organisation/check", "admin", 200, json=bad)
    (mistake,) = check["mistakes"]
    assert (mistake["line"], mistake["column"], mistake["hint"]) == (3, 15, "agua")
    assert check["difference"] == []
    spanish = {"Accept-Language": "es-EC,es;q=0.9"}
    check = await api.json("POST", "/api/v1/organisation/check", "admin", 200, json=bad, headers=spanish)
    assert check["mistakes"] == [mistake | {"message": "no existe la habilidad «aqua»"}]
    check = await api.json("POST", "/api/v1/organisation/check", "admin", 200, json={"yaml": GOOD})
    assert check == {"mistakes": [], "difference": ["+ skills.agua: Agua"]}
    await api.json("PUT", "/api/v1/organisation", "admin", 422, json={**bad, "revision": first["revision"]})
    saved = await api.json(
        "PUT", "/api/v1/organisation", "admin", 200, json={"yaml": GOOD, "revision": first["revision"]}
    )
    assert saved["difference"] == ["+ skills.agua: Agua"]
    now = await api.get("/api/v1/organisation", "admin")
    assert (now["yaml"], now["revision"]) == (GOOD, saved["revision"])
    conflict = await api.json(
        "PUT", "/api/v1/organisation", "admin", 409, json={"yaml": GOOD, "revision": first["revision"]}
    )
    assert conflict["code"] == "organisation.revision_moved"
    document = {"skills": {"agua": "Agua", "internet": "Internet"}}
    text = await api.json("POST", "/api/v1/organisation/render", "admin", 200, json={"document": document})
    assert "# la primera" in text["yaml"]
    assert "internet: Internet" in text["yaml"]


async def test_holidays_of_a_year(api: Api) -> None:
    items = (await api.get("/api/v1/holidays?year=2026"))["items"]
    assert {"day": "2026-04-13", "name": "Fundación de Cuenca", "local": True} in items
    assert {"day": "2026-12-25", "name": "Navidad", "local": False} in items
