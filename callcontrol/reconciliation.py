"""What to do when the switch went away and is back.

Reconciliation comes before any new work: after a start, and after every reconnect, the calls that we believe in are
held against the channels that the switch really has, and each is told the truth about itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from callcontrol import inputs as inp
from callcontrol.doubts import AGAIN_S
from callcontrol.model import AgentId, InteractionId
from callcontrol.open_leg import NUMBER as OPEN_LEG
from callcontrol.open_legs import OpenLegs
from callcontrol.record import last_moment
from callcontrol.routing import terms as routing
from callcontrol.session import CallSession
from callcontrol.surroundings import Surroundings
from callcontrol.truth import LEG, legs_of, truth_of
from foundation.logs import get_logger
from pbx import events as pbx
from pbx.terms import ChannelId, ChannelSnapshot, SwitchUnreachable

log = get_logger(__name__)


class Reconciliation:
    """Of one daemon, with whose hands it works: `begin` takes a call up, `arrived` one that rang while we were away,
    `drop` ends a leg that nobody owns, `missing` tells the call in which that agent's open leg is missed."""

    def __init__(
        self,
        around: Surroundings,
        sessions: Mapping[InteractionId, CallSession],
        open_legs: OpenLegs,
        *,
        begin: Callable[[CallSession], CallSession],
        arrived: Callable[[pbx.ChannelArrived], None],
        owner: Callable[[str], CallSession | None],
        missing: Callable[[AgentId, str], None],
        drop: Callable[[str], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        self._around = around
        self._sessions = sessions
        self._open_legs = open_legs
        self._begin = begin
        self._arrived = arrived
        self._owner = owner
        self._missing = missing
        self._drop = drop
        self._spawn = spawn
        self._reconciled = False
        self._down_since: float | None = None
        self._up: pbx.SwitchUp | None = None  # the one that holds now
        self.ready = asyncio.Event()  # reconciled: new calls are taken

    @property
    def up(self) -> bool:
        return self._up is not None

    def end(self) -> None:
        """The daemon is: nothing is asked again."""
        self._up = None

    def switch_down(self, event: pbx.SwitchDown) -> None:
        self._up = None
        if self._down_since is None:  # else it was never reconciled since
            self._down_since = event.at
        self.ready.clear()
        self._around.herald.alert(event.at, "switch_down", event.reason)

    async def switch_up(self, event: pbx.SwitchUp) -> None:
        died = self._reconciled and not event.same_life
        if died:
            self._around.herald.alert(event.at, "switch_restarted", "the switch was started anew; its calls are lost")
            for session in self._sessions.values():
                session.tell(inp.SwitchDied())
            self._open_legs.switch_died()
            event = replace(event, same_life=True)  # those who call from now on are not lost
        self._up = event
        known = {session: legs_of(session.carried_out) for session in self._sessions.values()}
        try:
            truth = {c.channel: c for c in await self._around.switch.channels()}
        except SwitchUnreachable as error:
            # Lost again, or too busy to answer: nothing is concluded, and it is asked again.
            log.warning("daemon.not_reconciled", problem=error.message)
            self._around.clock.call_later(AGAIN_S, lambda: self._again(event))
            return
        if not self._reconciled:
            await self._take_up(truth, event.at)
            self._open_legs.hold_against(truth)
            self._reconciled = True
        elif not died:
            self._open_legs.hold_against(truth)
            gap = max(0.0, event.at - (self._down_since or event.at))
            for session, legs in known.items():
                session.tell(truth_of(session, truth, gap, legs, restarted=False))
        for agent, channel in self._open_legs.up():
            self._missing(agent, channel)
        await self._strays(truth, event.at)
        self._down_since = None
        self.ready.set()
        log.info("daemon.switch_up", version=event.version, same_life=not died, calls=len(self._sessions))

    def _again(self, event: pbx.SwitchUp) -> None:
        if self._up is event:
            self._spawn(self.switch_up(event), "reconcile again")

    async def _take_up(self, truth: dict[ChannelId, ChannelSnapshot], at: float) -> None:
        """The calls that an earlier daemon left open."""
        sessions: list[CallSession] = []
        for record, state in await self._around.journal.open_calls():
            if state.id not in self._sessions:  # else it came since
                sessions.append(self._begin(CallSession(self._around, state, record)))
        for session in sessions:
            restore_work(session, self._around)
        for session in sessions:
            assert session.record is not None  # noqa: S101 - read above
            gap = max(0.0, at - last_moment(session.record))
            session.tell(truth_of(session, truth, gap, legs_of(session.state), restarted=True))

    async def _strays(self, truth: dict[ChannelId, ChannelSnapshot], at: float) -> None:
        """Channels that no call of ours owns: callers who came while we were away, and legs left over. On a switch that
        the operator runs there may be others' calls too."""
        for channel, snapshot in truth.items():
            if self._owner(channel) is not None or self._open_legs.owner(channel) is not None:
                continue
            if not (snapshot.inbound or LEG in channel):
                continue
            if snapshot.local_number == OPEN_LEG:
                await self._drop(channel)  # nobody knows whose it is any more; its page calls again
                continue
            if snapshot.inbound and not snapshot.answered:
                self._arrived(
                    pbx.ChannelArrived(
                        at=at,
                        channel=channel,
                        trunk=snapshot.trunk,
                        endpoint=None,
                        from_number=snapshot.remote_number,
                        from_name="",
                        to_number=snapshot.local_number,
                    )
                )
                continue
            log.warning("daemon.stray_channel", inbound=snapshot.inbound)
            await self._drop(channel)


def restore_work(session: CallSession, around: Surroundings) -> None:
    """Tell a new router who works for this call. Before it is told of anybody who waits: else it would offer them
    to who talks."""
    state, desk, now = session.state, around.desk, around.clock.now()
    held: dict[AgentId, float | None] = {**state.wrapping, **dict.fromkeys(state.others)}
    if state.working is not None:
        held[state.working] = None
    for agent, until in held.items():
        item = InteractionId(state.items.get(agent, state.id))
        desk.tell(
            routing.WorkRestored(
                at=now,
                item=item,
                agent=agent,
                queue=state.queue or "",
                wrap_up_until=until,
            )
        )
        if state.disposed:
            desk.tell(routing.Disposed(at=now, agent=agent, item=item))
        view = desk.router.agents.get(agent)
        if view is None or item not in view.works:
            # Signed out, or no longer in the settings: nobody else would end this work.
            session.tell(routing.WrapUpOver(item=item, agent=agent, how="daemon_lost", disposition=None))
