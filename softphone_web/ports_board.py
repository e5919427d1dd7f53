"""What the supervisors' part needs: the board, a hand on what waits, messages, the organisation. As in `ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from callcontrol.model import AgentId, AgentState, Direction, InteractionId, Medium, Phase
from callcontrol.routing.service_level import Variant
from softphone_web.ports import AgentView

Risk: TypeAlias = Literal["ok", "soon", "late"]

# --- the board --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One interaction that is not closed. `address` is the citizen's. `waiting_since` is set while it waits, `waited_s`
    also afterwards. `supervised_by` is the agent who listens or speaks."""

    id: InteractionId
    medium: Medium
    direction: Direction
    phase: Phase
    priority: int
    in_phase_since: float
    queue: str | None = None
    queue_title: str | None = None
    agent: AgentId | None = None
    agent_name: str | None = None
    address: str = ""
    waiting_since: float | None = None
    waited_s: float | None = None
    target_s: float | None = None
    risk: Risk = "ok"
    supervised_by: AgentId | None = None
    reason: str | None = None
    reason_title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardAgent:
    """`wanted` is the state asked for during work; `items` is how many contacts the agent has."""

    view: AgentView
    team: str | None = None
    wanted: AgentState | None = None
    reason_title: str | None = None
    items: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """`today` is None while there was nothing to measure."""

    today: float | None
    target: float
    threshold_s: float
    variant: Variant
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFiguresView:
    name: str
    title: str
    waiting: int
    longest_wait_s: float | None
    expected_s: float | None
    agents: Mapping[AgentState, int]
    level: LevelView
    offered: int
    answered: int
    abandoned: int
    sent_on: int
    asa_s: float | None
    aht_s: float | None
    measured_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    at: float
    offered: int
    answered: int
    abandoned: int
    level: float | None
    asa_s: float | None
    waiting_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """Something that lasts and that somebody should do something about. `about` is an interaction, an agent or a queue;
    `message` is in Spanish and names nobody but agents; its figures stand in `figures`, too."""

    id: str
    kind: str
    about: str
    message: str
    since: float
    figures: Mapping[str, float] = field(default_factory=dict)
    queue: str | None = None
    agent: AgentId | None = None
    interaction: InteractionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """`position` is 1 for who is served next; `expected_s` is None where nobody works; `method` says how it is
    computed."""

    queue: str
    position: int
    waited_s: float
    expected_s: float | None
    method: str


class Board(Protocol):
    async def rows(self) -> Sequence[BoardRow]: ...
    async def agents(self) -> Sequence[BoardAgent]: ...
    async def queues(self) -> Sequence[QueueFiguresView]: ...
    async def alerts(self) -> Sequence[AlertView]: ...
    async def place(self, interaction: InteractionId) -> PlaceView:
        """Raises `Conflict` for one that does not wait."""
        ...

    async def history(self, queue: str, hours: float) -> tuple[int, Sequence[HistoryPoint]]:
        """The step in seconds, and a point for each step. Raises `NotFound` for a queue that is not there."""
        ...


# --- a hand on what waits --------------------


class Steering(Protocol):
    """`by` is the identity that asked. All raise `NotFound` for what is not there, `Conflict` for what cannot be now:
    an interaction that does not wait, an agent who is signed out."""

    async def move(self, interaction: InteractionId, queue: str, *, by: str) -> None: ...
    async def lift(self, interaction: InteractionId, priority: int, *, by: str) -> None: ...
    async def assign(self, interaction: InteractionId, agent: AgentId, *, by: str) -> None: ...
    async def end(self, interaction: InteractionId, *, by: str) -> None:
        """In any phase in which the citizen is there."""
        ...

    async def force(self, agent: AgentId, state: AgentState, *, reason: str, by: str) -> AgentView:
        """Ready, not ready or signed out, at once: offers and wrap-ups end, only a talk is not cut."""
        ...


# --- messages --------------------

Kind: TypeAlias = Literal["agent", "queue", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """`to` is the agent's or queue's id, empty for all; `agents` are those whom it reached."""

    id: str
    at: float
    sender: str
    sender_name: str
    kind: Kind
    to: str
    text: str
    agents: frozenset[AgentId]


class Messages(Protocol):
    async def send(self, *, sender: str, sender_name: str, kind: Kind, to: str, text: str) -> MessageView:
        """Raises `NotFound` for an agent or queue that is not there."""
        ...

    async def of(self, *, agent: AgentId | None, sender: str) -> Sequence[MessageView]:
        """Of today, to that agent or by that sender, oldest first."""
        ...


# --- the organisation --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationView:
    revision: str
    yaml: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeView:
    """`line` and `column` from 1; `key` is dotted."""

    line: int
    column: int
    key: str
    message: str
    hint: str = ""


class OrganisationDesk(Protocol):
    async def get(self) -> OrganisationView: ...
    async def check(self, yaml: str) -> tuple[Sequence[MistakeView], Sequence[str]]:
        """What is wrong with it; and, where nothing is, what it would change."""
        ...

    async def put(self, yaml: str, revision: str) -> tuple[str, Sequence[str]]:
        """The new revision and what changed. Raises `Conflict` when `revision` is not the one in force, `Invalid` for
        a text with mistakes."""
        ...

    async def render(self, document: Mapping[str, Any]) -> str:
        """The text in force with what the document changes of it."""
        ...
