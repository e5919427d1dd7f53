"""The daemon: the switch's events to the calls' mailboxes, the calls' tasks, and what to do when the switch went away.

Reconciliation comes before any new work: after a start, and after every reconnect, the calls that we believe in are
held against the channels that the switch really has, and each is told the truth about itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from callcontrol import inputs as inp
from callcontrol.call_state import CallState, Flows
from callcontrol.desk import Desk, ItemDecision
from callcontrol.journal import Journal
from callcontrol.model import AgentId, AgentState, InteractionId, Phase
from callcontrol.ports import AgentDirectory, CustomerSystems, Herald, NoSystems, RecordingPlace
from callcontrol.routing import terms as routing
from callcontrol.session import CallSession, Surroundings
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.ids import new_id
from foundation.logs import get_logger
from foundation.metrics import Metrics
from pbx import events as pbx
from pbx.switch import Switch
from pbx.terms import ChannelId, ChannelSnapshot, HangupCause

log = get_logger(__name__)

_LEG = "-leg"  # channel ids of our own legs are <interaction>-leg<n>: their owner is in their name


class Daemon:
    """`run` is its life. `new_id` is handed in so that tests can name their calls."""

    def __init__(
        self,
        *,
        switch: Switch,
        journal: Journal,
        flows: Flows,
        agents: AgentDirectory,
        herald: Herald,
        recordings: RecordingPlace,
        rules: list[routing.QueueRules],
        clock: Clock,
        metrics: Metrics,
        make_id: Callable[[], str] = new_id,
        systems: CustomerSystems | None = None,
    ) -> None:
        self.desk = Desk(rules, clock, metrics, to_call=self._to_call, to_agent=self._to_agent)
        self._around = Surroundings(
            switch=switch,
            desk=self.desk,
            journal=journal,
            flows=flows,
            agents=agents,
            herald=herald,
            recordings=recordings,
            clock=clock,
            metrics=metrics,
            systems=systems or NoSystems(),
        )
        self._make_id = make_id
        self._sessions: dict[InteractionId, CallSession] = {}
        self._by_channel: dict[str, InteractionId] = {}
        self._tasks: dict[InteractionId, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._accepting = True
        self._reconciled = False
        self._down_since: float | None = None
        self.ready = asyncio.Event()  # reconciled: new calls are taken
        self._idle = asyncio.Event()
        self._idle.set()
        self._calls = metrics.gauge("calls_active_calls", "Interactions that are not closed")
        self._started = metrics.counter("calls_started_total", "Interactions begun", ("direction",))
        self._closed = metrics.counter("calls_closed_total", "Interactions closed", ("exit_reason",))

    # --- life --------------------

    async def run(self) -> None:
        """Until cancelled. A session that breaks is an error of ours: it stops the daemon loudly."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._restore_agents()
                async for event in self._around.switch.events():
                    await self._on_event(event)
        finally:
            self.desk.close()
            self._group = None

    def stop_accepting(self) -> None:
        """New calls are refused from now on (503: the trunk tries elsewhere)."""
        self._accepting = False

    async def drained(self) -> None:
        """Until no call is left."""
        await self._idle.wait()

    @property
    def sessions(self) -> dict[InteractionId, CallSession]:
        return self._sessions

    # --- agents --------------------

    async def _restore_agents(self) -> None:
        known = await self._around.journal.agent_states()
        for agent, queues in self._around.agents.queues().items():
            state, reason = known.get(agent, (AgentState.SIGNED_OUT, ""))
            if state is AgentState.SIGNED_OUT:
                continue
            self.desk.sign_in(agent, queues)
            self._ask(agent, state, reason)

    def _ask(self, agent: AgentId, state: AgentState, reason: str) -> None:
        now = self._around.clock.now()
        self.desk.tell(routing.AgentAsked(at=now, agent=agent, state=state, reason=reason))

    def _to_agent(self, change: routing.AgentChanged) -> None:
        self._around.journal.append_agent(change)
        self._around.herald.agent(change)

    def _to_call(self, call: InteractionId, decision: ItemDecision) -> None:
        session = self._sessions.get(call)
        if session is not None:
            session.tell(decision)

    # --- the switch's events --------------------

    async def _on_event(self, event: pbx.SwitchEvent) -> None:
        match event:
            case pbx.SwitchUp():
                await self._switch_up(event)
            case pbx.SwitchDown():
                self._down_since = event.at
                self._around.herald.alert(event.at, "switch_down", event.reason)
            case pbx.ChannelArrived():
                self._arrived(event)
            case pbx.TrunkChanged():
                self._around.herald.trunk(event)
            case pbx.EndpointChanged():
                self._endpoint(event)
            case pbx.ChannelEvent():
                session = self._owner(event.channel)
                if session is not None:
                    session.tell(event)
            case _:
                log.warning("daemon.unknown_event", kind=type(event).__name__)

    def _owner(self, channel: str) -> CallSession | None:
        call = self._by_channel.get(channel)
        if call is None and _LEG in channel:
            call = InteractionId(channel.rsplit(_LEG, 1)[0])
        return None if call is None else self._sessions.get(call)

    def _arrived(self, event: pbx.ChannelArrived) -> None:
        if event.channel in self._by_channel:
            return
        if not self._accepting:
            self._spawn(self._refuse(event.channel), f"refuse {event.channel}")
            return
        state = CallState(id=InteractionId(self._make_id()))
        session = self._begin(state, event.channel)
        self._started.labels("inbound" if event.trunk else "internal").inc()
        session.tell(event)

    def _begin(self, state: CallState, channel: str, session: CallSession | None = None) -> CallSession:
        session = session or CallSession(self._around, state)
        self._sessions[state.id] = session
        self._by_channel[channel] = state.id
        self._calls.set(len(self._sessions))
        self._idle.clear()
        self._tasks[state.id] = self._spawn(self._live(session, channel), f"call {state.id}")
        return session

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        assert self._group is not None  # noqa: S101 - events come only while `run` runs
        return self._group.create_task(work, name=name)

    async def _live(self, session: CallSession, channel: str) -> None:
        call = session.state.id
        try:
            await session.run()
        except Exception:
            # A fault of ours in one call must not take the others with it. Its legs are ended, its record says so.
            log.exception("call.broken", call=call)
            self._around.herald.alert(self._around.clock.now(), "call_broken", "a call ended by a fault of Rimay", call)
            await self._bury(session)
        finally:
            self._sessions.pop(call, None)
            self._tasks.pop(call, None)
            self._by_channel.pop(channel, None)
            self._calls.set(len(self._sessions))
            if not self._sessions:
                self._idle.set()
            record = session.record
            if record is not None and record.exit_reason is not None:
                self._closed.labels(record.exit_reason.value).inc()

    async def _bury(self, session: CallSession) -> None:
        session.write_off()
        self.desk.tell(routing.ItemWithdrawn(at=self._around.clock.now(), item=session.state.id))
        for channel in (session.state.channel, session.state.agent_channel, *session.state.leaving):
            try:
                if channel:
                    await self._around.switch.hangup(ChannelId(channel), HangupCause.CONGESTION)
            except RimayError as error:
                log.info("daemon.not_hung_up", code=error.code)

    async def _refuse(self, channel: ChannelId) -> None:
        try:
            await self._around.switch.reject(channel, HangupCause.CONGESTION)
        except RimayError as error:
            log.info("daemon.not_refused", code=error.code)

    def _endpoint(self, event: pbx.EndpointChanged) -> None:
        self._around.herald.endpoint(event)
        agent = self._around.agents.agent_of(event.status.endpoint)
        view = None if agent is None else self.desk.router.agents.get(agent)
        if view is not None and agent is not None and not event.status.online and view.state is AgentState.READY:
            # Offering a call to a phone that is gone would only cost the caller time.
            self._ask(agent, AgentState.NOT_READY, "phone_offline")

    # --- reconciliation --------------------

    async def _switch_up(self, event: pbx.SwitchUp) -> None:
        if not self._reconciled:
            await self._take_up(event.at)
            self._reconciled = True
            self.ready.set()
        elif event.same_life:
            gap = max(0.0, event.at - (self._down_since or event.at))
            truth = {c.channel: c for c in await self._around.switch.channels()}
            for session in list(self._sessions.values()):
                session.tell(_truth_of(session.state, truth, gap, restarted=False))
            await self._strays(truth, event.at)
        else:
            self._around.herald.alert(event.at, "switch_restarted", "the switch was started anew; its calls are lost")
            for session in list(self._sessions.values()):
                session.tell(inp.SwitchDied())
        self._down_since = None
        log.info("daemon.switch_up", version=event.version, same_life=event.same_life, calls=len(self._sessions))

    async def _take_up(self, at: float) -> None:
        """The calls that an earlier daemon left open."""
        truth = {c.channel: c for c in await self._around.switch.channels()}
        for record, state in await self._around.journal.open_calls():
            session = CallSession(self._around, state, record)
            self._begin(state, state.channel, session)
            last = max((s.ended_at or s.started_at for s in record.segments), default=record.created_at)
            session.tell(_truth_of(state, truth, max(0.0, at - last), restarted=True))
        await self._strays(truth, at)

    async def _strays(self, truth: dict[ChannelId, ChannelSnapshot], at: float) -> None:
        """Channels that no call of ours owns: callers who came while we were away, and legs left over."""
        for channel, snapshot in truth.items():
            if self._owner(channel) is not None:
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
            try:
                await self._around.switch.hangup(channel, HangupCause.CONGESTION)
            except RimayError as error:
                log.info("daemon.stray_not_hung_up", code=error.code)


def _truth_of(
    state: CallState, truth: dict[ChannelId, ChannelSnapshot], gap_s: float, *, restarted: bool
) -> inp.Reattach:
    customer = truth.get(ChannelId(state.channel))
    agent = truth.get(ChannelId(state.agent_channel)) if state.agent_channel else None
    return inp.Reattach(
        gap_s=gap_s,
        restarted=restarted,
        customer_up=customer is not None and state.phase is not Phase.ENDING,
        agent_up=agent is not None,
        onward_up=state.onward is not None and state.onward.channel in truth,
        agent_answered=agent is not None and agent.answered,
        bridged=customer is not None and agent is not None and customer.bridged_to == agent.channel,
    )
