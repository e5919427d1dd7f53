"""Who is speaking at the instant when a customer's system answers is heard by the question that follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcontrol.model import Phase
from ivr_flows.protocol import Response
from pbx.memory import MemoryCall
from tests.callcontrol.test_flow_actions import Make, Systems, lab_with, notes
from tests.callcontrol.test_person_by_words import Understands
from tests.support.daemon import DaemonLab
from tests.support.tone_speech import Inline, ears

__all__ = ["lab_with"]  # the fixture

ASKED_HZ, WRONG_HZ = 710, 1300
NODES = f"""\
  uno: {{kind: http, request: {{system: s, url: /x}}, next: dos, fallback: cola}}
  dos: {{kind: menu, prompts: {{tone: {{hz: {ASKED_HZ}, ms: 3000}}}}, timeout_s: 5,
    no_match: {{tone: {{hz: {WRONG_HZ}, ms: 500}}}}, on_no_input: fin,
    options: {{'1': fin, '2': {{to: tono, phrases: [internet]}}}}}}
"""
Begin = Callable[..., AbstractAsyncContextManager[tuple[DaemonLab, MemoryCall, Systems]]]


@pytest.fixture
def asking(lab_with: Make, tmp_path: Path) -> Begin:
    """Somebody who begins to speak while the system thinks."""

    @asynccontextmanager
    async def begin(recogniser: Understands) -> AsyncIterator[tuple[DaemonLab, MemoryCall, Systems]]:
        asyncio.get_running_loop().set_default_executor(Inline())
        systems = Systems()
        async with lab_with(NODES, systems, ears=ears(tmp_path, recogniser)) as lab:
            caller = await lab.call()
            caller.silence()
            await lab.go(0.5)
            caller.speak()
            await lab.go(0.5)
            yield lab, caller, systems

    return begin


async def test_an_answer_that_fits_is_taken(asking: Begin) -> None:
    async with asking(Understands("internet")) as (lab, caller, systems):
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.5)
        assert ASKED_HZ in caller.hears_now
        caller.silence()
        await lab.go(1)
        assert notes(lab, "menu.choice")[0]["option"] == "2"
        assert await lab.hears(caller, 900)


async def test_the_words_for_a_person_are(asking: Begin) -> None:
    async with asking(Understands("operadora")) as (lab, caller, systems):
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.5)
        caller.silence()
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED
        assert len(notes(lab, "person.asked")) == 1


@pytest.mark.parametrize("seconds", [0.3, 6.0])
async def test_what_fits_nothing_is_no_wrong_answer(asking: Begin, seconds: float) -> None:
    """It was begun before anybody asked: the question is heard to its end, and may be answered."""
    async with asking(Understands("la sopa")) as (lab, caller, systems):
        systems.answer.set_result(Response(200, {}))
        await lab.go(seconds)
        caller.silence()
        await lab.go(1)
        if seconds < 1:
            assert ASKED_HZ in caller.hears_now
        assert not notes(lab, "menu.no_match")
        assert notes(lab, "node")[-1]["node"] == "dos"
        await lab.during(caller.send_digits("2"))
        assert await lab.hears(caller, 900)


async def test_who_speaks_again_afterwards_is_heard_as_always(asking: Begin) -> None:
    recogniser = Understands("la sopa")
    async with asking(recogniser) as (lab, caller, systems):
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.3)
        caller.silence()
        await lab.go(1)
        recogniser.words = "internet"
        caller.speak()
        await lab.go(0.8)
        caller.silence()
        await lab.go(1)
        assert await lab.hears(caller, 900)


async def test_what_was_said_is_being_understood_when_the_answer_comes(asking: Begin) -> None:
    class Slow(Understands):
        async def recognise(self, *args: Any) -> Any:
            if not self.utterances:
                await go_on.wait()
            return await super().recognise(*args)

    go_on = asyncio.Event()
    async with asking(Slow("internet")) as (lab, caller, systems):
        caller.silence()
        await lab.go(1)
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.2)
        go_on.set()
        assert await lab.hears(caller, 900)


async def test_who_hangs_up_meanwhile_leaves_nothing_behind(asking: Begin) -> None:
    async with asking(Understands("internet")) as (lab, caller, systems):
        systems.answer.set_result(Response(200, {}))
        await lab.go(0.3)
        await caller.hangup()
        await lab.go(30)
        assert lab.record().phase is Phase.CLOSED
        assert notes(lab, "flow.ended")[0]["node"] == "dos"


async def test_in_a_queue_the_ear_is_the_queues(asking: Begin) -> None:
    async with asking(Understands("operadora")) as (lab, caller, systems):
        systems.answer.set_result(Response(500, {}))
        await lab.go(0.3)
        caller.silence()
        await lab.go(1)
        assert lab.record().phase is Phase.QUEUED
        caller.speak()
        await lab.go(0.8)
        caller.silence()
        await lab.go(1)
        assert len(notes(lab, "person.asked")) == 1
