"""Every node kind on a real call: a robot calls over SIP, presses real keys, and hears what the flow says, through the
daemon and a real switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from callcontrol.model import ExitReason, Medium, Phase
from pbx.settings import DtmfMode, PbxSettings
from tests.support import engines
from tests.support.engines import Engine, start_engine
from tests.support.flow_stage import FIRST_HZ, SECOND_HZ, Stage, hears, staged
from tests.support.lab import AGENT_HZ, CALLER, CALLER_HZ

PACKETS_A_SECOND = 50


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.switch(name)) for name in ("asterisk", "freeswitch")],
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with start_engine(request.param) as running:
        yield running


Make = Callable[[str], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage_of(engine: Engine, tmp_path: Path) -> Make:
    return lambda nodes: staged(engine, tmp_path, nodes)


IDENTIFY = (
    "  uno: {kind: identify, by: contract, prompts: FIRST, take: {t: nombre}, next: bien, unknown: fin,"
    " fallback: fin, request: {system: clientes, url: '/v1/clientes?por={{ item.by }}&valor={{ item.value }}'}}"
)
HTTP = (
    "  uno: {kind: http, request: {system: clientes, url: /v1/cuentas/204510}, take: {n: saldo}, next: dos,"
    " fallback: fin}\n  dos: {kind: condition, if: n > 20, then: bien, else: fin}"
)
# What each kind needs to be heard: its nodes, the keys that the caller presses once the first tone sounds (or None),
# and after which the second one must sound.
KINDS: dict[str, tuple[str, str | None]] = {
    "answer": ("  uno: {kind: answer, next: bien}", None),
    "play": ("  uno: {kind: play, prompts: [FIRST], next: bien}", "5"),
    "menu": ("  uno: {kind: menu, prompts: FIRST, options: {'1': bien, '2': fin}}", "1"),
    "collect": ("  uno: {kind: collect, as: cedula, into: t, prompts: FIRST, next: bien}", "1710034065"),
    "identify": (IDENTIFY, "204510#"),
    "http": (HTTP, None),
    "switch": (f"  uno: {{kind: switch, value: call.from, cases: {{'{CALLER}': bien}}, else: fin}}", None),
    "schedule": ("  uno: {kind: schedule, calendar: siempre, open: bien, closed: fin}", None),
    "language": ("  uno: {kind: language, language: en, next: bien}", None),
    "tag": ("  uno: {kind: tag, tags: prueba, next: bien}", None),
    "set": ("  uno: {kind: set, values: {t: a}, next: dos}\n  dos: {kind: goto, to: bien}", None),
    "survey": ("  uno: {kind: survey, name: s, questions: [{id: calidad, prompts: FIRST}], next: bien}", "4"),
    "record": ("  uno: {kind: record, prompts: FIRST, next: bien}", "2"),
    "callback": (
        "  uno: {kind: callback, queue: contact-center, prompts: FIRST, next: bien, declined: fin}",
        "1",
    ),
    "bot": ("  uno: {kind: bot, name: b, next: fin, unavailable: bien}", None),
    "subflow": ("  uno: {kind: subflow, flow: parte, take: {t: x}, next: bien}", "7"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_is_heard(stage_of: Make, kind: str) -> None:
    nodes, keys = KINDS[kind]
    async with stage_of(nodes) as stage:
        call = await stage.call()
        if keys is not None:
            await hears(call, FIRST_HZ)
            await call.send_digits(keys)
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()
        assert "bien" in stage.notes("flow.ended")[0]["path"]
        if kind == "survey":
            (record,) = stage.journal.records.values()
            assert record.survey == {"calidad": 4}


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
async def test_keys_of_every_kind(stage_of: Make, mode: str) -> None:
    async with stage_of("  uno: {kind: collect, as: contract, into: t, prompts: FIRST, next: bien}") as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await call.send_digits("20451#", mode)
        await hears(call, SECOND_HZ)
        (state,) = [s.flow for s in stage.journal.states.values()]
        assert state is not None
        assert state["variables"]["t"] == "20451"
        await call.hangup()
        await stage.closed()


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.switch(name)) for name in ("asterisk", "freeswitch")])
def inband_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A switch whose trunk sends its keys as tones within the voice."""
    usual = engines.lab_settings

    def settings(*args: Any, **more: Any) -> PbxSettings:
        found = usual(*args, **more)
        trunks = [trunk.model_copy(update={"dtmf": DtmfMode.INBAND}) for trunk in found.trunks]
        return found.model_copy(update={"trunks": trunks})

    monkeypatch.setattr(engines, "lab_settings", settings)
    with start_engine(request.param) as running:
        yield running


async def test_keys_within_the_voice(inband_engine: Engine, tmp_path: Path) -> None:
    nodes = "  uno: {kind: collect, as: contract, into: t, prompts: FIRST, next: bien}"
    async with staged(inband_engine, tmp_path, nodes, tone_hz=0) as stage:
        call = await stage.call()
        await hears(call, FIRST_HZ)
        await call.send_digits("20451#", "inband")
        await hears(call, SECOND_HZ)
        await call.hangup()
        await stage.closed()


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


async def test_the_customer_system_is_slow_and_the_caller_is_kept_company(stage_of: Make) -> None:
    nodes = (
        "  uno: {kind: http, request: {system: clientes, url: /v1/cuentas/1, timeout_s: 6, retries: 0, comfort: FIRST,"
        " comfort_after_s: 2}, next: fin, fallback: bien}"
    )
    async with stage_of(nodes) as stage:
        stage.system.faults.delay_s = 30
        call = await stage.call()
        await hears(call, FIRST_HZ)
        assert call.elapsed() < 4
        await hears(call, SECOND_HZ)
        assert stage.notes("http.failed")[0]["why"] == "timeout"
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
