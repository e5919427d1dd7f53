"""The contract of the supervisors' board (`softphone_web.ports_board.Board`), for the twin and for a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web_data import DeskQueues
from callcontrol.model import AgentId, AgentState, InteractionId, Phase
from foundation.clock import VirtualClock
from foundation.errors import Conflict, NotFound
from softphone_web.ports import Agents, Queues
from softphone_web.ports_board import Board, HistoryPoint
from tests.support.daemon import DaemonLab
from tests.support.supervision import Supervision
from tests.support.web_board import MemoryBoard
from tests.support.web_people import MemoryAgents, MemoryQueues

ANA, LUIS, NOBODY = AgentId("ana"), AgentId("luis"), InteractionId("i-nobody")
HERE, EMPTY = "contact-center", "vacia"
TARGET_S, ALERT_S = 20.0, 60.0
ORGANISATION = f"""\
reasons: {{almuerzo: {{title: Almuerzo}}}}
alerts: {{waiting_s: {ALERT_S}}}
queues: [{{name: {HERE}, title: Contact Center}}, {{name: {EMPTY}, title: Vacía}}]
capacities: {{voz: {{limits: {{voice: 1}}}}}}
teams: [{{name: cc, capacity: voz, queues: [{HERE}]}}]
agents: [{{id: ana, name: Ana Cordero, team: cc, phone: "1001"}}]
"""


@dataclass
class Rig:
    """Ana (of the team `cc`) and Luis are of the queue `HERE`, and nobody is signed in. `arrive`: one more waits there;
    `leave`: one gives up. `look`: alerts are looked for."""

    clock: VirtualClock
    board: Board
    queues: Queues
    agents: Agents
    arrive: Callable[[], Awaitable[InteractionId]]
    leave: Callable[[InteractionId], Awaitable[None]]
    look: Callable[[], None]


async def _memory() -> Rig:
    clock, agents = VirtualClock(), MemoryAgents(queues={ANA: (HERE,), LUIS: (HERE,)})
    queues = MemoryQueues(agents, clock)
    queues.titles, queues.waits = {HERE: "Contact Center", EMPTY: "Vacía"}, {HERE: {}}
    board = MemoryBoard(agents, queues)
    board.teams, board.alert_s = {ANA: "cc"}, ALERT_S
    for agent in (ANA, LUIS):
        await agents.sign_out(agent, reason=None, by="test")
    came = iter(range(100))

    async def arrive() -> InteractionId:
        call = InteractionId(f"i-{next(came)}")
        queues.waits[HERE][call] = clock.now()
        await clock.advance(1)
        return call

    async def leave(call: InteractionId) -> None:
        board.leave(HERE, call)

    return Rig(clock, board, queues, agents, arrive, leave, lambda: None)


@pytest.fixture(params=["memory", "daemon"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield await _memory()
        return
    async with DaemonLab(tmp_path / "recordings") as lab:
        desk = Supervision(lab, tmp_path, ORGANISATION)
        callers = {}

        async def arrive() -> InteractionId:
            caller = await lab.call()
            await lab.to_queue(caller)
            call = next(reversed(lab.daemon.sessions))
            callers[call] = caller
            return call

        async def leave(call: InteractionId) -> None:
            await callers[call].hangup()
            await lab.go(1)

        queues = DeskQueues(lab.daemon, desk.organisation, lab.clock)
        yield Rig(lab.clock, desk.board, queues, desk.agents, arrive, leave, desk.stalls.look)


# --- what goes on --------------------


async def test_who_waits_is_shown_and_comes_nearer_to_the_target(rig: Rig) -> None:
    assert list(await rig.board.rows()) == []
    call = await rig.arrive()
    (row,) = await rig.board.rows()
    assert (row.id, row.phase, row.queue, row.queue_title) == (call, Phase.QUEUED, HERE, "Contact Center")
    assert (row.agent, row.agent_name, row.supervised_by) == (None, None, None)
    assert (row.target_s, row.risk) == (TARGET_S, "ok")
    assert row.address
    assert row.waiting_since == row.in_phase_since
    for seconds, risk in ((15, "soon"), (10, "late")):
        await rig.clock.advance(seconds)
        (now,) = await rig.board.rows()
        assert now.risk == risk
        assert now.waiting_since == row.waiting_since
        assert now.waited_s == pytest.approx(rig.clock.now() - row.in_phase_since, abs=0.001)
    await rig.leave(call)
    assert list(await rig.board.rows()) == []


async def test_agents_are_shown_as_they_are_with_team_and_reason(rig: Rig) -> None:
    await rig.agents.sign_in(ANA, by="ana")
    await rig.agents.set_state(ANA, AgentState.NOT_READY, reason="almuerzo", by="ana")
    ana, luis = await rig.board.agents()
    assert (ana.view, luis.view) == (await rig.agents.get(ANA), await rig.agents.get(LUIS))
    assert (ana.team, ana.reason_title, ana.wanted, ana.items) == ("cc", "Almuerzo", None, 0)
    assert (luis.team, luis.reason_title, luis.wanted, luis.items) == (None, None, None, 0)
    await rig.agents.set_state(ANA, AgentState.NOT_READY, reason="otro", by="ana")
    assert [one.reason_title for one in await rig.board.agents()] == [None, None]  # one that the house does not name


# --- figures --------------------


async def test_the_boards_queues_are_the_queues(rig: Rig) -> None:
    await rig.agents.sign_in(ANA, by="ana")
    for _ in range(2):
        await rig.arrive()
    for figures, view in zip(await rig.board.queues(), await rig.queues.list(), strict=True):
        assert (figures.name, figures.title, figures.waiting) == (view.name, view.title, view.waiting)
        assert figures.longest_wait_s == pytest.approx(view.longest_wait_s, abs=0.001)
        assert (dict(figures.agents), figures.measured_at) == (dict(view.agents), view.measured_at)


async def test_the_day_begins_without_a_level_and_counts_who_comes_and_goes(rig: Rig) -> None:
    here, empty = await rig.board.queues()
    assert (here.offered, here.answered, here.abandoned, here.sent_on) == (0, 0, 0, 0)
    assert (here.level.today, here.asa_s, here.aht_s) == (None, None, None)
    assert (here.level.threshold_s, here.level.target) == (TARGET_S, 0.8)
    assert here.level.definition.endswith("T = 20 s, abandono corto ≤ 5 s")
    first, second = await rig.arrive(), await rig.arrive()
    here, _ = await rig.board.queues()
    assert (here.offered, here.abandoned, here.level.today) == (2, 0, None)
    await rig.leave(second)  # within the threshold
    await rig.clock.advance(TARGET_S + 1)
    await rig.leave(first)
    here, empty = await rig.board.queues()
    assert (here.offered, here.abandoned, here.level.today) == (2, 2, 0.5)
    assert (empty.offered, empty.abandoned, empty.level.today) == (0, 0, None)


@pytest.mark.parametrize("hours", [0.1, 1, 24])
async def test_history_has_a_point_for_each_step_with_or_without_contacts(rig: Rig, hours: float) -> None:
    call = await rig.arrive()
    await rig.leave(call)
    now = rig.clock.now()
    step, points = await rig.board.history(HERE, hours)
    assert points[0].at == (now - hours * 3600) // step * step
    assert [point.at for point in points] == [points[0].at + n * step for n in range(len(points))]
    assert points[-1].at <= now < points[-1].at + step
    last = points[-1]
    assert (last.offered, last.answered, last.abandoned, last.level, last.waiting_max) == (1, 0, 1, 1.0, 1)
    for point in points[:-1]:
        nothing = HistoryPoint(at=point.at, offered=0, answered=0, abandoned=0, level=None, asa_s=None, waiting_max=0)
        assert point == nothing
    with pytest.raises(NotFound):
        await rig.board.history("nada", hours)


# --- what needs somebody --------------------


async def test_who_waits_too_long_is_told_of_until_it_is_over(rig: Rig) -> None:
    async def about(call: InteractionId) -> list[tuple[str, str | None, str | None]]:
        rig.look()
        return [(one.kind, one.queue, one.agent) for one in await rig.board.alerts() if one.interaction == call]

    call, other = await rig.arrive(), await rig.arrive()
    assert await about(call) == []
    await rig.clock.advance(ALERT_S)
    assert await about(call) == await about(other) == [("waiting_too_long", HERE, None)]
    alerts = await rig.board.alerts()
    assert len({one.id for one in alerts}) == len(alerts)
    one = next(one for one in alerts if one.interaction == call)
    assert one.about == call
    assert one.message.startswith("Un contacto espera en Contact Center: ")
    assert one.since == next(row.waiting_since for row in await rig.board.rows() if row.id == call)
    await rig.leave(call)
    assert (await about(call), len(await about(other))) == ([], 1)


async def test_a_place_is_ones_own_in_the_line(rig: Rig) -> None:
    first, second = await rig.arrive(), await rig.arrive()
    await rig.clock.advance(5)
    places = [await rig.board.place(call) for call in (first, second)]
    assert [(place.queue, place.position) for place in places] == [(HERE, 1), (HERE, 2)]
    for place, row in zip(places, await rig.board.rows(), strict=True):
        assert row.waiting_since is not None
        assert place.waited_s == pytest.approx(rig.clock.now() - row.waiting_since, abs=0.001)
        assert place.expected_s is None  # nobody works there
        assert place.method.startswith("handling_time: ")
    await rig.leave(first)
    assert (await rig.board.place(second)).position == 1
    for gone in (first, NOBODY):
        with pytest.raises(Conflict):
            await rig.board.place(gone)
