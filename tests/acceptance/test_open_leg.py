"""Agents and supervisors at their pages, on the whole platform: open legs, transfers, conferences, calls out,
supervision, by who hears whom. The legs are SIP robots' that dial what a page dials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pbx.sip import PhoneCall, SipPhone, tones
from tests.support.platform import GATEWAY_HOST, PlatformProcess
from tests.support.stage import (
    AGENT_HZ,
    CALLER_HZ,
    WAIT_S,
    Citizen,
    Page,
    Record,
    Stage,
    at,
    check_voices,
    on_stage,
    talk_on,
)

LUIS_HZ, FAR_HZ = 800, 950


@pytest.fixture
async def stage(platform: PlatformProcess) -> AsyncIterator[Stage]:
    async with on_stage(platform, agents=()) as stage:
        yield stage
        for phone in (page.phone for page in _pages):
            for call in list(phone.calls.values()):
                await call.hangup()
        _pages.clear()


_pages: list[Page] = []


async def page_of(stage: Stage, agent: str, **more: object) -> Page:
    page = await stage.page_of(agent, **more)  # type: ignore[arg-type]
    _pages.append(page)
    return page


async def hears(call: PhoneCall, *hz: int, absent: tuple[int, ...] = ()) -> None:
    for tone in hz:
        assert await call.hears(tone, 8, absent=absent), (tone, absent)


async def music(call: PhoneCall) -> bool:
    """Something is heard, and the agent's voice is not in it."""

    def plays() -> bool:
        sound = call.heard(last_s=0.3)
        return bool(abs(sound).max() > 700) and tones.level(sound, AGENT_HZ) < 500

    return await call.poll(plays, 8)


async def talk(stage: Stage) -> tuple[Citizen, Page, Record]:
    ana = await page_of(stage, "ana")
    citizen = await stage.citizen(port=0)
    await citizen.to_queue()
    await ana.accept()
    await hears(citizen.call, AGENT_HZ)
    await ana.hears(CALLER_HZ)
    return citizen, ana, await citizen.record()


async def test_a_day_at_the_page(stage: Stage) -> None:
    """Accepted and joined at once, held, hung up; the leg stays, and the next call comes to it."""
    citizen, ana, record = await talk(stage)
    accepted, joined = await citizen.fact("offer_ended"), await citizen.fact("connected")
    assert at(joined) - at(accepted) < 1.0
    await talk_on(citizen.call, 1.5)
    await ana.call(record, "hold")
    assert await music(citizen.call)
    await ana.call(record, "resume")
    await hears(citizen.call, AGENT_HZ)
    await ana.call(record, "dtmf", {"digits": "42"})
    assert await citizen.call.poll(lambda: "".join(citizen.call.digits_received) == "42", 5)
    await ana.call(record, "hangup")
    await asyncio.wait_for(citizen.call.ended.wait(), WAIT_S)
    closed = await citizen.closed()
    assert (closed["exit_reason"], closed["agent"]) == ("completed", "ana")
    check_voices(await citizen.recorded(closed), at_least_s=1.0)
    assert not ana.leg.ended.is_set()
    await stage.api.agent_becomes("ana", "ready")
    second = await stage.citizen(port=0)
    await second.to_queue()
    await ana.accept()
    await hears(second.call, AGENT_HZ)
    await second.call.hangup()
    await second.closed()


async def test_a_page_loaded_anew_in_the_talk(stage: Stage) -> None:
    citizen, ana, _ = await talk(stage)
    await ana.leg.hangup()
    await citizen.fact("agent_away")
    assert await music(citizen.call)
    await ana.open_leg()
    await citizen.fact("agent_back")
    await hears(citizen.call, AGENT_HZ)
    await ana.hears(CALLER_HZ)
    await citizen.call.hangup()
    closed = await citizen.closed()
    assert len(closed["recordings"]) == 1


async def test_a_daemon_killed_in_the_talk(stage: Stage) -> None:
    citizen, ana, record = await talk(stage)
    stage.process.kill()
    await hears(citizen.call, AGENT_HZ)
    await asyncio.to_thread(stage.process.start)
    await citizen.fact("reattached")
    assert not ana.leg.ended.is_set()
    assert (await ana.desk())["phone"]["leg"] == "up"
    await ana.call(record, "hold")
    assert await music(citizen.call)
    await ana.call(record, "resume")
    await hears(citizen.call, AGENT_HZ)
    await citizen.call.hangup()
    await citizen.closed()


async def test_asking_a_colleague_all_three_and_giving_on(stage: Stage) -> None:
    luis = await page_of(stage, "luis", tone_hz=LUIS_HZ)
    await stage.api.order("PUT", "/agents/luis/state", {"state": "not_ready", "reason": "almuerzo"})
    citizen, ana, record = await talk(stage)
    await stage.api.order("PUT", "/agents/luis/state", {"state": "ready"})
    await ana.call(record, "transfer", {"kind": "attended", "to": {"kind": "agent", "id": "luis"}})
    assert (await luis.desk())["offers"] or await luis.offer()
    await luis.accept()
    await ana.hears(LUIS_HZ)
    await luis.hears(AGENT_HZ)
    assert await music(citizen.call)
    await ana.call(record, "consult/swap")
    await hears(citizen.call, AGENT_HZ)
    await ana.call(record, "consult/swap")
    await ana.hears(LUIS_HZ)
    await ana.call(record, "consult/conference")
    await hears(citizen.call, AGENT_HZ, LUIS_HZ)
    await ana.hears(CALLER_HZ, LUIS_HZ)
    await luis.hears(CALLER_HZ, AGENT_HZ)
    await ana.call(record, "conference/leave")
    await hears(citizen.call, LUIS_HZ, absent=(AGENT_HZ,))
    await luis.hears(CALLER_HZ, absent=[AGENT_HZ])
    await citizen.call.hangup()
    closed = await citizen.closed()
    assert closed["agent"] == "luis"
    assert len(closed["recordings"]) == 1


async def test_a_daemon_killed_while_three_talk(stage: Stage) -> None:
    """The room is the switch's: nobody hears of it, and the new daemon lets the agent leave it."""
    luis = await page_of(stage, "luis", tone_hz=LUIS_HZ)
    await stage.api.order("PUT", "/agents/luis/state", {"state": "not_ready", "reason": "almuerzo"})
    citizen, ana, record = await talk(stage)
    await stage.api.order("PUT", "/agents/luis/state", {"state": "ready"})
    await ana.call(record, "transfer", {"kind": "attended", "to": {"kind": "agent", "id": "luis"}})
    await luis.accept()
    await ana.hears(LUIS_HZ)
    await ana.call(record, "consult/conference")
    await hears(citizen.call, AGENT_HZ, LUIS_HZ)
    stage.process.kill()
    await hears(citizen.call, AGENT_HZ, LUIS_HZ)
    await asyncio.to_thread(stage.process.start)
    await citizen.fact("reattached")
    await hears(citizen.call, AGENT_HZ, LUIS_HZ)
    await ana.call(record, "conference/leave")
    await hears(citizen.call, LUIS_HZ, absent=(AGENT_HZ,))
    await luis.hears(CALLER_HZ, absent=[AGENT_HZ])
    await citizen.call.hangup()
    closed = await citizen.closed()
    assert closed["agent"] == "luis"


async def carrier(stage: Stage) -> SipPhone:
    """Who answers what we call over the trunk."""
    phone = SipPhone("carrier", host=GATEWAY_HOST, port=stage.process.gateway_port, tone_hz=FAR_HZ)
    phone.auto_answer, phone.answer_after_s = True, 0.5
    await stage.enter(phone)
    return phone


async def test_a_call_out_and_a_number_asked(stage: Stage) -> None:
    gateway = await carrier(stage)
    ana = await page_of(stage, "ana")
    placed = await ana.api.order("POST", "/calls", {"number": "0991234567"})
    far = await gateway.next_call(WAIT_S)
    await hears(far, AGENT_HZ)
    await ana.hears(FAR_HZ)
    await ana.call({"id": placed["interaction"]}, "hangup")
    await asyncio.wait_for(far.ended.wait(), WAIT_S)
    assert not ana.leg.ended.is_set()
    await stage.api.agent_becomes("ana", "ready")
    citizen = await stage.citizen(port=0)
    await citizen.to_queue()
    await ana.accept()
    await hears(citizen.call, AGENT_HZ)
    record = await citizen.record()
    await ana.call(record, "transfer", {"kind": "attended", "to": {"kind": "number", "id": "0997654321"}})
    far = await gateway.next_call(WAIT_S)
    await ana.hears(FAR_HZ)
    assert await music(citizen.call)
    await ana.call(record, "consult/complete")
    await hears(citizen.call, FAR_HZ)
    await hears(far, CALLER_HZ)
    await citizen.call.hangup()
    await citizen.closed()
    await asyncio.wait_for(far.ended.wait(), WAIT_S)


async def test_a_supervisor_in_the_talk(stage: Stage) -> None:
    sup = await page_of(stage, "luis", tone_hz=LUIS_HZ, role="supervisor")
    citizen, ana, record = await talk(stage)
    await sup.call(record, "supervise", {"mode": "listen"})
    await sup.hears(CALLER_HZ, AGENT_HZ)
    await ana.hears(CALLER_HZ, absent=[LUIS_HZ])
    await sup.call(record, "supervise", {"mode": "whisper"})
    await ana.hears(CALLER_HZ, LUIS_HZ)
    await hears(citizen.call, AGENT_HZ, absent=(LUIS_HZ,))
    await sup.call(record, "supervise", {"mode": "barge"})
    await hears(citizen.call, AGENT_HZ, LUIS_HZ)
    await sup.call(record, "take-over")
    await hears(citizen.call, LUIS_HZ, absent=(AGENT_HZ,))
    await sup.hears(CALLER_HZ, absent=[AGENT_HZ])
    assert not ana.leg.ended.is_set()
    await citizen.call.hangup()
    closed = await citizen.closed()
    assert closed["agent"] == "luis"
