"""The organisation that `rimay apply` or the administration's page put in force: beside the settings' queues and
agents, and over those of the same name. A running platform follows it: rules, skills and capacities, and the names of
queues and agents too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from app.settings import Settings
from callcontrol.callbacks import CallbackPolicy
from callcontrol.desk import Desk
from callcontrol.model import AgentId, AgentState
from callcontrol.routing.agents import AgentView
from callcontrol.routing.config import ReasonConfig, RoutingConfig, WrapUpCodes
from callcontrol.routing.config_store import FILE, in_force, last_good
from callcontrol.routing.rules import QueueRules
from callcontrol.routing.service_level import ServiceLevel
from callcontrol.routing.terms import AgentAsked
from callcontrol.settings import Agent, Queue
from foundation.errors import RimayError
from foundation.logs import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class _Built:
    """All that can go wrong with a configuration has been done when there is one of these."""

    config: RoutingConfig
    merged: Settings
    rules: Mapping[str, QueueRules]
    zone: ZoneInfo


class Organisation:
    """`followers` are told after each change. `refused` says why the file that should be in force is not: the last good
    one serves on."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.followers: list[Callable[[], None]] = []
        self.refused: str | None = None
        self._own = settings
        self._seen = self._stamp()
        built = self._read(in_force) or self._read(last_good) or self._build(RoutingConfig())
        self._adopt(built)

    # --- what holds now --------------------

    def _read(self, source: Callable[[Path], RoutingConfig]) -> _Built | None:
        """None for one that cannot be put in force, wholly: a centre that serves by its last good rules is better than
        one that does not serve. `rimay apply` writes only good files; who wrote this one otherwise is told."""
        try:
            return self._build(source(self.folder))
        except RimayError as error:
            self.refused = error.message
            log.warning("organisation.refused", problem=self.refused)
        except Exception as error:  # whatever it is: a mistake in a file must not be the end of the calls
            self.refused = f"{type(error).__name__}: {error}"
            log.exception("organisation.refused", problem=self.refused)
        return None

    def _build(self, config: RoutingConfig) -> _Built:
        rules = {queue.name: queue.rules for queue in self._own.queues} | {r.name: r for r in config.rules()}
        return _Built(config, self._merged(config), rules, ZoneInfo(config.timezone))

    def _adopt(self, built: _Built) -> None:
        """What is asked for with every event, looked up once."""
        self.config, merged, self._rules, self.zone = built.config, built.merged, built.rules, built.zone
        config = self.config
        self.queues: Mapping[str, Queue] = {queue.name: queue for queue in merged.queues}
        self.agents: list[Agent] = merged.agents
        self._names = {agent.id: agent.name for agent in merged.agents}
        self._teams = {agent.id: agent.team for agent in config.agents}
        self._levels = {name: ServiceLevel() for name in self.queues}
        self._levels |= {queue.name: queue.service_level.build() for queue in config.queues}
        self._acquainted = {queue.name for queue in config.queues if queue.prefer_last_agent}
        self._waiting = {q.name: q.alert_waiting_s for q in config.queues if q.alert_waiting_s is not None}

    def title(self, queue: str) -> str:
        known = self.queues.get(queue)
        return queue if known is None else known.title or queue

    def contact_reason_title(self, reason: str | None) -> str | None:
        """None for one that only a flow knows."""
        return self.config.contact_reasons.get(reason or "")

    def agent_name(self, agent: str) -> str:
        return self._names.get(agent, agent)

    def has_agent(self, agent: str) -> bool:
        return agent in self._names

    def team(self, agent: str) -> str | None:
        return self._teams.get(agent)

    def states_in(self, queue: str, known: Mapping[AgentId, AgentView]) -> Mapping[AgentState, int]:
        """How many agents of that queue are in each state that somebody is in. `known` are the router's: it has not
        heard of those who never signed in."""
        out = AgentState.SIGNED_OUT
        states = Counter(v.state for v in known.values() if queue in v.queues and v.state is not out)
        mine = (known.get(AgentId(agent.id)) for agent in self.agents if queue in agent.queues)
        states[out] = sum(view is None or view.state is out for view in mine)
        return +states

    def prefers_last_agent(self, queue: str) -> bool:
        return queue in self._acquainted

    def waiting_limit(self, queue: str) -> float:
        """How long a contact may wait there before somebody is told."""
        return self._waiting.get(queue, self.config.alerts.waiting_s)

    def level(self, queue: str) -> ServiceLevel:
        return self._levels.get(queue) or ServiceLevel()

    def levels(self) -> dict[str, ServiceLevel]:
        """By queue. One that only the settings name has the common definition."""
        return dict(self._levels)

    def callback_policy(self) -> CallbackPolicy:
        given = self.config.callbacks
        return CallbackPolicy(attempts=given.attempts, retry_s=given.retry_s, ring_s=given.ring_s)

    def codes(self, queue: str | None) -> WrapUpCodes:
        return self.config.codes(queue)

    def not_ready_title(self, reason: str | None) -> str | None:
        """None for one that the organisation does not name."""
        found = self.config.reasons.get(reason or "")
        return None if found is None else found.title

    def not_ready_reasons(self) -> Mapping[str, ReasonConfig]:
        return self.config.reasons

    def _merged(self, config: RoutingConfig) -> Settings:
        """The settings with the organisation's queues and agents."""
        settings = self._own
        queues = {queue.name: queue for queue in settings.queues}
        for q in config.queues:
            queues[q.name] = Queue(
                name=q.name, title=q.title, offer_s=q.offer_s, wrap_up_s=q.wrap_up_s, max_wait_s=q.max_wait_s
            )
        agents = {agent.id: agent for agent in settings.agents}
        teams = {team.name: team for team in config.teams}
        phones = {phone.name for phone in settings.pbx.phones}
        for a in config.agents:
            mine = a.queues if a.queues is not None else teams[a.team].queues
            phone = a.phone if a.phone in phones else None
            if a.phone is not None and phone is None:
                log.warning("organisation.unknown_phone", agent=a.id, phone=a.phone)
            if not mine:
                log.warning("organisation.agent_without_queues", agent=a.id)
            else:
                agents[a.id] = Agent(id=a.id, name=a.name, phone=phone, queues=mine)
        return settings.model_copy(update={"queues": list(queues.values()), "agents": list(agents.values())})

    # --- following it --------------------

    def take_up(self, desk: Desk) -> None:
        """Into the router, and to the agents who are signed in. Who is no longer in it is signed out: at once, or after
        the talk."""
        kept = desk.renew(self._rules.values(), self.config.criticality)
        if kept:
            log.info("organisation.queues_kept", queues=kept, why="somebody waits there")
        desk.profile = self.config.profile
        known = {AgentId(agent.id): frozenset(agent.queues) for agent in self.agents}
        for agent, view in list(desk.router.agents.items()):
            if view.state is AgentState.SIGNED_OUT:
                continue
            if agent in known:
                desk.sign_in(agent, known[agent])
            else:
                desk.tell(AgentAsked(at=desk.now(), agent=agent, state=AgentState.SIGNED_OUT, reason="removed"))
        for follow in self.followers:
            follow()

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
        built = self._read(in_force)
        if built is None:
            return
        self.refused = None
        self._adopt(built)
        self.take_up(desk)
        log.info("organisation.taken", queues=len(self.config.queues), agents=len(self.config.agents))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self.folder / FILE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size
