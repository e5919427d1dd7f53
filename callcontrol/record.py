"""The record of an interaction as a fold over its events: ``apply(record, event) -> record``, one function a fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from callcontrol import events as ev
from callcontrol.model import (
    Choice,
    Interaction,
    Participant,
    ParticipantId,
    Phase,
    Recording,
    Role,
    Segment,
    SegmentKind,
)


def fold(events: Iterable[ev.InteractionEvent]) -> Interaction | None:
    """The record after all the events of one interaction, in order; None when there are none."""
    record: Interaction | None = None
    for event in events:
        record = apply(record, event)
    return record


def apply(record: Interaction | None, event: ev.InteractionEvent) -> Interaction:
    """One event more. Raises ValueError for an event out of its order: a gap means that something was lost."""
    expected = 1 if record is None else record.events + 1
    if event.n != expected:
        raise ValueError(f"interaction {event.interaction}: event {event.n} where {expected} was due")
    if record is None:
        if not isinstance(event.fact, ev.Started):
            raise ValueError(
                f"interaction {event.interaction} begins with {ev.fact_type(event.fact)}, not with started"
            )
        return _start(event, event.fact)
    change = _APPLY[type(event.fact)](record, event.fact, event.at)
    return replace(change, events=event.n)


def _start(event: ev.InteractionEvent, fact: ev.Started) -> Interaction:
    return Interaction(
        id=event.interaction,
        medium=fact.medium,
        direction=fact.direction,
        initiation_method=fact.initiation_method,
        phase=Phase.ARRIVING,
        created_at=event.at,
        from_address=fact.from_address,
        from_name=fact.from_name,
        to_address=fact.to_address,
        trunk=fact.trunk,
        queue=fact.queue,
        origin=fact.origin,
        customer=fact.customer,
        events=1,
    )


def last_moment(record: Interaction) -> float:
    """The latest time that the record knows of."""
    times = [record.created_at, record.answered_at, record.ended_at, record.closed_at]
    for segment in record.segments:
        times += (segment.started_at, segment.ended_at)
    for who in record.participants:
        times += (who.joined_at, who.left_at)
    times += (recording.started_at for recording in record.recordings)
    return max(at for at in times if at is not None)


# --- helpers on participants and segments --------------------


def customer(record: Interaction) -> Participant | None:
    return next((p for p in record.participants if p.role is Role.CUSTOMER), None)


def _open(
    record: Interaction, who: ParticipantId, kind: SegmentKind, at: float, queue: str | None = None
) -> Interaction:
    segment = Segment(participant=who, kind=kind, started_at=at, queue=queue)
    return replace(record, segments=(*record.segments, segment))


def _close(
    record: Interaction, at: float, who: ParticipantId | None = None, kinds: frozenset[SegmentKind] | None = None
) -> Interaction:
    def ended(s: Segment) -> bool:
        return s.ended_at is None and (who is None or s.participant == who) and (kinds is None or s.kind in kinds)

    return replace(record, segments=tuple(replace(s, ended_at=at) if ended(s) else s for s in record.segments))


def _customer_segment(record: Interaction, kind: SegmentKind, at: float, queue: str | None = None) -> Interaction:
    """The citizen's time goes on under another heading."""
    who = customer(record)
    if who is None or who.left_at is not None:
        return record
    return _open(_close(record, at, who.id), who.id, kind, at, queue)


def _recording(record: Interaction, key: str, **change: Any) -> Interaction:
    return replace(record, recordings=tuple(replace(r, **change) if r.id == key else r for r in record.recordings))


def _agent_participant(record: Interaction, agent: str) -> Participant | None:
    mine = [p for p in record.participants if p.agent == agent]
    return mine[-1] if mine else None


# --- one function a fact --------------------


def _joined(r: Interaction, f: ev.ParticipantJoined, at: float) -> Interaction:
    who = Participant(id=f.participant, role=f.role, address=f.address, channel=f.channel, joined_at=at, agent=f.agent)
    return replace(r, participants=(*r.participants, who))


def _left(r: Interaction, f: ev.ParticipantLeft, at: float) -> Interaction:
    # A wrap-up goes on after the agent's leg is down: it ends with `wrap_up_ended`.
    r = _close(r, at, f.participant, _ALL_BUT_WRAP_UP)
    return replace(
        r,
        participants=tuple(
            replace(p, left_at=at, leave_reason=f.reason) if p.id == f.participant else p for p in r.participants
        ),
    )


def _answered(r: Interaction, _f: ev.Answered, at: float) -> Interaction:
    return replace(r, answered_at=at if r.answered_at is None else r.answered_at)


def _flow_started(r: Interaction, f: ev.FlowStarted, at: float) -> Interaction:
    r = _customer_segment(r, SegmentKind.IVR, at)
    return replace(r, phase=Phase.FLOW, flow=f.flow, flow_version=f.version)


def _flow_resumed(r: Interaction, _f: ev.FlowResumed, at: float) -> Interaction:
    return replace(_customer_segment(r, SegmentKind.IVR, at), phase=Phase.FLOW)


def _flow_noted(r: Interaction, f: ev.FlowNoted, _at: float) -> Interaction:
    if f.kind == "survey.answer" and isinstance(f.data.get("answer"), int):
        return replace(r, survey={**r.survey, str(f.data.get("question")): f.data["answer"]})
    if f.kind == "menu.choice" and not f.private:
        told = (str(f.data.get(part) or "") for part in ("node", "option", "name"))
        return replace(r, path=(*r.path, Choice(*told)))
    tag = f.data.get("tag") if f.kind == "tag" else None
    return replace(r, tags=(*r.tags, tag)) if isinstance(tag, str) and tag not in r.tags else r


def _same(r: Interaction, _f: ev.Fact, _at: float) -> Interaction:
    return r


def _queued(r: Interaction, f: ev.Queued, at: float) -> Interaction:
    r = _customer_segment(r, SegmentKind.QUEUE, at, f.queue)
    return replace(
        r,
        phase=Phase.QUEUED,
        queue=f.queue,
        priority=f.priority,
        reason=f.reason or r.reason,
        target_s=f.target_s,
        queued_at=at if r.queued_at is None else r.queued_at,
    )


def _dequeued(r: Interaction, _f: ev.Dequeued, at: float) -> Interaction:
    return _close(r, at, None, frozenset({SegmentKind.QUEUE}))


def _offered(r: Interaction, f: ev.Offered, at: float) -> Interaction:
    return _open(r, f.participant, SegmentKind.ALERT, at)


def _offer_ended(r: Interaction, f: ev.OfferEnded, at: float) -> Interaction:
    who = _agent_participant(r, f.agent)
    r = _close(r, at, who.id if who else None, frozenset({SegmentKind.ALERT}))
    return replace(r, phase=Phase.CONNECTING) if f.how == "accepted" else r


def _connected(r: Interaction, f: ev.Connected, at: float) -> Interaction:
    r = _customer_segment(r, SegmentKind.TALK, at)
    r = _open(_close(r, at, f.participant), f.participant, SegmentKind.TALK, at)
    return replace(r, phase=Phase.TALKING, agent=f.agent, connected_at=at if r.connected_at is None else r.connected_at)


def _held(r: Interaction, _f: ev.Held, at: float) -> Interaction:
    return _customer_segment(r, SegmentKind.HOLD, at)


def _unheld(r: Interaction, _f: ev.Resumed, at: float) -> Interaction:
    return _customer_segment(r, SegmentKind.TALK, at)


def _away(r: Interaction, _f: ev.AgentAway, at: float) -> Interaction:
    return r if r.phase is Phase.CONFERENCE else _customer_segment(r, SegmentKind.HOLD, at)


def _back(r: Interaction, _f: ev.AgentBack, at: float) -> Interaction:
    return _customer_segment(r, SegmentKind.TALK, at)


def _disconnected(r: Interaction, f: ev.Disconnected, at: float) -> Interaction:
    # In a transfer only the agent leaves: the citizen waits for the third party.
    who = f.participant if r.phase is Phase.TRANSFER else None
    return _close(r, at, who, frozenset({SegmentKind.TALK, SegmentKind.HOLD}))


def _transfer_begun(r: Interaction, f: ev.TransferBegun, at: float) -> Interaction:
    r = _open(_customer_segment(r, SegmentKind.HOLD, at), f.participant, SegmentKind.ALERT, at)
    return replace(r, phase=Phase.TRANSFER)


def _transfer_ended(r: Interaction, f: ev.TransferEnded, at: float) -> Interaction:
    if f.participant is None or r.phase is not Phase.TRANSFER:
        return r
    r = _customer_segment(_close(r, at, f.participant), SegmentKind.TALK, at)
    if f.how == "connected":
        return _open(r, f.participant, SegmentKind.TALK, at)
    return replace(r, phase=Phase.TALKING)


def _consult_begun(r: Interaction, f: ev.ConsultBegun, at: float) -> Interaction:
    r = _open(_customer_segment(r, SegmentKind.HOLD, at), f.participant, SegmentKind.ALERT, at)
    return replace(r, phase=Phase.CONSULT)


def _consult_answered(r: Interaction, f: ev.ConsultAnswered, at: float) -> Interaction:
    return _open(_close(r, at, f.participant), f.participant, SegmentKind.TALK, at)


def _consult_swapped(r: Interaction, f: ev.ConsultSwapped, at: float) -> Interaction:
    return _customer_segment(r, SegmentKind.TALK if f.with_customer else SegmentKind.HOLD, at)


def _consult_ended(r: Interaction, f: ev.ConsultEnded, at: float) -> Interaction:
    if r.phase not in (Phase.CONSULT, Phase.CONFERENCE):
        return r
    r = _customer_segment(_close(r, at, f.participant), SegmentKind.TALK, at)
    return replace(r, phase=Phase.TALKING)


def _conference_begun(r: Interaction, _f: ev.ConferenceBegun, at: float) -> Interaction:
    return replace(_customer_segment(r, SegmentKind.TALK, at), phase=Phase.CONFERENCE)


def _dialing(r: Interaction, f: ev.Dialing, at: float) -> Interaction:
    return replace(_customer_segment(r, SegmentKind.ALERT, at), phase=Phase.DIALING, agent=f.agent)


def _supervision_started(r: Interaction, f: ev.SupervisionStarted, _at: float) -> Interaction:
    return r if f.supervisor in r.supervisors else replace(r, supervisors=(*r.supervisors, f.supervisor))


def _supervision_ended(r: Interaction, f: ev.SupervisionEnded, _at: float) -> Interaction:
    return replace(r, supervisors=tuple(one for one in r.supervisors if one != f.supervisor))


def _classified(r: Interaction, f: ev.Classified, _at: float) -> Interaction:
    return replace(r, disposition=f.disposition or r.disposition, reason=f.reason or r.reason)


def _recording_started(r: Interaction, f: ev.RecordingStarted, at: float) -> Interaction:
    return replace(r, recordings=(*r.recordings, Recording(id=f.recording, path=f.path, started_at=at)))


def _recording_stopped(r: Interaction, f: ev.RecordingStopped, at: float) -> Interaction:
    if all(known.id != f.recording for known in r.recordings):
        # Its begin was told while nobody listened.
        begun = Recording(id=f.recording, path=f.path, started_at=max(r.created_at, at - f.seconds))
        r = replace(r, recordings=(*r.recordings, begun))
    return _recording(r, f.recording, path=f.path, state="complete", seconds=f.seconds, channels=f.channels)


def _recording_failed(r: Interaction, f: ev.RecordingFailed, _at: float) -> Interaction:
    return _recording(r, f.recording, state="failed", detail=f.reason, seconds=f.seconds)


def _wrap_up_started(r: Interaction, f: ev.WrapUpStarted, at: float) -> Interaction:
    who = _agent_participant(r, f.agent)
    r = _open(r, who.id, SegmentKind.WRAP_UP, at) if who else r
    # While the citizen is still in the flow (a survey, say), the agent's wrap-up runs beside it.
    return replace(r, phase=Phase.WRAP_UP) if r.ended_at is not None else r


def _wrap_up_ended(r: Interaction, f: ev.WrapUpEnded, at: float) -> Interaction:
    r = _close(r, at, None, frozenset({SegmentKind.WRAP_UP}))
    r = replace(r, disposition=f.disposition or r.disposition)
    return replace(r, phase=Phase.ENDING) if r.phase is Phase.WRAP_UP else r


def _callback_placed(r: Interaction, f: ev.CallbackPlaced, _at: float) -> Interaction:
    return replace(r, callbacks=(*r.callbacks, f.callback))


def _callback_scheduled(r: Interaction, _f: ev.CallbackScheduled, at: float) -> Interaction:
    who = customer(r)
    return replace(r if who is None else _close(r, at, who.id), phase=Phase.SCHEDULED)


def _steered(r: Interaction, f: ev.Steered, _at: float) -> Interaction:
    return r if f.priority is None else replace(r, priority=f.priority)


def _ended(r: Interaction, f: ev.Ended, at: float) -> Interaction:
    wrapping = any(s.kind is SegmentKind.WRAP_UP and s.ended_at is None for s in r.segments)
    return replace(
        r,
        phase=Phase.WRAP_UP if wrapping else Phase.ENDING,
        ended_at=at,
        exit_reason=f.exit_reason,
        cause=f.cause,
    )


def _closed(r: Interaction, _f: ev.Closed, at: float) -> Interaction:
    return replace(_close(r, at), phase=Phase.CLOSED, closed_at=at)


_ALL_BUT_WRAP_UP = frozenset(SegmentKind) - {SegmentKind.WRAP_UP}

_APPLY: dict[type[ev.Fact], Callable[[Interaction, Any, float], Interaction]] = {
    ev.ParticipantJoined: _joined,
    ev.ParticipantLeft: _left,
    ev.Answered: _answered,
    ev.FlowStarted: _flow_started,
    ev.FlowNoted: _flow_noted,
    ev.FlowResumed: _flow_resumed,
    ev.FlowEnded: _same,
    ev.Queued: _queued,
    ev.Dequeued: _dequeued,
    ev.Relaxed: _same,
    ev.Offered: _offered,
    ev.OfferEnded: _offer_ended,
    ev.Connected: _connected,
    ev.AgentAway: _away,
    ev.AgentBack: _back,
    ev.DigitsSent: _same,
    ev.TransferBegun: _transfer_begun,
    ev.TransferEnded: _transfer_ended,
    ev.Transferred: _same,
    ev.ConsultBegun: _consult_begun,
    ev.ConsultAnswered: _consult_answered,
    ev.ConsultSwapped: _consult_swapped,
    ev.ConsultEnded: _consult_ended,
    ev.ConferenceBegun: _conference_begun,
    ev.Dialing: _dialing,
    ev.SupervisionStarted: _supervision_started,
    ev.SupervisionEnded: _supervision_ended,
    ev.TakenOver: _same,
    ev.SupervisorAsked: _same,
    ev.Classified: _classified,
    ev.Held: _held,
    ev.Resumed: _unheld,
    ev.Disconnected: _disconnected,
    ev.RecordingStarted: _recording_started,
    ev.RecordingPaused: lambda r, f, _at: _recording(r, f.recording, state="paused"),
    ev.RecordingResumed: lambda r, f, _at: _recording(r, f.recording, state="recording"),
    ev.RecordingStopped: _recording_stopped,
    ev.RecordingFailed: _recording_failed,
    ev.WrapUpStarted: _wrap_up_started,
    ev.WrapUpEnded: _wrap_up_ended,
    ev.CallbackPlaced: _callback_placed,
    ev.CallbackScheduled: _callback_scheduled,
    ev.Steered: _steered,
    ev.Reattached: _same,
    ev.CommandFailed: _same,
    ev.Ended: _ended,
    ev.Closed: _closed,
}
