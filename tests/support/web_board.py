"""In-memory twins of the supervisors' ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from callcontrol.model import AgentId, AgentState, Direction, InteractionId, Medium, Phase
from callcontrol.routing.service_level import ServiceLevel, Variant
from foundation.errors import Conflict, NotFound
from softphone_web.ports import AgentView, LiveEvent, Topic
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


class MemoryBoard:
    def __init__(self, agents: MemoryAgents, queues: MemoryQueues) -> None:
        self._agents = agents
        self._queues = queues
        self.placed: set[str] = set()
        self.shown = [
            BoardRow(
                id=InteractionId("i-00009"),
                medium=Medium.VOICE,
                direction=Direction.INBOUND,
                phase=Phase.QUEUED,
                priority=5,
                in_phase_since=NOW - 30,
                queue="averias",
                queue_title="Averías",
                address="+593987654321",
                waiting_since=NOW - 30,
                waited_s=30.0,
                target_s=20.0,
                risk="late",
                reason="fuga",
                reason_title="Fuga de agua",
            )
        ]
        self.raised = [
            AlertView(
                id="waiting_too_long:i-00009",
                kind="waiting_too_long",
                about="i-00009",
                message="Un contacto espera en Averías: 30 s (límite 20 s)",
                since=NOW - 30,
                queue="averias",
                interaction=InteractionId("i-00009"),
            )
        ]

    async def rows(self) -> Sequence[BoardRow]:
        return self.shown

    async def agents(self) -> Sequence[BoardAgent]:
        return [BoardAgent(view=view, team="cc", reason_title="Almuerzo") for view in await self._agents.list()]

    async def queues(self) -> Sequence[QueueFiguresView]:
        level = LevelView(
            today=0.83,
            target=0.8,
            threshold_s=20,
            variant=Variant.STANDARD,
            definition=ServiceLevel().definition,
        )
        return [
            QueueFiguresView(
                name=view.name,
                title=view.title,
                waiting=view.waiting,
                longest_wait_s=view.longest_wait_s,
                expected_s=None,
                agents=view.agents,
                level=level,
                offered=12,
                answered=9,
                abandoned=1,
                sent_on=0,
                asa_s=11.5,
                aht_s=130.0,
                measured_at=view.measured_at,
            )
            for view in await self._queues.list()
        ]

    async def alerts(self) -> Sequence[AlertView]:
        return self.raised

    async def place(self, interaction: InteractionId) -> PlaceView:
        if interaction not in self.placed:
            raise Conflict("It does not wait in a queue.", interaction=interaction)
        return PlaceView(queue="averias", position=2, waited_s=30.0, expected_s=95.0, method="handling_time: ...")

    async def history(self, queue: str, hours: float) -> tuple[int, Sequence[HistoryPoint]]:
        await self._queues.get(queue)
        points = [
            HistoryPoint(at=NOW - 900 * n, offered=n, answered=n, abandoned=0, level=1.0, asa_s=5.0, waiting_max=1)
            for n in range(int(hours * 4), -1, -1)
        ]
        return 900, points


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
