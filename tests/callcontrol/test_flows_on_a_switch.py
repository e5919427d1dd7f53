"""What flows do beyond one node at a time (`test_kinds_on_a_switch`), on a real call through the daemon and a real
switch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from callcontrol.model import ExitReason, Medium, Phase
from pbx.sip.errors import CallOver
from tests.support.comparing import longest_silence_s
from tests.support.engines import Engine
from tests.support.flow_stage import FIRST_HZ, SECOND_HZ, Stage, hears, staged
from tests.support.lab import AGENT_HZ, CALLER_HZ
from tests.support.ports import free_port

PACKETS_A_SECOND = 50
SILENCE_S = 4.0  # nobody waits longer with nothing on the line


Make = Callable[[str], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage_of(engine: Engine, tmp_path: Path) -> Make:
    return lambda nodes: staged(engine, tmp_path, nodes)


async def test_announce_speaks_what_the_system_knows(stage_of: Make) -> None:
    nodes = (
        "  uno: {kind: announce, request: {system: clientes, url: '/v1/cortes?sector=Monay'}, list: cortes,"
        " each: {tone: {hz: 450, ms: 2000}}, next: bien, fallback: fin}"
    )
    async with stage_of(nodes) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


# As admins write it: our own words, our own times.
ASKING = {
    "http": "  uno: {kind: http, request: {system: clientes, url: /v1/cuentas/1}, next: fin, fallback: aviso}",
    "identify": (
        "  uno: {kind: identify, by: caller, next: fin, unknown: fin, fallback: aviso, prompts: Digite,"
        " request: {system: clientes, url: '/v1/clientes?valor={{ item.value }}'}}"
    ),
    "announce": (
        "  uno: {kind: announce, request: {system: clientes, url: /v1/cortes}, list: cortes, each: Corte,"
        " next: fin, fallback: aviso}"
    ),
}
TOLD = (
    "\n  aviso: {kind: play, prompts: {tone: {hz: 450, ms: 900}}, next: menu}"
    "\n  menu: {kind: menu, prompts: SECOND, options: {'1': cola}, repeats: 0,"
    " on_no_input: cola}"
)


@pytest.mark.parametrize("fault", ["slow", "wrong", "failing", "gone"])
@pytest.mark.parametrize("kind", ASKING)
async def test_a_system_that_is_of_no_use(engine: Engine, tmp_path: Path, kind: str, fault: str) -> None:
    """The caller is told, is offered a person and gets one, and never waits in silence: measured in what was heard."""
    nowhere = f"http://127.0.0.1:{free_port()}" if fault == "gone" else ""
    async with staged(engine, tmp_path, ASKING[kind] + TOLD, system_url=nowhere) as stage:
        faults = stage.system.faults
        faults.delay_s, faults.garbage = 60.0 if fault == "slow" else 0.0, fault == "wrong"
        faults.status = 503 if fault == "failing" else None
        await stage.phone()
        stage.ready()
        call = await stage.call()
        assert await call.hears(FIRST_HZ, 14.0)
        await hears(call, SECOND_HZ)
        await call.send_digits("1")
        await hears(call, AGENT_HZ)
        assert longest_silence_s(call.heard()) < SILENCE_S
        assert stage.notes("http.failed")
        await call.hangup()
        await stage.closed()


async def test_a_person_instead_of_a_slow_system(stage_of: Make) -> None:
    async with stage_of(ASKING["http"] + TOLD) as stage:
        stage.system.faults.delay_s = 60.0
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await call.poll(lambda: call.elapsed() > 1.0, 5.0)
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        assert longest_silence_s(call.heard()) < SILENCE_S
        await call.hangup()
        await stage.closed()


async def test_a_message_is_recorded(stage_of: Make, engine: Engine) -> None:
    nodes = "  uno: {kind: voicemail, mailbox: m, prompts: {tone: {hz: 450, ms: 800}}, max_s: 30, next: bien}"
    async with stage_of(nodes) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await stage.until(lambda record: bool(record.recordings), "the message is being recorded")
        sent = call.packets_sent
        assert await call.poll(lambda: call.packets_sent > sent + 3 * PACKETS_A_SECOND, 10.0)
        await call.send_digits("#")
        await hears(call, SECOND_HZ)
        (note,) = stage.notes("voicemail.left")
        assert note["seconds"] > 2
        await call.hangup()
        await stage.closed()
        (record,) = stage.journal.records.values()
        said, rate = soundfile.read(engine.folders.recordings / record.recordings[0].path, always_2d=True)
        spectrum = np.abs(np.fft.rfft(said[rate // 2 : rate // 2 + rate, 0]))
        assert abs(int(spectrum.argmax()) - CALLER_HZ) <= 3


async def test_a_transfer_to_a_telephone(stage_of: Make) -> None:
    async with stage_of("  uno: {kind: transfer, to: {phone: agente1}, then: {failed: fin, talked: bien}}") as stage:
        phone = await stage.phone()
        call = await stage.call()
        other = await phone.next_call()
        await hears(call, AGENT_HZ)
        await hears(other, CALLER_HZ)
        await other.hangup()
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


async def test_a_transfer_to_an_agent(stage_of: Make) -> None:
    async with stage_of("  uno: {kind: transfer, to: {agent: ana}, then: {failed: fin, talked: bien}}") as stage:
        phone = await stage.phone()
        call = await stage.call()
        other = await phone.next_call()
        await hears(call, AGENT_HZ)
        await other.hangup()
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


async def test_a_transfer_to_a_number(stage_of: Make) -> None:
    nodes = "  uno: {kind: transfer, to: {number: '0991234567'}, then: {failed: fin, talked: bien}}"
    async with stage_of(nodes) as stage:
        call = await stage.call()
        citizen = await stage.gateway.next_call(15.0)
        await citizen.answer()
        await hears(call, CALLER_HZ)  # the gateway's robot plays both ends outside
        await citizen.hangup()
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


async def test_a_transfer_to_another_flow(stage_of: Make) -> None:
    async with stage_of("  uno: {kind: transfer, to: {flow: parte}}") as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        with suppress(CallOver):  # before the key's last packet is out
            await call.send_digits("7")
        async with asyncio.timeout(10):
            await call.ended.wait()  # it does not come back
        await stage.closed()
        assert stage.notes("flow.ended")[0]["path"] == ["uno", "a", "b", "c"]


async def test_a_person_instead_of_a_telephone_that_rings(stage_of: Make) -> None:
    nodes = "  uno: {kind: transfer, to: {number: '0991234567'}, then: {failed: fin}}"
    async with stage_of(nodes) as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        ringing = await stage.gateway.next_call(15.0)
        await ringing.ring()
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        assert await call.poll(ringing.ended.is_set, 5.0)
        await call.hangup()
        await stage.closed()


async def test_a_person_instead_of_a_message(stage_of: Make) -> None:
    nodes = "  uno: {kind: voicemail, mailbox: m, prompts: {tone: {hz: 450, ms: 800}}, max_s: 30, next: fin}"
    async with stage_of(nodes) as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await stage.until(lambda record: bool(record.recordings), "the message is being recorded")
        sent = call.packets_sent
        assert await call.poll(lambda: call.packets_sent > sent + 3 * PACKETS_A_SECOND, 10.0)
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        assert stage.notes("voicemail.left")[0]["seconds"] > 2
        await call.hangup()
        await stage.closed()


async def test_an_announcement_and_then_the_person_who_was_asked_for(stage_of: Make) -> None:
    nodes = "  uno: {kind: play, barge_in: false, prompts: {tone: {hz: 450, ms: 3000}}, next: fin}"
    async with stage_of(nodes) as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await call.send_digits("0")
        assert await call.hears(FIRST_HZ, 1.0)
        await hears(call, AGENT_HZ)
        await call.hangup()
        await stage.closed()


async def test_a_queue_with_comfort_and_a_person(stage_of: Make) -> None:
    nodes = (
        "  uno: {kind: queue, name: contact-center, comfort: {tone: {hz: 450, ms: 1500}}, comfort_every_s: 10,"
        " exits: {'5': bien}, then: {talked: bien, timeout: fin}}"
    )
    async with stage_of(nodes) as stage:
        call = await stage.call()
        assert await call.hears(FIRST_HZ, 16.0)
        await stage.phone()
        stage.ready()
        await hears(call, AGENT_HZ)
        await call.hangup()
        await stage.closed()


async def test_who_was_promised_a_call_is_called_and_hears_the_agent(stage_of: Make) -> None:
    nodes = (
        "  uno: {kind: callback, queue: contact-center, number: '0991234567', prompts: FIRST, next: bien,"
        " declined: fin}"
    )
    async with stage_of(nodes) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await call.send_digits("1")
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.phone()
        stage.ready()
        citizen = await stage.gateway.next_call(15.0)
        await citizen.answer()
        await hears(citizen, AGENT_HZ)
        await citizen.hangup()
        await stage.closed()
        first, promised = sorted(stage.journal.records.values(), key=lambda record: record.created_at)
        assert first.callbacks == (promised.id,)
        assert (promised.medium, promised.exit_reason) == (Medium.CALLBACK, ExitReason.COMPLETED)
        assert [recording.state for recording in promised.recordings] == ["complete"]


async def test_a_key_leads_out_of_the_queue(stage_of: Make) -> None:
    nodes = "  uno: {kind: queue, name: contact-center, exits: {'5': bien}, then: {talked: fin, timeout: fin}}"
    async with stage_of(nodes) as stage:
        call = await stage.call()
        await stage.until(lambda record: record.phase is Phase.QUEUED, "the caller waits")
        await call.send_digits("5")
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


async def test_a_person_at_any_time(stage_of: Make) -> None:
    async with stage_of("  uno: {kind: menu, prompts: FIRST, options: {'1': bien}}") as stage:
        await stage.phone()
        stage.ready()
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await call.send_digits("0")
        await hears(call, AGENT_HZ)
        await call.hangup()
        await stage.closed()
