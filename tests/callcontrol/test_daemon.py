"""Whole calls through the daemon, on the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callcontrol.events import fact_type
from callcontrol.model import AgentId, AgentState, ExitReason, Phase, Role, SegmentKind
from recording.audio import analyse
from tests.support.daemon import DaemonLab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


async def test_a_call_from_greeting_to_closed(lab: DaemonLab, tmp_path: Path) -> None:
    phone = await lab.phone("1001", auto_answer=True, tone_hz=1000)
    await lab.ready("ana")
    caller = await lab.call(tone_hz=440)
    await lab.to_queue(caller)
    agent_leg = await lab.during(phone.next_call())
    assert await lab.hears(caller, 1000)
    assert await lab.hears(agent_leg, 440)
    assert lab.record().phase is Phase.TALKING
    await lab.go(10)
    await caller.hangup()
    await lab.go(1)
    assert agent_leg.ended.is_set()
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    assert lab.record().phase is Phase.WRAP_UP
    await lab.go(30)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.COMPLETED
    assert record.agent == "ana"
    assert lab.state("ana") == (AgentState.READY, "")
    assert record.created_at <= record.answered_at <= record.queued_at <= record.connected_at <= record.ended_at
    assert record.closed_at - record.ended_at == pytest.approx(20, abs=1)
    assert {p.role for p in record.participants} == {Role.CUSTOMER, Role.AGENT}
    assert all(s.ended_at is not None for s in record.segments)
    kinds = [s.kind for s in record.segments]
    for kind in (SegmentKind.IVR, SegmentKind.QUEUE, SegmentKind.ALERT, SegmentKind.TALK, SegmentKind.WRAP_UP):
        assert kind in kinds
    heard = analyse(tmp_path / record.recordings[0].path)
    assert heard.channels == 2
    assert heard.sides[0].hz == pytest.approx(440, abs=2)
    assert heard.sides[1].hz == pytest.approx(1000, abs=2)
    assert record.recordings[0].seconds == pytest.approx(heard.seconds, abs=0.01)
    assert not lab.daemon.sessions


async def test_the_longest_idle_agent_gets_the_call(lab: DaemonLab) -> None:
    first, second = await lab.phone("1001"), await lab.phone("1002")
    await lab.ready("luis")
    await lab.go(5)
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    assert await lab.during(second.next_call())
    with pytest.raises(TimeoutError):
        await lab.during(first.next_call(timeout=1))


async def test_an_offer_that_expires_goes_on_to_the_next_agent(lab: DaemonLab) -> None:
    await lab.phone("1001", auto_answer=False)
    second = await lab.phone("1002", auto_answer=True)
    await lab.ready("ana")
    await lab.go(1)
    await lab.ready("luis")
    caller = await lab.call()
    await lab.to_queue(caller)
    await lab.go(12)
    assert await lab.hears(caller, second.tone_hz)
    assert lab.state("ana") == (AgentState.NOT_READY, "missed_offer")
    assert lab.facts().count("offered") == 2
    assert lab.record().agent == "luis"


async def test_a_phone_that_is_not_there_is_not_the_callers_problem(lab: DaemonLab) -> None:
    second = await lab.phone("1002", auto_answer=True)
    await lab.ready("ana")  # whose phone is not registered
    await lab.go(1)
    await lab.ready("luis")
    caller = await lab.call()
    await lab.to_queue(caller)
    assert await lab.hears(caller, second.tone_hz)
    assert lab.state("ana") == (AgentState.NOT_READY, "device_unreachable")


@pytest.mark.parametrize(
    ("seconds", "option", "reason"),
    [
        (0.0, "", ExitReason.ABANDONED_IN_FLOW),
        (3.0, "", ExitReason.ABANDONED_IN_FLOW),
        (5.0, "1", ExitReason.ABANDONED_IN_QUEUE),
    ],
)
async def test_the_caller_hangs_up_before_an_agent(
    lab: DaemonLab, seconds: float, option: str, reason: ExitReason
) -> None:
    caller = await lab.call()
    await lab.go(seconds)
    if option:
        await lab.to_queue(caller, option)
    await caller.hangup()
    await lab.go(30)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is reason
    assert not lab.daemon.desk.router.waiting()


async def test_the_caller_hangs_up_while_an_agents_phone_rings(lab: DaemonLab) -> None:
    phone = await lab.phone("1001", auto_answer=False)
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    ringing = await lab.during(phone.next_call())
    await caller.hangup()
    await lab.go(30)
    assert ringing.ended.is_set()
    assert lab.record().exit_reason is ExitReason.ABANDONED_IN_QUEUE
    assert lab.record().phase is Phase.CLOSED
    assert lab.state("ana") == (AgentState.READY, "")


async def test_the_agent_hangs_up_first_and_the_flow_goes_on(lab: DaemonLab) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    leg = await lab.during(phone.next_call())
    await lab.go(5)
    await leg.hangup()
    await lab.go(1)
    assert not caller.ended.is_set()
    assert lab.record().phase is Phase.FLOW
    await lab.go(60)
    assert caller.ended.is_set()
    assert lab.record().exit_reason is ExitReason.COMPLETED
    assert lab.record().phase is Phase.CLOSED
    assert lab.facts().count("recording_stopped") == 1


async def test_a_new_daemon_finds_the_talk_again(lab: DaemonLab, tmp_path: Path) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    leg = await lab.during(phone.next_call())
    await lab.go(5)
    await lab.kill()
    await lab.go(7)
    assert await lab.hears(caller, 1000)  # nobody watches, and they talk on
    await lab.start()
    assert lab.record().phase is Phase.TALKING
    assert lab.state("ana")[0] is AgentState.INTERACTING
    await lab.go(5)
    await caller.hangup()
    await lab.go(40)
    assert leg.ended.is_set()
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.COMPLETED
    assert analyse(tmp_path / record.recordings[0].path).seconds == pytest.approx(
        19, abs=0.5
    )  # 2 + 5 seen, 7 unseen, 5 seen
    assert lab.state("ana") == (AgentState.READY, "")


async def test_a_new_daemon_keeps_the_place_of_who_waits(lab: DaemonLab) -> None:
    caller = await lab.call()
    await lab.to_queue(caller)
    queued_at = lab.record().queued_at
    await lab.kill()
    await lab.go(3)
    await lab.start()
    assert [item.queued_at for item in lab.daemon.desk.router.waiting()] == [queued_at]
    phone = await lab.phone("1001")
    await lab.ready("ana")
    assert await lab.hears(caller, phone.tone_hz)


async def test_a_caller_who_left_unseen_is_closed_at_the_next_start(lab: DaemonLab) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    await lab.during(phone.next_call())
    await lab.go(5)
    await lab.kill()
    await caller.hangup()
    await lab.go(7)
    await lab.start()
    await lab.go(40)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.COMPLETED
    assert record.recordings[0].state == "complete"
    assert lab.state("ana") == (AgentState.READY, "")


async def test_the_switch_dies_in_mid_call(lab: DaemonLab) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    await lab.during(phone.next_call())
    await lab.go(5)
    lab.world.kill()
    await lab.go(2)
    lab.world.restore(same_life=False)
    await lab.go(40)
    record = lab.record()
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.SWITCH_LOST
    assert record.recordings[0].state == "complete"
    assert ("switch_restarted" in {kind for kind, _ in lab.herald.alerts}) is True
    await lab.phone("1001")
    await lab.ready("ana")
    again = await lab.call()
    await lab.to_queue(again)
    assert await lab.hears(again, phone.tone_hz)


async def test_a_lost_connection_costs_nobody_their_call(lab: DaemonLab) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    leg = await lab.during(phone.next_call())
    lab.world.lose_connection()
    await lab.go(3)
    lab.world.restore(same_life=True)
    await lab.go(1)
    assert lab.record().phase is Phase.TALKING
    await leg.hangup()
    await lab.go(60)
    assert lab.record().phase is Phase.CLOSED


async def test_a_full_disk_ends_the_recording_and_not_the_call(lab: DaemonLab) -> None:
    phone = await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    await lab.during(phone.next_call())
    lab.world.fill_disk()
    await lab.go(5)
    assert await lab.hears(caller, phone.tone_hz)
    assert "recording_failed" in {kind for kind, _ in lab.herald.alerts}
    await caller.hangup()
    await lab.go(40)
    assert lab.record().exit_reason is ExitReason.COMPLETED
    assert lab.record().recordings[0].state == "failed"


async def test_a_fault_of_ours_ends_one_call_only(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await lab.call()
    second = await lab.call()
    broken = next(iter(lab.daemon.sessions.values()))

    async def fault(_told: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(broken, "_one", fault)
    await lab.to_queue(first)
    assert first.ended.is_set() != second.ended.is_set()
    assert "call_broken" in {kind for kind, _ in lab.herald.alerts}
    assert ExitReason.FAILED in {r.exit_reason for r in lab.journal.records.values()}


async def test_an_offer_whose_caller_left_is_over_before_the_agent_has_the_next(lab: DaemonLab) -> None:
    await lab.phone("1001", auto_answer=False)
    callers = [await lab.call() for _ in range(2)]
    for caller in callers:
        await lab.to_queue(caller)
    first, second = lab.daemon.sessions
    await lab.ready("ana")
    await callers[0].hangup()
    await lab.go(1)
    told = [(fact_type(e.fact), e.interaction) for e in lab.herald.events]
    assert [one for one in told if one[0].startswith("offer")] == [
        ("offered", first),
        ("offer_ended", first),
        ("offered", second),
    ]
    assert lab.facts(0)[-1] == "closed"


async def test_a_fault_in_an_offer_is_that_calls_own(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await lab.call()
    await lab.to_queue(caller)
    broken = next(iter(lab.daemon.sessions.values()))

    def fault(*_told: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(broken, "_take", fault)
    await lab.ready("ana")  # who tells the desk so does not meet it
    await lab.go(5)
    assert caller.ended.is_set()
    assert "call_broken" in {kind for kind, _ in lab.herald.alerts}
    assert lab.record().exit_reason is ExitReason.FAILED
    assert lab.state("ana") == (AgentState.READY, "")
    assert not lab.daemon.sessions


async def test_who_knows_the_citizen_is_offered_the_call_first(lab: DaemonLab) -> None:
    class Knows:
        def of(self, number: str, queue: str) -> AgentId | None:
            return AgentId("luis") if number and queue == "contact-center" else None

    lab.daemon._around = replace(lab.daemon._around, acquaintances=Knows())
    await lab.phone("1001", auto_answer=False)
    await lab.phone("1002", auto_answer=False)
    await lab.ready("ana")
    await lab.go(5)
    await lab.ready("luis")
    await lab.to_queue(await lab.call())
    assert lab.state("luis")[0] is AgentState.RESERVED  # though Ana is idle longer
