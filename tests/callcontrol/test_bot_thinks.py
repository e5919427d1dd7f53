"""What a caller hears, and may do, while a bot thinks: on the twin, by its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcontrol.bot_dialogue import BotReply, BotTurn
from callcontrol.bot_filler import AGAIN_AFTER_S, FIRST_AFTER_S
from callcontrol.model import Phase
from pbx.memory import MemoryCall
from pbx.memory.audio import SILENCE, Tones
from tests.callcontrol.test_flow_actions import Make, lab_with, notes
from tests.callcontrol.test_person_by_words import Understands
from tests.support.daemon import DaemonLab
from tests.support.tone_speech import Inline, ears

__all__ = ["lab_with"]  # the fixture

FIRST, SECOND, QUESTION, BYE = 710, 830, 1200, 1500
TONES = {"Un momento": FIRST, "Siga en línea": SECOND, "¿Qué servicio?": QUESTION, "Gracias": BYE}
NODES = """\
  uno: {kind: bot, name: averias, next: tono, unavailable: cola, comfort: [Un momento, Siga en línea]}
"""
SPEAKS_S = 1.0  # each text
STEP_S = 0.1
ASKS = BotReply(say="¿Qué servicio?", phrases=("internet",))


class Thinker:
    """A bot that answers each turn when the test says so."""

    def __init__(self, most_s: float) -> None:
        self.turns: list[BotTurn] = []
        self._answers: asyncio.Queue[BotReply] = asyncio.Queue()
        self.most_s = most_s

    def turn_s(self, bot: str) -> float:
        return self.most_s

    async def turn(self, bot: str, told: BotTurn) -> BotReply:
        self.turns.append(told)
        return await self._answers.get()

    def answers(self, reply: BotReply) -> None:
        self._answers.put_nowait(reply)


Begin = Callable[..., AbstractAsyncContextManager[tuple[DaemonLab, MemoryCall, Thinker]]]


@pytest.fixture
def talk(lab_with: Make, tmp_path: Path) -> Begin:
    @asynccontextmanager
    async def begin(
        recogniser: Understands | None = None, *, most_s: float = 8.0
    ) -> AsyncIterator[tuple[DaemonLab, MemoryCall, Thinker]]:
        asyncio.get_running_loop().set_default_executor(Inline())
        bot = Thinker(most_s)
        async with lab_with(NODES, ears=ears(tmp_path, recogniser, TONES, seconds=SPEAKS_S), bots=bot) as lab:
            caller = await lab.call()
            caller.silence()
            await lab.go(0)
            assert len(bot.turns) == 1
            yield lab, caller, bot

    return begin


async def heard(lab: DaemonLab, caller: MemoryCall, seconds: float) -> list[Tones]:
    """One for each tenth of a second."""
    found = []
    for _ in range(round(seconds / STEP_S)):
        await lab.go(STEP_S)
        found.append(caller.hears_now)
    return found


def first(line: list[Tones], *hz: int) -> float:
    """When one of these begins, in seconds."""
    begins = [n for n, tones in enumerate(line) if any(abs(one - other) < 20 for one in tones for other in hz)]
    assert begins, f"{hz} Hz is not heard: {line}"
    return begins[0] * STEP_S


def longest_silence(line: list[Tones]) -> float:
    longest = run = 0
    for tones in line:
        run = 0 if tones else run + 1
        longest = max(longest, run)
    return longest * STEP_S


async def test_a_bot_that_answers_in_time_is_heard_alone(talk: Begin) -> None:
    async with talk() as (lab, caller, bot):
        before = await heard(lab, caller, FIRST_AFTER_S - 0.2)
        bot.answers(ASKS)
        line = before + await heard(lab, caller, 3)
        assert first(line, QUESTION) == pytest.approx(FIRST_AFTER_S - 0.2, abs=0.15)
        assert {hz for tones in line for hz in tones} == {QUESTION}


async def test_a_bot_that_thinks_is_waited_for_with_a_word_another_one_and_a_soft_sound(talk: Begin) -> None:
    async with talk(most_s=30.0) as (lab, caller, bot):
        line = await heard(lab, caller, 20)
        assert first(line, FIRST) == pytest.approx(FIRST_AFTER_S, abs=0.15)
        assert first(line, SECOND) == pytest.approx(FIRST_AFTER_S + SPEAKS_S + AGAIN_AFTER_S, abs=0.2)
        assert first(line, 523, 659) > first(line, SECOND) + AGAIN_AFTER_S
        assert sum(1 for tones in line if FIRST in tones) == pytest.approx(SPEAKS_S / STEP_S, abs=1)  # once
        assert longest_silence(line) < 3
        bot.answers(ASKS)
        assert first(await heard(lab, caller, 1), QUESTION) < 0.2


async def test_no_word_is_cut_in_two(talk: Begin) -> None:
    async with talk() as (lab, caller, bot):
        line = await heard(lab, caller, FIRST_AFTER_S + 0.2)
        bot.answers(ASKS)
        line += await heard(lab, caller, 3)
        assert sum(1 for tones in line if FIRST in tones) == pytest.approx(SPEAKS_S / STEP_S, abs=1)
        assert first(line, QUESTION) == pytest.approx(FIRST_AFTER_S + SPEAKS_S, abs=0.2)


async def test_another_time_it_is_said_otherwise(talk: Begin) -> None:
    async with talk() as (lab, caller, bot):
        await heard(lab, caller, FIRST_AFTER_S + 0.2)
        bot.answers(ASKS)
        await lab.go(SPEAKS_S + 0.5)
        await lab.during(caller.send_digits("1"))
        assert len(bot.turns) == 2
        line = await heard(lab, caller, FIRST_AFTER_S + 0.5)
        assert SECOND in line[-1]


async def test_a_turn_has_its_limit_and_the_caller_goes_on_without_a_silence(talk: Begin) -> None:
    async with talk() as (lab, caller, bot):
        line = await heard(lab, caller, bot.most_s - 0.2)
        assert lab.record().phase is Phase.FLOW
        line += await heard(lab, caller, 3)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "bot.ended")[0]["how"] == "unavailable"
        assert longest_silence(line) < 3.5


@pytest.mark.parametrize("seconds", [0.5, 2.0, 5.5])
async def test_the_key_for_a_person_holds_while_it_thinks(talk: Begin, seconds: float) -> None:
    async with talk() as (lab, caller, bot):
        await lab.go(seconds)
        await lab.during(caller.send_digits("5"))
        await lab.during(caller.send_digits("0"))
        await lab.go(0.2)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "bot.ended")[0]["how"] == "person"
        bot.answers(ASKS)  # too late
        await lab.go(1)
        assert len(bot.turns) == 1


async def test_keys_pressed_ahead_are_for_its_question(talk: Begin) -> None:
    """All but the one that ends the number before."""
    async with talk() as (lab, caller, bot):
        await lab.during(caller.send_digits("#12"))
        bot.answers(BotReply(say="¿Qué servicio?", digits=2))
        await lab.go(0.5)
        assert [turn.digits for turn in bot.turns] == ["", "12"]


@pytest.mark.parametrize("seconds", [0.1, 2.0])
async def test_the_words_for_a_person_hold_while_it_thinks(talk: Begin, seconds: float) -> None:
    async with talk(Understands()) as (lab, caller, _bot):
        await lab.go(seconds)
        caller.speak()
        await lab.go(0.8)
        caller.silence()
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED
        assert notes(lab, "bot.ended")[0]["how"] == "person"


@pytest.mark.parametrize("words", ["internet", "operadora", "la sopa"])
async def test_what_is_being_said_when_it_answers_is_heard(talk: Begin, words: str) -> None:
    """And where it fits nothing it is taken for no answer: it was begun before the question."""
    async with talk(Understands(words)) as (lab, caller, bot):
        await lab.go(0.3)
        caller.speak()
        await lab.go(0.5)
        bot.answers(ASKS)
        await lab.go(0.5)
        caller.silence()
        await lab.go(1.0)
        if words == "operadora":
            assert notes(lab, "bot.ended")[0]["how"] == "person"
        elif words == "internet":
            assert [turn.text for turn in bot.turns] == ["", "internet"]
        else:
            assert len(bot.turns) == 1
            await lab.during(caller.send_digits("1"))
            assert [turn.digits for turn in bot.turns] == ["", "1"]


async def test_what_was_said_is_being_understood_when_it_answers(talk: Begin) -> None:
    class Slow(Understands):
        async def recognise(self, *args: Any) -> Any:
            if len(self.utterances) == 0:
                self.utterances.append(0.0)
                await asyncio.Event().wait()
            return await super().recognise(*args)

    async with talk(Slow("internet")) as (lab, caller, bot):
        caller.speak()
        await lab.go(0.5)
        caller.silence()
        await lab.go(0.8)
        bot.answers(ASKS)
        await lab.go(0.3)
        assert [turn.text for turn in bot.turns] == ["", "internet"]


async def test_who_hangs_up_during_the_farewell_was_with_the_bot(talk: Begin) -> None:
    async with talk() as (lab, caller, bot):
        bot.answers(BotReply(say="Gracias", done=True))
        await lab.go(0.3)
        assert BYE in caller.hears_now
        lab.world.hold_events()
        await caller.hangup()
        await lab.go(3)
        lab.world.release_events()
        await lab.go(30)
        assert notes(lab, "flow.ended")[0]["node"] == "uno"
        assert caller.hears_now == SILENCE
