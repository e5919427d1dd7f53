"""Flows over the API: read, check with places, save with its conflict and its audit, go back, try."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ivr_flows.trying import FORGOTTEN_AFTER_S, MOST_OF_ONE
from tests.support.web import Api
from tests.support.web_flows import SMALL

FLOW = "/api/v1/flows/pequeno"


async def put(api: Api, text: str, version: str | None, status: int = 200, who: str = "admin") -> Any:
    body = {"yaml": text, "comment": "saludo más corto", "version": version}
    return await api.json("PUT", FLOW, who, status, json=body)


async def test_the_list_says_what_serves_which_number(api: Api) -> None:
    items = {item["name"]: item for item in (await api.get("/api/v1/flows", "manager"))["items"]}
    assert items["pequeno"]["numbers"] == ["1800*"]
    assert items["pequeno"]["title"] == "Un flujo pequeño"
    assert items["principal"]["numbers"] == ["*"]
    assert not [p for item in items.values() for p in item["problems"] if p["severity"] == "error"]


async def test_a_check_gives_places_nodes_and_a_picture(api: Api) -> None:
    async def check(text: str) -> Any:
        return await api.json("POST", "/api/v1/flows/check", "manager", 200, json={"name": "pequeno", "yaml": text})

    good = await check(SMALL)
    assert good["svg"].startswith("<svg")
    assert {"name": "agua", "kind": "play", "line": 13} in good["nodes"]
    bad = await check(SMALL.replace("next: fin}", "next: fim}"))
    assert bad["svg"] is None
    found = bad["problems"][0]
    assert (found["line"], found["severity"]) == (13, "error")
    assert "fin" in found["hint"]
    assert [node["name"] for node in bad["nodes"]] == ["motivo", "agua", "cola", "fin"]


async def test_a_flow_longer_than_any_other_request_can_be_saved(api: Api) -> None:
    first = await api.get(FLOW, "admin")
    text = SMALL + "".join(f"# {n}: por qué esta parte es como es, año tras año\n" for n in range(2_500))
    assert len(text.encode()) > 2 * 65_536
    checked = await api.json("POST", "/api/v1/flows/check", "manager", 200, json={"name": "pequeno", "yaml": text})
    assert checked["svg"]
    await put(api, text, first["version"])
    assert (await api.get(FLOW, "admin"))["yaml"] == text
    too_long = json.dumps({"yaml": "#" * 1_100_000, "comment": "", "version": first["version"]}).encode()
    headers = {"Content-Type": "application/json"}
    refused = await api.json("PUT", FLOW, "admin", 413, data=io.BytesIO(too_long), headers=headers)
    assert refused["code"] == "request.too_large"


async def test_saving_makes_a_version_and_the_audit_knows_who(api: Api) -> None:
    first = await api.get(FLOW, "admin")
    text = SMALL.replace("Gracias por llamar.", "Gracias.")
    saved = await put(api, text, first["version"])
    now = await api.get(FLOW, "admin")
    assert (now["yaml"], now["version"]) == (text, saved["version"])
    assert [(v["active"], v["comment"]) for v in now["versions"]] == [(True, "saludo más corto"), (False, "")]
    assert now["versions"][0]["by"] == "admin"
    entry = (await api.platform.audit.entries())[0]
    assert (entry.action, entry.target, entry.before) == ("flow.saved", "flow:pequeno", {"version": first["version"]})

    refused = await put(api, SMALL, first["version"], status=409)
    assert refused["code"] == "flows.version_moved"
    assert refused["facts"]["present"] == saved["version"]
    mistaken = await put(api, text.replace("fin", "fim", 1), saved["version"], status=422)
    assert mistaken["code"] == "flows.invalid"
    assert "fim" in mistaken["facts"]["problems"][0]

    older = await api.get(f"{FLOW}/versions/{first['version']}", "manager")
    assert older["yaml"] == SMALL
    assert any(line.startswith("+") and "Gracias." in line for line in older["difference"])
    back = await api.json("POST", f"{FLOW}/roll-back", "admin", 200, json={"version": first["version"]})
    assert back["version"] == first["version"]
    assert (await api.get(FLOW, "admin"))["yaml"] == SMALL
    assert (await api.platform.audit.entries())[0].action == "flow.rolled_back"


async def test_who_may_only_read_saves_nothing(api: Api) -> None:
    version = (await api.get(FLOW, "manager"))["version"]
    await put(api, SMALL + "\n", version, status=403, who="manager")
    assert (await api.get(FLOW, "manager"))["version"] == version


async def begin(api: Api, body: dict[str, Any] | None = None, who: str = "supervisor") -> Any:
    return await api.json("POST", f"{FLOW}/try", who, 200, json=body or {})


async def tell(api: Api, session: str, status: int = 200, who: str = "supervisor", **given: Any) -> Any:
    return await api.json("POST", f"/api/v1/flows/try/{session}", who, status, json={"input": given})


async def test_a_flow_is_tried_as_it_serves_and_as_it_is_written(api: Api) -> None:
    here = await begin(api)
    assert here["said"] == [{"kind": "text", "text": "Para agua marque uno. Para internet marque dos."}]
    assert here["waiting"]["kind"] == "keys"
    assert {"field": "digits", "value": "1", "title": "Agua"} in here["waiting"]["options"]
    there = await tell(api, here["session"], digits="2")
    assert (there["waiting"]["kind"], there["path"]) == ("queue", ["motivo", "cola"])
    end = await tell(api, here["session"], answer={"queue": "talked"})
    assert end["over"] is True
    await tell(api, here["session"], status=404, digits="1")  # over is over

    draft = SMALL.replace("Gracias por llamar.", "Todavía sin guardar.")
    here = await begin(api, {"yaml": draft})
    assert {"kind": "text", "text": "Todavía sin guardar."} in (await tell(api, here["session"], digits="1"))["said"]


@pytest.mark.parametrize(
    "given", [{}, {"digits": "1", "text": "x"}, {"digits": "a"}, {"answer": None}, {"answer": {"status": "x"}}]
)
async def test_an_input_that_makes_no_sense_is_said_so(api: Api, given: dict[str, Any]) -> None:
    session = (await begin(api))["session"]
    path = f"/api/v1/flows/try/{session}"
    async with api.ask("POST", path, "supervisor", json={"input": given}) as response:
        assert response.status in (404, 422)
    assert (await tell(api, session, digits="1"))["over"] is True


async def test_who_has_no_bots_plays_them(api: Api) -> None:
    text = SMALL.replace("entry: motivo", "entry: bot").replace(
        "nodes:\n", "nodes:\n  bot: {kind: bot, name: averias, next: motivo, unavailable: cola}\n"
    )
    for by_hand in (True, False):
        here = await begin(api, {"yaml": text, "by_hand": by_hand})
        assert here["waiting"]["kind"] == "bot"
        assert (await tell(api, here["session"], answer={"bot": "done"}))["node"] == "motivo"


async def test_trials_are_their_owners_and_bounded(api: Api) -> None:
    first = (await begin(api))["session"]
    await tell(api, first, status=404, who="admin", digits="1")
    for _ in range(MOST_OF_ONE):
        await begin(api)
    await tell(api, first, status=404, digits="1")
    assert FORGOTTEN_AFTER_S <= 3600
