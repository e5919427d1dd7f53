"""Transfers that an agent's phone asks for, on the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcontrol.events import TransferEnded
from callcontrol.model import AgentState, ExitReason, Phase, Role, SegmentKind
from pbx.memory import MemoryCall
from tests.support.daemon import DaemonLab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


async def talk(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall]:
    ear = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    leg = await lab.during(ear.next_call())
    await lab.go(2)
    return caller, leg


def ends(lab: DaemonLab) -> list[tuple[str, str]]:
    facts = [e.fact for e in lab.journal.events[lab.record().id]]
    return [(f.how, f.detail) for f in facts if isinstance(f, TransferEnded)]


async def closed(lab: DaemonLab) -> None:
    await lab.go(60)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.COMPLETED
    assert all(s.ended_at is not None for s in record.segments)
    assert all(p.left_at is not None for p in record.participants)
    assert not lab.daemon.sessions
    assert not lab.world.exchange.legs
    assert lab.state("ana") == (AgentState.READY, "")


async def test_to_another_phone(lab: DaemonLab) -> None:
    second = await lab.phone("1002", tone_hz=800)
    caller, leg = await talk(lab)
    await leg.refer("1002")
    there = await lab.during(second.next_call())
    assert await lab.hears(caller, 800)
    assert await lab.hears(there, 440)
    await lab.go(1)
    assert leg.ended.is_set()
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    record = lab.record()
    assert record.phase is Phase.TRANSFER
    assert {p.role for p in record.participants} == {Role.CUSTOMER, Role.AGENT, Role.EXTERNAL}
    external = next(p for p in record.participants if p.role is Role.EXTERNAL)
    assert [s.kind for s in record.segments if s.participant == external.id] == [SegmentKind.ALERT, SegmentKind.TALK]
    await caller.hangup()
    await closed(lab)
    assert there.ended.is_set()
    assert ends(lab) == [("connected", "")]
    assert lab.facts().count("recording_stopped") == 1  # one, through both talks


async def test_to_a_number_that_the_dial_rules_allow(lab: DaemonLab) -> None:
    gateway = lab.world.gateway("gw1")
    caller, leg = await talk(lab)
    gateway.auto_answer, gateway.tone_hz = True, 900
    await leg.refer("0991234567")
    there = await lab.during(gateway.next_call())
    assert await lab.hears(caller, 900)
    await there.hangup()  # and the citizen goes on in the flow
    await lab.go(1)
    assert lab.record().phase is Phase.FLOW
    await closed(lab)


async def test_to_a_number_that_they_forbid(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    await leg.refer("0019005551234")
    await lab.go(1)
    assert lab.record().phase is Phase.TALKING
    assert await lab.hears(caller, 1000)
    assert [how for how, _ in ends(lab)] == ["refused"]
    await caller.hangup()
    await closed(lab)


async def test_nobody_answers_and_the_agent_is_still_there(lab: DaemonLab) -> None:
    second = await lab.phone("1002", auto_answer=False)
    caller, leg = await talk(lab)
    await leg.refer("1002")
    await (await lab.during(second.next_call())).reject(486)
    await lab.go(1)
    assert lab.record().phase is Phase.TALKING
    assert await lab.hears(caller, 1000)
    assert ends(lab) == [("failed", "busy")]
    await caller.hangup()
    await closed(lab)


async def test_nobody_answers_and_the_agent_has_hung_up(lab: DaemonLab) -> None:
    second = await lab.phone("1002", auto_answer=False)
    caller, leg = await talk(lab)
    await leg.refer("1002")
    ringing = await lab.during(second.next_call())
    await leg.hangup()
    await lab.go(1)
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    assert not caller.ended.is_set()
    await ringing.reject(486)
    await lab.go(1)
    assert lab.record().phase is Phase.QUEUED
    await lab.go(25)  # until Ana is free again, who is the next in line
    assert await lab.hears(caller, 1000)
    assert lab.facts().count("recording_started") == 2
    await caller.hangup()
    await closed(lab)


async def test_the_citizen_hangs_up_while_the_third_party_rings(lab: DaemonLab) -> None:
    second = await lab.phone("1002", auto_answer=False)
    caller, leg = await talk(lab)
    await leg.refer("1002")
    ringing = await lab.during(second.next_call())
    await caller.hangup()
    await lab.go(1)
    assert ringing.ended.is_set()
    assert leg.ended.is_set()
    await closed(lab)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_new_daemon_goes_on_with_it(lab: DaemonLab, answered: bool) -> None:
    second = await lab.phone("1002", auto_answer=answered, tone_hz=800)
    caller, leg = await talk(lab)
    await leg.refer("1002")
    there = await lab.during(second.next_call())
    await lab.kill()
    await lab.go(2)
    await lab.start()
    await there.answer()
    await lab.go(1)
    assert await lab.hears(caller, 800)
    assert leg.ended.is_set()
    assert ends(lab) == [("connected", "")]
    await there.hangup()
    await closed(lab)


async def test_an_attended_one_is_refused_and_costs_nobody_their_call(lab: DaemonLab) -> None:
    caller, leg = await talk(lab)
    consult = await lab.world.phones["1001"].call("072831900", wait=False)
    await lab.go(1)
    await leg.refer_replaces(consult)
    await lab.go(1)
    assert await lab.hears(caller, 1000)
    mine = next(r for r in lab.journal.records.values() if r.phase is Phase.TALKING)
    facts = [e.fact for e in lab.journal.events[mine.id]]
    assert [f.detail for f in facts if isinstance(f, TransferEnded)] == ["attended"]
