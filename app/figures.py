"""The queues' figures of a running platform: counted from the event log at the start, kept true by each event, told to
the pages once a second where something changed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import select

from analytics.queue_figures import FACTS, KEEP_S, QueueFigures
from app.organisation import Organisation
from callcontrol.desk import Desk
from callcontrol.events import InteractionEvent, decode_fact
from callcontrol.model import InteractionId
from callcontrol.routing.terms import AgentChanged
from callcontrol.tables import interaction_events as events
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import NotFound, Unavailable
from foundation.logs import get_logger
from softphone_web.ports import LiveEvent, Topic
from softphone_web.ports_board import HistoryPoint, LevelView, QueueFiguresView
from softphone_web.schemas_board import queue_figures

log = get_logger(__name__)

PUBLISH_EVERY_S = 1.0
# So long the journal may take to store what happened before a recount begins.
STORED_WITHIN_S = 5.0

ReadLog = Callable[[float], Awaitable[Sequence[InteractionEvent]]]


class SqlLog:
    """The event log, as far as the figures need it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, since: float) -> list[InteractionEvent]:
        query = (
            select(events.c.interaction_id, events.c.n, events.c.at, events.c.fact)
            .where(events.c.type.in_(FACTS), events.c.at >= dt.datetime.fromtimestamp(since, dt.UTC))
            .order_by(events.c.id)
        )
        async with self._database.begin() as session:
            rows = (await session.execute(query)).all()
        return [
            InteractionEvent(
                interaction=InteractionId(call), n=n, at=at.timestamp(), fact=decode_fact(msgspec.json.encode(fact))
            )
            for call, n, at, fact in rows
        ]


class LiveFigures:
    """`tell` hears every event of this daemon. `publish` is the herald's."""

    def __init__(self, organisation: Organisation, desk: Desk, clock: Clock, read: ReadLog) -> None:
        self._organisation = organisation
        self._desk = desk
        self._clock = clock
        self._read = read
        self._levels = organisation.levels()
        self._fold = QueueFigures(self._levels)
        self._meanwhile: list[InteractionEvent] | None = None
        self._dirty: set[str] = set()
        self._recount = False

    # --- hearing --------------------

    def tell(self, event: InteractionEvent) -> None:
        if self._meanwhile is not None:
            self._meanwhile.append(event)
        queue = self._fold.tell(event)
        if queue is not None:
            self._dirty.add(queue)

    def agent_changed(self, change: AgentChanged) -> None:
        view = self._desk.router.agents.get(change.agent)
        if view is not None:
            self._dirty |= view.queues

    def organisation_changed(self) -> None:
        """Another definition of a service level: everything is counted again by it."""
        self._dirty |= set(self._organisation.queues)
        if self._organisation.levels() != self._levels:
            self._recount = True

    async def count(self, stored: Callable[[float], Awaitable[bool]] | None = None) -> None:
        """From the log. What happens meanwhile is counted after it, and nothing twice."""
        self._recount = False
        self._meanwhile = []
        try:
            if stored is not None:
                await stored(STORED_WITHIN_S)
            levels = self._organisation.levels()
            fold, seen = QueueFigures(levels), dict[InteractionId, int]()
            for event in await self._read(self._clock.now() - KEEP_S):
                fold.tell(event)
                seen[event.interaction] = event.n
            for event in self._meanwhile:
                if event.n > seen.get(event.interaction, 0):
                    fold.tell(event)
            self._fold, self._levels = fold, levels
            self._dirty |= set(self._organisation.queues)
            log.info("figures.counted", interactions=len(seen))
        finally:
            self._meanwhile = None

    async def run(self, publish: Callable[[LiveEvent], None], stored: Callable[[float], Awaitable[bool]]) -> None:
        while True:
            await asyncio.sleep(PUBLISH_EVERY_S)
            if self._recount:
                try:
                    await self.count(stored)
                except Unavailable as error:
                    self._recount = True
                    log.warning("figures.not_recounted", code=error.code)
            self.publish(publish)

    def publish(self, publish: Callable[[LiveEvent], None]) -> None:
        """The queues in which something changed since the last time."""
        dirty, self._dirty = self._dirty, set()
        for name in sorted(dirty & self._organisation.queues.keys()):
            view = self.view(name)
            data = queue_figures(view).model_dump(mode="json")
            publish(LiveEvent(topic=Topic.QUEUES, type="figures", at=view.measured_at, key=name, data=data))

    # --- telling --------------------

    def view(self, queue: str) -> QueueFiguresView:
        now, router = self._clock.now(), self._desk.router
        waiting = router.waiting(queue)
        level, day = self._fold.level_of(queue), self._fold.total(queue, self.midnight(now), now + 1)
        return QueueFiguresView(
            name=queue,
            title=self._organisation.title(queue),
            waiting=len(waiting),
            longest_wait_s=max((round(now - item.queued_at, 3) for item in waiting), default=None),
            expected_s=router.expected_s(queue),
            agents=self._organisation.states_in(queue, router.agents),
            level=LevelView(
                today=day.level(level),
                target=level.target,
                threshold_s=level.threshold_s,
                variant=level.variant,
                definition=level.definition,
            ),
            offered=day.offered,
            answered=day.answered,
            abandoned=day.abandoned,
            sent_on=day.sent_on,
            asa_s=day.asa_s,
            aht_s=day.aht_s,
            measured_at=now,
        )

    def recent_level(self, queue: str, seconds: float) -> tuple[int, float | None]:
        """How many were answered or abandoned lately, and the service level of those."""
        now = self._clock.now()
        counts = self._fold.total(queue, now - seconds, now + 1)
        return counts.answered + counts.abandoned, counts.level(self._fold.level_of(queue))

    def history(self, queue: str, hours: float) -> list[HistoryPoint]:
        if queue not in self._organisation.queues:
            raise NotFound(f"no queue {queue}")
        now, level = self._clock.now(), self._fold.level_of(queue)
        return [
            HistoryPoint(
                at=at,
                offered=counts.offered,
                answered=counts.answered,
                abandoned=counts.abandoned,
                level=counts.level(level),
                asa_s=counts.asa_s,
                waiting_max=counts.waiting_max,
            )
            for at, counts in self._fold.points(queue, now - hours * 3600, now)
        ]

    def midnight(self, now: float) -> float:
        """The begin of the organisation's day."""
        here = dt.datetime.fromtimestamp(now, self._organisation.zone)
        return here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
