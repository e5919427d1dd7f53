"""The daemon: the switch's events to the calls' mailboxes, and the calls' tasks. What it does when the switch went away
is in `reconciliation.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from callcontrol import inputs as inp
from callcontrol.bot_dialogue import Bots
from callcontrol.call_consult import ITEM
from callcontrol.call_state import GRACE_S, CallState, Flows, open_channels
from callcontrol.callbacks import CallbackOrder, CallbackPolicy, due
from callcontrol.desk import Desk, ItemDecision
from callcontrol.doubts import Doubts
from callcontrol.journal import Journal
from callcontrol.listening import Ears
from callcontrol.model import AgentId, AgentState, InteractionId, Phase
from callcontrol.open_leg import NUMBER as OPEN_LEG
from callcontrol.open_legs import OpenLegs
from callcontrol.phone_presence import PhonePresence
from callcontrol.ports import (
    Acquaintances,
    AgentDirectory,
    CustomerSystems,
    Herald,
    NoSystems,
    RecordingPlace,
    Strangers,
)
from callcontrol.reconciliation import Reconciliation
from callcontrol.routing import terms as routing
from callcontrol.session import CallSession
from callcontrol.surroundings import Surroundings
from callcontrol.truth import LEG
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.ids import new_id
from foundation.logs import get_logger
from foundation.metrics import Metrics
from pbx import events as pbx
from pbx.switch import Switch
from pbx.terms import ChannelId, HangupCause, SwitchUnreachable

log = get_logger(__name__)


# Somebody is free and somebody waits: this goes before all else. The end of an offer, too, so that nobody sees an agent
# with two.
_LEAVE_FIRST = (routing.MakeOffer, routing.OfferOver)
_OF_CONSULTS = (routing.MakeOffer, routing.OfferOver, routing.Assign, routing.GiveUp)


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
        max_calls: Mapping[str, int] | None = None,
        make_id: Callable[[], str] = new_id,
        systems: CustomerSystems | None = None,
        acquaintances: Acquaintances | None = None,
        ears: Ears | None = None,
        bots: Bots | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.alert_takers: list[Callable[[routing.Alert], bool]] = []  # who keeps one as long as it lasts says so
        self.desk = Desk(
            rules, clock, metrics, to_call=self._to_call, to_agent=self._to_agent, to_supervisors=self._to_supervisors
        )
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
            acquaintances=acquaintances or Strangers(),
            place_callback=self.place_callback,
            ears=ears,
            bots=bots,
            doubt=lambda call: self._doubts.doubt(call),
            uses=self._uses,
        )
        self.open_legs = OpenLegs(
            switch, agents, metrics, spawn=self._spawn, on_up=self._leg_up, on_down=self._leg_down
        )
        self._grace_s = grace_s
        self._phones = PhonePresence(self.desk, self._ask, grace_s)
        self._make_id = make_id
        self._max_calls = dict(max_calls or {})  # of each trunk
        self._full: set[str] = set()  # trunks that were told to be full, and are
        self._sessions: dict[InteractionId, CallSession] = {}
        self._by_channel: dict[str, InteractionId] = {}
        self._users: dict[str, InteractionId] = {}  # of agents' open legs: the call that each is in
        self._tasks: dict[InteractionId, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.callback_policy = CallbackPolicy()
        self._accepting = True
        self._reconciliation = Reconciliation(
            self._around,
            self._sessions,
            self.open_legs,
            begin=self._begin,
            arrived=self._arrived,
            owner=self._owner,
            missing=self._tell_missing,
            drop=self._drop,
            spawn=self._spawn,
        )
        self._doubts = Doubts(switch, clock, self._sessions, spawn=self._spawn, reachable=self._reachable)
        self._calls = metrics.gauge("calls_active_calls", "Interactions that are not closed")
        self._started = metrics.counter("calls_started_total", "Interactions begun", ("direction",))
        self._refused = metrics.counter("calls_refused_total", "Arrivals over a trunk that was full", ("trunk",))
        self._closed = metrics.counter("calls_closed_total", "Interactions closed", ("exit_reason",))

    # --- life --------------------

    async def run(self) -> None:
        """Until cancelled. A session that breaks is an error of ours: it stops the daemon loudly."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._restore_agents()
                self._doubts.begin()
                async for event in self._around.switch.events():
                    await self._on_event(event)
        finally:
            self.desk.close()
            self._doubts.end()
            self._reconciliation.end()
            self._group = None

    def stop_accepting(self) -> None:
        """New calls are refused from now on (503: the trunk tries elsewhere)."""
        self._accepting = False

    async def drained(self) -> None:
        """Until no call is left, but for callbacks that wait: the next daemon takes them up."""
        while busy := [self._tasks[call] for call, session in self._sessions.items() if not session.is_promise]:
            await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)

    @property
    def ready(self) -> asyncio.Event:
        """Reconciled: new calls are taken."""
        return self._reconciliation.ready

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

    def _to_supervisors(self, alert: routing.Alert) -> None:
        if any(take(alert) for take in self.alert_takers):
            return  # it stands among the board's alerts until it is over
        message = f"queue {alert.queue}: {alert.detail}" if alert.detail else f"queue {alert.queue}"
        self._around.herald.alert(self._around.clock.now(), alert.kind, message, alert.item)

    def _to_call(self, call: InteractionId, decision: ItemDecision) -> None:
        item, call = call, InteractionId(call.partition(ITEM)[0])
        session = self._sessions.get(call)
        if session is None:
            return
        told: inp.CallInput = decision
        if item != call and isinstance(decision, _OF_CONSULTS):
            leg, on_page = None, False
            if isinstance(decision, routing.MakeOffer):
                leg, on_page = self.open_legs.of(decision.agent), self.open_legs.offers_go_there(decision.agent)
            told = inp.ConsultDecision(decision, leg, on_page)
        elif isinstance(decision, routing.MakeOffer) and self.open_legs.offers_go_there(decision.agent):
            told = inp.OfferMade(decision, self.open_legs.of(decision.agent))
        if isinstance(decision, _LEAVE_FIRST):
            session.tell_at_once(told)
        else:
            session.tell(told)

    # --- the switch's events --------------------

    async def _on_event(self, event: pbx.SwitchEvent) -> None:
        match event:
            case pbx.SwitchUp():
                await self._reconciliation.switch_up(event)
            case pbx.SwitchDown():
                self._reconciliation.switch_down(event)
            case pbx.ChannelArrived() if event.to_number == OPEN_LEG and event.trunk is None:
                if not self.open_legs.arrived(event):
                    self._spawn(self._refuse(event.channel, HangupCause.REJECTED), f"refuse {event.channel}")
            case pbx.ChannelArrived():
                self._arrived(event)
            case pbx.ChannelAnswered() | pbx.ChannelHungUp() if self.open_legs.owner(event.channel) is not None:
                self.open_legs.told(event)
            case pbx.TrunkChanged():
                self._around.herald.trunk(event)
            case pbx.EndpointChanged():
                self._endpoint(event)
            case pbx.ChannelEvent():
                session = self._owner(event.channel)
                if session is not None:
                    session.tell(event)
                elif isinstance(event, pbx.ChannelAnswered) and LEG in event.channel:
                    # Of a call that is closed: who answers it would hear nothing.
                    self._spawn(self._drop(event.channel), f"drop {event.channel}")
            case _:
                log.warning("daemon.unknown_event", kind=type(event).__name__)

    def _owner(self, channel: str) -> CallSession | None:
        call = self._by_channel.get(channel) or self._users.get(channel)
        if call is None and LEG in channel:
            call = InteractionId(channel.rsplit(LEG, 1)[0])
        return None if call is None else self._sessions.get(call)

    def _arrived(self, event: pbx.ChannelArrived) -> None:
        if event.channel in self._by_channel:
            return
        if not self._accepting or self._is_full(event.trunk):
            self._spawn(self._refuse(event.channel), f"refuse {event.channel}")
            return
        state = self._new_state()
        session = self._begin(CallSession(self._around, state, channel=event.channel, trunk=event.trunk))
        self._started.labels("inbound" if event.trunk else "internal").inc()
        session.tell(event)

    def _new_state(self) -> CallState:
        return CallState(id=InteractionId(self._make_id()), grace_s=self._grace_s)

    async def call_out(self, order: inp.PlaceCall) -> InteractionId:
        """A call of our own. Raises what the switch, or the rules of calls out, refuse it with."""
        if not self.ready.is_set() or not self._accepting:
            raise SwitchUnreachable("not reconciled with the switch, or stopping")
        state = self._new_state()
        session = self._begin(CallSession(self._around, state, channel=f"{state.id}{LEG}1"))
        self._started.labels("outbound").inc()
        await session.ask(order)
        return state.id

    def place_callback(self, order: CallbackOrder) -> InteractionId:
        """Kept from now on, over restarts of ours and of the switch; the interaction in which the call is made. Asked
        again by a call that does not know whether it was heard, it is the same one."""
        for known in self._sessions.values():
            if known.keeps(order):
                return known.state.id
        now = self._around.clock.now()
        state = self._new_state()
        session = self._begin(CallSession(self._around, state))
        self._started.labels("callback").inc()
        rules = self.desk.router.queues.get(order.queue)
        session.tell(inp.CallbackAsked(order, self.callback_policy, due(order, rules, now)))
        return state.id

    def _is_full(self, trunk: str | None) -> bool:
        """Whether all lines of the trunk are taken. What it refuses the gateway may send over another."""
        most = None if trunk is None else self._max_calls.get(trunk)
        if trunk is None or most is None:
            return False
        live = self.calls_on(trunk)
        if live < most:
            self._full.discard(trunk)
            return False
        self._refused.labels(trunk).inc()
        if trunk not in self._full:
            self._full.add(trunk)
            self._around.herald.alert(self._around.clock.now(), "trunk_full", f"trunk {trunk} carries {live} calls")
        return True

    def calls_on(self, trunk: str) -> int:
        """Citizens on that trunk's lines now."""
        return sum(s.trunk == trunk and s.state.phase is not Phase.ENDING for s in self._sessions.values())

    def _begin(self, session: CallSession) -> CallSession:
        call = session.state.id
        self._sessions[call] = session
        if session.channel:
            self._by_channel[session.channel] = call
        self._uses(call, (), open_channels(session.state))
        self._calls.set(len(self._sessions))
        self._tasks[call] = self._spawn(self._live(session), f"call {call}")
        return session

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        assert self._group is not None  # noqa: S101 - events come only while `run` runs
        return self._group.create_task(work, name=name)

    async def _live(self, session: CallSession) -> None:
        call = session.state.id
        try:
            await session.run()
        except Exception:
            # A fault of ours in one call must not take the others with it. Its legs are ended, its record says so.
            log.exception("call.broken", call=call)
            self._around.herald.alert(self._around.clock.now(), "call_broken", "a call ended by a fault of Rimay", call)
            try:
                await self._bury(session)
            except Exception:
                log.exception("call.not_buried", call=call)
        finally:
            self._sessions.pop(call, None)
            self._tasks.pop(call, None)
            self._by_channel.pop(session.channel, None)
            self._uses(call, open_channels(session.state), ())
            self._calls.set(len(self._sessions))
            record = session.record
            if record is not None and record.exit_reason is not None:
                self._closed.labels(record.exit_reason.value).inc()

    async def _bury(self, session: CallSession) -> None:
        state, now = session.state, self._around.clock.now()
        self.desk.tell(routing.ItemWithdrawn(at=now, item=state.id))
        for agent in {state.working, state.agent} - {None}:
            if agent is not None:  # or they would be held for this call for ever
                self.desk.tell(routing.WorkEnded(at=now, item=state.id, agent=agent))
        onward = None if state.onward is None else state.onward.channel
        for channel in (session.channel, state.agent_channel, state.far, onward, *state.leaving):
            if channel:
                await self._drop(channel)
        session.write_off()

    async def _drop(self, channel: str) -> None:
        try:
            await self._around.switch.hangup(ChannelId(channel), HangupCause.CONGESTION)
        except RimayError as error:
            log.info("daemon.not_hung_up", code=error.code)

    async def _refuse(self, channel: ChannelId, cause: HangupCause = HangupCause.CONGESTION) -> None:
        try:
            await self._around.switch.reject(channel, cause)
        except RimayError as error:
            log.info("daemon.not_refused", code=error.code)

    def _endpoint(self, event: pbx.EndpointChanged) -> None:
        self._around.herald.endpoint(event)
        agent = self._around.agents.agent_of(event.status.endpoint)
        if agent is None or event.status.online:
            return
        # An open leg that is up is the phone, whatever becomes of a registration.
        if not self.open_legs.offers_go_there(agent) or self.open_legs.of(agent) is None:
            self._phones.gone(agent)

    def _reachable(self) -> bool:
        return self._reconciliation.up and self._group is not None

    # --- open legs --------------------

    def phone_silent(self, endpoint: str) -> None:
        """The page behind that endpoint is gone (its socket broke): sooner told than by the switch, which waits for
        audio half a minute."""
        agent = self._around.agents.agent_of(endpoint)
        if agent is not None:
            self.open_legs.silent(agent)

    def _uses(self, call: InteractionId, before: Sequence[str], now: Sequence[str]) -> None:
        for channel in before:
            if channel not in now and self._users.get(channel) == call:
                del self._users[channel]
        for channel in now:
            self._users[channel] = call

    def _tell_missing(self, agent: AgentId, channel: str) -> None:
        for session in self._sessions.values():
            if session.state.agent == agent:
                session.tell(inp.LegBack(agent, channel))

    def _leg_up(self, agent: AgentId, channel: str) -> None:
        self._tell_missing(agent, channel)
        self._around.herald.phone(self._around.clock.now(), agent, up=True)
        self._phones.back(agent)

    def _leg_down(self, agent: AgentId, channel: str, cause: HangupCause) -> None:
        call = self._users.get(channel)
        session = None if call is None else self._sessions.get(call)
        if session is not None:
            session.tell(inp.LegLost(channel, cause))
        self._around.herald.phone(self._around.clock.now(), agent, up=False)
        if self.open_legs.offers_go_there(agent):
            self._phones.gone(agent)
