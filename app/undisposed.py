"""Contacts whose wrap-up ended before the agent said how they ended, in queues that want to know: they stay on the
agent's page until it is said, also when the interaction is closed long since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from app.web_data import record_of
from callcontrol.call_state import CallState
from callcontrol.events import Classified, InteractionEvent, WrapUpEnded
from callcontrol.inputs import Classify
from callcontrol.journal import Entry, Journal
from callcontrol.model import AgentId, Interaction, InteractionId, Phase, SegmentKind
from callcontrol.ports import Herald
from callcontrol.record import apply
from callcontrol.tables import interactions as kept
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import NotFound
from foundation.logs import get_logger

log = get_logger(__name__)

# A shift, and the night after it: later nobody remembers how a contact ended.
KEPT_S = 24 * 3600.0
MOST = 10_000
_BEGINS_AGAIN = "reopened"  # it came back to the agent, who writes it down when it ends


@dataclass(slots=True)
class Owed:
    """`record` as of its last event."""

    agent: AgentId
    since: float
    record: Interaction


class Undisposed:
    """In memory: read from the records at the start, then kept. `required`: whether a queue wants a disposition."""

    def __init__(self, required: Callable[[str | None], bool], journal: Journal, herald: Herald, clock: Clock) -> None:
        self._required = required
        self._journal = journal
        self._herald = herald
        self._clock = clock
        self._owed: dict[InteractionId, Owed] = {}

    def of(self, agent: AgentId) -> list[Owed]:
        """Oldest first."""
        return [owed for owed in self._owed.values() if owed.agent == agent and self._counts(owed)]

    def find(self, interaction: InteractionId) -> Owed | None:
        owed = self._owed.get(interaction)
        return owed if owed is not None and self._counts(owed) else None

    def _counts(self, owed: Owed) -> bool:
        return owed.since >= self._clock.now() - KEPT_S

    def _forget(self) -> None:
        for key in [key for key, owed in self._owed.items() if not self._counts(owed)]:
            del self._owed[key]

    def tell(self, event: InteractionEvent, record: Interaction) -> None:
        owed = self._owed.get(record.id)
        if owed is not None:
            owed.record = record
        match event.fact:
            case WrapUpEnded(agent=agent, how=how) if how != _BEGINS_AGAIN and self._lacks(record):
                self._forget()  # here, and not with every question
                self._owed[record.id] = Owed(agent, event.at, record)
            case WrapUpEnded() | Classified() if record.disposition is not None:
                self._owed.pop(record.id, None)
            case _:
                pass

    def _lacks(self, record: Interaction) -> bool:
        return record.disposition is None and self._required(record.queue)

    def classify(self, interaction: InteractionId, order: Classify) -> None:
        """Of an interaction that is closed: nobody else adds to it any more. Raises `NotFound` for one that lacks
        nothing."""
        owed = self.find(interaction)
        if owed is None:
            raise NotFound("There is no such interaction, or nothing is missing of it.")
        fact = Classified(by=order.by, disposition=order.disposition, reason=order.reason)
        event = InteractionEvent(interaction=interaction, n=owed.record.events + 1, at=self._clock.now(), fact=fact)
        record = apply(owed.record, event)
        self._journal.append(Entry(events=(event,), record=record, state=CallState(id=interaction, phase=Phase.CLOSED)))
        self._herald.interaction(event, record)  # which tells us, too

    async def load(self, database: Database) -> None:
        since = datetime.fromtimestamp(self._clock.now() - KEPT_S, UTC)
        query = (
            select(kept.c.record)
            .where(kept.c.created_at >= since, kept.c.agent.is_not(None))
            .order_by(kept.c.created_at)
            .limit(MOST)
        )
        async with database.begin() as session:
            rows = (await session.scalars(query)).all()
        for row in rows:
            self._take(record_of(row))
        if self._owed:
            log.info("undisposed.loaded", contacts=len(self._owed))

    def _take(self, record: Interaction) -> None:
        ended = [s for s in record.segments if s.kind is SegmentKind.WRAP_UP and s.ended_at is not None]
        if not ended or not self._lacks(record):
            return
        last = ended[-1]
        agent = next((one.agent for one in record.participants if one.id == last.participant), None)
        if agent is not None and last.ended_at is not None:
            self._owed[record.id] = Owed(agent, last.ended_at, record)
