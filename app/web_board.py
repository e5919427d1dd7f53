"""The supervisors' ports (`softphone_web.ports_board`) onto the daemon, the router and the organisation's file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analytics.queue_figures import STEP_S
from app.board_rows import Rows
from app.figures import LiveFigures
from app.organisation import Organisation
from app.stall_watch import StallWatch
from callcontrol import inputs as inp
from callcontrol.daemon import Daemon
from callcontrol.model import AgentId, AgentState, InteractionId, Phase, Steering
from callcontrol.routing import config_edit, config_store
from callcontrol.routing import terms as routing
from callcontrol.session import CallSession
from foundation.clock import Clock
from foundation.errors import Conflict, NotFound
from foundation.settings import Mistake, SettingsError
from softphone_web import ports_board as ports
from softphone_web.ports import Agents, AgentView


class DeskBoard:
    def __init__(
        self,
        daemon: Daemon,
        organisation: Organisation,
        rows: Rows,
        figures: LiveFigures,
        stalls: StallWatch,
        agents: Agents,
        clock: Clock,
    ) -> None:
        self._daemon = daemon
        self._organisation = organisation
        self._rows = rows
        self._figures = figures
        self._stalls = stalls
        self._agents = agents
        self._clock = clock

    async def rows(self) -> Sequence[ports.BoardRow]:
        now = self._clock.now()
        records = [session.record for session in self._daemon.sessions.values()]
        return [self._rows.row(record, now) for record in records if record is not None]

    async def agents(self) -> Sequence[ports.BoardAgent]:
        return [self._agent(view) for view in await self._agents.list()]

    def _agent(self, view: AgentView) -> ports.BoardAgent:
        known = self._daemon.desk.router.agents.get(view.id)
        return ports.BoardAgent(
            view=view,
            team=self._organisation.team(view.id),
            wanted=known.wanted[0] if known is not None and known.wanted is not None else None,
            reason_title=self._organisation.not_ready_title(view.reason),
            items=0 if known is None else len(known.works),
        )

    async def queues(self) -> Sequence[ports.QueueFiguresView]:
        return [self._figures.view(name) for name in self._organisation.queues]

    async def alerts(self) -> Sequence[ports.AlertView]:
        return self._stalls.open()

    async def place(self, interaction: InteractionId) -> ports.PlaceView:
        found = self._daemon.desk.router.place(interaction, self._clock.now())
        if found is None:
            raise Conflict("It does not wait in a queue.", interaction=interaction)
        return ports.PlaceView(
            queue=found.queue,
            position=found.position,
            waited_s=round(found.waited_s, 3),
            expected_s=found.expected_s,
            method=found.method,
        )

    async def history(self, queue: str, hours: float) -> tuple[int, Sequence[ports.HistoryPoint]]:
        return STEP_S, self._figures.history(queue, hours)


class DeskSteering:
    """What is asked for is checked here, so that who asks hears why not; what changes in the same instant is the
    router's to say, and the record shows it."""

    def __init__(self, daemon: Daemon, agents: Agents, clock: Clock) -> None:
        self._daemon = daemon
        self._agents = agents
        self._clock = clock

    async def move(self, interaction: InteractionId, queue: str, *, by: str) -> None:
        if queue not in self._daemon.desk.router.queues:
            raise NotFound(f"There is no queue {queue}.", queue=queue)
        session = self._waiting(interaction)
        if session.state.queue == queue:
            raise Conflict("It waits there already.", queue=queue)
        session.tell(inp.Steer(by=by, act=Steering.MOVE, queue=queue))

    async def lift(self, interaction: InteractionId, priority: int, *, by: str) -> None:
        self._waiting(interaction).tell(inp.Steer(by=by, act=Steering.RAISE, priority=priority))

    async def assign(self, interaction: InteractionId, agent: AgentId, *, by: str) -> None:
        session = self._waiting(interaction)
        await self._must_be_in(agent)
        session.tell(inp.Steer(by=by, act=Steering.ASSIGN, agent=agent))

    async def end(self, interaction: InteractionId, *, by: str) -> None:
        session = self._daemon.sessions.get(interaction)
        if session is None or not (session.state.customer_up or session.is_promise):
            raise Conflict("It is over.", interaction=interaction)
        session.tell(inp.Steer(by=by, act=Steering.END))

    async def force(self, agent: AgentId, state: AgentState, *, reason: str, by: str) -> AgentView:
        await self._must_be_in(agent)
        now = self._clock.now()
        self._daemon.desk.tell(routing.StateForced(at=now, agent=agent, state=state, reason=reason, by=by))
        return await self._agents.get(agent)

    async def _must_be_in(self, agent: AgentId) -> None:
        view = self._daemon.desk.router.agents.get(agent)
        if view is None:
            await self._agents.get(agent)  # or there is no such agent
        if view is None or view.state is AgentState.SIGNED_OUT:
            raise Conflict(f"Agent {agent} is signed out.", agent=agent)

    def _waiting(self, interaction: InteractionId) -> CallSession:
        session = self._daemon.sessions.get(interaction)
        if session is None or session.state.phase is not Phase.QUEUED:
            raise Conflict("It does not wait in a queue.", interaction=interaction)
        return session


class FileOrganisation:
    """`taken` puts a new file in force at once, without waiting for the next look."""

    def __init__(self, organisation: Organisation, taken: Callable[[], None]) -> None:
        self._organisation = organisation
        self._taken = taken

    async def get(self) -> ports.OrganisationView:
        text = await asyncio.to_thread(config_store.text_in_force, self._organisation.folder)
        try:
            document = config_edit.document_of(text)
        except config_edit.NotADocument:
            document = {}  # spoilt by hand: the text is what there is to mend
        return ports.OrganisationView(revision=config_store.revision_of(text), yaml=text, document=document)

    async def check(self, yaml: str) -> tuple[Sequence[ports.MistakeView], Sequence[str]]:
        try:
            wanted = await asyncio.to_thread(config_store.read_text, yaml)
            config_store.check_not_emptied(self._organisation.config, wanted)
        except SettingsError as error:
            return [mistake_view(one) for one in error.mistakes], []
        return [], [str(change) for change in config_store.differences(self._organisation.config, wanted)]

    async def put(self, yaml: str, revision: str) -> tuple[str, Sequence[str]]:
        changes = await asyncio.to_thread(config_store.put, yaml, self._organisation.folder, revision)
        self._taken()
        return config_store.revision_of(yaml), [str(change) for change in changes]

    async def render(self, document: Mapping[str, Any]) -> str:
        text = await asyncio.to_thread(config_store.text_in_force, self._organisation.folder)
        return config_edit.render(text, dict(document))


def mistake_view(found: Mistake) -> ports.MistakeView:
    line, column = (1, 1) if found.place is None else (found.place.line, found.place.column)
    message, _, hint = found.message.partition("; did you mean ")
    return ports.MistakeView(
        line=line, column=column, key=found.key, message=message, hint=hint.rstrip("?").strip("'") if hint else ""
    )
