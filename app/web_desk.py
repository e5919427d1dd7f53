"""The desk's ports (`softphone_web.ports_desk`) onto the daemon: what an agent has in hand, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.organisation import Organisation
from callcontrol.call_state import CallState
from callcontrol.daemon import Daemon
from callcontrol.desk_legs import legs_on_desk
from callcontrol.directory import ConfiguredAgents
from callcontrol.inputs import CallInput
from callcontrol.model import AgentId, AgentState, Interaction, InteractionId, OfferId, Phase
from callcontrol.orders import Orders
from callcontrol.session import CallSession
from foundation.clock import Clock
from foundation.errors import NotFound
from softphone_web import ports_desk as p

_IN_HAND = frozenset({Phase.CONNECTING, Phase.TALKING, Phase.TRANSFER})


class DaemonDesks:
    """`title`: of a queue, by its name."""

    def __init__(
        self,
        daemon: Daemon,
        directory: ConfiguredAgents,
        organisation: p.Organisation,
        clock: Clock,
        title: Callable[[str], str],
    ) -> None:
        self._daemon = daemon
        self._directory = directory
        self._organisation = organisation
        self._clock = clock
        self._title = title
        self._orders = Orders(daemon, clock)

    async def view(self, agent: AgentId) -> p.DeskView:
        return self.now(agent)

    def now(self, agent: AgentId) -> p.DeskView:
        sessions = [s for s in self._daemon.sessions.values() if s.record is not None and _concerns(s.state, agent)]
        offers = [self._offer(s, s.record) for s in sessions if s.record is not None and s.state.offer]
        items = [
            _item(s.state, s.record, self._title, self._name)
            for s in sessions
            if s.record is not None and s.state.agent == agent and s.state.phase in _IN_HAND
        ]
        return p.DeskView(
            agent=self._agent(agent),
            phone=self._phone(agent),
            offers=[offer for offer in offers if offer is not None],
            items=items,
            wrap_ups=[self._wrap_up(s, s.record, agent) for s in sessions if s.record and agent in s.state.wrapping],
            measured_at=self._clock.now(),
        )

    def _name(self, agent: AgentId) -> str:
        known = self._directory.get(agent)
        return agent if known is None else known.name

    def _agent(self, agent: AgentId) -> p.DeskAgent:
        now = self._daemon.desk.router.agents.get(agent)
        known = self._directory.get(agent)
        if now is None:
            state, since, reason, wanted = AgentState.SIGNED_OUT, self._clock.now(), "", None
        else:
            state, since, reason, wanted = now.state, now.since, now.reason, now.wanted
        return p.DeskAgent(
            id=agent,
            name=self._name(agent),
            state=state,
            since=since,
            reason=reason,
            wanted=None if wanted is None else wanted[0],
            wanted_reason="" if wanted is None else wanted[1],
            queues=() if known is None else tuple(known.queues),
        )

    def _phone(self, agent: AgentId) -> p.PhoneView:
        return p.PhoneView(
            kind=self._directory.phone_kind(agent),
            leg_up=self._daemon.open_legs.of(agent) is not None,
            endpoint=self._directory.phone(agent),
            online=None,
        )

    def _offer(self, session: CallSession, record: Interaction) -> p.OfferView | None:
        state = session.state
        offer = None if state.offer is None else self._daemon.desk.offer(state.offer)
        if offer is None:  # it is over, and the call has not heard of it yet
            return None
        return p.OfferView(
            id=OfferId(offer.id),
            kind="offer",
            by=None,
            interaction=record.id,
            medium=record.medium,
            queue=state.queue or "",
            queue_title=self._title(state.queue or ""),
            reason=state.reason,
            priority=state.priority,
            from_address=record.from_address,
            from_name=record.from_name,
            waited_s=max(0.0, self._clock.now() - (state.waits_since or state.queued_at)),
            path=record.path,
            expires_at=offer.expires_at,
            auto_accept=offer.auto_accept,
        )

    def _wrap_up(self, session: CallSession, record: Interaction, agent: AgentId) -> p.WrapUpView:
        return p.WrapUpView(
            interaction=record.id,
            queue=record.queue or "",
            until=session.state.wrapping[agent],
            disposition=record.disposition,
            codes=self._organisation.codes(record.queue),
        )

    # --- answers and orders

    async def accept(self, agent: AgentId, offer: OfferId) -> None:
        self._orders.accept(agent, offer)

    async def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None:
        self._orders.reject(agent, offer, reason)

    async def handlers(self, interaction: InteractionId) -> frozenset[AgentId]:
        session = self._daemon.sessions.get(interaction)
        if session is None:
            raise NotFound("There is no such interaction.")
        state = session.state
        return frozenset({state.agent} - {None}) if state.phase in _IN_HAND else frozenset()  # type: ignore[arg-type]

    async def order(self, interaction: InteractionId, order: CallInput) -> None:
        await self._orders.order(interaction, order)


def _concerns(state: CallState, agent: AgentId) -> bool:
    return agent == state.agent or agent in state.wrapping


def _item(
    state: CallState, record: Interaction, title: Callable[[str], str], name: Callable[[AgentId], str]
) -> p.ItemView:
    running = next((r for r in reversed(record.recordings) if r.state in ("recording", "paused")), None)
    legs = [
        p.LegView(
            participant=leg.participant,
            role=leg.role,
            name=record.from_name if leg.agent is None else name(leg.agent),
            address=leg.address,
            state=leg.state,
            agent=leg.agent,
        )
        for leg in legs_on_desk(state, record)
    ]
    return p.ItemView(
        interaction=record.id,
        medium=record.medium,
        direction=record.direction,
        phase=state.phase.value,
        from_address=record.from_address,
        from_name=record.from_name,
        to_address=record.to_address,
        queue=record.queue or "",
        queue_title=title(record.queue or ""),
        reason=record.reason or "",
        connected_at=record.connected_at,
        held=state.held,
        recording="off" if running is None else "paused" if running.state == "paused" else "on",
        legs=legs,
        consult=None,
        supervised=None,
        mine=True,
    )


class OrganisationCodes:
    """Implements `ports_desk.Organisation`."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def codes(self, queue: str | None) -> p.Codes:
        found = self._organisation.codes(queue)
        return p.Codes(required=found.required, dispositions=found.dispositions, reasons=found.reasons)

    def not_ready_reasons(self) -> Mapping[str, str]:
        return {code: reason.title for code, reason in self._organisation.not_ready_reasons().items()}
