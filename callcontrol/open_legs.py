"""The open legs of all agents: the switch's events to the machine of each, and its effects carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from callcontrol import open_leg as m
from callcontrol.model import AgentId, PhoneKind
from callcontrol.ports import AgentDirectory
from foundation.errors import RimayError
from foundation.logs import get_logger
from foundation.metrics import Metrics
from pbx import events as pbx
from pbx.switch import Switch
from pbx.terms import ChannelId, ChannelSnapshot, HangupCause

log = get_logger(__name__)


class OpenLegs:
    """`on_down` and `on_up` are told at once and must only post. `spawn` runs commands beside the events, as a task of
    the daemon's."""

    def __init__(
        self,
        switch: Switch,
        agents: AgentDirectory,
        metrics: Metrics,
        *,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        on_up: Callable[[AgentId, str], None],
        on_down: Callable[[AgentId, str, HangupCause], None],
    ) -> None:
        self._switch = switch
        self._agents = agents
        self._spawn = spawn
        self._on_up = on_up
        self._on_down = on_down
        self._legs: dict[AgentId, m.OpenLeg] = {}
        self._owner: dict[str, AgentId] = {}  # also of those that were dropped, until their hang-up is told
        self._settling: dict[AgentId, list[asyncio.Future[None]]] = {}
        self._count = metrics.gauge("phones_open_legs", "Agents whose open audio leg is up")

    def owner(self, channel: str) -> AgentId | None:
        return self._owner.get(channel)

    def state(self, agent: AgentId) -> m.LegState:
        return self._legs.get(agent, m.OpenLeg()).state

    def of(self, agent: AgentId) -> str | None:
        """The channel of the agent's leg, where it is up."""
        leg = self._legs.get(agent)
        return leg.channel if leg is not None and leg.state is m.LegState.UP else None

    def settled(self, agent: AgentId) -> asyncio.Future[None]:
        """Done as soon as no leg of the agent is being answered; at once where none is. Who waits may give it up."""
        future = asyncio.get_running_loop().create_future()
        if self.state(agent) is m.LegState.ANSWERING:
            self._settling.setdefault(agent, []).append(future)
        else:
            future.set_result(None)
        return future

    def up(self) -> list[tuple[AgentId, str]]:
        return [(agent, leg.channel) for agent, leg in self._legs.items() if leg.state is m.LegState.UP]

    def offers_go_there(self, agent: AgentId) -> bool:
        """Whether an offer is shown on the agent's page, and no phone rings."""
        return self._agents.phone_kind(agent) is PhoneKind.WEB

    # --- told by the switch, and by who sees that a page is gone --------------------

    def arrived(self, event: pbx.ChannelArrived) -> bool:
        """False: it is nobody's open leg, and to be refused."""
        agent = None if event.endpoint is None else self._agents.agent_of(event.endpoint)
        if agent is None:
            return False
        self._owner[event.channel] = agent
        self._step(agent, m.Arrived(event.channel))
        return True

    def told(self, event: pbx.ChannelEvent) -> None:
        agent = self._owner.get(event.channel)
        if agent is None:
            return
        if isinstance(event, pbx.ChannelAnswered):
            self._step(agent, m.Answered(event.channel))
        elif isinstance(event, pbx.ChannelHungUp):
            self._owner.pop(event.channel)
            self._step(agent, m.Gone(event.channel, event.cause))

    def silent(self, agent: AgentId) -> None:
        self._step(agent, m.Silent())

    def switch_died(self) -> None:
        for channel, agent in list(self._owner.items()):
            self._owner.pop(channel)
            self._step(agent, m.Gone(channel, HangupCause.SWITCH_LOST))

    def hold_against(self, truth: Mapping[ChannelId, ChannelSnapshot]) -> None:
        """What the switch has, whatever was told. Before the calls are: they ask for these legs."""
        for channel, agent in list(self._owner.items()):
            if channel not in truth:
                self._owner.pop(channel)
                self._step(agent, m.Gone(channel, HangupCause.OTHER))
        found = (s for s in truth.values() if s.variables.get(m.VARIABLE) and s.channel not in self._owner)
        for snapshot in sorted(found, key=lambda s: -s.created_at):  # the newest is the one that a page holds
            agent = AgentId(snapshot.variables[m.VARIABLE])
            self._owner[snapshot.channel] = agent
            if snapshot.answered:
                self._step(agent, m.Found(snapshot.channel))
            else:
                self._step(agent, m.Arrived(snapshot.channel))

    def _step(self, agent: AgentId, told: m.LegInput) -> None:
        self._legs[agent], effects = m.step(self._legs.get(agent, m.OpenLeg()), told)
        for effect in effects:
            match effect:
                case m.Answer():
                    self._spawn(self._answer(agent, ChannelId(effect.channel)), f"open leg of {agent}")
                case m.Drop():
                    self._spawn(self._drop(ChannelId(effect.channel)), f"drop a leg of {agent}")
                case m.Up():
                    self._agents.choose_phone(agent, PhoneKind.WEB)
                    self._on_up(agent, effect.channel)
                case m.Down():
                    self._on_down(agent, effect.channel, effect.cause)
        self._count.set(sum(leg.state is m.LegState.UP for leg in self._legs.values()))
        if self.state(agent) is not m.LegState.ANSWERING:
            for future in self._settling.pop(agent, ()):
                if not future.done():
                    future.set_result(None)

    # --- the switch --------------------

    async def _answer(self, agent: AgentId, channel: ChannelId) -> None:
        try:
            # First whose it is: a daemon that dies in between leaves no leg without an owner.
            await self._switch.set_variable(channel, m.VARIABLE, agent)
            await self._switch.answer(channel)
        except RimayError as error:
            log.warning("open_leg.not_answered", agent=agent, code=error.code)
            await self._drop(channel)

    async def _drop(self, channel: ChannelId) -> None:
        try:
            await self._switch.hangup(channel)
        except RimayError as error:
            log.info("open_leg.not_dropped", code=error.code)
