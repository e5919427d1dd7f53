"""The pages' ports (`softphone_web.ports`) onto the real parts: the database, the desk, the switch, the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, tuple_

from app.organisation import Organisation
from callcontrol.daemon import Daemon
from callcontrol.directory import ConfiguredAgents
from callcontrol.events import AnyFact, InteractionEvent, decode_fact
from callcontrol.model import AgentId, AgentState, Interaction, InteractionId, Medium, Recording
from callcontrol.routing import terms as routing
from callcontrol.settings import Queue
from callcontrol.tables import interaction_events as events
from callcontrol.tables import interactions as kept
from foundation.clock import Clock
from foundation.database import Database
from foundation.errors import Conflict, NotFound
from foundation.logs import get_logger
from pbx.events import EndpointChanged
from pbx.settings import Trunk
from pbx.switch import Switch
from pbx.terms import SwitchError, TrunkState, TrunkStatus
from recording.place import RecordingFolder
from softphone_web import ports
from softphone_web.downloads import LocalFile

log = get_logger(__name__)
# Longer than a batch of the journal takes, short enough for a page when the database is slow.
_READ_OWN_S = 0.5


class SqlInteractions:
    """`stored` waits for the journal: facts are written behind the call, and a page that is told of an offer asks for
    its interaction before the fact is in the database."""

    def __init__(self, database: Database, stored: Callable[[float], Awaitable[bool]] | None = None) -> None:
        self._database = database
        self._stored = stored

    async def page(
        self, wanted: ports.InteractionFilter, *, after: ports.Position | None, limit: int
    ) -> Sequence[Interaction]:
        rules = _conditions(wanted)
        if after is not None:
            rules.append(tuple_(kept.c.created_at, kept.c.id) < tuple_(_time(after.created_at), after.id))
        query = select(kept.c.record).where(*rules).order_by(kept.c.created_at.desc(), kept.c.id.desc()).limit(limit)
        async with self._database.begin() as session:
            return [record_of(row) for row in await session.scalars(query)]

    async def get(self, interaction: InteractionId) -> Interaction:
        if self._stored is not None:
            await self._stored(_READ_OWN_S)
        async with self._database.begin() as session:
            row = await session.scalar(select(kept.c.record).where(kept.c.id == interaction))
        if row is None:
            raise NotFound(f"no interaction {interaction}")
        return record_of(row)

    async def events(self, interaction: InteractionId, *, after: int, limit: int) -> Sequence[InteractionEvent]:
        query = (
            select(events.c.n, events.c.at, events.c.fact)
            .where(events.c.interaction_id == interaction, events.c.n > after)
            .order_by(events.c.n)
            .limit(limit)
        )
        async with self._database.begin() as session:
            rows = (await session.execute(query)).all()
        if not rows:
            await self.get(interaction)
        return [
            InteractionEvent(interaction=interaction, n=n, at=when.timestamp(), fact=_fact(fact))
            for n, when, fact in rows
        ]

    async def active(self) -> Mapping[Medium, int]:
        query = select(kept.c.medium, func.count()).where(kept.c.closed_at.is_(None)).group_by(kept.c.medium)
        async with self._database.begin() as session:
            return {Medium(medium): count for medium, count in await session.execute(query)}


def _conditions(wanted: ports.InteractionFilter) -> list[ColumnElement[bool]]:
    equal = {
        kept.c.medium: wanted.medium,
        kept.c.queue: wanted.queue,
        kept.c.agent: wanted.agent,
        kept.c.phase: wanted.phase,
        kept.c.direction: wanted.direction,
        kept.c.exit_reason: wanted.exit_reason,
    }
    rules: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    if wanted.since is not None:
        rules.append(kept.c.created_at >= _time(wanted.since))
    if wanted.until is not None:
        rules.append(kept.c.created_at < _time(wanted.until))
    if wanted.number is not None:
        rules.append(or_(kept.c.from_address == wanted.number, kept.c.to_address == wanted.number))
    if wanted.took_part is not None:
        rules.append(kept.c.agents.contains([wanted.took_part]))
    return rules


def _fact(row: object) -> AnyFact:
    return decode_fact(msgspec.json.encode(row))


def record_of(row: object) -> Interaction:
    return msgspec.convert(row, Interaction, strict=False)


def _time(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


class DeskQueues:
    def __init__(self, daemon: Daemon, organisation: Organisation, clock: Clock) -> None:
        self._router = daemon.desk.router
        self._organisation = organisation
        self._clock = clock

    async def list(self) -> Sequence[ports.QueueView]:
        return [self._view(queue) for queue in self._organisation.queues.values()]

    async def get(self, queue: str) -> ports.QueueView:
        found = self._organisation.queues.get(queue)
        if found is None:
            raise NotFound(f"no queue {queue}")
        return self._view(found)

    def _view(self, queue: Queue) -> ports.QueueView:
        now = self._clock.now()
        waiting = self._router.waiting(queue.name)
        return ports.QueueView(
            name=queue.name,
            title=queue.title or queue.name,
            waiting=len(waiting),
            longest_wait_s=max((now - item.queued_at for item in waiting), default=None),
            agents=self._organisation.states_in(queue.name, self._router.agents),
            measured_at=now,
        )


# Long enough for a batch of the journal, short enough that agents can work while the database is away.
STORED_WITHIN_S = 1.0
# So often the switch is asked for all that are registered, beside what it tells by itself of each change: pages show
# it, nothing is decided by it.
ONLINE_FOR_S = 10.0
# Nobody waits longer for it.
ONLINE_WITHIN_S = 0.5


class DeskAgents:
    """`stored` waits for the journal: who was told "ready" is ready after a kill of the daemon, too."""

    def __init__(
        self,
        daemon: Daemon,
        directory: ConfiguredAgents,
        switch: Switch,
        clock: Clock,
        stored: Callable[[float], Awaitable[bool]],
    ) -> None:
        self._stored = stored
        self._daemon = daemon
        self._desk = daemon.desk
        self._known: Mapping[str, bool] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._directory = directory
        self._switch = switch
        self._clock = clock

    async def list(self) -> Sequence[ports.AgentView]:
        online = await self._online()
        return [self._view(agent, online) for agent in self._directory.queues()]

    async def get(self, agent: AgentId) -> ports.AgentView:
        self._check(agent)
        return self._view(agent, await self._online())

    def _check(self, agent: AgentId) -> None:
        if self._directory.get(agent) is None:
            raise NotFound(f"no agent {agent}")

    async def _online(self) -> Mapping[str, bool]:
        """Nothing while the switch does not answer: agents can change their state all the same.

        Asked once for all who want to know within a while: with hundreds of phones the answer is long, and at the
        begin of a shift everybody wants it. What changes meanwhile the switch tells (`endpoint_changed`)."""
        if not self._daemon.ready.is_set():
            return {}
        async with self._asking:
            now = self._clock.now()
            if not self._asked_at <= now < self._asked_at + ONLINE_FOR_S:
                try:
                    async with asyncio.timeout(ONLINE_WITHIN_S):
                        found = await self._switch.endpoints()
                    self._known = {status.endpoint: status.online for status in found}
                except TimeoutError:
                    log.info("agents.switch_late")  # under load: what it said last is shown, and nobody queues for more
                except SwitchError:
                    return {}
                self._asked_at = self._clock.now()
            return self._known

    def endpoint_changed(self, change: EndpointChanged) -> None:
        self._known = {**self._known, change.status.endpoint: change.status.online}

    async def set_state(self, agent: AgentId, state: AgentState, *, reason: str | None, by: str) -> ports.AgentView:
        self._check(agent)
        view = self._desk.router.agents.get(agent)
        if view is None or view.state is AgentState.SIGNED_OUT:
            raise Conflict(f"agent {agent} is not signed in")
        return await self._ask(agent, state, reason or "")

    async def sign_in(self, agent: AgentId, *, by: str) -> ports.AgentView:
        self._check(agent)
        self._desk.sign_in(agent, self._directory.queues()[agent])
        await self._stored(STORED_WITHIN_S)
        return await self.get(agent)

    async def sign_out(self, agent: AgentId, *, reason: str | None, by: str) -> ports.AgentView:
        return await self._ask(agent, AgentState.SIGNED_OUT, reason or "")

    async def finish_wrap_up(self, agent: AgentId, *, disposition: str | None, by: str) -> ports.AgentView:
        self._check(agent)
        view = self._desk.router.agents.get(agent)
        if view is None or view.state is not AgentState.WRAP_UP:
            raise Conflict(f"agent {agent} is not in wrap-up")
        self._desk.tell(routing.WrapUpFinished(at=self._clock.now(), agent=agent, disposition=disposition))
        return await self.get(agent)

    async def _ask(self, agent: AgentId, state: AgentState, reason: str) -> ports.AgentView:
        self._check(agent)
        known = self._desk.router.agents.get(agent)
        signed_out = known is None or known.state is AgentState.SIGNED_OUT
        if not signed_out or state is not AgentState.SIGNED_OUT:
            self._desk.tell(routing.AgentAsked(at=self._clock.now(), agent=agent, state=state, reason=reason))
            await self._stored(STORED_WITHIN_S)
        return await self.get(agent)

    def _view(self, agent: AgentId, online: Mapping[str, bool]) -> ports.AgentView:
        known = self._directory.get(agent)
        assert known is not None  # noqa: S101 - asked by all callers
        now = self._desk.router.agents.get(agent)
        return ports.AgentView(
            id=agent,
            name=known.name,
            state=AgentState.SIGNED_OUT if now is None else now.state,
            since=self._clock.now() if now is None else now.since,
            reason=None if now is None else now.reason or None,
            queues=tuple(known.queues),
            interaction=None if now is None else now.item,
            endpoint=known.phone,
            endpoint_online=online.get(known.phone) if known.phone else None,
        )


class SwitchTrunks:
    def __init__(self, daemon: Daemon, switch: Switch, trunks: Sequence[Trunk]) -> None:
        self._daemon = daemon
        self._switch = switch
        self._trunks = trunks

    async def list(self) -> Sequence[ports.TrunkView]:
        found = {(s.trunk, s.gateway): s for s in await self._switch.trunks()}
        return [
            ports.TrunkView(
                name=trunk.name,
                max_calls=trunk.max_calls,
                calls=self._daemon.calls_on(trunk.name),
                gateways=tuple(
                    _gateway(gateway.name, found.get((trunk.name, gateway.name))) for gateway in trunk.gateways
                ),
            )
            for trunk in self._trunks
        ]


def _gateway(name: str, status: TrunkStatus | None) -> ports.GatewayView:
    if status is None:  # the switch does not know it, or not yet
        return ports.GatewayView(name=name, state=TrunkState.UNKNOWN)
    return ports.GatewayView(name=name, state=status.state, detail=status.detail, round_trip_ms=status.round_trip_ms)


class KeptRecordings:
    """Recordings' metadata are part of the interactions' records; the files lie in the recordings folder."""

    def __init__(self, interactions: ports.Interactions, folder: RecordingFolder) -> None:
        self._interactions = interactions
        self._folder = folder

    async def of_interaction(self, interaction: InteractionId) -> Sequence[ports.RecordingView]:
        record = await self._interactions.get(interaction)
        return [await self._view(record, recording) for recording in record.recordings]

    async def get(self, recording: str) -> ports.RecordingView:
        return await self._view(*await self._find(recording))

    async def open(self, recording: str) -> ports.RecordingFile:
        _, found = await self._find(recording)
        if found.state == "failed":
            raise Conflict("The recording failed: there is no whole one.", recording=recording)
        if found.state != "complete":
            raise Conflict("The recording is not complete yet.", recording=recording)
        return await LocalFile.open(self._path(found))

    async def _find(self, recording: str) -> tuple[Interaction, Recording]:
        # A recording's id is <interaction>-rec<n>: its owner is in its name.
        record = await self._interactions.get(InteractionId(recording.rpartition("-rec")[0]))
        for found in record.recordings:
            if found.id == recording:
                return record, found
        raise NotFound(f"no recording {recording}")

    def _path(self, recording: Recording) -> Path:
        try:
            return self._folder.resolve(recording.path)
        except ValueError as error:  # not one that the platform wrote
            log.warning("recordings.foreign_path", recording=recording.id)
            raise NotFound("The recording's file is not there any more.") from error

    async def _view(self, record: Interaction, recording: Recording) -> ports.RecordingView:
        return ports.RecordingView(
            id=recording.id,
            interaction=record.id,
            started_at=recording.started_at,
            state=recording.state,
            seconds=recording.seconds,
            channels=recording.channels,
            bytes=await asyncio.to_thread(self._size, recording),
            detail=recording.detail,
        )

    def _size(self, recording: Recording) -> int | None:
        try:
            return self._path(recording).stat().st_size
        except (FileNotFoundError, NotFound):
            return None
