"""What the daemon keeps for ever, as a port, and its in-memory twin.

`append` never waits and never fails: a call must not stand still because the database does. Entries are stored in their
order, soon; `flush` waits until all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from callcontrol.call_state import CallState
from callcontrol.events import InteractionEvent
from callcontrol.model import AgentId, AgentState, Interaction, InteractionId
from callcontrol.routing.terms import AgentChanged


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one call: its new events, and record and state after them."""

    events: tuple[InteractionEvent, ...]
    record: Interaction
    state: CallState


class Journal(Protocol):
    def append(self, entry: Entry) -> None: ...
    def append_agent(self, change: AgentChanged) -> None: ...
    async def flush(self) -> None: ...
    async def open_calls(self) -> Sequence[tuple[Interaction, CallState]]:
        """Those that are not closed, oldest first."""
        ...

    async def agent_states(self) -> dict[AgentId, tuple[AgentState, str]]:
        """The last state that each agent asked for (never a working one: those follow from the calls)."""
        ...


class MemoryJournal:
    """The twin: as lasting as the process. What could not be written is a mistake in the program and raises at once."""

    def __init__(self) -> None:
        self.events: dict[InteractionId, list[InteractionEvent]] = {}
        self.records: dict[InteractionId, Interaction] = {}
        self.states: dict[InteractionId, CallState] = {}
        self.agents: dict[AgentId, tuple[AgentState, str]] = {}
        self.agent_changes: list[AgentChanged] = []

    def append(self, entry: Entry) -> None:
        msgspec.json.encode(entry)
        self.events.setdefault(entry.record.id, []).extend(entry.events)
        self.records[entry.record.id] = entry.record
        self.states[entry.record.id] = entry.state

    def append_agent(self, change: AgentChanged) -> None:
        self.agent_changes.append(change)
        if change.state in ASKED_STATES:
            self.agents[change.agent] = (change.state, change.reason)

    async def flush(self) -> None:
        return

    async def open_calls(self) -> Sequence[tuple[Interaction, CallState]]:
        found = [(r, self.states[r.id]) for r in self.records.values() if r.closed_at is None]
        return sorted(found, key=lambda pair: pair[0].created_at)

    async def agent_states(self) -> dict[AgentId, tuple[AgentState, str]]:
        return dict(self.agents)


ASKED_STATES = frozenset({AgentState.SIGNED_OUT, AgentState.READY, AgentState.NOT_READY})
