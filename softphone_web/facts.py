"""An interaction's facts as the API and the live socket tell them: no server paths, and personal data apart."""

from __future__ import annotations

from typing import Any

import msgspec

from callcontrol.events import PRIVATE_FIELDS, Fact, FlowNoted, InteractionEvent, Started, fact_type
from callcontrol.model import AgentId, Direction
from softphone_web.ports import LiveEvent, Topic
from softphone_web.schemas import EventOut, at

# Where a file lies is the server's business; `to_address` of what we send out is the citizen's.
_INTERNAL = frozenset({"path"})
_TIMES = frozenset({"expires_at", "until"})


def split(fact: Fact) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what all may see, what only those may see who may see personal data), as plain JSON values."""
    hidden = set(PRIVATE_FIELDS.get(type(fact), frozenset()))
    if isinstance(fact, FlowNoted) and not fact.private:
        hidden.discard("data")
    if isinstance(fact, Started) and fact.direction is not Direction.INBOUND:
        hidden = {"to_address"}
    public: dict[str, Any] = {}
    private: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(fact).items():
        if name == "type" or name in _INTERNAL:
            continue
        shown = at(value).isoformat() if name in _TIMES and value is not None else value
        (private if name in hidden else public)[name] = shown
    return public, private


def event_out(event: InteractionEvent, private: bool) -> EventOut:
    seen, hidden = split(event.fact)
    data = {**seen, **hidden} if private else seen
    return EventOut(n=event.n, at=at(event.at), type=fact_type(event.fact), data=data)


def live_event(event: InteractionEvent, agents: frozenset[AgentId]) -> LiveEvent:
    """The live form of a fact; `agents` are those whom the interaction names by now."""
    public, private = split(event.fact)
    return LiveEvent(
        topic=Topic.INTERACTIONS,
        type=fact_type(event.fact),
        at=event.at,
        key=event.interaction,
        data={"n": event.n, **public},
        private=private,
        agents=agents,
    )
