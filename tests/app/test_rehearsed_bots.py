"""Flows with a bot, tried and tested without a call: the settings' bot answers, over HTTP, as it does in a call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli import main
from app.demo_bot import DemoBot
from app.rehearsed_bots import RehearsedBots
from callcontrol.settings import Bot
from ivr_flows.conversation import Conversation
from ivr_flows.flow_tests import run_tests
from ivr_flows.protocol import BotExit, Converse, Enqueue
from ivr_flows.rehearsal import Rehearsal
from tests.app.test_customer_systems import serving
from tests.support.flows import HEAD, flow_of

BOT = "  uno: {kind: bot, name: averias, take: {t: servicio, n: contrato}, next: fin, unavailable: cola}"
FLOW = flow_of(BOT, HEAD + "variables: {t: text, n: number}\n")


@contextmanager
def beside(bot: DemoBot) -> Iterator[str]:
    """The bot's address, served by a thread of its own: who rehearses has no event loop."""
    up, down, url = threading.Event(), asyncio.Event(), [""]
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(bot.app()) as at:
            url[0] = f"{at}/turno"
            up.set()
            await down.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert up.wait(10)
    try:
        yield url[0]
    finally:
        loop.call_soon_threadsafe(down.set)
        thread.join(10)
        loop.close()


@contextmanager
def rehearsed(bot: DemoBot) -> Iterator[Rehearsal]:
    with beside(bot) as url, RehearsedBots([Bot(name="averias", url=url)]) as bots:
        call = Rehearsal(FLOW, lambda _name, _version: FLOW, {"from": "0991234567"}, bots=bots)
        call.begin()
        yield call


def test_the_real_bot_answers_in_the_terminal() -> None:
    with rehearsed(DemoBot()) as call:
        talk = Conversation(call)
        assert "¿Qué servicio tiene el problema?" in talk.say("/path")[1]
        assert "No le entendí" in talk.say("quiero una pizza")[0]
        assert "seis dígitos" in talk.say("es el internet")[0]
        assert "urgente" in talk.say("204510#")[0]
        assert "Registré su problema de internet" in talk.say("2")[0]
        assert call.is_over
        assert call.state.variables == {"t": "internet", "n": 204510.0}


@pytest.mark.parametrize("wish", ["0", "páseme con una persona"])
def test_a_person_at_any_time(wish: str) -> None:
    with rehearsed(DemoBot()) as call:
        Conversation(call).say(wish)
        assert isinstance(call.waits, Enqueue)
        assert [note.data["how"] for note in call.notes if note.kind == "bot.ended"] == ["person"]


def test_a_bot_that_is_wrong_leads_to_a_person() -> None:
    bot = DemoBot()
    bot.faults.garbage = True
    with rehearsed(bot) as call:
        assert isinstance(call.waits, Enqueue)


def test_who_is_in_no_settings_is_played_by_hand() -> None:
    with RehearsedBots([]) as bots:
        call = Rehearsal(FLOW, lambda _name, _version: FLOW, {}, bots=bots)
        call.begin()
        assert isinstance(call.waits, Converse)
        call.bot(BotExit.DONE, {})
        assert call.is_over


TESTS = """\
flow: prueba
tests:
  - name: the bot itself
    do: [{hear: servicio}, {press: "1"}, {press: "204510"}, {press: "2"}]
    expect: {variables: {t: internet}, ends: hangup}
  - name: by hand
    do: [{bot: {how: person}}]
    expect: {ends: queue contact-center}
"""


def test_flow_tests_may_ask_it(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(TESTS, encoding="utf-8")
    bot = DemoBot()
    with beside(bot) as url, RehearsedBots([Bot(name="averias", url=url)]) as bots:
        assert not run_tests([file], {"prueba": FLOW}, bots).findings
    assert len(bot.turns) == 4
    assert run_tests([file], {"prueba": FLOW}).findings  # without it nobody answers the keys


def test_the_command_asks_the_bots_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["1", "/hangup"])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(lines))
    with beside(DemoBot()) as url:
        config = tmp_path / "rimay.yaml"
        config.write_text(f"bots: [{{name: averias, url: '{url}'}}]\n", encoding="utf-8")
        config.chmod(0o600)
        assert main(["--config", str(config), "ivr", "try", "asistente"]) == 0
    assert "seis dígitos" in capsys.readouterr().out
