"""In-memory twins of the supervisors' ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from callcontrol.model import AgentId, AgentState, Direction, InteractionId, Medium, Phase
from callcontrol.routing.service_level import ServiceLevel
from foundation.errors import Conflict, NotFound
from softphone_web.ports import AgentView, LiveEvent, QueueView, Topic
from softphone_web.ports_board import (
    AlertView,
    BoardAgent,
    BoardRow,
    HistoryPoint,
    Kind,
    LevelView,
    MessageView,
    PlaceView,
    QueueFiguresView,
)
from tests.support.web_people import MemoryAgents, MemoryQueues

NOW = 1_795_000_000.0
_STEP_S = 900
_AT_WORK = frozenset(AgentState) - {AgentState.SIGNED_OUT, AgentState.NOT_READY}


class MemoryBoard:
    """What waits in the twin of the queues, and who left it unserved. An alert is raised at once."""

    def __init__(self, agents: MemoryAgents, queues: MemoryQueues) -> None:
        self._agents = agents
        self._queues = queues
        self.teams = dict.fromkeys(agents.views, "cc")
        self.reasons = {"almuerzo": "Almuerzo"}
        self.level = ServiceLevel()
        self.alert_s, self.handle_s = 20.0, 95.0
        self.left: dict[str, list[float]] = {}  # how long those who left had waited

    def leave(self, queue: str, interaction: InteractionId) -> None:
        waited = self._queues.clock.now() - self._queues.waits[queue].pop(interaction)
        self.left.setdefault(queue, []).append(waited)

    async def rows(self) -> Sequence[BoardRow]:
        return [
            self._row(queue, interaction, since)
            for queue, waits in self._queues.waits.items()
            for interaction, since in waits.items()
        ]

    def _row(self, queue: str, interaction: InteractionId, since: float) -> BoardRow:
        waited, target = self._queues.clock.now() - since, self.level.threshold_s
        return BoardRow(
            id=interaction,
            medium=Medium.VOICE,
            direction=Direction.INBOUND,
            phase=Phase.QUEUED,
            priority=0,
            in_phase_since=since,
            queue=queue,
            queue_title=self._queues.titles[queue],
            address="+593987654321",
            waiting_since=since,
            waited_s=waited,
            target_s=target,
            risk="ok" if waited <= 0.75 * target else "soon" if waited <= target else "late",
        )

    async def agents(self) -> Sequence[BoardAgent]:
        return [
            BoardAgent(view=view, team=self.teams.get(view.id), reason_title=self.reasons.get(view.reason or ""))
            for view in await self._agents.list()
        ]

    async def queues(self) -> Sequence[QueueFiguresView]:
        return [self._figures(view) for view in await self._queues.list()]

    def _figures(self, view: QueueView) -> QueueFiguresView:
        left = self.left.get(view.name, [])
        return QueueFiguresView(
            name=view.name,
            title=view.title,
            waiting=view.waiting,
            longest_wait_s=view.longest_wait_s,
            expected_s=self._expected(view.name, view.waiting),
            agents=view.agents,
            level=LevelView(
                today=self.level.reached([], left),
                target=self.level.target,
                threshold_s=self.level.threshold_s,
                variant=self.level.variant,
                definition=self.level.definition,
            ),
            offered=view.waiting + len(left),
            answered=0,
            abandoned=len(left),
            sent_on=0,
            asa_s=None,
            aht_s=None,
            measured_at=view.measured_at,
        )

    def _expected(self, queue: str, ahead: int) -> float | None:
        at_work = [view for view in self._agents.views.values() if queue in view.queues and view.state in _AT_WORK]
        return (ahead + 1) * self.handle_s / len(at_work) if at_work else None

    async def alerts(self) -> Sequence[AlertView]:
        rows = [row for row in await self.rows() if (row.waited_s or 0) >= self.alert_s]
        return [
            AlertView(
                id=f"waiting_too_long:{row.id}",
                kind="waiting_too_long",
                about=row.id,
                message=f"Un contacto espera en {row.queue_title}: {row.waited_s:.0f} s (límite {self.alert_s:.0f} s)",
                since=row.in_phase_since,
                queue=row.queue,
                interaction=row.id,
            )
            for row in rows
        ]

    async def place(self, interaction: InteractionId) -> PlaceView:
        for queue, waits in self._queues.waits.items():
            if interaction in waits:
                ahead = sorted(waits, key=waits.__getitem__).index(interaction)
                return PlaceView(
                    queue=queue,
                    position=ahead + 1,
                    waited_s=self._queues.clock.now() - waits[interaction],
                    expected_s=self._expected(queue, ahead),
                    method="handling_time: ...",
                )
        raise Conflict("It does not wait in a queue.", interaction=interaction)

    async def history(self, queue: str, hours: float) -> tuple[int, Sequence[HistoryPoint]]:
        """All of it is of this quarter."""
        view, now = self._figures(await self._queues.get(queue)), int(self._queues.clock.now())
        return _STEP_S, [
            HistoryPoint(
                at=at,
                offered=view.offered if at == now // _STEP_S * _STEP_S else 0,
                answered=0,
                abandoned=view.abandoned if at == now // _STEP_S * _STEP_S else 0,
                level=view.level.today if at == now // _STEP_S * _STEP_S else None,
                asa_s=None,
                waiting_max=view.offered if at == now // _STEP_S * _STEP_S else 0,
            )
            for at in range(int(now - hours * 3600) // _STEP_S * _STEP_S, now + 1, _STEP_S)
        ]


@dataclass
class MemorySteering:
    """`waiting` are those that can be moved, raised and assigned; `live` those that can be ended."""

    agents: MemoryAgents
    waiting: set[str] = field(default_factory=set)
    live: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=lambda: {"averias", "facturas"})
    done: list[tuple[str, ...]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)  # where each waits now

    async def move(self, interaction: InteractionId, queue: str, *, by: str) -> None:
        if queue not in self.queues:
            raise NotFound("There is no such queue.", queue=queue)
        self._check(interaction)
        if self.moved.get(interaction) == queue:
            raise Conflict("It waits there already.", queue=queue)
        self.moved[interaction] = queue
        self.done.append(("move", interaction, queue, by))

    async def lift(self, interaction: InteractionId, priority: int, *, by: str) -> None:
        self._check(interaction)
        self.done.append(("raise", interaction, str(priority), by))

    async def assign(self, interaction: InteractionId, agent: AgentId, *, by: str) -> None:
        self._check(interaction)
        if (await self.agents.get(agent)).state is AgentState.SIGNED_OUT:
            raise Conflict("The agent is signed out.", agent=agent)
        self.done.append(("assign", interaction, agent, by))

    async def end(self, interaction: InteractionId, *, by: str) -> None:
        if interaction not in self.live | self.waiting:
            raise Conflict("It is over.", interaction=interaction)
        self.waiting.discard(interaction)
        self.live.discard(interaction)
        self.done.append(("end", interaction, by))

    async def force(self, agent: AgentId, state: AgentState, *, reason: str, by: str) -> AgentView:
        if (await self.agents.get(agent)).state is AgentState.SIGNED_OUT:
            raise Conflict("The agent is signed out.", agent=agent)
        self.done.append(("force", agent, state.value, reason, by))
        self.agents.force(agent, state)
        return await self.agents.get(agent)

    def _check(self, interaction: InteractionId) -> None:
        if interaction not in self.waiting:
            raise Conflict("It does not wait in a queue.", interaction=interaction)


class MemoryMessages:
    """Whom it reaches is told by `reach`: queue to agents; all agents are those of every queue. `day` begins at 0."""

    def __init__(self, reach: dict[str, set[AgentId]], live: list[LiveEvent] | None = None) -> None:
        self.reach = reach
        self.kept: list[MessageView] = []
        self.live = [] if live is None else live
        self.now = NOW
        self.midnight = NOW - 3600

    async def send(self, *, sender: str, sender_name: str, kind: Kind, to: str, text: str) -> MessageView:
        everybody = set().union(*self.reach.values())
        if to not in {"agent": everybody, "queue": self.reach, "all": {""}}[kind]:
            raise NotFound("There is nobody of that name.", to=to)
        agents = {"all": everybody, "agent": everybody & {AgentId(to)}, "queue": self.reach.get(to, set())}[kind]
        view = MessageView(
            id=f"m{len(self.kept)}",
            at=self.now,
            sender=sender,
            sender_name=sender_name,
            kind=kind,
            to=to,
            text=text,
            agents=frozenset(agents),
        )
        self.kept.append(view)
        self.live.append(
            LiveEvent(topic=Topic.MESSAGES, type="message", at=self.now, key=view.id, data={}, agents=view.agents)
        )
        return view

    async def of(self, *, agent: AgentId | None, sender: str) -> Sequence[MessageView]:
        return [m for m in self.kept if m.at >= self.midnight and (m.sender == sender or (agent and agent in m.agents))]
