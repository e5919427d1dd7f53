"""A bot on a real call: by keys, by words, and when it is slow, wrong or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile

from app.bots import HttpBots
from app.demo_bot import SLOTS, DemoBot
from callcontrol.listening import Ears
from callcontrol.settings import Bot
from pbx.recognition.likeness import LikenessRecogniser
from pbx.sip import tones
from pbx.terms import TextSound
from tests.app.test_customer_systems import serving
from tests.support.comparing import Pcm, longest_silence_s, share_heard
from tests.support.engines import Engine
from tests.support.flow_stage import SECOND_HZ, Stage, hears, staged
from tests.support.lab import AGENT_HZ
from tests.support.stage import until
from tests.support.voices import espeak_library, needs_voices, say

BOT = (
    "  uno: {kind: bot, name: averias, take: {t: servicio, n: contrato}, next: bien, unavailable: cola, timeout_s: 60}"
)
TURN_S = 6.0
SOME = 0.7  # of another prompt in the same voice a quarter is alike
SILENCE_S = 4.0  # nobody waits longer with nothing on the line


@asynccontextmanager
async def with_bot(engine: Engine, tmp_path: Path, *, speech: bool = False) -> AsyncIterator[tuple[Stage, DemoBot]]:
    bot = DemoBot()
    recogniser = LikenessRecogniser([espeak_library(tmp_path)]) if speech else None
    ears = Ears(sounds=engine.sounds(), recogniser=recogniser)
    async with (
        serving(bot.app()) as url,
        HttpBots([Bot(name="averias", url=f"{url}/turno", turn_s=TURN_S)]) as bots,
        staged(engine, tmp_path, BOT, tone_hz=0, ears=ears, bots=bots) as stage,
    ):
        yield stage, bot


async def turns(bot: DemoBot, count: int) -> None:
    async def there() -> bool:
        return len(bot.turns) >= count

    await until(there, f"the bot has its turn {count}", 20.0)


async def speaks(call: Any) -> None:
    """The bot's prompt is heard: now it may be interrupted."""
    assert await call.poll(lambda: tones.rms(call.heard(last_s=0.3)) > 500, 8.0)


async def spoken(engine: Engine, text: str) -> Pcm:
    """As the caller should hear it."""
    samples: Pcm = soundfile.read(await engine.sounds().resolve(TextSound(text, "es")), dtype="int16")[0]
    return samples


async def hears_words(call: Any, prompt: Pcm) -> None:
    async def heard() -> bool:
        # Beside the loop, which sends and takes a packet every few milliseconds.
        return await asyncio.to_thread(share_heard, prompt, call.heard()) > SOME

    await until(heard, "the words are heard", 20.0)


def variables(stage: Stage) -> Any:
    (state,) = [s.flow for s in stage.journal.states.values()]
    assert state is not None
    return state["variables"]


async def test_it_finds_out_by_keys(engine: Engine, tmp_path: Path) -> None:
    async with with_bot(engine, tmp_path) as (stage, bot):
        call = await stage.call()
        for count, keys in enumerate(("1", "204510", "2"), start=1):
            await turns(bot, count)
            await call.send_digits(keys)
        assert await call.hears(SECOND_HZ, 15.0)
        assert (variables(stage)["t"], variables(stage)["n"]) == ("internet", 204510.0)
        assert stage.notes("bot.ended")[0]["how"] == "done"
        await call.hangup()
        await stage.closed()


@needs_voices
async def test_it_finds_out_by_words(engine: Engine, tmp_path: Path) -> None:
    async with with_bot(engine, tmp_path, speech=True) as (stage, bot):
        call = await stage.call()
        await turns(bot, 1)
        await speaks(call)
        call.play_pcm(say("internet"))
        await turns(bot, 2)
        assert bot.turns[1]["text"] == "internet"
        await call.send_digits("204510")
        await turns(bot, 3)
        await speaks(call)
        call.play_pcm(say("no"))
        await turns(bot, 4)
        await call.hangup()
        await stage.closed()


async def test_the_key_for_a_person_holds_during_the_talk(engine: Engine, tmp_path: Path) -> None:
    async with with_bot(engine, tmp_path) as (stage, bot):
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await turns(bot, 1)
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        assert stage.notes("bot.ended")[0]["how"] == "person"
        await call.hangup()
        await stage.closed()


@pytest.mark.parametrize("fault", ["slow", "wrong", "failing"])
async def test_a_bot_that_is_not_usable_leads_to_a_person_in_time(engine: Engine, tmp_path: Path, fault: str) -> None:
    """In time, and never through a silence: measured in what the caller heard."""
    async with with_bot(engine, tmp_path) as (stage, bot):
        bot.faults.delay_s = 60.0 if fault == "slow" else 0.0
        bot.faults.garbage, bot.faults.status = fault == "wrong", 500 if fault == "failing" else None
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await turns(bot, 1)

        async def told() -> bool:
            return bool(stage.notes("bot.ended"))

        await until(told, "the flow went on", 3 * TURN_S)
        await hears(call, AGENT_HZ)
        assert longest_silence_s(call.heard()) < SILENCE_S
        assert stage.notes("bot.ended")[0]["how"] == "unavailable"
        await call.hangup()
        await stage.closed()


async def test_a_bot_that_thinks_is_waited_for(engine: Engine, tmp_path: Path) -> None:
    """The caller hears a phrase meanwhile, and then the bot; the talk goes on as any other."""
    async with with_bot(engine, tmp_path) as (stage, bot):
        words = await spoken(engine, "Un momento, por favor.")
        question = await spoken(engine, SLOTS[0].question)
        bot.faults.delay_s = 4.0
        call = await stage.call()
        for prompt in (words, question):
            await hears_words(call, prompt)
        assert longest_silence_s(call.heard()) < SILENCE_S
        bot.faults.delay_s = 0.0
        await call.send_digits("1")
        await turns(bot, 2)
        assert bot.turns[1]["digits"] == "1"
        await call.hangup()
        await stage.closed()
        assert stage.notes("flow.ended")[0]["node"] == "uno"


async def test_who_wants_a_person_does_not_wait_for_its_thoughts(engine: Engine, tmp_path: Path) -> None:
    async with with_bot(engine, tmp_path) as (stage, bot):
        bot.faults.delay_s = 60.0
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await turns(bot, 1)
        await speaks(call)
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        assert stage.notes("bot.ended")[0]["how"] == "person"
        await call.hangup()
        await stage.closed()


async def test_who_hangs_up_while_the_bot_speaks_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    async with with_bot(engine, tmp_path) as (stage, bot):
        call = await stage.call()
        await turns(bot, 1)
        await call.hangup()
        await stage.closed()
        assert stage.notes("flow.ended")[0]["node"] == "uno"
