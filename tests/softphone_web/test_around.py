"""What stands around a contact, over the API: the card, notes, knowledge, the directory, one's own day."""

from __future__ import annotations

from typing import Any

import pytest

from callcontrol.agent_day import AgentDay
from callcontrol.model import AgentId
from softphone_web.server import ROUTES
from tests.support.web import Api, Platform, interaction


async def test_an_agent_sees_the_card_of_their_own_contact_alone(api: Api) -> None:
    api.platform.add(interaction(20, agent=AgentId("luis")))
    card = await api.get("/api/v1/interactions/i-00001/customer", "ana")
    assert card["identity"]["name"] == "Rosa Quito"
    assert card["contracts"][0]["debt"] == 23.47
    assert {row["id"] for row in card["interactions"]} == {"i-00002", "i-00003", "i-00004", "i-00020"}
    assert card["sources"] == [
        {"name": "clientes", "ok": True, "detail": ""},
        {"name": "rimay", "ok": True, "detail": ""},
    ]
    await api.get("/api/v1/interactions/i-00020/customer", "ana", status=404)
    await api.get("/api/v1/interactions/i-00001/customer", "luis", status=404)


async def test_a_note_is_there_at_the_next_contact(api: Api) -> None:
    path = "/api/v1/interactions/i-00001/notes"
    note = await api.json("POST", path, "ana", 201, json={"text": "  Pide visita por la tarde  "})
    assert (note["text"], note["by"], note["interaction"]) == ("Pide visita por la tarde", "ana", "i-00001")
    assert (await api.get(path, "ana"))["items"] == [note]
    card = await api.get("/api/v1/interactions/i-00002/customer", "ana")
    assert card["notes"] == [note]
    await api.json("POST", path, "luis", 404, json={"text": "no es mía"})
    await api.json("POST", path, "ana", 422, json={"text": "   "})


async def test_who_was_looked_up_is_in_the_audit_trail_and_their_number_is_not(api: Api, platform: Platform) -> None:
    card = await api.json("POST", "/api/v1/customers/search", "ana", 200, json={"document": "0102030400"})
    assert card["identity"]["name"] == "Rosa Quito"
    await api.json("POST", "/api/v1/customers/notes", "ana", 201, json={"address": "+593987654321", "text": "Nota"})
    entries = [entry for entry in await platform.audit.entries() if entry.action.startswith("customer.")]
    assert [(e.action, e.actor_name) for e in entries] == [("customer.noted", "ana"), ("customer.looked_up", "ana")]
    assert all("0102030400" not in e.target and "987654321" not in e.target for e in entries)


@pytest.mark.parametrize(
    "body", [{}, {"address": "0991234567", "document": "0102030400"}, {"address": "a b"}, {"nada": "1"}]
)
async def test_a_customer_is_looked_up_by_exactly_one_thing(api: Api, body: dict[str, str]) -> None:
    await api.json("POST", "/api/v1/customers/search", "ana", 422, json=body)


def test_no_operation_takes_what_people_type_of_citizens_in_its_url() -> None:
    """Every proxy on the way writes URLs down."""
    private = {"number", "address", "document", "contract", "caller", "phone"}
    taken = {
        f"{route.name}.{name}"
        for route in ROUTES
        for part in ("path", "query")
        if part in route.models
        for name in route.models[part].model_fields
    }
    of_citizens = {place for place in taken if place.partition(".")[2] in private}
    assert of_citizens == {"lift_locked_address.address"}  # a machine's
    # What else is typed freely into a URL: words for articles, and those of the audit trail.
    assert {place for place in taken if place.endswith(".q")} == {"search_knowledge.q"}


async def test_knowledge_and_scripts(api: Api) -> None:
    hits = await api.get("/api/v1/knowledge?q=internet%20lento", "ana")
    assert hits["items"][0]["id"] == "internet-lento"
    article = await api.get("/api/v1/knowledge/internet-lento", "ana")
    assert "**30 segundos**" in article["body"]
    await api.get("/api/v1/knowledge/nada", "ana", status=404)
    scripts = await api.get("/api/v1/scripts?queue=agua-potable&reason=fuga", "ana")
    assert scripts["items"][0]["id"] == "fuga"
    assert scripts["items"][0]["steps"][0]["text"].startswith("Lamento lo que ocurre.")


async def directory(api: Api, words: str) -> Any:
    return (await api.json("POST", "/api/v1/directory/search", "ana", 200, json={"q": words}))["items"]


async def test_the_directory_finds_people_queues_and_numbers_by_their_beginnings(api: Api) -> None:
    everything = await directory(api, "")
    assert {entry["kind"] for entry in everything} == {"agent", "queue", "number"}
    assert "ana" not in {entry["id"] for entry in everything}
    (agency,) = await directory(api, "tótora")
    assert (agency["kind"], agency["id"]) == ("number", "072862500")
    assert (await directory(api, "luis"))[0]["state"] is not None


async def test_ones_own_day(api: Api, platform: Platform) -> None:
    platform.around.days.day = AgentDay(
        handled=2, offered=3, missed=1, talk_s=100.04, wrap_up_s=20, ready_s=50, busy_s=150
    )
    figures = await api.get("/api/v1/me/statistics", "ana")
    assert (figures["handled"], figures["aht_s"], figures["occupancy"]) == (2, 60.0, 0.75)
    ((agent, since, until),) = platform.around.days.asked
    assert (agent, since % 86400, until > since) == ("ana", 5 * 3600, True)
    await api.get("/api/v1/me/statistics", "manager", status=403)
