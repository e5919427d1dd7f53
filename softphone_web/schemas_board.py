"""The supervisors' part of the API as models, and how they are made of the ports' views."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from callcontrol.model import AgentState, Direction, Medium, Phase
from callcontrol.routing.service_level import Variant
from softphone_web.ports_board import (
    AlertView,
    BoardAgent,
    BoardRow,
    HistoryPoint,
    MessageView,
    MistakeView,
    QueueFiguresView,
    Risk,
)
from softphone_web.routes import Model
from softphone_web.schemas import AgentOut, Id, Reason, agent_out, at, maybe_at
from softphone_web.texts import line, lines

# --- the board --------------------


class SlaOut(Model):
    target_s: float | None = Field(description="the threshold of the queue's service level")
    risk: Risk = Field(description="ok: up to three quarters of it; soon: up to it; late: after it")


class BoardItem(Model):
    id: str
    medium: Medium
    direction: Direction
    phase: Phase
    queue: str | None
    queue_title: str | None
    priority: int
    agent: str | None
    agent_name: str | None
    from_address: str | None = Field(description="the citizen's, whoever called; personal data")
    waiting_since: datetime | None = Field(description="null when it does not wait")
    waited_s: float | None = Field(description="until now, or until an agent talked; null when it never waited")
    in_phase_since: datetime
    sla: SlaOut
    supervised_by: str | None
    reason: str | None
    reason_title: str | None = Field(description="as the organisation calls it; null for one that only a flow knows")


def board_item(row: BoardRow, private: bool) -> BoardItem:
    return BoardItem(
        id=row.id,
        medium=row.medium,
        direction=row.direction,
        phase=row.phase,
        queue=row.queue,
        queue_title=row.queue_title,
        priority=row.priority,
        agent=row.agent,
        agent_name=row.agent_name,
        from_address=row.address if private else None,
        waiting_since=maybe_at(row.waiting_since),
        waited_s=row.waited_s,
        in_phase_since=at(row.in_phase_since),
        sla=SlaOut(target_s=row.target_s, risk=row.risk),
        supervised_by=row.supervised_by,
        reason=row.reason,
        reason_title=row.reason_title,
    )


class BoardAgentOut(AgentOut):
    team: str | None
    wanted: AgentState | None = Field(description="asked for during work, taken up after it")
    reason_title: str | None
    items: int = Field(description="contacts that the agent has now")


def board_agent(one: BoardAgent) -> BoardAgentOut:
    shown = agent_out(one.view, detailed=True).model_dump()
    return BoardAgentOut(**shown, team=one.team, wanted=one.wanted, reason_title=one.reason_title, items=one.items)


class LevelOut(Model):
    today: float | None
    target: float
    threshold_s: float
    variant: Variant
    definition: str


class QueueFigures(Model):
    """A queue with its figures of this moment and of today."""

    name: str
    title: str
    waiting: int
    longest_wait_s: float | None
    expected_s: float | None
    agents: dict[AgentState, int]
    service_level: LevelOut
    offered_today: int
    answered_today: int
    abandoned_today: int
    sent_on_today: int
    asa_s: float | None
    aht_s: float | None
    measured_at: datetime


def queue_figures(view: QueueFiguresView) -> QueueFigures:
    return QueueFigures(
        name=view.name,
        title=view.title,
        waiting=view.waiting,
        longest_wait_s=view.longest_wait_s,
        expected_s=view.expected_s,
        agents={state: view.agents.get(state, 0) for state in AgentState},
        service_level=LevelOut(
            today=view.level.today,
            target=view.level.target,
            threshold_s=view.level.threshold_s,
            variant=view.level.variant,
            definition=view.level.definition,
        ),
        offered_today=view.offered,
        answered_today=view.answered,
        abandoned_today=view.abandoned,
        sent_on_today=view.sent_on,
        asa_s=view.asa_s,
        aht_s=view.aht_s,
        measured_at=at(view.measured_at),
    )


class AlertOut(Model):
    id: str
    kind: str
    about: str
    message: str = Field(description="in Spanish")
    figures: dict[str, float] = Field(
        description="what the message counts: limit_s (seconds), waiting (people), level and target (shares of 1)"
    )
    since: datetime
    queue: str | None
    agent: str | None
    interaction: str | None


def alert_out(view: AlertView) -> AlertOut:
    return AlertOut(
        id=view.id,
        kind=view.kind,
        about=view.about,
        message=view.message,
        figures=dict(view.figures),
        since=at(view.since),
        queue=view.queue,
        agent=view.agent,
        interaction=view.interaction,
    )


class BoardOut(Model):
    interactions: list[BoardItem]
    agents: list[BoardAgentOut]
    queues: list[QueueFigures]
    alerts: list[AlertOut]
    measured_at: datetime


class PlaceOut(Model):
    queue: str
    position: int = Field(description="1 for who is served next")
    waited_s: float
    expected_s: float | None = Field(description="null where nobody works in the queue")
    method: str = Field(description="how the expected wait is computed")


class HistoryQuery(Model):
    hours: float = Field(default=8, ge=0.25, le=24)


class HistoryPointOut(Model):
    at: datetime
    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    asa_s: float | None
    waiting_max: int


class HistoryOut(Model):
    step_s: int
    points: list[HistoryPointOut]


def history_out(step_s: int, points: list[HistoryPoint]) -> HistoryOut:
    return HistoryOut(
        step_s=step_s,
        points=[
            HistoryPointOut(
                at=at(point.at),
                offered=point.offered,
                answered=point.answered,
                abandoned=point.abandoned,
                service_level=point.level,
                asa_s=point.asa_s,
                waiting_max=point.waiting_max,
            )
            for point in points
        ],
    )


class DefinitionOut(Model):
    figure: str
    title: str
    definition: str
    formula: str
    source: str


class DefinitionList(Model):
    items: list[DefinitionOut]


# --- a hand on what waits --------------------


class MoveBody(Model):
    queue: Id


class RaiseBody(Model):
    priority: Annotated[int, Field(ge=0, le=1000)]


class AssignBody(Model):
    agent: Id


class ForceBody(Model):
    state: Literal[AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT]
    reason: Reason | None = Field(default=None, description="needed for not_ready, refused for ready")


# --- messages --------------------

MessageText = Annotated[str, lines(1000)]


class MessageTo(Model):
    kind: Literal["agent", "queue", "all"]
    id: Id | None = Field(default=None, description="of the agent or the queue; none for all")


class MessageBody(Model):
    to: MessageTo
    text: MessageText


class MessageOut(Model):
    id: str
    at: datetime
    sender: str
    sender_name: str
    to: MessageTo
    text: str
    mine: bool = Field(description="sent by who asks")


class MessageList(Model):
    items: list[MessageOut]


def message_out(view: MessageView, who: str) -> MessageOut:
    return MessageOut(
        id=view.id,
        at=at(view.at),
        sender=view.sender,
        sender_name=view.sender_name,
        to=MessageTo(kind=view.kind, id=view.to or None),
        text=view.text,
        mine=view.sender == who,
    )


# --- the organisation --------------------

Yaml = Annotated[str, lines(2_000_000, shortest=0, strip=False)]


class OrganisationOut(Model):
    revision: str
    yaml: str
    document: dict[str, Any] = Field(description="the same as plain JSON, for sheets")


class OrganisationText(Model):
    yaml: Yaml


class OrganisationPut(Model):
    yaml: Yaml
    revision: Annotated[str, line(64, shortest=0, strip=False)]


class OrganisationDocument(Model):
    document: dict[str, Any]


class MistakeOut(Model):
    line: int
    column: int
    key: str
    message: str
    hint: str


class OrganisationCheck(Model):
    mistakes: list[MistakeOut]
    difference: list[str]


class OrganisationSaved(Model):
    revision: str
    difference: list[str]


def mistake_out(view: MistakeView) -> MistakeOut:
    return MistakeOut(line=view.line, column=view.column, key=view.key, message=view.message, hint=view.hint)


class HolidaysQuery(Model):
    year: int = Field(ge=1971, le=2199)
    place: Literal["ecuador", "cuenca"] = "cuenca"


class HolidayOut(Model):
    day: str
    name: str
    local: bool


class HolidayList(Model):
    items: list[HolidayOut]
