"""What the API takes and gives, as models. Times are RFC 3339 in UTC; personal data is null for who may not see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from callcontrol.model import (
    AgentState,
    Direction,
    ExitReason,
    InitiationMethod,
    Interaction,
    Medium,
    Phase,
    Recording,
    Role,
    SegmentKind,
)
from pbx.terms import TrunkState
from softphone_web.ports import AgentView, QueueView, RecordingView, TrunkView
from softphone_web.routes import Model
from softphone_web.texts import line

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$")]
Reason = Annotated[str, line(64)]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9*#]{1,32}$")]
# Wide enough for every record we can hold, narrow enough for every clock and database column.
Time = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe_at(seconds: float | None) -> datetime | None:
    return None if seconds is None else at(seconds)


# --- interactions --------------------


class ParticipantOut(Model):
    id: str
    role: Role
    agent: str | None
    address: str | None = Field(description="personal data")
    joined_at: datetime
    left_at: datetime | None
    leave_reason: str | None


class SegmentOut(Model):
    participant: str
    kind: SegmentKind
    started_at: datetime
    ended_at: datetime | None
    queue: str | None


class RecordingOut(Model):
    """`audio` is where the file can be fetched, once it is complete."""

    id: str
    interaction: str
    state: str
    started_at: datetime
    seconds: float | None
    channels: int | None
    bytes: int | None
    audio: str | None


class InteractionOut(Model):
    id: str
    medium: Medium
    direction: Direction
    initiation_method: InitiationMethod
    phase: Phase
    from_address: str | None = Field(description="personal data of inbound interactions")
    from_name: str | None = Field(description="personal data of inbound interactions")
    to_address: str | None = Field(description="personal data of outbound interactions")
    trunk: str | None
    queue: str | None
    reason: str | None
    priority: int
    agent: str | None = Field(description="the last one who talked")
    flow: str | None
    flow_version: str | None
    created_at: datetime
    answered_at: datetime | None
    queued_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    exit_reason: ExitReason | None
    cause: str | None
    disposition: str | None
    origin: str | None = Field(description="the interaction in which this callback was promised")
    callbacks: list[str] = Field(description="the callbacks that were promised in it")
    tags: list[str]
    events: int = Field(description="how many events it has; the next one has this number plus one")
    participants: list[ParticipantOut]
    segments: list[SegmentOut]
    recordings: list[RecordingOut]


class InteractionPage(Model):
    items: list[InteractionOut]
    next: str | None = Field(description="pass it as `cursor` for older ones; null at the end")


class EventOut(Model):
    n: int
    at: datetime
    type: str
    data: dict[str, Any] = Field(description="fields of the fact; personal data is left out for who may not see it")


class EventPage(Model):
    items: list[EventOut]
    next: int | None = Field(description="pass it as `after` for more; null at the end")


class RoutingDecisionOut(Model):
    """`why` is the decision as data: who could have had it, who was excluded by what, what was relaxed. `offer`,
    `agent` and `why` are null for a step without an agent: less was required, or it left the queue."""

    at: datetime
    kind: Literal["offered", "relaxed", "left"]
    offer: str | None
    agent: str | None
    outcome: str | None = Field(description="accepted, rejected, expired, failed, withdrawn; null while it is open")
    sentence: str = Field(
        description="the same for people: in English to who asks for it first (Accept-Language), else in Spanish"
    )
    why: dict[str, Any] | None


class RoutingOut(Model):
    items: list[RoutingDecisionOut]


class InteractionQuery(Model):
    medium: Medium | None = None
    queue: Id | None = None
    agent: Id | None = None
    phase: Phase | None = None
    direction: Direction | None = None
    exit_reason: ExitReason | None = None
    since: Time | None = Field(default=None, alias="from", description="created at or after")
    until: Time | None = Field(default=None, alias="to", description="created before")
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,256}$")] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class InteractionSearch(InteractionQuery):
    """As the list's query, and a number: personal data stands in no URL, which every proxy on the way writes down."""

    number: Number = Field(description="exactly the address of either side")


class InteractionPath(Model):
    interaction: Id


class EventsQuery(Model):
    after: int = Field(default=0, ge=0, le=2**31 - 1)
    limit: int = Field(default=200, ge=1, le=500)


def recording_of_record(record: Interaction, recording: Recording) -> RecordingOut:
    return RecordingOut(
        id=recording.id,
        interaction=record.id,
        state=recording.state,
        started_at=at(recording.started_at),
        seconds=recording.seconds,
        channels=recording.channels,
        bytes=None,
        audio=audio_link(recording.id, recording.state),
    )


def audio_link(recording: str, state: str) -> str | None:
    return f"/api/v1/recordings/{recording}/audio" if state == "complete" else None


def interaction_out(record: Interaction, private: bool) -> InteractionOut:
    """`private`: who asks may see personal data. The citizen's side of the addresses is such data, ours is not."""
    from_us = record.direction is not Direction.INBOUND
    return InteractionOut(
        id=record.id,
        medium=record.medium,
        direction=record.direction,
        initiation_method=record.initiation_method,
        phase=record.phase,
        from_address=record.from_address if private or from_us else None,
        from_name=record.from_name if private or from_us else None,
        to_address=record.to_address if private or not from_us else None,
        trunk=record.trunk,
        queue=record.queue,
        reason=record.reason,
        priority=record.priority,
        agent=record.agent,
        flow=record.flow,
        flow_version=record.flow_version,
        created_at=at(record.created_at),
        answered_at=maybe_at(record.answered_at),
        queued_at=maybe_at(record.queued_at),
        connected_at=maybe_at(record.connected_at),
        ended_at=maybe_at(record.ended_at),
        closed_at=maybe_at(record.closed_at),
        exit_reason=record.exit_reason,
        cause=record.cause,
        disposition=record.disposition,
        origin=record.origin,
        callbacks=list(record.callbacks),
        tags=list(record.tags),
        events=record.events,
        participants=[
            ParticipantOut(
                id=one.id,
                role=one.role,
                agent=one.agent,
                address=one.address if private else None,
                joined_at=at(one.joined_at),
                left_at=maybe_at(one.left_at),
                leave_reason=one.leave_reason,
            )
            for one in record.participants
        ],
        segments=[
            SegmentOut(
                participant=one.participant,
                kind=one.kind,
                started_at=at(one.started_at),
                ended_at=maybe_at(one.ended_at),
                queue=one.queue,
            )
            for one in record.segments
        ],
        recordings=[recording_of_record(record, one) for one in record.recordings],
    )


# --- queues, agents, trunks, recordings --------------------


class QueueOut(Model):
    name: str
    title: str
    waiting: int
    longest_wait_s: float | None
    agents: dict[AgentState, int] = Field(description="how many agents of this queue are in each state")
    measured_at: datetime


class QueueList(Model):
    items: list[QueueOut]


class QueuePath(Model):
    queue: Id


def queue_out(view: QueueView) -> QueueOut:
    return QueueOut(
        name=view.name,
        title=view.title,
        waiting=view.waiting,
        longest_wait_s=view.longest_wait_s,
        agents={state: view.agents.get(state, 0) for state in AgentState},
        measured_at=at(view.measured_at),
    )


class AgentOut(Model):
    id: str
    name: str
    state: AgentState
    since: datetime
    reason: str | None = Field(description="why not ready; null for who sees only presence")
    interaction: str | None = Field(description="null for who sees only presence")
    queues: list[str]
    endpoint: str | None
    endpoint_online: bool | None


class AgentList(Model):
    items: list[AgentOut]


class AgentPath(Model):
    agent: Id


class StateBody(Model):
    state: Literal[AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT]
    reason: Reason | None = Field(default=None, description="needed for not_ready, refused for ready")


class WrapUpBody(Model):
    disposition: Reason | None = None
    interaction: Id | None = Field(default=None, description="the oldest wrap-up when absent")


def agent_out(view: AgentView, detailed: bool) -> AgentOut:
    return AgentOut(
        id=view.id,
        name=view.name,
        state=view.state,
        since=at(view.since),
        reason=view.reason if detailed else None,
        interaction=view.interaction if detailed else None,
        queues=list(view.queues),
        endpoint=view.endpoint,
        endpoint_online=view.endpoint_online,
    )


class GatewayOut(Model):
    name: str
    state: TrunkState
    detail: str
    round_trip_ms: float | None


class TrunkOut(Model):
    name: str
    state: TrunkState
    gateways: list[GatewayOut]
    calls: int | None
    max_calls: int | None


class TrunkList(Model):
    items: list[TrunkOut]


def trunk_out(view: TrunkView) -> TrunkOut:
    gateways = [
        GatewayOut(name=one.name, state=one.state, detail=one.detail, round_trip_ms=one.round_trip_ms)
        for one in view.gateways
    ]
    return TrunkOut(name=view.name, state=view.state, gateways=gateways, calls=view.calls, max_calls=view.max_calls)


class RecordingPath(Model):
    recording: Id


class RecordingQuery(Model):
    interaction: Id


class RecordingList(Model):
    items: list[RecordingOut]


def recording_out(view: RecordingView) -> RecordingOut:
    return RecordingOut(
        id=view.id,
        interaction=view.interaction,
        state=view.state,
        started_at=at(view.started_at),
        seconds=view.seconds,
        channels=view.channels,
        bytes=view.bytes,
        audio=audio_link(view.id, view.state),
    )


class MeOut(Model):
    id: str
    name: str
    role: str
    agent: str | None
    permissions: list[str]


class TicketOut(Model):
    """Send it as the web socket's subprotocol `ticket.<ticket>`, beside `rimay.v1`."""

    ticket: str
    expires_at: datetime
