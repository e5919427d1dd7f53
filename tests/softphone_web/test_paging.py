"""The cursor: every record once, in one order, whatever the page size, the ties and the newcomers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcontrol.model import Direction, InteractionId, Medium, Phase
from softphone_web.api_interactions import decode_cursor, encode_cursor
from softphone_web.ports import Position
from softphone_web.problems import RequestInvalid
from tests.support.web import LUIS, NOW, Api, Platform, interaction, running


@given(st.floats(0, 2**33 - 1), st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True))
def test_a_cursor_survives_the_trip(created_at: float, key: str) -> None:
    position = Position(created_at=created_at, id=InteractionId(key))
    assert decode_cursor(encode_cursor(position)) == position


@given(st.text(alphabet="ABCDEFabcdef0123456789_-", min_size=1, max_size=60))
def test_any_other_text_is_refused_by_name(text: str) -> None:
    try:
        position = decode_cursor(text)
    except RequestInvalid:
        return
    assert decode_cursor(encode_cursor(position)) == position


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=st.lists(st.integers(0, 6), max_size=30), limit=st.integers(1, 7), late=st.integers(0, 3))
def test_pages_give_every_record_once_newest_first(tmp_path: Path, ages: list[int], limit: int, late: int) -> None:
    asyncio.run(_walk(tmp_path, ages, limit, late))


async def _walk(tmp_path: Path, ages: list[int], limit: int, late: int) -> None:
    platform = Platform(tmp_path)
    records = [interaction(n, created_at=NOW - age / 3) for n, age in enumerate(ages)]
    platform.add(*records)
    seen: list[str] = []
    async with running(platform) as api:
        path = f"/api/v1/interactions?limit={limit}"
        while True:
            page = await api.get(path)
            assert len(page["items"]) <= limit
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            assert len(page["items"]) == limit
            path = f"/api/v1/interactions?limit={limit}&cursor={page['next']}"
            # Calls that begin while somebody pages are newer than all that was seen.
            platform.add(*(interaction(1000 + len(seen) * 10 + n, created_at=NOW + 1 + n) for n in range(late)))
    expected = sorted(records, key=lambda one: (one.created_at, one.id), reverse=True)
    assert seen == [one.id for one in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("medium=chat", ["i-00013"]),
        ("queue=facturas", ["i-00012"]),
        ("agent=luis", ["i-00011"]),
        ("phase=talking", ["i-00014"]),
        ("direction=outbound", ["i-00015"]),
        ("exit_reason=abandoned_in_queue", ["i-00016"]),
        ("from=2026-11-18T11:06:28Z&to=2026-11-18T11:06:29.5Z", ["i-00011", "i-00012"]),
        (f"from={quote('2026-11-18T06:06:28-05:00')}&to={quote('2026-11-18T06:06:28.001-05:00')}", ["i-00012"]),
        ("medium=chat&queue=facturas", []),
    ],
)
async def test_filters(api: Api, query: str, expected: list[str]) -> None:
    api.platform.interactions.records.clear()
    api.platform.add(
        interaction(11, agent=LUIS),
        interaction(12, queue="facturas"),
        interaction(13, medium=Medium.CHAT),
        interaction(14, phase=Phase.TALKING),
        interaction(15, direction=Direction.OUTBOUND),
        interaction(16, exit_reason="abandoned_in_queue"),
        interaction(17, from_address="+593999000111"),
    )
    page = await api.get(f"/api/v1/interactions?{query}")
    assert [item["id"] for item in page["items"]] == expected


async def test_a_number_is_searched_for_in_the_body(api: Api) -> None:
    api.platform.add(*(interaction(n, from_address="+593999000111") for n in (11, 12, 13)))
    path, wanted = "/api/v1/interactions/search", {"number": "+593999000111", "limit": 2, "queue": "averias"}
    first = await api.json("POST", path, "supervisor", 200, json=wanted)
    rest = await api.json("POST", path, "supervisor", 200, json={**wanted, "cursor": first["next"]})
    assert [item["id"] for item in first["items"] + rest["items"]] == ["i-00011", "i-00012", "i-00013"]
    bad = await api.json("POST", path, "supervisor", 422, json={**wanted, "cursor": "nonsense"})
    assert [(error["where"], error["field"]) for error in bad["errors"]] == [("body", "cursor")]
    await api.json("POST", path, "supervisor", 422, json={"number": "+593'--"})
    await api.json("POST", path, "supervisor", 422, json={"queue": "averias"})


async def test_events_are_paged_by_their_numbers(api: Api) -> None:
    first = await api.get("/api/v1/interactions/i-00001/events?limit=5")
    assert ([one["n"] for one in first["items"]], first["next"]) == ([1, 2, 3, 4, 5], 5)
    rest = await api.get("/api/v1/interactions/i-00001/events?limit=5&after=5")
    assert ([one["n"] for one in rest["items"]], rest["next"]) == ([6, 7, 8], None)
