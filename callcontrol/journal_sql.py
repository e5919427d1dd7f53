"""The journal in PostgreSQL: entries are gathered and written by one task, a transaction a batch, in their order.

While the database is away they wait in memory; nothing is dropped. Writing a batch twice changes nothing (events carry
their number, records their count of events), so a batch whose commit broke is simply written again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callcontrol.call_state import CallState
from callcontrol.events import encode_fact, fact_type
from callcontrol.journal import ASKED_STATES, Entry
from callcontrol.model import AgentId, AgentState, Interaction, Phase
from callcontrol.routing.terms import AgentChanged
from callcontrol.tables import agent_states, interactions
from foundation.database import Database
from foundation.errors import Unavailable
from foundation.logs import get_logger
from foundation.metrics import CONTROL_S, Metrics

log = get_logger(__name__)

# A batch this large is written in some tens of milliseconds; a larger one would only hold the next back.
MAX_BATCH = 2_000
# Gathering for this long costs a call nothing and turns hundreds of small transactions into tens.
GATHER_S = 0.05
# The database is away for long when so many wait. A call makes about thirty entries, and one when they are folded.
FOLD_ABOVE = 10_000
# How long one attempt may take before it is told and begun again. Entries wait for as long as it takes.
ATTEMPT_S = 30.0
# At the end there is no time for that: what is not stored by then is set aside in a file.
LAST_ATTEMPT_S = 2.0

_INSERT_RECORD = text(
    "INSERT INTO interactions (id, medium, direction, phase, queue, agent, from_address, to_address, exit_reason,"
    " created_at, closed_at, agents, record, runtime)"
    " VALUES (:id, :medium, :direction, :phase, :queue, :agent, :from_address, :to_address, :exit_reason,"
    " :created_at, :closed_at, CAST(:agents AS jsonb), CAST(:record AS jsonb), CAST(:runtime AS jsonb))"
    " ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, queue = excluded.queue, agent = excluded.agent,"
    " exit_reason = excluded.exit_reason, closed_at = excluded.closed_at, agents = excluded.agents,"
    " record = excluded.record, runtime = excluded.runtime"
    " WHERE (interactions.record->>'events')::int <= (excluded.record->>'events')::int"
)
_INSERT_EVENT = text(
    "INSERT INTO interaction_events (interaction_id, n, at, type, fact)"
    " VALUES (:interaction_id, :n, :at, :type, CAST(:fact AS jsonb)) ON CONFLICT (interaction_id, n) DO NOTHING"
)
_INSERT_AGENT = text(
    "INSERT INTO agent_states (agent, state, reason, since) VALUES (:agent, :state, :reason, :since)"
    " ON CONFLICT (agent) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since"
)
_INSERT_AGENT_EVENT = text(
    "INSERT INTO agent_state_events (agent, at, state, reason, interaction_id)"
    " VALUES (:agent, :at, :state, :reason, :interaction_id) ON CONFLICT DO NOTHING"
)


class SqlJournal:
    """`run` must be running, as a task of its owner; cancelling it after `flush` loses nothing."""

    def __init__(self, database: Database, metrics: Metrics, refused: Path, unsent: Path | None = None) -> None:
        """`refused` keeps what the database would not have; `unsent` what it could not be told before our end."""
        self._database = database
        self._refused = refused
        self._unsent = unsent or refused.with_suffix(".unsent")
        self._waiting: list[Entry | AgentChanged] = []
        self._writing = 0  # so many of the first are in a batch under way
        self._fold_above = FOLD_ABOVE
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._batches = 0
        self._turned = asyncio.Event()  # set when a batch is stored; then replaced
        self._backlog = metrics.gauge("journal_waiting_entries", "Entries not yet stored")
        self._seconds = metrics.histogram("journal_batch_seconds", "Time to store a batch", CONTROL_S)

    def append(self, entry: Entry) -> None:
        self._put(entry)

    def append_agent(self, change: AgentChanged) -> None:
        self._put(change)

    def _put(self, what: Entry | AgentChanged) -> None:
        self._waiting.append(what)
        if len(self._waiting) > self._fold_above:
            self._fold()
        self._empty.clear()
        self._wake.set()

    def _fold(self) -> None:
        """What waits long is kept small: of each call all its events, and the last record and state."""
        held, rest = self._waiting[: self._writing], self._waiting[self._writing :]
        folded: dict[str | int, Entry | AgentChanged] = {}
        for place, one in enumerate(rest):
            if not isinstance(one, Entry):
                folded[place] = one
                continue
            before = folded.get(one.record.id)
            events = (*before.events, *one.events) if isinstance(before, Entry) else one.events
            folded[one.record.id] = Entry(events=events, record=one.record, state=one.state)
        self._waiting = [*held, *folded.values()]
        self._fold_above = max(FOLD_ABOVE, 2 * len(self._waiting))

    async def flush(self) -> None:
        await self._empty.wait()

    async def stored(self, within_s: float) -> bool:
        """Until what was appended before now is stored: two batches, the one under way and the next. False when the
        database takes longer; the entries are stored all the same, later."""
        due = self._batches + 2
        try:
            async with asyncio.timeout(within_s):
                while self._waiting and self._batches < due:
                    await self._turned.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            batch = self._waiting[:MAX_BATCH]
            self._writing = len(batch)
            self._backlog.set(len(self._waiting))
            try:
                with self._seconds.time():
                    await self._store(batch)
            except Unavailable:
                # The entries stay and are tried again, for as long as the database is away.
                log.warning("journal.waiting", entries=len(self._waiting))
                self._writing = 0
                continue
            self._writing = 0
            del self._waiting[: len(batch)]
            self._batches += 1
            self._turned.set()
            self._turned = asyncio.Event()
            self._backlog.set(len(self._waiting))
            if not self._waiting:
                self._wake.clear()
                self._empty.set()

    async def store_rest(self) -> None:
        """At the end, when `run` is no more: what still waits is stored now, or set aside for the next start."""
        try:
            while self._waiting:
                batch = self._waiting[:MAX_BATCH]
                await self._store(batch, wait_s=LAST_ATTEMPT_S)
                del self._waiting[: len(batch)]
        except Unavailable:
            log.warning("journal.unsent", entries=len(self._waiting))
        finally:
            # Also where our owner has no more time for us.
            if self._waiting:
                self._set_aside(self._waiting, self._unsent)
                self._waiting.clear()

    async def take_back(self) -> None:
        """At the start, before `open_calls`: what the last run could not store."""
        if not self._unsent.exists():
            return
        lines = await asyncio.to_thread(self._unsent.read_bytes)
        entries = [found for line in lines.splitlines() if (found := _read(line)) is not None]
        for at in range(0, len(entries), MAX_BATCH):
            await self._store(entries[at : at + MAX_BATCH])
        self._unsent.unlink()
        log.info("journal.taken_back", entries=len(entries))

    async def _store(self, batch: Sequence[Entry | AgentChanged], wait_s: float = ATTEMPT_S) -> None:
        async def work(session: AsyncSession) -> None:
            await _write(session, batch)

        try:
            await self._database.run(work, wait_s=wait_s, idempotent=True)
        except (SQLAlchemyError, ValueError, TypeError) as error:
            # The database is there and says no, or it cannot be told (TypeError: no JSON). One bad entry must not hold
            # up all others for ever, nor be lost.
            if len(batch) > 1:
                for one in batch:
                    await self._store([one], wait_s)
                return
            # Its text quotes the row, with names and numbers.
            log.error("journal.refused", kind=type(batch[0]).__name__, problem=type(error).__name__)  # noqa: TRY400
            await asyncio.to_thread(self._set_aside, batch, self._refused)

    def _set_aside(self, entries: Sequence[Entry | AgentChanged], file: Path) -> None:
        """Keep them in a file that an operator can read and a program can store again."""
        try:
            lines = [msgspec.json.encode({"kind": type(e).__name__, "entry": e}, enc_hook=str) + b"\n" for e in entries]
            with file.open("ab") as out:
                os.fchmod(out.fileno(), 0o600)  # names and numbers of citizens
                out.writelines(lines)
        except (OSError, ValueError):
            # Lost: but the calls of now go on.
            log.critical("journal.lost", entries=len(entries), exc_info=True)

    async def open_calls(self) -> Sequence[tuple[Interaction, CallState]]:
        async with self._database.begin() as session:
            rows = await session.execute(
                select(interactions.c.record, interactions.c.runtime)
                .where(interactions.c.closed_at.is_(None))
                .order_by(interactions.c.created_at)
            )
            return [found for record, state in rows if (found := _open_call(record, state)) is not None]

    async def agent_states(self) -> dict[AgentId, tuple[AgentState, str]]:
        async with self._database.begin() as session:
            rows = await session.execute(select(agent_states.c.agent, agent_states.c.state, agent_states.c.reason))
            return {AgentId(agent): (AgentState(state), reason) for agent, state, reason in rows}


def _open_call(record: Any, state: Any) -> tuple[Interaction, CallState] | None:
    try:
        return msgspec.convert(record, Interaction, strict=False), msgspec.convert(state, CallState, strict=False)
    except msgspec.ValidationError as error:
        # Of another version, say. One call is not taken up; the daemon must start all the same.
        log.exception("journal.unreadable_call", problem=str(error))
        return None


_KINDS: dict[str, type[Entry] | type[AgentChanged]] = {"Entry": Entry, "AgentChanged": AgentChanged}


def _read(line: bytes) -> Entry | AgentChanged | None:
    """One that was set aside. The last line may be torn: a disk was full, or we were killed."""
    try:
        kept = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(kept["entry"], type=_KINDS[msgspec.json.decode(kept["kind"], type=str)])
    except (msgspec.DecodeError, KeyError) as error:
        log.exception("journal.unreadable_line", problem=type(error).__name__)
        return None


async def _write(session: AsyncSession, batch: Sequence[Entry | AgentChanged]) -> None:
    entries = [e for e in batch if isinstance(e, Entry)]
    changes = [c for c in batch if isinstance(c, AgentChanged)]
    # Of several entries of one call the last record holds all.
    last = {e.record.id: e for e in entries}
    if last:
        await session.execute(_INSERT_RECORD, [_record_row(e) for e in last.values()])
    events = [_event_row(event) for e in entries for event in e.events]
    if events:
        await session.execute(_INSERT_EVENT, events)
    asked = {c.agent: c for c in changes if c.state in ASKED_STATES}
    if asked:
        await session.execute(
            _INSERT_AGENT,
            [{"agent": c.agent, "state": c.state.value, "reason": c.reason, "since": c.since} for c in asked.values()],
        )
    if changes:
        await session.execute(
            _INSERT_AGENT_EVENT,
            [
                {
                    "agent": c.agent,
                    "at": _time(c.since),
                    "state": c.state.value,
                    "reason": c.reason,
                    "interaction_id": c.item,
                }
                for c in changes
            ],
        )


def _record_row(entry: Entry) -> dict[str, Any]:
    r = entry.record
    agents = sorted({p.agent for p in r.participants if p.agent is not None})
    return {
        "id": r.id,
        "medium": r.medium.value,
        "direction": r.direction.value,
        "phase": r.phase.value,
        "queue": r.queue,
        "agent": r.agent,
        "from_address": r.from_address,
        "to_address": r.to_address,
        "exit_reason": None if r.exit_reason is None else r.exit_reason.value,
        "created_at": _time(r.created_at),
        "closed_at": None if r.closed_at is None else _time(r.closed_at),
        "agents": _json(agents),
        "record": _json(r),
        "runtime": None if r.phase is Phase.CLOSED else _json(entry.state),
    }


def _event_row(event: Any) -> dict[str, Any]:
    return {
        "interaction_id": event.interaction,
        "n": event.n,
        "at": _time(event.at),
        "type": fact_type(event.fact),
        "fact": _clean(encode_fact(event.fact)),
    }


def _json(value: Any) -> str:
    return _clean(msgspec.json.encode(value))


def _clean(data: bytes) -> str:
    # PostgreSQL's jsonb refuses U+0000, which a hostile caller name may hold.
    return data.decode().replace("\\u0000", "\\ufffd")


def _time(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
