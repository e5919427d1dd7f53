"""Board, figures, alerts and steering on whole calls of the in-memory twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.organisation import Organisation
from callcontrol.events import Relaxed
from callcontrol.model import AgentId, AgentState, InteractionId, Phase
from callcontrol.routing.config_store import FILE, apply
from callcontrol.routing.terms import AgentAsked, AgentSignedIn
from foundation.errors import Conflict, NotFound
from softphone_web.ports import Topic
from tests.support.daemon import DaemonLab
from tests.support.supervision import Supervision

ANA = AgentId("ana")
QUEUE = "contact-center"
ORGANISATION = """\
reasons: {almuerzo: {title: Almuerzo}}
alerts: {waiting_s: 60, wrap_up_s: 10, held_s: 30, not_responding_s: 5, level_contacts: 1}
queues:
  - {name: contact-center, title: Contact Center, offer_s: 10, wrap_up_s: 20, service_level: {threshold_s: 20}}
  - {name: otra, title: Otra}
"""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    async with DaemonLab(tmp_path / "recordings") as lab:
        yield lab


@pytest.fixture
def desk(lab: DaemonLab, tmp_path: Path) -> Supervision:
    return Supervision(lab, tmp_path, ORGANISATION)


async def call(lab: DaemonLab) -> InteractionId:
    await lab.to_queue(await lab.call())
    return next(reversed(lab.daemon.sessions))


async def test_a_waiting_call_ages_from_in_time_to_late(lab: DaemonLab, desk: Supervision) -> None:
    await call(lab)
    (row,) = await desk.board.rows()
    assert (row.phase, row.queue_title, row.risk, row.target_s) == (Phase.QUEUED, "Contact Center", "ok", 20)
    assert row.waiting_since == row.in_phase_since
    await lab.go(15)
    assert [r.risk for r in await desk.board.rows()] == ["soon"]
    await lab.go(10)
    (row,) = await desk.board.rows()
    assert row.risk == "late"
    assert row.waited_s is not None
    assert row.waited_s > 25


async def test_a_place_is_told_with_the_expected_wait_and_its_method(lab: DaemonLab, desk: Supervision) -> None:
    first, second = await call(lab), await call(lab)
    assert [(await desk.board.place(c)).position for c in (first, second)] == [1, 2]
    place = await desk.board.place(second)
    assert (place.expected_s, place.queue) == (None, QUEUE)  # nobody works there
    assert place.method.startswith("handling_time: place in line")
    with pytest.raises(Conflict):
        await desk.board.place(InteractionId("none"))


async def test_a_talk_shows_who_has_it_and_how_long_it_waited(lab: DaemonLab, desk: Supervision) -> None:
    waits = await call(lab)
    await lab.go(30)
    await lab.phone("1001")
    await lab.ready("ana")
    await lab.go(5)
    (row,) = await desk.board.rows()
    assert (row.id, row.phase, row.agent_name, row.risk) == (waits, Phase.TALKING, "Ana Cordero", "late")
    assert row.waiting_since is None
    assert row.waited_s is not None
    assert 30 < row.waited_s < 36
    ana = next(a for a in await desk.board.agents() if a.view.id == ANA)
    assert (ana.view.state, ana.items) == (AgentState.INTERACTING, 1)


async def test_moved_it_goes_on_waiting_since_it_came(lab: DaemonLab, desk: Supervision) -> None:
    waits = await call(lab)
    await lab.go(12)
    await desk.steering.move(waits, "otra", by="user:sonia")
    await lab.go(8)
    (row,) = await desk.board.rows()
    assert row.queue_title == "Otra"
    assert row.waited_s is not None
    assert row.waited_s > 20
    assert row.waiting_since is not None
    assert row.in_phase_since > row.waiting_since


async def test_the_day_counted_live_is_the_day_counted_again(lab: DaemonLab, desk: Supervision) -> None:
    await lab.phone("1001")
    await lab.ready("ana")
    caller = await lab.call()
    await lab.to_queue(caller)
    await lab.go(30)
    await caller.hangup()
    await lab.go(40)
    lab.ask("ana", AgentState.NOT_READY, "almuerzo")
    gone = await lab.call()
    await lab.to_queue(gone)
    await lab.go(25)
    await gone.hangup()
    await lab.go(5)
    live = desk.figures.view(QUEUE)
    assert (live.offered, live.answered, live.abandoned, live.level.today) == (2, 1, 1, 0.5)
    assert live.aht_s is not None
    assert 45 < live.aht_s < 55  # half a minute of talk and twenty seconds of wrap-up
    await desk.figures.count()
    again = desk.figures.view(QUEUE)
    assert again == live
    points = desk.figures.history(QUEUE, 1)
    assert sum(p.answered for p in points) == 1
    with pytest.raises(NotFound):
        desk.figures.history("nada", 1)


async def test_what_happens_during_a_recount_is_counted_once(lab: DaemonLab, desk: Supervision) -> None:
    await call(lab)

    async def stored(_within_s: float) -> bool:
        await call(lab)  # after the recount began, before the log is read
        return True

    await desk.figures.count(stored)
    await call(lab)
    assert desk.figures.view(QUEUE).offered == 3


async def test_figures_are_told_once_a_change(lab: DaemonLab, desk: Supervision) -> None:
    desk.figures.publish(desk.told.append)  # all, for the organisation was taken up
    desk.told.clear()
    await call(lab)
    await call(lab)
    desk.figures.publish(desk.told.append)
    desk.figures.publish(desk.told.append)
    (event,) = desk.told
    assert (event.topic, event.type, event.key, event.data["waiting"]) == (Topic.QUEUES, "figures", QUEUE, 2)
    await lab.phone("1001")
    await lab.ready("ana")
    desk.figures.publish(desk.told.append)
    at_work = desk.told[-1].data["agents"]
    assert at_work["ready"] + at_work["reserved"] + at_work["interacting"] == 1


async def test_another_threshold_counts_the_day_anew(lab: DaemonLab, desk: Supervision, tmp_path: Path) -> None:
    first = await lab.call()
    await lab.to_queue(first)
    await lab.go(10)
    await first.hangup()
    await lab.go(1)
    assert desk.figures.view(QUEUE).level.today == 1  # abandoned in time, by the standard definition
    (tmp_path / "org.yaml").write_text(ORGANISATION.replace("threshold_s: 20", "threshold_s: 5"))
    apply(tmp_path / "org.yaml", tmp_path)
    desk.organisation.look(lab.daemon.desk)
    assert desk.figures._recount
    await desk.figures.count()
    view = desk.figures.view(QUEUE)
    assert (view.level.threshold_s, view.level.today) == (5, 0)


async def test_alerts_begin_end_and_reach_the_agent(lab: DaemonLab, desk: Supervision) -> None:
    caller = await lab.call()
    await lab.to_queue(caller)
    desk.stalls.look()
    assert [(a.kind, a.about) for a in desk.stalls.open()] == [("queue_without_agents", QUEUE)]
    await lab.go(60)
    desk.stalls.look()
    kinds = {a.kind for a in desk.stalls.open()}
    assert kinds == {"queue_without_agents", "waiting_too_long"}
    await lab.phone("1001")
    await lab.ready("ana")
    await lab.go(1)
    desk.stalls.look()
    assert {a.kind for a in desk.stalls.open()} == {"service_level_at_risk"}
    await caller.hangup()
    await lab.go(12)
    desk.stalls.look()
    wrap = next(a for a in desk.stalls.open() if a.kind == "wrap_up_too_long")
    assert wrap.message.startswith("Posventa de Ana Cordero: 1")
    assert desk.told[-1].agents == {ANA}
    assert desk.told[-1].data["state"] == "raised"
    await lab.go(20)
    desk.stalls.look()
    assert desk.told[-1].data["state"] == "cleared"


async def test_an_alert_that_holds_figures_is_told_again_when_they_move(lab: DaemonLab, desk: Supervision) -> None:
    for _ in range(2):
        await lab.to_queue(await lab.call())
        desk.stalls.look()
        desk.stalls.look()
    told = [event for event in desk.told if event.type == "queue_without_agents"]
    assert [event.data["state"] for event in told] == ["raised", "raised"]
    assert [str(event.data["message"]).partition(" y ")[2] for event in told] == [
        "una persona espera",
        "2 personas esperan",
    ]
    assert len({event.data["id"] for event in told}) == 1


async def test_an_agent_who_does_not_answer_is_told_of(lab: DaemonLab, desk: Supervision) -> None:
    await lab.phone("1001", auto_answer=False)
    await lab.ready("ana")
    await call(lab)
    await lab.go(16)
    desk.stalls.look()
    assert "agent_not_responding" in {a.kind for a in desk.stalls.open()}


async def test_steering_is_refused_where_it_cannot_be(lab: DaemonLab, desk: Supervision) -> None:
    waits = await call(lab)
    with pytest.raises(NotFound):
        await desk.steering.move(waits, "nada", by="x")
    with pytest.raises(Conflict):
        await desk.steering.move(waits, QUEUE, by="x")
    with pytest.raises(Conflict):
        await desk.steering.assign(waits, ANA, by="x")  # signed out
    with pytest.raises(Conflict):
        await desk.steering.lift(InteractionId("none"), 5, by="x")
    with pytest.raises(Conflict):
        await desk.steering.end(InteractionId("none"), by="x")
    with pytest.raises(Conflict):
        await desk.steering.force(ANA, AgentState.READY, reason="", by="x")
    await desk.steering.end(waits, by="x")
    await lab.go(1)
    assert await desk.board.rows() == []


async def test_a_forced_state_ends_an_offer(lab: DaemonLab, desk: Supervision) -> None:
    await lab.phone("1001", auto_answer=False)
    await lab.ready("ana")
    await call(lab)
    await lab.go(1)
    assert lab.state("ana")[0] is AgentState.RESERVED
    view = await desk.steering.force(ANA, AgentState.NOT_READY, reason="almuerzo", by="user:sonia")
    assert (view.state, view.reason) == (AgentState.NOT_READY, "almuerzo")
    ana = next(a for a in await desk.board.agents() if a.view.id == ANA)
    assert ana.reason_title == "Almuerzo"


async def test_the_customers_own_organisation_is_taken_up(lab: DaemonLab, tmp_path: Path) -> None:
    etapa = Path(__file__).resolve().parents[2] / "config/etapa.yaml"
    (tmp_path / "etapa").mkdir()
    desk = Supervision(lab, tmp_path / "etapa", etapa.read_text())
    assert isinstance(desk.organisation, Organisation)
    assert desk.organisation.title("agua-potable") == "Agua potable"
    assert len(await desk.board.queues()) == 12


async def test_what_nobody_has_the_skill_for_stands_on_the_board_until_somebody_has(
    lab: DaemonLab, tmp_path: Path
) -> None:
    needs = "skills: {kichwa: Kichwa}\n" + ORGANISATION.replace(
        "title: Contact Center,", "title: Contact Center, requires: kichwa >= 2, stranded_s: 20,"
    )
    desk = Supervision(lab, tmp_path, needs)
    await lab.phone("1001")
    await lab.ready("ana")
    await call(lab)
    await lab.go(25)
    (alert,) = [a for a in await desk.board.alerts() if a.kind == "no_qualified_agent"]
    assert (alert.message, alert.queue) == (
        "Nadie conectado tiene lo que se pide en Contact Center: «Kichwa nivel 2»",
        QUEUE,
    )
    assert not [e for e in lab.herald.alerts if "no_qualified_agent" in str(e)]
    lab.daemon.desk.tell(AgentSignedIn(at=lab.clock.now(), agent=ANA, queues=frozenset({QUEUE}), skills={"kichwa": 2}))
    desk.stalls.look()
    assert not [a for a in await desk.board.alerts() if a.kind == "no_qualified_agent"]
    assert desk.told[-1].data["state"] == "cleared"


async def test_a_file_that_was_spoilt_by_hand_stands_on_the_board(
    lab: DaemonLab, desk: Supervision, tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text("queues: [")
    desk.organisation.look(lab.daemon.desk)
    desk.stalls.look()
    assert [a.kind for a in desk.stalls.open()] == ["organisation_refused"]
    apply(tmp_path / "org.yaml", tmp_path)
    desk.organisation.look(lab.daemon.desk)
    desk.stalls.look()
    assert not desk.stalls.open()


async def test_who_was_assigned_by_hand_is_anybodys_when_that_agent_goes(lab: DaemonLab, desk: Supervision) -> None:
    await lab.phone("1001")
    await lab.ready("ana")
    lab.daemon.desk.tell(AgentAsked(at=lab.clock.now(), agent=ANA, state=AgentState.NOT_READY, reason="pausa"))
    waiting = await call(lab)
    await desk.steering.assign(waiting, ANA, by="user:sonia")
    await lab.go(0)
    session = lab.daemon.sessions[waiting]
    assert session.state.hand == ANA
    lab.daemon.desk.tell(AgentAsked(at=lab.clock.now(), agent=ANA, state=AgentState.SIGNED_OUT))
    await lab.go(0)
    assert session.state.hand is None
    assert session.state.phase is Phase.QUEUED
    assert "assignment_released" in str(lab.herald.alerts)


async def test_what_was_relaxed_stands_in_the_record(lab: DaemonLab, tmp_path: Path) -> None:
    steps = "[{after_s: 5, loosen: {kichwa: 1}}, {after_s: 9, drop: [kichwa]}]"
    rings = f"requires: kichwa >= 2, stranded_s: 60, rings: {steps},"
    Supervision(
        lab, tmp_path, "skills: {kichwa: Kichwa}\n" + ORGANISATION.replace("offer_s: 10,", f"offer_s: 10, {rings}")
    )
    waiting = await call(lab)
    await lab.go(12)
    facts = [e.fact for e in lab.journal.events[waiting] if isinstance(e.fact, Relaxed)]
    assert [(f.queue, f.ring, f.requires) for f in facts] == [(QUEUE, 1, "kichwa"), (QUEUE, 2, "")]
    assert 4 < facts[0].waited_s < 7
