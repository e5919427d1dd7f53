"""In-memory twins of queues and agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from callcontrol.model import AgentId, AgentState
from foundation.errors import Conflict, NotFound
from softphone_web.ports import AgentView, QueueView

NOW = 1_795_000_000.0
ANA, LUIS = AgentId("ana"), AgentId("luis")


class MemoryQueues:
    def __init__(self) -> None:
        states = {AgentState.READY: 1, AgentState.INTERACTING: 1}
        self.views = [
            QueueView(name=name, title=title, waiting=waiting, longest_wait_s=wait, agents=states, measured_at=NOW)
            for name, title, waiting, wait in (("averias", "Averías", 2, 42.5), ("facturas", "Facturas", 0, None))
        ]

    async def list(self) -> Sequence[QueueView]:
        return self.views

    async def get(self, queue: str) -> QueueView:
        for view in self.views:
            if view.name == queue:
                return view
        raise NotFound("There is no such queue.", queue=queue)


class MemoryAgents:
    def __init__(self) -> None:
        self.views = {
            agent: AgentView(id=agent, name=name, state=AgentState.NOT_READY, since=NOW, reason="almuerzo")
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
