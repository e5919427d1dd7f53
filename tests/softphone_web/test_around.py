"""What stands around a contact, over the API: the card, notes, knowledge, the directory, one's own day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callcontrol.agent_day import AgentDay
from callcontrol.model import AgentId
from foundation.clock import VirtualClock
from softphone_web.server import ROUTES
from softphone_web.settings import WebSettings
from tests.support.web import Api, Platform, interaction, running


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
        handled=3,
        finished=2,
        finished_s=120.04,
        offered=3,
        missed=1,
        talk_s=100.04,
        wrap_up_s=20,
        ready_s=50,
        busy_s=150,
    )
    figures = await api.get("/api/v1/me/statistics", "ana")
    assert (figures["handled"], figures["aht_s"], figures["occupancy"]) == (3, 60.0, 0.75)
    ((agent, since, until),) = platform.around.days.asked
    assert (agent, since % 86400, until > since) == ("ana", 5 * 3600, True)
    await api.get("/api/v1/me/statistics", "manager", status=403)


async def test_who_looked_at_a_citizen_is_found_by_whoever_knows_their_number(api: Api) -> None:
    """However it is written, and by whatever they were looked up."""
    await api.json("POST", "/api/v1/customers/search", "ana", 200, json={"document": "0102030400"})
    await api.json("POST", "/api/v1/interactions/search", "supervisor", 200, json={"number": "+593987654321"})
    await api.json("POST", "/api/v1/customers/search", "luis", 200, json={"address": "+593999999999"})
    for citizen, asked in (("+593 98-765 4321", ["supervisor", "ana"]), ("010203040-0", ["ana"]), ("0999", [])):
        page = await api.json(
            "POST", "/api/v1/audit/search", "admin", 200, json={"citizen": citizen, "action": "customer."}
        )
        assert [one["actor_name"] for one in page["items"]] == asked
        assert "987654321" not in str(page)
        assert "0102030400" not in str(page)
    await api.json("POST", "/api/v1/audit/search", "supervisor", 403, json={"citizen": "0102030400"})
    searched = [one for one in await api.platform.audit.entries() if one.action == "audit.searched"]
    assert len(searched) == 3


async def test_a_person_looks_up_so_many_and_the_first_refusal_is_told(tmp_path: Path) -> None:
    clock = VirtualClock(1_800_000_000.0)
    platform = Platform(tmp_path, clock=clock, settings=WebSettings(look_ups_per_minute=3))
    async with running(platform) as api:
        ana, luis = await api.session_headers("ana"), await api.session_headers("luis")

        async def look(headers: dict[str, str]) -> int:
            body = {"document": "0102030400"}
            async with api.ask("POST", "/api/v1/customers/search", None, headers=headers, json=body) as response:
                return response.status

        assert [await look(ana) for _ in range(5)] == [200, 200, 200, 429, 429]
        assert await look(luis) == 200
        assert [(kind, about) for kind, _, about in platform.alerts] == [("look_ups", "user:u-ana")]
        actions = [one.action for one in await platform.audit.entries()]
        assert actions.count("customer.look_ups_limited") == 1
        await clock.advance(21)
        assert [await look(ana) for _ in range(2)] == [200, 429]
        assert len(platform.alerts) == 2
        for _ in range(6):  # a program has its own token
            await api.json("POST", "/api/v1/customers/search", "service", 200, json={"document": "0102030400"})
