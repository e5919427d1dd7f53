"""A flow tried in the page: the settings' bots answer by themselves, over HTTP, beside all that the platform does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.bots import HttpBots
from app.demo_bot import SLOTS, DemoBot
from app.web_flows import ShelfFlows
from callcontrol.settings import Bot
from foundation.access import Principal
from foundation.clock import SystemClock
from foundation.errors import Invalid
from ivr_flows.trying import Standing
from tests.app.test_customer_systems import serving
from tests.support.flows import HEAD
from tests.support.stage import until
from tests.support.web_flows import folder_flows

TEXT = (
    HEAD.replace("prueba", "pequeno")
    + """\
variables: {t: text, n: number}
nodes:
  uno: {kind: bot, name: averias, take: {t: servicio, n: contrato}, next: fin, unavailable: cola}
  cola: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}
  fin: {kind: hangup}
"""
)
WHO = Principal(id="user:1", name="Rosa", role="admin")


@asynccontextmanager
async def trying(folder: Path, bot: DemoBot, turn_s: float = 8.0) -> AsyncIterator[ShelfFlows]:
    async with (
        serving(bot.app()) as url,
        HttpBots([Bot(name="averias", url=f"{url}/turno", turn_s=turn_s)]) as bots,
    ):
        yield folder_flows(folder, SystemClock(), bots)


async def begin(flows: ShelfFlows, *, by_hand: bool = False) -> Standing:
    return await flows.begin_try("pequeno", TEXT, caller="0991234567", at=None, by_hand=by_hand, by=WHO)


def words(standing: Standing) -> str:
    return " ".join(said.text for said in standing.said)


async def test_the_bot_of_the_settings_answers(tmp_path: Path) -> None:
    bot = DemoBot()
    async with trying(tmp_path, bot) as flows:
        here = await begin(flows)
        assert (words(here), here.waits_for) == (SLOTS[0].question, "talk")
        assert ("text", "internet") in [(each.field, each.value) for each in here.choices]

        async def tell(**given: Any) -> Standing:
            return await flows.tell_try(here.session, given, by=WHO)

        assert "seis dígitos" in words(await tell(text="internet"))
        assert "urgente" in words(await tell(digits="204510"))
        end = await tell(digits="2")
        assert "Registré su problema de internet" in words(end)
        assert end.over
        assert end.variables == {"t": "internet", "n": 204510.0}
        assert {turn["session"].partition("-")[0] for turn in bot.turns} == {"rehearsal"}


async def test_it_may_be_played_by_hand(tmp_path: Path) -> None:
    bot = DemoBot()
    async with trying(tmp_path, bot) as flows:
        here = await begin(flows, by_hand=True)
        assert (words(here), here.waits_for) == ("", "bot")
        end = await flows.tell_try(here.session, {"answer": {"bot": "done", "slots": {"servicio": "x"}}}, by=WHO)
        assert end.over
        assert end.variables["t"] == "x"
        assert not bot.turns


async def test_one_that_is_of_no_use_leads_on_as_in_a_call(tmp_path: Path) -> None:
    bot = DemoBot()
    bot.faults.delay_s = 30.0
    async with trying(tmp_path, bot, turn_s=1.0) as flows:
        here = await begin(flows)
        assert (here.waits_for, here.path) == ("queue", ("uno", "cola"))


async def test_while_it_thinks_the_platform_goes_on_and_the_trial_takes_nothing_else(tmp_path: Path) -> None:
    bot = DemoBot()
    async with trying(tmp_path, bot) as flows:
        here = await begin(flows)
        bot.faults.delay_s = 3.0
        slow = asyncio.create_task(flows.tell_try(here.session, {"text": "internet"}, by=WHO))

        async def asked() -> bool:
            return len(bot.turns) == 2

        await until(asked, "the bot has the turn", 5.0)
        with pytest.raises(Invalid, match="not answered yet"):
            await flows.tell_try(here.session, {"digits": "1"}, by=WHO)
        other = await begin(flows, by_hand=True)
        assert other.waits_for == "bot"
        assert not slow.done()
        assert "seis dígitos" in words(await slow)
