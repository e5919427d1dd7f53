"""Was it a real call? Every step of the demo, held against the database, the recording and the caller's own ears."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.web_data import SqlInteractions
from callcontrol.events import FlowNoted, InteractionEvent, fact_type
from callcontrol.model import ExitReason, Interaction, InteractionId, Phase
from callcontrol.record import fold
from recording.audio import Analysis, analyse
from recording.place import RecordingFolder

# The order in which the story must be told.
STORY = (
    "started",
    "answered",
    "queued",
    "offered",
    "offer_ended",
    "connected",
    "recording_started",
    "disconnected",
    "ended",
    "wrap_up_started",
    "wrap_up_ended",
    "closed",
)
TONE_TOLERANCE_HZ = 5.0
# A recording begins when the talk begins and ends with the leg: commands and the last frames take a moment.
LENGTH_TOLERANCE_S = 0.6


@dataclass(frozen=True, slots=True)
class Check:
    step: str
    ok: bool
    detail: str


async def verify(
    interactions: SqlInteractions,
    recordings: RecordingFolder,
    interaction: InteractionId,
    *,
    caller_hz: int,
    agent_hz: int,
    key: str,
    heard_by_caller: Path | None,
) -> tuple[list[Check], dict[str, Any]]:
    record = await interactions.get(interaction)
    events = await interactions.events(interaction, after=0, limit=1000)
    checks = [_record(record, events), _order(events), _key(events, key), _times(record)]
    facts: dict[str, Any] = {
        "setup_ms": _ms(record.created_at, record.answered_at),
        "talk_s": _seconds(record.connected_at, record.ended_at),
    }
    if not record.recordings:
        return [*checks, Check("recording", False, "there is none")], facts
    kept = record.recordings[0]
    path = recordings.resolve(kept.path)
    try:
        heard = await asyncio.to_thread(analyse, path)
    except (OSError, RuntimeError) as error:
        return [*checks, Check("recording", False, f"{path}: {error}")], facts
    checks += _voices(heard, caller_hz, agent_hz)
    checks.append(_length(heard.seconds, facts["talk_s"]))
    checks.append(await _ear(heard_by_caller, agent_hz))
    facts["recording"] = {
        "path": str(path),
        "channels": heard.channels,
        "seconds": round(heard.seconds, 2),
        "left_hz": heard.sides[0].hz,
        "right_hz": heard.sides[1].hz if heard.channels > 1 else None,
    }
    return checks, facts


def _record(record: Interaction, events: Sequence[InteractionEvent]) -> Check:
    ok = (
        record.phase is Phase.CLOSED
        and record.exit_reason is ExitReason.COMPLETED
        and record.agent is not None
        and fold(events) == record
    )
    return Check("record", ok, f"{record.phase.value}, {record.exit_reason}, {len(events)} events in the database")


def _order(events: Sequence[InteractionEvent]) -> Check:
    told = [fact_type(event.fact) for event in events]
    rest = iter(told)
    missing = [step for step in STORY if step not in rest]
    return Check(
        "order", not missing, f"missing or out of order: {', '.join(missing)}" if missing else " > ".join(STORY)
    )


def _key(events: Sequence[InteractionEvent], key: str) -> Check:
    notes = [e.fact for e in events if isinstance(e.fact, FlowNoted)]
    chosen = [note.data for note in notes if "choice" in note.kind]
    ok = any(key in {str(value) for value in data.values()} for data in chosen)
    return Check("menu", ok, f"the key {key} was taken by the flow" if ok else f"choices noted: {chosen}")


def _times(record: Interaction) -> Check:
    moments = {
        "created": record.created_at,
        "answered": record.answered_at,
        "queued": record.queued_at,
        "connected": record.connected_at,
        "ended": record.ended_at,
        "closed": record.closed_at,
    }
    lacking = [name for name, at in moments.items() if at is None]
    if lacking:
        return Check("times", False, f"unknown: {', '.join(lacking)}")
    values = [at for at in moments.values() if at is not None]
    open_ends = [s for s in record.segments if s.ended_at is None or s.ended_at < s.started_at]
    ok = values == sorted(values) and not open_ends
    waited = _seconds(record.queued_at, record.connected_at)
    return Check("times", ok, f"waited {waited} s, wrap-up {_seconds(record.ended_at, record.closed_at)} s")


def _voices(heard: Analysis, caller_hz: int, agent_hz: int) -> list[Check]:
    if heard.channels != 2:
        return [Check("stereo", False, f"{heard.channels} channels")]
    checks = []
    for name, side, wanted in (("caller", heard.sides[0], caller_hz), ("agent", heard.sides[1], agent_hz)):
        ok = side.hz is not None and abs(side.hz - wanted) <= TONE_TOLERANCE_HZ and side.tone_share > 0.5
        checks.append(Check(name, ok, f"{side.hz} Hz where {wanted} Hz was said, {side.tone_share:.0%} of the side"))
    return checks


def _length(seconds: float, talk_s: float | None) -> Check:
    ok = talk_s is not None and abs(seconds - talk_s) <= LENGTH_TOLERANCE_S
    return Check("length", ok, f"recorded {seconds:.2f} s, talked {talk_s} s")


async def _ear(path: Path | None, agent_hz: int) -> Check:
    """The caller's own recording: prompts and music first, then the agent's tone to its end."""
    if path is None:
        return Check("ear", False, "the caller heard nothing")
    heard = await asyncio.to_thread(analyse, path, last_s=2.0)
    hz = heard.sides[0].hz
    ok = hz is not None and abs(hz - agent_hz) <= TONE_TOLERANCE_HZ
    return Check("ear", ok, f"the caller's phone heard {hz} Hz at the end")


def _seconds(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else round(b - a, 3)


def _ms(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else round((b - a) * 1000, 1)
