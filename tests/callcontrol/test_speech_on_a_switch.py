"""Questions answered by speech on a real call: a robot calls over SIP and talks, in a voice that the recogniser has not
heard before; the flow takes the branch."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callcontrol.listening import Ears, Listening
from pbx.recognition.likeness import LikenessRecogniser
from pbx.recognition.terms import Expected, Pcm, Recognised, RecognitionFailed
from pbx.sip import tones
from tests.support.engines import Engine
from tests.support.flow_stage import FIRST_HZ, SECOND_HZ, Stage, hears, staged
from tests.support.lab import AGENT_HZ
from tests.support.voices import STRANGERS, espeak_library, needs_voices, say

pytestmark = needs_voices
# A menu whose prompt goes on for six seconds, and would go on: who speaks does not wait for its end.
MENU = (
    "  uno: {kind: menu, prompts: FIRST, timeout_s: 4, options: {'1': {to: fin, phrases: [agua potable]},"
    " '2': {to: bien, phrases: [internet]}}, no_match: {tone: {hz: 450, ms: 300}}, on_no_match: fin, on_no_input: fin}"
)


def talking(engine: Engine, tmp_path: Path, nodes: str, recogniser: Any = None) -> Any:
    heard_by = recogniser or LikenessRecogniser([espeak_library(tmp_path)])
    return staged(engine, tmp_path, nodes, tone_hz=0, ears=Ears(sounds=engine.sounds(), recogniser=heard_by))


async def ends(stage: Stage, call: Any) -> dict[str, Any]:
    await call.hangup()
    await stage.closed()
    return stage.notes("flow.ended")[0]


@pytest.mark.parametrize("voice", STRANGERS[1:3])
async def test_who_says_internet_gets_there_and_the_prompt_stops(
    engine: Engine, tmp_path: Path, voice: tuple[str, int, int]
) -> None:
    async with talking(engine, tmp_path, MENU) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("internet", voice))
        assert await call.hears(SECOND_HZ, 10.0, absent=[FIRST_HZ])
        assert stage.notes("menu.choice")[0]["option"] == "2"
        await ends(stage, call)


async def test_who_asks_for_a_person_gets_one(engine: Engine, tmp_path: Path) -> None:
    async with talking(engine, tmp_path, MENU) as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("quiero hablar con una persona"))
        await hears(call, AGENT_HZ)
        assert stage.notes("person.asked")
        await call.hangup()
        await stage.closed()


async def test_a_person_may_be_asked_for_while_something_is_only_announced(engine: Engine, tmp_path: Path) -> None:
    async with talking(engine, tmp_path, "  uno: {kind: play, prompts: FIRST, next: fin}") as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("operadora"))
        await hears(call, AGENT_HZ)
        await call.hangup()
        await stage.closed()


async def test_what_must_be_heard_is_heard_and_then_comes_the_person_who_was_asked_for(
    engine: Engine, tmp_path: Path
) -> None:
    nodes = "  uno: {kind: play, barge_in: false, prompts: FIRST, next: fin}"
    async with talking(engine, tmp_path, nodes) as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("operadora"))
        assert await call.hears(AGENT_HZ, 12.0)
        heard = call.heard(since_s=0.0)
        spans = [heard[start : start + 800] for start in range(0, len(heard) - 800, 800)]
        assert sum(tones.level(span, FIRST_HZ) > 1000 for span in spans) >= 55  # of sixty tenths of a second
        assert len(stage.notes("person.asked")) == 1
        await call.hangup()
        await stage.closed()


async def test_talk_beside_the_announcement_does_not_cut_it_short(engine: Engine, tmp_path: Path) -> None:
    async with talking(engine, tmp_path, "  uno: {kind: play, prompts: FIRST, next: bien}") as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("ven a comer que ya está la sopa"))
        assert await call.hears(SECOND_HZ, 10.0)
        heard = np.asarray(call.heard(since_s=0.0))
        assert len(heard) > 0
        assert not stage.notes("person.asked")
        await ends(stage, call)


async def test_other_words_are_no_match_and_silence_is_no_input(engine: Engine, tmp_path: Path) -> None:
    nodes = MENU.replace("timeout_s: 4", "timeout_s: 2, repeats: 1").replace("FIRST", "{tone: {hz: 450, ms: 800}}")
    async with talking(engine, tmp_path, nodes) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("el gato come pescado"))
        async with asyncio.timeout(20):
            await call.ended.wait()
        await stage.closed()
        assert len(stage.notes("menu.no_match")) == 1
        assert len(stage.notes("menu.no_input")) == 1


async def test_noise_on_the_line_is_no_choice_and_keys_work_beside_it(engine: Engine, tmp_path: Path) -> None:
    numbers = np.random.default_rng(4)
    async with talking(engine, tmp_path, MENU) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(numbers.normal(0, 60, 8000 * 10).astype(np.int16))
        await call.send_digits("2")
        await hears(call, SECOND_HZ)
        assert stage.notes("menu.choice")[0]["option"] == "2"
        await ends(stage, call)


class Broken:
    """A recogniser whose service is away."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def prepare(self, expected: Any) -> None: ...

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        self.asked.set()
        raise RecognitionFailed("the speech service does not answer (TimeoutError)")

    async def close(self) -> None: ...


async def test_a_recogniser_that_is_away_leaves_the_keys(engine: Engine, tmp_path: Path) -> None:
    broken = Broken()
    async with talking(engine, tmp_path, MENU, broken) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("internet"))
        async with asyncio.timeout(10):
            await broken.asked.wait()
        await call.send_digits("2")
        await hears(call, SECOND_HZ)
        await ends(stage, call)


async def test_a_stream_that_breaks_leaves_the_keys(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    listen = Listening._listen

    async def seen(self: Listening, stream: Any) -> None:
        opened.append(stream)
        await listen(self, stream)

    monkeypatch.setattr(Listening, "_listen", seen)
    async with talking(engine, tmp_path, MENU) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await opened[0].close()
        assert await call.hears_silence()
        await hears(call, FIRST_HZ)  # the question, asked again
        await call.send_digits("2")
        await hears(call, SECOND_HZ)
        await ends(stage, call)


class Digits:
    """Hears the digits that it is told to hear: what of a number a small recogniser makes out is another matter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.expected: list[Expected] = []

    async def prepare(self, expected: Any) -> None: ...

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        self.expected.append(expected)
        return Recognised(self.text, 0.9)

    async def close(self) -> None: ...


async def test_a_number_may_be_said(engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: collect, as: contract, into: t, prompts: FIRST, speech: true, next: bien}"
    hearing = Digits("204510")
    async with talking(engine, tmp_path, nodes, hearing) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("dos cero cuatro cinco uno cero"))
        await hears(call, SECOND_HZ)
        (state,) = [s.flow for s in stage.journal.states.values()]
        assert state is not None
        assert state["variables"]["t"] == "204510"
        assert hearing.expected[0].digits > 0
        await ends(stage, call)


async def test_who_hangs_up_while_speaking_leaves_no_call_behind(engine: Engine, tmp_path: Path) -> None:
    async with talking(engine, tmp_path, MENU) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        call.play_pcm(say("quiero hablar con una persona"))
        ended = await ends(stage, call)
        assert (ended["end"], ended["node"]) == ("caller_left", "uno")
