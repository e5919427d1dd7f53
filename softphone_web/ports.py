"""What the pages need of the rest of the house, as small protocols. `app.bootstrap` adapts the real parts to them; the
in-memory twins are in ``tests/support/web*.py``.

An adapter raises the errors of `foundation.errors`: `NotFound` for what is not there, `Conflict` for what cannot be
now, `Invalid` for a value it refuses, `Unavailable` when what it stands on does not answer. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from callcontrol.events import InteractionEvent
from callcontrol.model import AgentId, AgentState, Direction, ExitReason, Interaction, InteractionId, Medium, Phase
from foundation.access import Principal
from foundation.audit import AuditEntry, AuditQuery
from foundation.audit_chain import Head, Link, Verdict
from pbx.terms import TrunkState

# --- interactions --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    """All that is set must hold. `since` is included, `until` is not; both look at `created_at`."""

    medium: Medium | None = None
    queue: str | None = None
    agent: AgentId | None = None  # the last one who talked
    phase: Phase | None = None
    direction: Direction | None = None
    exit_reason: ExitReason | None = None
    since: float | None = None
    until: float | None = None
    number: str | None = None  # exactly `from_address` or `to_address`
    took_part: AgentId | None = None  # only those in which this agent is or was a participant


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The place of an interaction in the list, which is ordered by (`created_at`, `id`), both descending."""

    created_at: float
    id: InteractionId


class Interactions(Protocol):
    async def page(self, wanted: InteractionFilter, *, after: Position | None, limit: int) -> Sequence[Interaction]:
        """At most `limit`, newest first, strictly after `after` (that is: older)."""
        ...

    async def get(self, interaction: InteractionId) -> Interaction: ...
    async def events(self, interaction: InteractionId, *, after: int, limit: int) -> Sequence[InteractionEvent]:
        """Those with `n` > `after`, ascending. Raises `NotFound` for an interaction that never was."""
        ...

    async def active(self) -> Mapping[Medium, int]:
        """How many are not closed now."""
        ...


# --- queues, agents, trunks --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    name: str
    title: str
    waiting: int
    longest_wait_s: float | None
    agents: Mapping[AgentState, int]  # all of this queue's, by the states that somebody is in
    measured_at: float


class Queues(Protocol):
    async def list(self) -> Sequence[QueueView]: ...
    async def get(self, queue: str) -> QueueView: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    id: AgentId
    name: str
    state: AgentState
    since: float
    reason: str | None = None
    queues: tuple[str, ...] = ()
    interaction: InteractionId | None = None
    endpoint: str | None = None
    endpoint_online: bool | None = None  # None: the switch has not said


class Agents(Protocol):
    """`by` is the identity that asked (`Principal.id`), for the record. All but `list` raise `NotFound`."""

    async def list(self) -> Sequence[AgentView]: ...
    async def get(self, agent: AgentId) -> AgentView: ...
    async def set_state(self, agent: AgentId, state: AgentState, *, reason: str | None, by: str) -> AgentView:
        """READY or NOT_READY of a signed-in agent; raises `Conflict` for one who is signed out."""
        ...

    async def sign_in(self, agent: AgentId, *, by: str) -> AgentView:
        """Into NOT_READY; of one who is signed in already, nothing changes."""
        ...

    async def sign_out(self, agent: AgentId, *, reason: str | None, by: str) -> AgentView: ...
    async def finish_wrap_up(self, agent: AgentId, *, disposition: str | None, by: str) -> AgentView:
        """Raises `Conflict` for one who is not in wrap-up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    name: str
    state: TrunkState
    detail: str = ""
    round_trip_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkView:
    name: str
    gateways: tuple[GatewayView, ...]
    max_calls: int | None = None
    calls: int | None = None

    @property
    def state(self) -> TrunkState:
        """UP when any gateway is; DOWN only when all are."""
        states = {gateway.state for gateway in self.gateways}
        if TrunkState.UP in states:
            return TrunkState.UP
        return TrunkState.DOWN if states == {TrunkState.DOWN} else TrunkState.UNKNOWN


class Trunks(Protocol):
    async def list(self) -> Sequence[TrunkView]:
        """Those of the settings with all their gateways: UNKNOWN where the switch has not heard of one. Raises
        `pbx.terms.SwitchUnreachable`."""
        ...


# --- recordings --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    id: str
    interaction: InteractionId
    started_at: float
    state: str  # recording, paused, complete, failed
    seconds: float | None = None
    channels: int | None = None
    bytes: int | None = None
    detail: str | None = None


class RecordingFile(Protocol):
    """An opened recording, as plain audio of one media type; `softphone_web.downloads.LocalFile` is one on a disk."""

    size: int
    modified_at: float
    media_type: str

    def chunks(self, start: int, length: int) -> AsyncIterator[bytes]:
        """Exactly `length` bytes from `start`, in pieces."""
        ...

    async def close(self) -> None: ...


class Recordings(Protocol):
    async def of_interaction(self, interaction: InteractionId) -> Sequence[RecordingView]: ...
    async def get(self, recording: str) -> RecordingView: ...
    async def open(self, recording: str) -> RecordingFile:
        """Raises `Conflict` for one that is not complete or failed, `NotFound` when the file is gone."""
        ...


# --- live events --------------------


class Topic(StrEnum):
    INTERACTIONS = "interactions"
    AGENTS = "agents"
    QUEUES = "queues"
    TRUNKS = "trunks"
    ALERTS = "alerts"
    DESK = "desk"  # the whole of an agent's desk, to that agent
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """Something that pages show at once. `data` is for all who may see the topic; `private` (personal data) is merged
    over it for those who may see that; `detailed` for those who read all interactions, and for the `agents`: what an
    agent does and why is not their colleagues'. `agents` took part: on the topic `interactions` an agent is told
    only of what names them here. `softphone_web.facts.live_event` makes one from an `InteractionEvent`."""

    topic: Topic
    type: str
    at: float
    key: str  # the id of what it is about
    data: Mapping[str, Any]
    private: Mapping[str, Any] = field(default_factory=dict)
    detailed: Mapping[str, Any] = field(default_factory=dict)
    agents: frozenset[AgentId] = frozenset()


class Live(Protocol):
    async def listen(self, hear: Callable[[LiveEvent], None]) -> None:
        """`hear` is called with each event from now on, in order, and at once: an event of this process within its
        publishing. Raises `Unavailable` when the bus is lost; the pages then ask again. What `hear` raises is raised
        here, and the publisher does not notice."""
        ...


# --- health, audit, tokens --------------------


class Well(StrEnum):
    """What a check that went well found; the words and their facts stand in `softphone_web.health`."""

    DATABASE = "health.database"  # ms
    REDIS = "health.redis"
    SWITCH = "health.switch"  # engine, channels
    RECORDINGS = "health.recordings"  # free_mb
    FLOWS = "health.flows"  # flows
    LIVE = "health.live"  # pages
    TRUNKS = "health.trunks"  # up, total


@dataclass(frozen=True, slots=True)
class Found:
    """For operators: no secret in its facts."""

    what: Well
    facts: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing we stand on. `check` returns what it found or raises; a `RimayError` tells by its code and facts what
    is wrong. What is not `critical` makes us degraded, not unready. The switch is the check named `switch`."""

    name: str
    check: Callable[[], Awaitable[Found]]
    critical: bool = True


class Audit(Protocol):
    """`foundation.audit.PostgresAudit` is one."""

    async def write(self, entry: AuditEntry) -> None:
        """Returns when it is kept; the act is not done when this raises."""
        ...

    async def head(self) -> Head:
        """The last entry's number and hash; raises while nothing can be written."""
        ...

    async def page(self, query: AuditQuery, *, limit: int) -> Sequence[Link]:
        """Newest first."""
        ...

    async def verify(self) -> Verdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """One setting in force, for people: a dotted key, and "(secret)" instead of a secret."""

    key: str
    value: Any
    source: Literal["default", "file"]


class Tokens(Protocol):
    """`foundation.tokens.Tokens` is one."""

    async def check(self, text: str) -> Principal:
        """Raises `Unauthenticated` for a token that is unknown, expired or revoked."""
        ...
