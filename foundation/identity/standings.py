"""Whose session it is, remembered from one request of a page to the next for as long as nothing of it changes.

Every change is told by the database itself (triggers of the revision `0008_standing_news`), whoever makes it: another
daemon, the command line, a person at a prompt. One of this process is known here before its caller hears that it is
done. Nothing is remembered but while the telling is known to work: a beat of our own must have come back, all the way
through the database, within `TRUSTED_S`. Else each request asks, as it does where nobody listens (`watch`).

What runs out with time is not told: who judges a standing looks at the clock each time."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.audit import AuditEntry
from foundation.clock import Clock
from foundation.database import Database, DatabaseUnavailable
from foundation.identity.model import Session, Sessions, Standing
from foundation.logs import get_logger

log = get_logger(__name__)

CHANNEL = "rimay_standing"
BEAT_EVERY_S = 1.0
TRUSTED_S = 3.0
# Other daemons write when a session was last seen, which is not told: no older than this is what we know of it.
KEPT_S = 20.0
MOST = 5_000  # sessions; those asked for the longest ago are forgotten first
_BEAT = text("SELECT pg_notify(:channel, :beat)")


class Standings:
    """Implements `foundation.identity.model.Sessions` over another."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._kept: OrderedDict[str, tuple[Standing, float]] = OrderedDict()
        self._turn = 0
        self._heard_at = float("-inf")

    # --- what is told

    def drop(self) -> None:
        """Something changed: what is being read now may be from before, and is not kept either."""
        self._turn += 1
        self._kept.clear()

    def beat(self) -> None:
        """A word of our own came back through the database: so did whatever changed before."""
        self._heard_at = self._clock.now()

    def lose(self) -> None:
        """Nobody tells any more."""
        self._heard_at = float("-inf")
        self.drop()

    @property
    def trusted(self) -> bool:
        return 0 <= self._clock.now() - self._heard_at < TRUSTED_S

    # --- the port

    async def standing(self, session_id: str) -> Standing | None:
        if not self.trusted:
            return await self._sessions.standing(session_id)
        known = self._kept.get(session_id)
        if known is not None and 0 <= self._clock.now() - known[1] < KEPT_S:
            self._kept.move_to_end(session_id)
            return known[0]
        turn, asked_at = self._turn, self._clock.now()
        found = await self._sessions.standing(session_id)
        if found is not None and turn == self._turn:
            self._kept[session_id] = (found, asked_at)
            self._kept.move_to_end(session_id)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found

    async def add(self, session: Session, audit: AuditEntry) -> None:
        await self._sessions.add(session, audit)

    async def touch(self, session_id: str, at: datetime) -> None:
        await self._sessions.touch(session_id, at)
        known = self._kept.get(session_id)
        if known is not None and known[0].session.last_seen_at < at:
            seen = replace(known[0], session=replace(known[0].session, last_seen_at=at))
            self._kept[session_id] = (seen, known[1])

    async def of_user(self, user_id: str) -> list[Session]:
        return await self._sessions.of_user(user_id)

    async def revoke(
        self, user_id: str, at: datetime, audit: AuditEntry | None, *, only: str = "", keep: str = ""
    ) -> int:
        try:
            return await self._sessions.revoke(user_id, at, audit, only=only, keep=keep)
        finally:
            self.drop()

    async def forget(self, seen_before: datetime) -> int:
        try:
            return await self._sessions.forget(seen_before)
        finally:
            self.drop()


async def watch(standings: Standings, database: Database) -> None:
    """For ever; while the database is away nothing is remembered."""
    while True:
        try:
            await _follow(standings, database)
        except* (DatabaseUnavailable, DBAPIError):  # whatever it is: without it every request asks
            log.info("standings.nobody_tells")
        finally:
            standings.lose()
        await asyncio.sleep(BEAT_EVERY_S)


async def _follow(standings: Standings, database: Database) -> None:
    mine = secrets.token_hex(8)  # other daemons' beats say nothing of our own ear
    async with asyncio.TaskGroup() as group, database.listening(CHANNEL) as heard:
        group.create_task(_beat(database, mine), name="standings: beat")
        async for word in heard:
            if word == mine:
                standings.beat()
            elif not word:
                standings.drop()


async def _beat(database: Database, word: str) -> None:
    while True:
        await database.read(_BEAT, {"channel": CHANNEL, "beat": word})
        await asyncio.sleep(BEAT_EVERY_S)
