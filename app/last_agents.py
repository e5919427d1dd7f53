"""Who talked with whom last: so that a citizen who calls again meets the same agent, in queues that want it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime

from sqlalchemy import select

from app.organisation import Organisation
from callcontrol.events import Connected, InteractionEvent
from callcontrol.model import AgentId, Direction, Interaction
from callcontrol.tables import interactions as kept
from foundation.clock import Clock
from foundation.database import Database

# An older acquaintance is none; and so many numbers are a year of the customer's calls.
REMEMBERED_S = 30 * 86400.0
MOST = 100_000


class LastAgents:
    """Implements `callcontrol.ports.Acquaintances`. In memory: read from the records at the start, then kept."""

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        self._organisation = organisation
        self._clock = clock
        self._met: OrderedDict[str, tuple[AgentId, float]] = OrderedDict()

    def of(self, number: str, queue: str) -> AgentId | None:
        if not self._organisation.prefers_last_agent(queue):
            return None
        agent, at = self._met.get(number, (None, 0.0))
        return agent if self._clock.now() - at <= REMEMBERED_S else None

    def tell(self, event: InteractionEvent, record: Interaction) -> None:
        if isinstance(event.fact, Connected):
            number = record.to_address if record.direction is Direction.OUTBOUND else record.from_address
            self._meet(number, event.fact.agent, event.at)

    def _meet(self, number: str, agent: AgentId, at: float) -> None:
        if not number:
            return
        self._met[number] = (agent, at)
        self._met.move_to_end(number)
        if len(self._met) > MOST:
            self._met.popitem(last=False)

    async def load(self, database: Database) -> None:
        since = datetime.fromtimestamp(self._clock.now() - REMEMBERED_S, UTC)
        query = (
            select(kept.c.direction, kept.c.from_address, kept.c.to_address, kept.c.agent, kept.c.created_at)
            .where(kept.c.created_at >= since, kept.c.agent.is_not(None))
            .order_by(kept.c.created_at.desc())
            .limit(MOST)
        )
        async with database.begin() as session:
            rows = (await session.execute(query)).all()
        for direction, from_address, to_address, agent, at in reversed(rows):
            number = to_address if direction == Direction.OUTBOUND.value else from_address
            self._meet(number, AgentId(agent), at.timestamp())
