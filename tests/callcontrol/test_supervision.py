"""A supervisor in a talk: listening, whispering, barging, taking over; on the twin, by who hears whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.events import SupervisionEnded, SupervisionStarted, is_behind_the_agent
from callcontrol.model import AgentId, AgentState, ExitReason, InteractionId, Phase, Target
from callcontrol.open_leg import NUMBER as OPEN_LEG
from callcontrol.orders import LEG_WITHIN_S, Busy, LegDown
from pbx.memory import MemoryCall
from pbx.memory.audio import MUSIC_HZ
from pbx.terms import ChannelId, Supervision
from tests.support.daemon import DaemonLab

ANA, LUIS = AgentId("ana"), AgentId("luis")
ANA_HZ, LUIS_HZ, CALLER_HZ = 1000, 800, 440  # Luis is the supervisor here


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        yield lab


async def talk(lab: DaemonLab) -> tuple[MemoryCall, MemoryCall, MemoryCall]:
    """The citizen, Ana who talks with them, and Luis with a leg of his own."""
    luis = await lab.open_leg("luis", tone_hz=LUIS_HZ)
    ana = await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.ready("ana")
    caller = await lab.call(tone_hz=CALLER_HZ)
    await lab.to_queue(caller)
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(1)
    return caller, ana, luis


def call(lab: DaemonLab) -> InteractionId:
    return lab.record(0).id


async def supervise(lab: DaemonLab, mode: Supervision) -> None:
    await lab.orders.supervise(LUIS, call(lab), mode)
    await lab.go(0.1)


async def closed(lab: DaemonLab) -> None:
    await lab.go(70)
    record = lab.record(0)
    assert record.phase is Phase.CLOSED
    assert record.exit_reason is ExitReason.COMPLETED
    assert record.supervisors == ()
    assert all(s.ended_at is not None for s in record.segments)
    assert all(p.left_at is not None for p in record.participants)
    assert not lab.daemon.sessions


def ends(lab: DaemonLab) -> list[str]:
    return [e.fact.why for e in lab.journal.events[call(lab)] if isinstance(e.fact, SupervisionEnded)]


async def test_listen_whisper_barge(lab: DaemonLab) -> None:
    caller, ana, luis = await talk(lab)
    await supervise(lab, Supervision.LISTEN)
    assert luis.hears_now == {CALLER_HZ, ANA_HZ}
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await supervise(lab, Supervision.WHISPER)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ, LUIS_HZ})
    assert lab.record(0).supervisors == (LUIS,)
    await supervise(lab, Supervision.BARGE)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ, LUIS_HZ}, {CALLER_HZ, LUIS_HZ})
    await lab.orders.order(call(lab), inp.StopSupervising(LUIS))
    await lab.go(0.1)
    assert luis.hears_now == frozenset()
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    with pytest.raises(NotNow):
        await lab.orders.order(call(lab), inp.StopSupervising(LUIS))
    await caller.hangup()
    await closed(lab)
    facts = [e.fact for e in lab.journal.events[call(lab)]]
    hidden = [is_behind_the_agent(f) for f in facts if isinstance(f, SupervisionStarted | SupervisionEnded)]
    assert hidden == [True, True, False, False]  # the agent is told of the barge alone


async def test_it_ends_with_the_talk_and_the_leg_stays(lab: DaemonLab) -> None:
    caller, _, luis = await talk(lab)
    await supervise(lab, Supervision.LISTEN)
    await caller.hangup()
    await lab.go(1)
    assert luis.hears_now == frozenset()
    assert not luis.ended.is_set()
    await closed(lab)
    assert ends(lab) == ["talk_over"]


async def test_it_follows_the_agent_s_new_leg_and_a_consultation(lab: DaemonLab) -> None:
    caller, ana, luis = await talk(lab)
    await supervise(lab, Supervision.LISTEN)
    await ana.hangup()
    await lab.go(1)
    assert caller.hears_now == {MUSIC_HZ}
    await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.go(0.1)
    assert luis.hears_now == {CALLER_HZ, ANA_HZ}
    gateway = lab.world.gateway("gw1")
    gateway.auto_answer, gateway.tone_hz = True, 900
    await lab.orders.order(call(lab), inp.AskColleague(ANA, Target.NUMBER, "0991234567"))
    await lab.go(1)
    assert luis.hears_now == {ANA_HZ, 900}
    await lab.orders.order(call(lab), inp.ConsultCancel(ANA))
    await lab.go(0.1)
    assert luis.hears_now == {CALLER_HZ, ANA_HZ}
    await caller.hangup()
    await closed(lab)


async def test_the_supervisor_s_page_dies(lab: DaemonLab) -> None:
    caller, ana, luis = await talk(lab)
    await supervise(lab, Supervision.BARGE)
    await luis.hangup()
    await lab.go(0.1)
    assert (caller.hears_now, ana.hears_now) == ({ANA_HZ}, {CALLER_HZ})
    await caller.hangup()
    await closed(lab)
    assert ends(lab) == ["leg_lost"]


@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.parametrize("signed_in", [True, False])
async def test_taking_over(lab: DaemonLab, listens: bool, signed_in: bool) -> None:
    caller, ana, luis = await talk(lab)
    if signed_in:
        await lab.ready("luis")
    if listens:
        await supervise(lab, Supervision.LISTEN)
    await lab.orders.take_over(LUIS, call(lab))
    await lab.go(1)
    assert (caller.hears_now, luis.hears_now, ana.hears_now) == ({LUIS_HZ}, {CALLER_HZ}, frozenset())
    assert lab.state("ana")[0] is AgentState.WRAP_UP
    record = lab.record(0)
    assert (record.phase, record.agent) == (Phase.TALKING, LUIS)
    if signed_in:
        assert lab.state("luis")[0] is AgentState.INTERACTING
    await lab.orders.order(call(lab), inp.AgentHold(LUIS))
    assert caller.hears_now == {MUSIC_HZ}
    await caller.hangup()
    await lab.go(1)
    if signed_in:
        assert lab.state("luis")[0] is AgentState.WRAP_UP
    await closed(lab)
    assert [r.state for r in lab.record(0).recordings] == ["complete"]  # one, through both
    assert not ana.ended.is_set()
    assert not luis.ended.is_set()


async def test_taking_over_from_one_who_is_away(lab: DaemonLab) -> None:
    caller, ana, _ = await talk(lab)
    await ana.hangup()
    await lab.go(1)
    await lab.orders.take_over(LUIS, call(lab))
    await lab.go(1)
    assert caller.hears_now == {LUIS_HZ}
    await lab.go(31)  # the agent's grace is over, and concerns nobody any more
    assert caller.hears_now == {LUIS_HZ}
    await caller.hangup()
    await closed(lab)


async def _answered_late(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Luis's leg is on its way: the switch answers it when that is set."""
    switch, word = lab.daemon._around.switch, asyncio.Event()
    answer = switch.answer

    async def late(channel: ChannelId) -> None:
        await word.wait()
        await answer(channel)

    monkeypatch.setattr(switch, "answer", late)
    phone = lab.world.phones["1002"]
    phone.tone_hz = LUIS_HZ
    await phone.register()
    await phone.call(OPEN_LEG, wait=False)
    await lab.go(0)
    return word


async def test_a_leg_that_is_being_answered_is_waited_for(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page may know that its leg is up before the switch's event is here."""
    caller, _, luis = await talk(lab)
    await luis.hangup()
    await lab.go(1)
    word = await _answered_late(lab, monkeypatch)
    asked = asyncio.create_task(lab.orders.supervise(LUIS, call(lab), Supervision.LISTEN))
    await lab.go(LEG_WITHIN_S / 2)
    assert not asked.done()
    word.set()
    await lab.go(0.1)
    await asked
    assert lab.record(0).supervisors == (LUIS,)
    await caller.hangup()
    await closed(lab)


async def test_a_leg_that_is_not_answered_in_time_is_down(lab: DaemonLab, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, _, luis = await talk(lab)
    await luis.hangup()
    await lab.go(1)
    word = await _answered_late(lab, monkeypatch)
    asked = asyncio.create_task(lab.orders.take_over(LUIS, call(lab)))
    await lab.go(LEG_WITHIN_S - 0.1)
    assert not asked.done()
    await lab.go(0.2)
    with pytest.raises(LegDown):
        await asked
    word.set()
    await caller.hangup()
    await closed(lab)


async def test_one_leg_is_in_one_call(lab: DaemonLab) -> None:
    with pytest.raises(LegDown):
        await lab.orders.supervise(LUIS, InteractionId("none"), Supervision.LISTEN)
    caller, _, _ = await talk(lab)
    await supervise(lab, Supervision.LISTEN)
    with pytest.raises(Busy):
        await lab.orders.supervise(LUIS, InteractionId("another"), Supervision.LISTEN)
    with pytest.raises(NotNow):
        await lab.orders.supervise(ANA, call(lab), Supervision.LISTEN)  # one's own call
    await caller.hangup()
    await closed(lab)


async def test_a_new_daemon_still_knows_who_listens(lab: DaemonLab) -> None:
    caller, _, luis = await talk(lab)
    await supervise(lab, Supervision.LISTEN)
    await lab.kill()
    await lab.start()
    await lab.go(1)
    assert luis.hears_now == {CALLER_HZ, ANA_HZ}
    await lab.orders.order(call(lab), inp.StopSupervising(LUIS))
    assert luis.hears_now == frozenset()
    await caller.hangup()
    await closed(lab)
