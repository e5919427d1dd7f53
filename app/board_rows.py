"""One interaction as the board shows it: for the snapshot, and for each live event."""

from __future__ import annotations

from app.organisation import Organisation
from callcontrol.model import Direction, Interaction, Phase, Segment, SegmentKind
from callcontrol.record import customer
from softphone_web.ports_board import BoardRow, Risk

# Up to this part of the threshold there is no hurry.
_SOON = 0.75


class Rows:
    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def not_ready_title(self, reason: str | None) -> str | None:
        return self._organisation.not_ready_title(reason)

    def row(self, record: Interaction, at: float) -> BoardRow:
        waiting_since, waited_s = _wait(record, at)
        queue = record.queue
        target = record.target_s
        if target is None and queue is not None:
            target = self._organisation.level(queue).threshold_s
        return BoardRow(
            id=record.id,
            medium=record.medium,
            direction=record.direction,
            phase=record.phase,
            priority=record.priority,
            in_phase_since=_in_phase_since(record),
            queue=queue,
            queue_title=None if queue is None else self._organisation.title(queue),
            agent=record.agent,
            agent_name=None if record.agent is None else self._organisation.agent_name(record.agent),
            address=record.to_address if record.direction is Direction.OUTBOUND else record.from_address,
            waiting_since=waiting_since,
            waited_s=None if waited_s is None else round(waited_s, 3),
            target_s=target,
            risk=_risk(waited_s, target),
            supervised_by=next(iter(record.supervisors), None),
            reason=record.reason,
            reason_title=self._organisation.contact_reason_title(record.reason),
        )


def _risk(waited_s: float | None, target_s: float | None) -> Risk:
    if waited_s is None or target_s is None or waited_s <= _SOON * target_s:
        return "ok"
    return "soon" if waited_s <= target_s else "late"


def _mine(record: Interaction) -> list[Segment]:
    who = customer(record)
    return [s for s in record.segments if who is not None and s.participant == who.id]


def _wait(record: Interaction, at: float) -> tuple[float | None, float | None]:
    """(since when it waits, if it does; how long it waits or waited). The last stretch: queues that follow each other
    at once are one wait."""
    began: float | None = None
    last: Segment | None = None
    for segment in _mine(record):
        if segment.kind is SegmentKind.QUEUE:
            follows = last is not None and last.kind is SegmentKind.QUEUE and last.ended_at == segment.started_at
            began = began if follows else segment.started_at
        last = segment
        if segment.kind is SegmentKind.QUEUE:
            ended = segment.ended_at
    if began is None:
        return None, None
    if record.phase is Phase.QUEUED:
        return began, max(0.0, at - began)
    return None, max(0.0, (at if ended is None else ended) - began)


def _in_phase_since(record: Interaction) -> float:
    if record.phase is Phase.WRAP_UP:
        wraps = [s.started_at for s in record.segments if s.kind is SegmentKind.WRAP_UP and s.ended_at is None]
        if wraps:
            return min(wraps)
    if record.ended_at is not None:
        return record.ended_at
    mine = _mine(record)
    running = [s.started_at for s in mine if s.ended_at is None]
    # Between two segments, while an agent who accepted is being joined: since the last one ended.
    return max(running or [s.ended_at for s in mine if s.ended_at is not None], default=record.created_at)
