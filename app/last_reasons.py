"""Why a number called last: so that a flow offers first what it probably calls for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from callcontrol.events import FlowNoted, InteractionEvent, Queued
from callcontrol.model import Direction, Interaction
from callcontrol.tables import interactions as kept
from foundation.clock import Clock
from foundation.database import Database
from ivr_flows.speech.grouping import national_number

# What is longer ago says nothing about today; and so many numbers are more than a season of the customer's calls.
REMEMBERED_S = 90 * 86400.0
MOST = 100_000
_DAY_S = 86400.0


class LastReasons:
    """Read from the records at the start, then kept in memory by what happens: no call waits for a database. Whoever
    calls from a hidden number has no past."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def of(self, number: str, at: float) -> Mapping[str, object]:
        """The facts `last_reason` (a queue's reason, else a tag) and `last_at` (whole days ago); none where nothing is
        known."""
        reason, then = self._calls.get(national_number(number), ("", 0.0))
        if not reason or at - then > REMEMBERED_S:
            return {}
        return {"last_reason": reason, "last_at": max(0, int((at - then) // _DAY_S))}

    def tell(self, event: InteractionEvent, record: Interaction) -> None:
        if isinstance(event.fact, Queued | FlowNoted) and record.direction is not Direction.OUTBOUND:
            self._remember(record.from_address, record.reason, record.tags, record.created_at)

    def _remember(self, from_address: str, reason: str | None, tags: Sequence[str], at: float) -> None:
        number, word = national_number(from_address), reason or (tags[-1] if tags else "")
        if not number or not word:
            return
        self._calls[number] = (word, at)
        self._calls.move_to_end(number)
        if len(self._calls) > MOST:
            self._calls.popitem(last=False)

    async def load(self, database: Database) -> None:
        since = datetime.fromtimestamp(self._clock.now() - REMEMBERED_S, UTC)
        reason, tags = kept.c.record["reason"], kept.c.record["tags"]
        query = (
            select(kept.c.from_address, reason.astext, tags, kept.c.created_at)
            .where(kept.c.created_at >= since, kept.c.direction != Direction.OUTBOUND.value)
            .order_by(kept.c.created_at.desc())
            .limit(MOST)
        )
        async with database.begin() as session:
            rows = (await session.execute(query)).all()
        for from_address, word, labels, at in reversed(rows):
            self._remember(from_address, word, labels or (), at.timestamp())
