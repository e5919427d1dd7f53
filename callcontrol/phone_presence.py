"""Who is ready only as long as their phone is there: no call is offered to a phone that is gone."""

from __future__ import annotations

from collections.abc import Callable

from callcontrol.desk import Desk
from callcontrol.model import AgentId, AgentState
from callcontrol.routing.agents import AgentView

REASON = "phone_offline"


class PhonePresence:
    """`grace_s`: whoever's page is back within it (loaded anew, on another network, in another tab) is ready again, as
    they were; later, nobody knows whether they sit there."""

    def __init__(self, desk: Desk, ask: Callable[[AgentId, AgentState, str], None], grace_s: float) -> None:
        self._desk = desk
        self._ask = ask
        self._grace_s = grace_s
        self._ready_until: dict[AgentId, float] = {}

    def _view(self, agent: AgentId) -> AgentView | None:
        return self._desk.router.agents.get(agent)

    def gone(self, agent: AgentId) -> None:
        view = self._view(agent)
        if view is not None and view.state is AgentState.READY:
            self._ready_until[agent] = self._desk.now() + self._grace_s
            # Offering a call to a phone that is gone would only cost the caller time.
            self._ask(agent, AgentState.NOT_READY, REASON)

    def back(self, agent: AgentId) -> None:
        until = self._ready_until.pop(agent, None)
        view = self._view(agent)
        if until is None or view is None or self._desk.now() > until:
            return
        if (view.presence, view.presence_reason) == (AgentState.NOT_READY, REASON):
            self._ask(agent, AgentState.READY, "")
