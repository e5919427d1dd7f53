"""Who the agents are, from the settings and the organisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from callcontrol.model import AgentId, PhoneKind
from callcontrol.settings import Agent


class ConfiguredAgents:
    """`chosen`: by the agents' own wish, of an earlier life; `keep` is told of all of them when one changes."""

    def __init__(
        self,
        agents: Sequence[Agent],
        chosen: Mapping[AgentId, PhoneKind] | None = None,
        keep: Callable[[Mapping[AgentId, PhoneKind]], None] = lambda _kinds: None,
    ) -> None:
        self._lent: dict[str, AgentId] = {}  # endpoints of pages
        self._kinds = dict(chosen or {})
        self._keep = keep
        self.replace(agents)

    def replace(self, agents: Sequence[Agent]) -> None:
        """Others from now on: the organisation changed."""
        self._by_id = {AgentId(agent.id): agent for agent in agents}
        self._by_phone = {agent.phone: AgentId(agent.id) for agent in agents if agent.phone}

    def get(self, agent: AgentId) -> Agent | None:
        return self._by_id.get(agent)

    def phone(self, agent: AgentId) -> str | None:
        known = self._by_id.get(agent)
        return None if known is None else known.phone

    def phone_kind(self, agent: AgentId) -> PhoneKind:
        known = self._by_id.get(agent)
        chosen = self._kinds.get(agent)
        if chosen is PhoneKind.DESK and self.phone(agent) is None:
            chosen = None  # it was taken from them since
        return chosen or (PhoneKind.WEB if known is None else known.kind)

    def choose_phone(self, agent: AgentId, kind: PhoneKind) -> None:
        """The agent's own wish, until another. Raises KeyError for a desk phone where there is none."""
        if kind is PhoneKind.DESK and self.phone(agent) is None:
            raise KeyError(agent)
        if self._kinds.get(agent) is not kind:
            self._kinds[agent] = kind
            self._keep(self._kinds)

    def agent_of(self, endpoint: str) -> AgentId | None:
        return self._by_phone.get(endpoint) or self._lent.get(endpoint)

    def lend(self, endpoint: str, agent: AgentId) -> None:
        """A page's endpoint is this agent's until it is taken back."""
        self._lent[endpoint] = agent

    def take_back(self, endpoint: str) -> None:
        self._lent.pop(endpoint, None)

    def queues(self) -> Mapping[AgentId, frozenset[str]]:
        return {agent: frozenset(known.queues) for agent, known in self._by_id.items()}
