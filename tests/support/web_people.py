"""In-memory twins of queues and agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from callcontrol.model import AgentId, AgentState, InteractionId
from foundation.clock import Clock, VirtualClock
from foundation.errors import Conflict, NotFound
from softphone_web.ports import AgentView, QueueView

NOW = 1_795_000_000.0
ANA, LUIS = AgentId("ana"), AgentId("luis")


class MemoryQueues:
    """`titles` of the queues there are; `waits`: who waits in each of them, and since when."""

    def __init__(self, agents: MemoryAgents, clock: Clock | None = None) -> None:
        self._agents = agents
        self.clock = clock or VirtualClock(NOW)
        self.titles = {"averias": "Averías", "facturas": "Facturas"}
        self.waits: dict[str, dict[InteractionId, float]] = {
            "averias": {InteractionId("i-00009"): NOW - 42.5, InteractionId("i-00010"): NOW - 10}
        }

    async def list(self) -> Sequence[QueueView]:
        return [self._view(name) for name in self.titles]

    async def get(self, queue: str) -> QueueView:
        if queue not in self.titles:
            raise NotFound("There is no such queue.", queue=queue)
        return self._view(queue)

    def _view(self, name: str) -> QueueView:
        now, waits = self.clock.now(), self.waits.get(name, {}).values()
        return QueueView(
            name=name,
            title=self.titles[name] or name,
            waiting=len(waits),
            longest_wait_s=now - min(waits) if waits else None,
            agents=Counter(view.state for view in self._agents.views.values() if name in view.queues),
            measured_at=now,
        )


class MemoryAgents:
    """`queues` of the agents who have others than at first."""

    def __init__(self, queues: Mapping[AgentId, tuple[str, ...]] | None = None) -> None:
        of = {ANA: ("averias", "facturas"), LUIS: ("facturas",), **(queues or {})}
        self.views = {
            agent: AgentView(
                id=agent, name=name, state=AgentState.NOT_READY, since=NOW, reason="almuerzo", queues=of[agent]
            )
            for agent, name in ((ANA, "Ana"), (LUIS, "Luis"))
        }
        self.done: list[tuple[str, ...]] = []

    async def list(self) -> Sequence[AgentView]:
        return list(self.views.values())

    async def get(self, agent: AgentId) -> AgentView:
        if agent not in self.views:
            raise NotFound("There is no such agent.", agent=agent)
        return self.views[agent]

    async def set_state(self, agent: AgentId, state: AgentState, *, reason: str | None, by: str) -> AgentView:
        if (await self.get(agent)).state is AgentState.SIGNED_OUT:
            raise Conflict("The agent is signed out.", agent=agent)
        return self._change(agent, state, reason, "state", by)

    async def sign_in(self, agent: AgentId, *, by: str) -> AgentView:
        known = await self.get(agent)
        if known.state is not AgentState.SIGNED_OUT:
            return self._change(agent, known.state, known.reason, "sign_in", by)
        return self._change(agent, AgentState.NOT_READY, "inicio", "sign_in", by)

    async def sign_out(self, agent: AgentId, *, reason: str | None, by: str) -> AgentView:
        await self.get(agent)
        return self._change(agent, AgentState.SIGNED_OUT, reason, "sign_out", by)

    async def finish_wrap_up(self, agent: AgentId, *, disposition: str | None, by: str) -> AgentView:
        if (await self.get(agent)).state is not AgentState.WRAP_UP:
            raise Conflict("The agent is not in wrap-up.", agent=agent)
        return self._change(agent, AgentState.READY, None, f"wrap_up:{disposition}", by)

    def force(self, agent: AgentId, state: AgentState) -> None:
        self.views[agent] = replace(self.views[agent], state=state)

    def _change(self, agent: AgentId, state: AgentState, reason: str | None, what: str, by: str) -> AgentView:
        self.done.append((agent, what, by))
        self.views[agent] = replace(self.views[agent], state=state, reason=reason)
        return self.views[agent]
