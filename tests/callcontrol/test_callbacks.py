"""Callbacks that are really dialled: promised in a flow, waiting in the caller's place, tried again, kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcontrol import commands as cmd
from callcontrol import inputs as inp
from callcontrol import session
from callcontrol.callbacks import CallbackOrder, CallbackPolicy, due
from callcontrol.events import CallbackPlaced, CallbackScheduled
from callcontrol.model import AgentId, AgentState, ExitReason, Interaction, InteractionId, Medium, Phase, Steering
from callcontrol.routing.config import CalendarConfig
from callcontrol.routing.rules import Overflow, QueueRules, When, Where
from ivr_flows.settings import FlowSettings
from pbx.memory import MemoryCall
from pbx.memory.audio import RING_HZ
from recording.audio import analyse
from tests.support.daemon import DaemonLab

ANA = AgentId("ana")
ANA_HZ, FAR_HZ = 1000, 900
NUMBER, FORBIDDEN = "0991234567", "0019005551234"
QUEUE = "contact-center"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        lab.daemon.callback_policy = CallbackPolicy(attempts=2, retry_s=600, ring_s=30)
        citizens = lab.world.gateway("gw1")
        citizens.auto_answer, citizens.tone_hz = False, FAR_HZ
        yield lab


def promise(lab: DaemonLab, number: str = NUMBER, **more: object) -> InteractionId:
    order = CallbackOrder(number=number, queue=QUEUE, queued_at=lab.clock.now() - 120, **more)  # type: ignore[arg-type]
    return lab.daemon.place_callback(order)


def of(lab: DaemonLab, call: InteractionId) -> Interaction:
    return lab.journal.records[call]


async def dialled(lab: DaemonLab, answer: bool = True) -> MemoryCall:
    """The citizen's phone, as the agent's call comes to it."""
    far = await lab.during(lab.world.gateway("gw1").next_call())
    if answer:
        await far.answer()
        await lab.go(1)
    return far


async def taken(lab: DaemonLab) -> MemoryCall:
    """Ana takes it on her page; her leg."""
    leg = await lab.open_leg("ana", tone_hz=ANA_HZ)
    await lab.ready("ana")
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(0)
    return leg


async def test_an_agent_takes_it_and_the_citizen_is_dialled_bridged_and_recorded(
    lab: DaemonLab, tmp_path: Path
) -> None:
    call = promise(lab, origin=InteractionId("the-first"))
    await lab.go(1)
    assert (of(lab, call).medium, of(lab, call).phase) == (Medium.CALLBACK, Phase.QUEUED)
    leg = await taken(lab)
    assert leg.hears_now == {RING_HZ}
    far = await dialled(lab)
    assert (leg.hears_now, far.hears_now) == ({FAR_HZ}, {ANA_HZ})
    assert of(lab, call).phase is Phase.TALKING
    await lab.go(4)
    await far.hangup()
    await lab.go(40)
    record = of(lab, call)
    assert (record.phase, record.exit_reason, record.origin) == (Phase.CLOSED, ExitReason.COMPLETED, "the-first")
    assert record.to_address == NUMBER
    assert lab.state("ana")[0] is AgentState.READY
    (recording,) = record.recordings
    sides = analyse(tmp_path / recording.path).sides
    assert [side.hz and round(side.hz) for side in sides] == [FAR_HZ, ANA_HZ]


async def test_a_desk_phone_rings_first_then_the_citizen_is_dialled(lab: DaemonLab) -> None:
    await lab.phone("1001", tone_hz=ANA_HZ)
    await lab.ready("ana")
    call = promise(lab)
    await lab.go(1)
    far = await dialled(lab)
    assert far.hears_now == {ANA_HZ}
    await far.hangup()
    await lab.go(40)
    assert of(lab, call).exit_reason is ExitReason.COMPLETED


async def test_who_does_not_answer_is_tried_again_and_then_given_up_with_the_reason(lab: DaemonLab) -> None:
    call = promise(lab)
    await taken(lab)
    await dialled(lab, answer=False)
    await lab.go(31)
    assert of(lab, call).phase is Phase.SCHEDULED
    await lab.go(30)
    assert lab.state("ana")[0] is AgentState.READY  # after the wrap-up of a call that nobody answered
    await lab.go(575)
    assert of(lab, call).phase is Phase.QUEUED
    lab.orders.accept(ANA, lab.offer_to("ana"))
    await lab.go(0)
    far = await dialled(lab, answer=False)
    await far.reject()
    await lab.go(40)
    record = of(lab, call)
    assert (record.phase, record.exit_reason, record.cause) == (Phase.CLOSED, ExitReason.NOT_REACHED, "busy")
    scheduled = [e.fact for e in lab.journal.events[call] if isinstance(e.fact, CallbackScheduled)]
    assert [(f.attempt, f.cause) for f in scheduled] == [(1, "no_answer")]
    assert all(s.ended_at is not None for s in record.segments)


async def test_a_second_try_waits_until_the_queue_opens_again(lab: DaemonLab) -> None:
    call = promise(lab)
    await taken(lab)
    await dialled(lab, answer=False)
    await lab.go(31)
    opening = int(lab.clock.now() // 60 + 5 * 60) * 60  # in five hours; the second try would be in ten minutes
    begins = dt.datetime.fromtimestamp(opening, dt.UTC)
    night = CalendarConfig(special={begins.date(): [f"{begins:%H:%M}-23:59"]}).build(ZoneInfo("UTC"))
    lab.daemon.desk.renew([QueueRules(name=QUEUE, hours=night)], {})
    await lab.go(700)
    assert of(lab, call).phase is Phase.SCHEDULED
    times = [e.fact.at for e in lab.journal.events[call] if isinstance(e.fact, CallbackScheduled)]
    assert times[-1] == opening
    await lab.go(5 * 3600)
    assert of(lab, call).phase is Phase.QUEUED


async def test_a_number_that_may_not_be_called_is_given_up_at_once(lab: DaemonLab) -> None:
    call = promise(lab, FORBIDDEN)
    await taken(lab)
    await lab.go(40)
    record = of(lab, call)
    assert (record.phase, record.exit_reason) == (Phase.CLOSED, ExitReason.NOT_REACHED)
    assert lab.state("ana")[0] is AgentState.READY


async def test_an_agent_who_gives_up_ringing_does_not_break_the_promise(lab: DaemonLab) -> None:
    call = promise(lab)
    await taken(lab)
    await dialled(lab, answer=False)
    await lab.orders.order(call, inp.AgentHangup(ANA))
    await lab.go(1)
    assert of(lab, call).phase is Phase.SCHEDULED


async def test_it_stands_in_the_callers_place(lab: DaemonLab) -> None:
    waiting = await lab.call()
    await lab.to_queue(waiting)
    call = promise(lab)  # two minutes ago
    await lab.go(1)
    assert next(i.id for i in lab.daemon.desk.router.waiting()) == call


async def test_it_is_kept_over_restarts_of_ours_and_of_the_switch(lab: DaemonLab) -> None:
    later, now = promise(lab, not_before=lab.clock.now() + 300), promise(lab)
    await lab.go(1)
    assert of(lab, later).phase is Phase.SCHEDULED
    lab.world.lose_connection()
    lab.world.restore(same_life=False)
    await lab.go(5)
    assert [of(lab, c).phase for c in (later, now)] == [Phase.SCHEDULED, Phase.QUEUED]
    await lab.kill()
    await lab.start()
    await lab.go(10)
    assert [i.id for i in lab.daemon.desk.router.waiting()] == [now]
    await lab.go(300)
    assert {i.id for i in lab.daemon.desk.router.waiting()} == {now, later}
    assert [of(lab, c).phase for c in (later, now)] == [Phase.QUEUED, Phase.QUEUED]


async def test_a_switch_that_dies_while_it_rings_is_one_attempt(lab: DaemonLab) -> None:
    call = promise(lab)
    await taken(lab)
    await dialled(lab, answer=False)
    lab.world.lose_connection()
    lab.world.restore(same_life=False)
    await lab.go(5)
    assert of(lab, call).phase is Phase.SCHEDULED
    assert lab.daemon.sessions[call].state.working is None


async def test_a_daemon_that_dies_while_it_rings_finds_out_what_became_of_it(lab: DaemonLab) -> None:
    call = promise(lab)
    await taken(lab)
    far = await dialled(lab, answer=False)
    await lab.kill()
    await far.reject()
    await lab.start()
    await lab.go(2)
    assert of(lab, call).phase is Phase.SCHEDULED


async def test_a_supervisor_ends_a_promise_in_every_phase(lab: DaemonLab) -> None:
    scheduled, queued = promise(lab, not_before=lab.clock.now() + 300), promise(lab)
    await lab.go(1)
    for call in (scheduled, queued):
        lab.daemon.sessions[call].tell(inp.Steer(by="user:sonia", act=Steering.END))
    await lab.go(15)
    assert {of(lab, c).exit_reason for c in (scheduled, queued)} == {ExitReason.ENDED_BY_SUPERVISOR}
    assert lab.daemon.desk.router.waiting() == []
    ringing = promise(lab)
    await taken(lab)
    await dialled(lab, answer=False)
    lab.daemon.sessions[ringing].tell(inp.Steer(by="user:sonia", act=Steering.END))
    await lab.go(40)
    assert of(lab, ringing).exit_reason is ExitReason.ENDED_BY_SUPERVISOR
    assert of(lab, ringing).phase is Phase.CLOSED


async def test_a_daemon_that_stops_does_not_wait_for_promises(lab: DaemonLab) -> None:
    promise(lab)
    await lab.go(1)
    await lab.during(lab.daemon.drained())


FLOW = """\
id: prueba
entry: uno
person: {digit: "0", to: uno}
on_error: fin
nodes:
  uno:
    kind: queue
    name: contact-center
    priority: 7
    criticality: outage
    target_s: 10
    prefer: [luis]
    reason: fuga
    exits: {"5": devolver}
    then: {talked: fin, timeout: fin, callback: devolver}
  devolver: {kind: callback, queue: contact-center, number: "0991234567", next: fin, declined: fin}
  fin: {kind: hangup}
"""


@pytest.mark.parametrize("by", ["key", "rule"])
async def test_promised_in_a_flow_by_key_or_by_the_queues_rule_the_place_is_kept(tmp_path: Path, by: str) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/prueba.yaml").write_text(FLOW)
    flows = FlowSettings(folders=[str(tmp_path / "flows")], shipped=False, default="prueba")
    async with DaemonLab(tmp_path, flows=flows) as lab:
        rule = Overflow(when=When.TIME, over=20, to=Where.CALLBACK)
        lab.daemon.desk.renew([QueueRules(name=QUEUE, overflow=(rule,) if by == "rule" else ())], {})
        caller = await lab.call()
        await lab.go(22 if by == "rule" else 10)
        if by == "key":
            await lab.during(caller.send_digits("5"))
        await lab.go(2)
        await lab.during(caller.send_digits("1"))
        await lab.go(3)
        first, promised = lab.record(0), lab.record(1)
        assert first.callbacks == (promised.id,)
        assert promised.origin == first.id
        assert any(isinstance(e.fact, CallbackPlaced) for e in lab.journal.events[first.id])
        (item,) = lab.daemon.desk.router.waiting()
        assert first.queued_at is not None
        assert (item.medium, item.priority, item.reason) == (Medium.CALLBACK, 7, "fuga")
        assert (item.criticality, item.target_s, item.preferred) == ("outage", 10, ("luis",))
        assert item.queued_at == pytest.approx(first.queued_at, abs=0.01)


@pytest.mark.parametrize("keys", ["3", ""], ids=["declined", "silent"])
async def test_who_wants_no_callback_is_back_in_the_line_at_their_place(tmp_path: Path, keys: str) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/prueba.yaml").write_text(FLOW.replace("declined: fin", "declined: uno"))
    flows = FlowSettings(folders=[str(tmp_path / "flows")], shipped=False, default="prueba")
    async with DaemonLab(tmp_path, flows=flows) as lab:
        caller = await lab.call()
        await lab.go(10)
        first = lab.record(0).queued_at
        await lab.call()
        await lab.during(caller.send_digits("5"))
        await lab.go(2)
        if keys:
            await lab.during(caller.send_digits(keys))
        await lab.go(60)
        mine, later = lab.daemon.desk.router.waiting()
        assert first is not None
        assert mine.id == lab.record(0).id
        assert mine.queued_at == pytest.approx(first, abs=0.01)
        assert later.queued_at > mine.queued_at
        assert not lab.record(0).callbacks


@pytest.mark.parametrize("heard", [False, True], ids=["before its first fact", "before the caller's call knew"])
async def test_a_daemon_that_dies_as_it_promises_keeps_the_promise_once(
    tmp_path: Path, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/prueba.yaml").write_text(FLOW.replace("next: fin", "next: uno"))
    flows = FlowSettings(folders=[str(tmp_path / "flows")], shipped=False, default="prueba")
    async with DaemonLab(tmp_path, flows=flows) as lab:
        caller = await lab.call()
        await lab.go(10)
        place = lab.daemon.place_callback

        async def dies(_session: session.CallSession, command: cmd.PlaceCallback) -> None:
            if heard:
                place(command.order)

        with monkeypatch.context() as patch:
            patch.setitem(session._BY_SESSION, cmd.PlaceCallback, dies)
            await lab.during(caller.send_digits("5"))
            await lab.go(2)
            await lab.during(caller.send_digits("1"))
            await lab.go(3)
            await lab.kill()
        assert not any(isinstance(e.fact, CallbackPlaced) for e in lab.journal.events[lab.record(0).id])
        await lab.start()
        await lab.go(5)
        promises = [r for r in lab.journal.records.values() if r.medium is Medium.CALLBACK]
        assert [r.origin for r in promises] == [lab.record(0).id]
        assert lab.record(0).callbacks == (promises[0].id,)


def test_it_is_due_when_its_queue_opens() -> None:
    zone = ZoneInfo("America/Guayaquil")
    office = CalendarConfig(week={"mon-fri": ["08:00-17:00"]}).build(zone)
    sunday = dt.datetime(2026, 11, 15, 12, tzinfo=zone).timestamp()
    order = CallbackOrder(number=NUMBER, queue=QUEUE, queued_at=sunday)
    assert due(order, QueueRules(name=QUEUE, hours=office), sunday) == sunday + 20 * 3600
    assert due(order, None, sunday) == sunday
