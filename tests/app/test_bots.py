"""The demo's bot over HTTP, and what a bot can get wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from app.bots import HttpBots
from app.demo_bot import MOST_TRIES, DemoBot, turn
from callcontrol.bot_dialogue import TURN_S, BotReply, BotTurn
from callcontrol.settings import Bot
from foundation.errors import NotFound, RimayError
from tests.app.test_customer_systems import serving

FIRST = BotTurn(session="s", language="es")


@asynccontextmanager
async def answering(body: bytes, status: int = 200) -> AsyncIterator[HttpBots]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    app = web.Application()
    app.router.add_post("/turno", answer)
    async with serving(app) as url, HttpBots([Bot(name="b", url=f"{url}/turno")]) as bots:
        yield bots


async def test_the_demo_bot_fills_its_slots() -> None:
    bot = DemoBot()
    async with serving(bot.app()) as url, HttpBots([Bot(name="averias", url=f"{url}/turno")]) as bots:
        first = await bots.turn("averias", FIRST)
        assert first.phrases == ("internet", "agua potable", "telefonía")
        second = await bots.turn("averias", BotTurn(session="s", language="es", text="internet"))
        assert (second.slots["servicio"], second.digits) == ("internet", 6)
        known: Any = dict(second.slots)
        third = await bots.turn("averias", BotTurn(session="s", language="es", digits="204510", slots=known))
        known = dict(third.slots)
        last = await bots.turn("averias", BotTurn(session="s", language="es", text="sí", slots=known))
    assert last.done
    assert {k: last.slots[k] for k in ("servicio", "contrato", "urgente")} == {
        "servicio": "internet",
        "contrato": "204510",
        "urgente": "sí",
    }


def test_a_bot_that_does_not_understand_gives_up_in_time() -> None:
    slots: dict[str, Any] = {}
    for _ in range(MOST_TRIES - 1):
        reply = turn({"text": "?", "slots": slots})
        slots = reply["slots"]
        assert reply["say"].startswith("No le entendí")
    assert turn({"text": "?", "slots": slots})["reason"] == "no_entendido"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"say": "   "}',
        b'{"say": 5}',
        b'{"say": "a", "expect": {"digits": 900}}',
        b'{"say": "a", "slots": {"x": {"y": 1}}}',
        json.dumps({"say": "a" * 5000}).encode(),
        b"[" * 5000,
        b"x" * 100_000,
    ],
)
async def test_what_is_no_turn_is_refused(body: bytes) -> None:
    async with answering(body) as bots:
        with pytest.raises(RimayError) as told:
            await bots.turn("b", FIRST)
    assert "aaaa" not in str(told.value)


async def test_a_bot_that_fails_is_gone_or_unknown() -> None:
    async with answering(b"{}", 500) as bots:
        with pytest.raises(RimayError, match="500"):
            await bots.turn("b", FIRST)
        with pytest.raises(NotFound):
            await bots.turn("otro", FIRST)
    async with HttpBots([Bot(name="b", url="http://127.0.0.1:9/turno")]) as bots:
        with pytest.raises(RimayError, match="does not answer"):
            await bots.turn("b", FIRST)


async def test_a_slow_bot_is_not_waited_for() -> None:
    bot = DemoBot()
    bot.faults.delay_s = 30
    async with serving(bot.app()) as url, HttpBots([Bot(name="b", url=f"{url}/turno", turn_s=1)]) as bots:
        assert (bots.turn_s("b"), bots.turn_s("otro")) == (1, TURN_S)
        with pytest.raises(RimayError, match="does not answer"):
            await bots.turn("b", FIRST)


@pytest.mark.parametrize("turn_s", [0, 0.5, 31, float("inf"), float("nan")])
def test_how_long_a_turn_may_last_has_bounds(turn_s: float) -> None:
    with pytest.raises(ValueError, match="turn_s"):
        Bot(name="b", url="http://127.0.0.1/turno", turn_s=turn_s)


async def test_more_than_a_turn_is_allowed() -> None:
    async with answering(b'{"say": "Hola", "model": "x", "expect": {"phrases": ["uno"], "more": 1}}') as bots:
        assert await bots.turn("b", FIRST) == BotReply(say="Hola", phrases=("uno",))
