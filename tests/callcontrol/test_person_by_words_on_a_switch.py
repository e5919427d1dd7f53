"""A person asked for by words beside what goes on, on a real call: a robot calls over SIP and talks, in a voice that
the recogniser has not heard before, while the switch plays its music, rings somebody or records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import soundfile

from callcontrol.listening import Ears
from callcontrol.model import Phase
from ivr_flows.protocol import PromptText
from ivr_flows.speech.waiting import reassurance
from pbx.recognition.likeness import LikenessRecogniser
from pbx.terms import TextSound
from tests.support.comparing import Pcm, share_heard
from tests.support.engines import Engine
from tests.support.flow_stage import FIRST_HZ, SECOND_HZ, Stage, hears, staged
from tests.support.lab import AGENT_HZ
from tests.support.voices import espeak_library, needs_voices, say

pytestmark = needs_voices
WISH = "quiero hablar con una persona"


def talking(engine: Engine, tmp_path: Path, nodes: str) -> Any:
    heard_by = LikenessRecogniser([espeak_library(tmp_path)])
    return staged(engine, tmp_path, nodes, tone_hz=0, ears=Ears(sounds=engine.sounds(), recogniser=heard_by))


async def passes(call: Any, seconds: float) -> None:
    """By the call's own packets, not by our clock."""
    begun = call.elapsed()
    assert await call.poll(lambda: call.elapsed() > begun + seconds, seconds + 10.0)


async def queued(stage: Stage) -> None:
    await stage.until(lambda record: record.phase is Phase.QUEUED, "the caller waits for a person")
    assert len(stage.notes("person.asked")) == 1


async def reached(stage: Stage, call: Any) -> None:
    await stage.phone()
    stage.ready()
    await hears(call, AGENT_HZ)
    await call.hangup()
    await stage.closed()


async def test_while_a_system_is_asked(engine: Engine, tmp_path: Path) -> None:
    nodes = (
        "  uno: {kind: http, request: {system: clientes, url: /v1/cuentas/1, timeout_s: 20}, next: fin, fallback: fin}"
    )
    async with talking(engine, tmp_path, nodes) as stage:
        stage.system.faults.delay_s = 60.0
        call = await stage.call()
        await passes(call, 4.0)  # the music is on by now
        call.play_pcm(say(WISH))
        await queued(stage)
        await reached(stage, call)


async def test_while_somebody_is_rung(engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: transfer, to: {phone: agente1}, timeout_s: 40, then: {failed: fin, talked: bien}}"
    async with talking(engine, tmp_path, nodes) as stage:
        phone = await stage.phone()
        phone.auto_answer = False
        call = await stage.call()
        ringing = await phone.next_call()
        await passes(call, 1.0)
        call.play_pcm(say("operadora"))
        await queued(stage)
        async with asyncio.timeout(10):
            await ringing.ended.wait()
        phone.auto_answer = True
        stage.ready()
        await hears(call, AGENT_HZ)
        await call.hangup()
        await stage.closed()


async def test_while_a_message_is_left(engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: voicemail, mailbox: m, prompts: {tone: {hz: 450, ms: 800}}, max_s: 60, next: bien}"
    async with talking(engine, tmp_path, nodes) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await stage.until(lambda record: bool(record.recordings), "the message is being recorded")
        call.play_pcm(say("mi contrato es el dos cero cuatro y quiero que una persona venga a revisar el medidor"))
        await passes(call, 9.0)
        assert not stage.notes("person.asked")  # that is what is told in the message
        call.play_pcm(say("operadora"))
        await queued(stage)
        (note,) = stage.notes("voicemail.left")
        assert note["seconds"] > 8
        (record,) = stage.journal.records.values()
        assert record.recordings[0].state == "complete"
        await reached(stage, call)


async def test_in_a_queue_they_are_told_that_they_are_in_the_line(engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: queue, name: contact-center, exits: {'7': bien}, then: {talked: fin, timeout: fin}}"
    async with talking(engine, tmp_path, nodes) as stage:
        call = await stage.call()
        await passes(call, 2.0)
        begun = call.elapsed()
        call.play_pcm(say("operadora"))
        await stage.until(lambda _: bool(stage.notes("person.asked")), "the wish was heard")
        prompt = await spoken(engine)
        await passes(call, len(prompt) / 8000 + 2.0)
        assert share_heard(prompt, call.heard(since_s=begun)) > 0.75
        await call.send_digits("7")
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


async def spoken(engine: Engine) -> Pcm:
    (words,) = reassurance("es")
    assert isinstance(words, PromptText)
    path = await engine.sounds().resolve(TextSound(words.text, "es"), 8000)
    pcm: Pcm = soundfile.read(path, dtype="int16")[0]
    return pcm
