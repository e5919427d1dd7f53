"""The organisation that `rimay apply` put in force: beside the settings' queues and agents, and over those of the same
name. Rules, skills and capacities of a running platform follow the file; new names come with the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.settings import Settings
from callcontrol.desk import Desk
from callcontrol.model import AgentState
from callcontrol.routing.config_store import FILE, in_force
from callcontrol.routing.terms import QueueRules
from callcontrol.settings import Agent, Queue
from foundation.errors import RimayError
from foundation.logs import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 2.0


class Organisation:
    def __init__(self, folder: Path, settings: Settings) -> None:
        self._file = folder / FILE
        self._own = settings.queues
        self._config = in_force(folder)
        self._seen = self._stamp()

    def over(self, settings: Settings) -> Settings:
        """The settings with its queues and agents: what pages, flows and directory know by name."""
        queues = {queue.name: queue for queue in settings.queues}
        for q in self._config.queues:
            queues[q.name] = Queue(
                name=q.name, title=q.title, offer_s=q.offer_s, wrap_up_s=q.wrap_up_s, max_wait_s=q.max_wait_s
            )
        agents = {agent.id: agent for agent in settings.agents}
        teams = {team.name: team for team in self._config.teams}
        phones = {phone.name for phone in settings.pbx.phones}
        for a in self._config.agents:
            mine = a.queues if a.queues is not None else teams[a.team].queues
            phone = a.phone if a.phone in phones else None
            if mine:
                agents[a.id] = Agent(id=a.id, name=a.name, phone=phone, queues=mine)
        return settings.model_copy(update={"queues": list(queues.values()), "agents": list(agents.values())})

    def take_up(self, desk: Desk) -> None:
        """Into the router, and to the agents who are signed in."""
        rules: dict[str, QueueRules] = {queue.name: queue.rules for queue in self._own}
        rules |= {rule.name: rule for rule in self._config.rules()}
        kept = desk.renew(rules.values(), self._config.criticality)
        if kept:
            log.info("organisation.queues_kept", queues=kept, why="somebody waits there")
        desk.profile = self._config.profile
        for agent, view in list(desk.router.agents.items()):
            if view.state is not AgentState.SIGNED_OUT:
                desk.sign_in(agent, view.queues)

    async def watch(self, desk: Desk) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look(desk)

    def look(self, desk: Desk) -> None:
        """Takes the file up when it is another one."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._config = in_force(self._file.parent)
        except RimayError as error:
            # `rimay apply` writes only good files; whoever wrote this one by hand is told, and nothing changes.
            log.warning("organisation.refused", problem=error.message)
            return
        self.take_up(desk)
        log.info("organisation.taken", queues=len(self._config.queues), agents=len(self._config.agents))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size
