"""The agent's desk and the orders to calls, over HTTP."""

from __future__ import annotations

import pytest

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.events import InteractionEvent, SupervisionEnded, SupervisionStarted
from callcontrol.model import AgentId, Target
from callcontrol.orders import Refused
from pbx.terms import Supervision
from softphone_web.ports import LiveEvent, Topic
from tests.support.web import ANA, LUIS, NOW, Api
from tests.support.web_desk import CALL, OFFER


async def test_the_desk_in_one_answer(api: Api) -> None:
    desk = await api.get("/api/v1/me/desk", "ana")
    assert desk["agent"]["wanted_reason"] == "almuerzo"
    assert desk["phone"] == {"kind": "web", "leg": "up", "endpoint": "1001", "online": True}
    assert desk["offers"][0]["path"] == [{"node": "motivo", "option": "1", "title": "Agua potable"}]
    assert desk["items"][0]["legs"][0]["state"] == "talking"
    assert desk["wrap_ups"][0]["dispositions"][0] == {"code": "resuelto", "title": "Resuelto"}
    assert desk["wrap_ups"][0]["disposition_required"] is True


async def test_an_offer_is_answered_once(api: Api) -> None:
    for who, status in (("luis", 409), ("ana", 204), ("ana", 409)):
        async with api.ask("POST", f"/api/v1/offers/{OFFER}/accept", who) as response:
            assert response.status == status
    problem = await api.json("POST", f"/api/v1/offers/{OFFER}/reject", "ana", 409, json={})
    assert problem["code"] == "offer.over"
    assert api.platform.desks.done == [(ANA, OFFER, "accept")]


@pytest.mark.parametrize(
    ("path", "body", "order"),
    [
        ("hold", None, inp.AgentHold(ANA)),
        ("resume", None, inp.AgentResume(ANA)),
        ("hangup", None, inp.AgentHangup(ANA)),
        ("dtmf", {"digits": "12#"}, inp.SendDigits(ANA, "12#")),
        ("consult/complete", None, inp.ConsultComplete(ANA)),
        ("consult/cancel", None, inp.ConsultCancel(ANA)),
        ("consult/swap", None, inp.ConsultSwap(ANA)),
        ("consult/conference", None, inp.ConsultConference(ANA)),
        ("conference/leave", None, inp.ConferenceLeave(ANA)),
        ("conference/remove", {"participant": "p2"}, inp.ConferenceRemove(ANA, "p2")),
        ("supervisor-request", {"text": "No sé qué decir"}, inp.AskSupervisor(ANA, "No sé qué decir")),
        ("recording/pause", None, inp.RecordingPause(ANA)),
        ("recording/resume", None, inp.RecordingResume(ANA)),
    ],
)
async def test_orders_to_a_call_of_ones_own(api: Api, path: str, body: object, order: inp.CallInput) -> None:
    async with api.ask("POST", f"/api/v1/interactions/{CALL}/{path}", "ana", json=body) as response:
        assert response.status == 204, await response.text()
    assert api.platform.desks.done == [(CALL, order)]
    assert not [e for e in await api.platform.audit.entries() if e.action.startswith("call.")]


async def test_others_calls_do_not_exist_for_an_agent(api: Api) -> None:
    async with api.ask("POST", f"/api/v1/interactions/{CALL}/hold", "luis") as response:
        assert response.status == 404
    assert api.platform.desks.done == []


async def test_a_supervisor_s_order_is_audited(api: Api) -> None:
    async with api.ask("POST", f"/api/v1/interactions/{CALL}/hangup", "supervisor") as response:
        assert response.status == 204
    entry = (await api.platform.audit.entries())[0]
    assert (entry.action, entry.target) == ("call.hangup", f"interaction:{CALL}")


async def test_what_cannot_be_now_says_why(api: Api) -> None:
    api.platform.desks.refuse = NotNow("the call is not in a state for this")
    problem = await api.json("POST", f"/api/v1/interactions/{CALL}/hold", "ana", 409)
    assert problem["code"] == "call.not_now"


@pytest.mark.parametrize(
    ("body", "done"),
    [
        ({"kind": "blind", "to": {"kind": "agent", "id": "luis"}}, (Target.AGENT, "luis", False)),
        ({"kind": "attended", "to": {"kind": "agent", "id": "luis"}}, (Target.AGENT, "luis", True)),
        ({"kind": "attended", "to": {"kind": "number", "id": "+593991234567"}}, (Target.NUMBER, "+593991234567", True)),
        ({"kind": "attended", "to": {"kind": "queue", "id": "averias"}}, (Target.QUEUE, "averias", False)),
    ],
)
async def test_transfers(api: Api, body: object, done: tuple[object, ...]) -> None:
    async with api.ask("POST", f"/api/v1/interactions/{CALL}/transfer", "ana", json=body) as response:
        assert response.status == 204, await response.text()
    assert api.platform.desks.done == [(CALL, ANA, *done)]


async def test_a_transfer_to_nobody(api: Api) -> None:
    body = {"kind": "blind", "to": {"kind": "agent", "id": "nadie"}}
    await api.json("POST", f"/api/v1/interactions/{CALL}/transfer", "ana", 404, json=body)


async def test_a_call_out(api: Api) -> None:
    wanted = {"number": "0991234567", "queue": "averias", "customer": "0102030400"}
    placed = await api.json("POST", "/api/v1/calls", "luis", 201, json=wanted)
    assert set(placed) == {"interaction"}
    assert api.platform.desks.done == [(LUIS, "0991234567", "averias", "0102030400")]
    problem = await api.json("POST", "/api/v1/calls", "ana", 409, json=wanted)
    assert problem["code"] == "agent.busy"  # she talks
    api.platform.desks.refuse = Refused("not allowed", why="switch.dial_refused")
    problem = await api.json("POST", "/api/v1/calls", "ana", 409, json={"number": "0991234567"})
    assert problem["code"] == "call.refused"
    await api.json("POST", "/api/v1/calls", "ana", 422, json={"number": "sip:x@y"})


async def test_what_it_was_about(api: Api) -> None:
    url = f"/api/v1/interactions/{CALL}"
    for path, body in (("disposition", {"code": "resuelto"}), ("reason", {"reason": "agua"})):
        async with api.ask("PUT", f"{url}/{path}", "ana", json=body) as response:
            assert response.status == 204
    assert api.platform.desks.done == [
        (CALL, inp.Classify(ANA, disposition="resuelto")),
        (CALL, inp.Classify(ANA, reason="agua")),
    ]
    await api.json("PUT", f"{url}/disposition", "ana", 422, json={"code": "inventado"})


async def test_a_wrap_up_that_wants_a_disposition(api: Api) -> None:
    api.platform.desks.owes(ANA)
    url = "/api/v1/agents/ana"
    problem = await api.json("POST", f"{url}/wrap-up/finish", "ana", 409, json={})
    assert problem["code"] == "wrap_up.disposition_required"
    problem = await api.json("PUT", f"{url}/state", "ana", 409, json={"state": "ready"})
    assert problem["code"] == "wrap_up.disposition_required"
    await api.json("POST", f"{url}/wrap-up/extend", "ana", 200, json={"seconds": 30, "interaction": "i-done"})
    await api.json("POST", f"{url}/wrap-up/finish", "ana", 200, json={"disposition": "resuelto"})
    assert api.platform.desks.done == [(ANA, "i-done", 30.0), (ANA, None, "resuelto")]


async def test_supervision_is_audited_and_needs_the_right_to_speak(api: Api) -> None:
    url = f"/api/v1/interactions/{CALL}"
    for path, body in (("supervise", {"mode": "whisper"}), ("take-over", None)):
        async with api.ask("POST", f"{url}/{path}", "supervisor", json=body) as response:
            assert response.status in (204, 409), await response.text()
    async with api.ask("POST", f"{url}/supervise", "ana", json={"mode": "listen"}) as response:
        assert response.status == 403


async def test_the_end_of_a_supervision_is_audited_with_how_long_it_lasted(api: Api) -> None:
    call, supervisor = api.platform.desks.calls[CALL], AgentId("supervisor")
    facts = [
        SupervisionStarted(supervisor=supervisor, mode="listen"),
        SupervisionEnded(supervisor=supervisor, mode="listen", why="leg_lost"),
        SupervisionStarted(supervisor=AgentId("otra"), mode="listen"),
        SupervisionStarted(supervisor=supervisor, mode="listen"),
        SupervisionStarted(supervisor=supervisor, mode="whisper"),
        SupervisionEnded(supervisor=supervisor, mode="whisper", why="left"),
        SupervisionEnded(supervisor=AgentId("otra"), mode="listen", why="left"),
    ]
    api.platform.interactions.log[CALL] = [
        InteractionEvent(interaction=CALL, n=n, at=NOW + n * 10, fact=fact) for n, fact in enumerate(facts, 1)
    ]
    path = f"/api/v1/interactions/{CALL}/supervise"
    await api.json("DELETE", path, "supervisor", 409)
    assert await api.platform.audit.entries(target=f"interaction:{CALL}") == []
    call.watchers[supervisor] = Supervision.WHISPER
    async with api.ask("DELETE", path, "supervisor") as response:
        assert response.status == 204, await response.text()
    (entry,) = await api.platform.audit.entries(target=f"interaction:{CALL}")
    assert entry.after is not None
    assert (entry.action, entry.after["seconds"]) == ("call.supervise_ended", 20.0)


@pytest.mark.parametrize("digits", ["", "12x", "1" * 33])
async def test_bad_keys(api: Api, digits: str) -> None:
    await api.json("POST", f"/api/v1/interactions/{CALL}/dtmf", "ana", 422, json={"digits": digits})


async def test_codes(api: Api) -> None:
    codes = await api.get("/api/v1/wrap-up-codes?queue=averias", "ana")
    assert codes["required"] is True
    assert codes["dispositions"][1] == {"code": "sin_solucion", "title": "Sin solución"}
    reasons = await api.get("/api/v1/not-ready-reasons", "ana")
    assert reasons["items"][0] == {"code": "almuerzo", "title": "Almuerzo"}


async def test_the_live_desk_comes_to_its_agent_alone(api: Api) -> None:
    def event(agent: str) -> LiveEvent:
        agents = frozenset({AgentId(agent)})
        return LiveEvent(topic=Topic.DESK, type="changed", at=NOW, key=agent, data={"of": agent}, agents=agents)

    url = f"{api.server.url}/api/v1/live?topics=desk"
    async with api.session.ws_connect(url, headers=api.headers("ana")) as mine:
        assert (await mine.receive_json())["type"] == "hello"
        await api.platform.live.subscribed.wait()
        api.platform.live.put(event("luis"))
        api.platform.live.put(event("ana"))
        assert (await mine.receive_json())["data"] == {"of": "ana"}
