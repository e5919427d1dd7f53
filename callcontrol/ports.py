"""What call control needs of other rooms, besides the switch (`pbx.switch`) and the flows (`call_state.Flows`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from callcontrol.events import InteractionEvent
from callcontrol.model import AgentId, Interaction, PhoneKind
from callcontrol.routing.terms import AgentChanged
from ivr_flows.protocol import Failure, Request, Response
from pbx.events import EndpointChanged, TrunkChanged


class Herald(Protocol):
    """Tells the world what happened, at once and without waiting: pages, wallboards, other daemons."""

    def interaction(self, event: InteractionEvent, record: Interaction) -> None: ...
    def agent(self, change: AgentChanged) -> None: ...
    def trunk(self, change: TrunkChanged) -> None: ...
    def phone(self, at: float, agent: AgentId, *, up: bool) -> None:
        """The agent's open audio leg."""
        ...

    def endpoint(self, change: EndpointChanged) -> None: ...
    def alert(self, at: float, kind: str, message: str, key: str = "") -> None: ...


class AgentDirectory(Protocol):
    """Who the agents are. Ids and phones are data of the organisation, not of the router."""

    def phone(self, agent: AgentId) -> str | None:
        """The endpoint that rings for this agent; None when they have none."""
        ...

    def phone_kind(self, agent: AgentId) -> PhoneKind: ...
    def choose_phone(self, agent: AgentId, kind: PhoneKind) -> None:
        """The agent's own wish: who sets up an open leg wants their calls there."""
        ...

    def agent_of(self, endpoint: str) -> AgentId | None: ...
    def queues(self) -> Mapping[AgentId, frozenset[str]]: ...


class Acquaintances(Protocol):
    """Who knows a citizen already."""

    def of(self, number: str, queue: str) -> AgentId | None:
        """The agent who talked with that number last, where that queue wants them preferred."""
        ...


class Strangers:
    """Where nobody is to be preferred."""

    def of(self, number: str, queue: str) -> AgentId | None:
        return None


class CustomerSystems(Protocol):
    """The systems that flows ask. Never raises for what a system does or does not answer."""

    async def ask(self, request: Request) -> Response: ...


class NoSystems:
    """Where none are configured: flows take their fallback at once."""

    async def ask(self, request: Request) -> Response:
        return Response(failure=Failure.REFUSED)


class RecordingPlace(Protocol):
    """Where recordings are to be written."""

    def prepare(self, path: str) -> Path:
        """The absolute path of a recording to come, its folder made, writable by the switch. OSError: no room."""
        ...

    def resolve(self, path: str) -> Path:
        """The absolute path of one that was begun."""
        ...
