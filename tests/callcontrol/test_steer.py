"""A supervisor moves, raises, assigns and ends calls: whole calls on the in-memory twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcontrol import inputs as inp
from callcontrol.events import Dequeued, Steered
from callcontrol.model import AgentId, AgentState, ExitReason, Steering
from callcontrol.routing.rules import QueueRules
from callcontrol.session import CallSession
from tests.support.daemon import QUEUES, DaemonLab

ANA, LUIS = AgentId("ana"), AgentId("luis")
OTHER = QueueRules(name="otra", offer_s=10, wrap_up_s=5)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path) as lab:
        lab.daemon.desk.renew([*(q.rules for q in QUEUES), OTHER], {})
        yield lab


async def waiting(lab: DaemonLab) -> CallSession:
    await lab.to_queue(await lab.call())
    return next(reversed(lab.daemon.sessions.values()))


async def steer(lab: DaemonLab, session: CallSession, act: Steering, **more: object) -> None:
    session.tell(inp.Steer(by="user:sonia", act=act, **more))  # type: ignore[arg-type]
    await lab.go(0)


async def test_moved_it_waits_in_the_other_queue_since_it_came(lab: DaemonLab) -> None:
    session = await waiting(lab)
    await lab.go(30)
    await steer(lab, session, Steering.MOVE, queue="otra")
    (item,) = lab.daemon.desk.router.waiting("otra")
    assert lab.clock.now() - item.queued_at > 30
    record = lab.record()
    assert record.queue == "otra"
    left = [e.fact for e in lab.journal.events[record.id] if isinstance(e.fact, Dequeued)]
    assert [(f.queue, f.how) for f in left][-1] == ("contact-center", "moved:supervisor")
    assert [f.how for f in left[:-1]] == ["unknown_queue"]  # the line of the service, which is not here


async def test_raised_it_is_served_before_who_came_earlier(lab: DaemonLab) -> None:
    first, second = await waiting(lab), await waiting(lab)
    await steer(lab, second, Steering.RAISE, priority=10)
    assert [i.id for i in lab.daemon.desk.router.waiting()] == [second.state.id, first.state.id]
    assert second.record is not None
    assert second.record.priority == 10


async def test_assigned_it_goes_to_that_agent_and_no_other_also_after_a_restart(lab: DaemonLab) -> None:
    session = await waiting(lab)
    await lab.phone("1001", auto_answer=False)
    await lab.phone("1002", auto_answer=False)
    await lab.ready("ana", "luis")
    lab.ask("luis", AgentState.NOT_READY, "pausa")
    await lab.go(0)
    await steer(lab, session, Steering.ASSIGN, agent=LUIS)
    assert lab.daemon.desk.router.agents[ANA].offer is None
    await lab.kill()
    await lab.start()
    await lab.go(1)
    lab.ask("luis", AgentState.READY)
    await lab.go(0)
    agents = lab.daemon.desk.router.agents
    assert agents[ANA].state is AgentState.READY
    assert agents[LUIS].state is AgentState.RESERVED


async def test_ended_in_the_queue_it_is_no_abandoned_call(lab: DaemonLab) -> None:
    session = await waiting(lab)
    await lab.phone("1001", auto_answer=False)
    await lab.ready("ana")
    await steer(lab, session, Steering.END)
    await lab.go(15)
    record = lab.record()
    assert record.exit_reason is ExitReason.ENDED_BY_SUPERVISOR
    assert record.closed_at is not None
    acts = [e.fact.by for e in lab.journal.events[record.id] if isinstance(e.fact, Steered)]
    assert acts == ["user:sonia"]
    assert not any(isinstance(e.fact, Dequeued) and e.fact.how == "abandoned" for e in lab.journal.events[record.id])
    assert lab.state("ana")[0] is AgentState.READY


async def test_a_talk_that_is_ended_was_completed(lab: DaemonLab) -> None:
    await lab.phone("1001")
    await lab.ready("ana")
    session = await waiting(lab)
    await lab.go(3)
    await steer(lab, session, Steering.RAISE, priority=5)  # too late: it talks already
    await steer(lab, session, Steering.END)
    await lab.go(30)
    record = lab.record()
    assert (record.exit_reason, record.priority) == (ExitReason.COMPLETED, 0)
    assert [e.fact.act for e in lab.journal.events[record.id] if isinstance(e.fact, Steered)] == [Steering.END]
