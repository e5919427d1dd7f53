"""What is promised to who is to be called back, and by what rules the promise is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from callcontrol.model import AgentId, InteractionId
from callcontrol.routing.calendar import Calendar
from callcontrol.routing.rules import QueueRules


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackOrder:
    """`queued_at` is the place in the line that is kept: when the caller came into it. `not_before` is when they want
    to be called at the earliest, unix seconds. `origin` is the contact in which it was promised."""

    number: str
    queue: str
    queued_at: float
    reason: str = ""
    priority: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    criticality: str = ""
    target_s: float | None = None
    preferred: tuple[AgentId, ...] = ()
    not_before: float | None = None
    origin: InteractionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPolicy:
    """How often a number is tried, how long after the last time, and how long it rings."""

    attempts: int = 3
    retry_s: float = 900.0
    ring_s: float = 45.0


def due(order: CallbackOrder, rules: QueueRules | None, now: float) -> float:
    """When the callback comes into the line: now, or when its queue opens, or when the caller wants it."""
    return opens(rules, max(now, order.not_before or now))


def opens(rules: QueueRules | None, at: float) -> float:
    """When that queue is open: then, or from the next opening on. Unix seconds."""
    hours = None if rules is None else rules.hours
    if not isinstance(hours, Calendar):
        return at
    opening = hours.next_open(at)
    return at if opening is None else opening
