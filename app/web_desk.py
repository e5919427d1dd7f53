"""The desk's ports (`softphone_web.ports_desk`) onto the daemon: what an agent has in hand, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.organisation import Organisation
from app.undisposed import Owed, Undisposed
from callcontrol import inputs as inp
from callcontrol.call_consult import ITEM
from callcontrol.call_state import CallState
from callcontrol.daemon import Daemon
from callcontrol.desk import StandingOffer
from callcontrol.desk_legs import legs_on_desk
from callcontrol.directory import ConfiguredAgents
from callcontrol.inputs import CallInput
from callcontrol.model import AgentId, AgentState, Interaction, InteractionId, OfferId, Phase, Target
from callcontrol.orders import Orders
from callcontrol.routing import terms as routing
from callcontrol.session import CallSession
from foundation.clock import Clock
from foundation.errors import Conflict, Invalid, NotFound
from pbx.terms import Supervision
from softphone_web import ports_desk as p

_IN_HAND = frozenset({Phase.CONNECTING, Phase.TALKING, Phase.TRANSFER, Phase.CONSULT, Phase.CONFERENCE, Phase.DIALING})


class DaemonDesks:
    """`title`: of a queue, by its name."""

    def __init__(
        self,
        daemon: Daemon,
        directory: ConfiguredAgents,
        organisation: p.Organisation,
        clock: Clock,
        title: Callable[[str], str],
        undisposed: Undisposed,
    ) -> None:
        self._undisposed = undisposed
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
        offers = [self._offer(s, s.record) for s in sessions if s.record and s.state.offer and s.state.agent == agent]
        offers += [self._asked(s, s.record) for s in sessions if s.record and _is_asked(s.state, agent)]
        items = [
            _item(s.state, s.record, self._title, self._name, agent)
            for s in sessions
            if s.record is not None and _has_in_hand(s.state, agent)
        ]
        return p.DeskView(
            agent=self._agent(agent),
            phone=self._phone(agent),
            offers=[offer for offer in offers if offer is not None],
            items=items,
            wrap_ups=[
                *(
                    self._wrap_up(s.record, s.state.wrapping[agent])
                    for s in sessions
                    if s.record and agent in s.state.wrapping
                ),
                *(self._wrap_up(owed.record, None) for owed in self._undisposed.of(agent)),
            ],
            supervising=next(
                (
                    (call, s.state.watchers[agent].mode)
                    for call, s in self._daemon.sessions.items()
                    if agent in s.state.watchers
                ),
                None,
            ),
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
        return self._card(session, record, offer, "offer", None)

    def _card(
        self, session: CallSession, record: Interaction, offer: StandingOffer, kind: str, by: AgentId | None
    ) -> p.OfferView:
        state = session.state
        return p.OfferView(
            id=OfferId(offer.id),
            kind=kind,
            by=by,
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

    def _asked(self, session: CallSession, record: Interaction) -> p.OfferView | None:
        """A colleague asks: a card like an offer's."""
        consult = session.state.consult
        offer = None if consult is None or consult.offer is None else self._daemon.desk.offer(consult.offer)
        if offer is None:
            return None
        return self._card(session, record, offer, "consult", session.state.agent)

    def _wrap_up(self, record: Interaction, until: float | None) -> p.WrapUpView:
        """Without `until` its time is over, and how it ended is not said."""
        return p.WrapUpView(
            interaction=record.id,
            queue=record.queue or "",
            until=until,
            disposition=record.disposition,
            codes=self._organisation.codes(record.queue),
        )

    # --- answers and orders

    async def accept(self, agent: AgentId, offer: OfferId) -> None:
        await self._orders.leave_supervision(agent)
        await self._orders.leg_settled(agent)
        self._orders.accept(agent, offer)

    async def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None:
        self._orders.reject(agent, offer, reason)

    async def in_hand(self, interaction: InteractionId) -> p.InHand:
        owed = self._undisposed.find(interaction)
        owes = frozenset() if owed is None else frozenset({owed.agent})
        if owed is not None and interaction not in self._daemon.sessions:
            return p.InHand(wrapping=owes)
        state = self._session(interaction).state
        owners = {state.agent} if state.agent is not None and _has_in_hand(state, state.agent) else set()
        asked = state.consult.agent if state.consult is not None and state.consult.talks else None
        return p.InHand(
            owners=frozenset(owners),
            asked=frozenset() if asked is None else frozenset({asked}),
            wrapping=frozenset(state.wrapping) | owes,
        )

    def _session(self, interaction: InteractionId) -> CallSession:
        session = self._daemon.sessions.get(interaction)
        if session is None:
            raise NotFound("There is no such interaction.")
        return session

    async def transfer(self, interaction: InteractionId, by: AgentId, kind: Target, to: str, *, attended: bool) -> None:
        if kind is Target.AGENT:
            if self._directory.get(AgentId(to)) is None:
                raise NotFound("There is no such agent.", agent=to)
            self._orders.check_ready(AgentId(to))
        elif kind is Target.QUEUE and to not in self._daemon.desk.router.queues:
            raise NotFound("There is no such queue.", queue=to)
        await self.order(interaction, inp.AskColleague(by, kind, to) if attended else inp.HandOn(by, kind, to))

    async def place(self, agent: AgentId, number: str, queue: str | None, customer: str | None) -> InteractionId:
        if queue is None:
            known = self._directory.get(agent)
            queue = None if known is None else known.queues[0]
        elif queue not in self._daemon.desk.router.queues:
            raise NotFound("There is no such queue.", queue=queue)
        await self._orders.leave_supervision(agent)
        return await self._orders.place(agent, number, queue, customer)

    async def supervise(self, interaction: InteractionId, by: AgentId, mode: Supervision | None) -> None:
        self._session(interaction)
        if mode is None:
            await self.order(interaction, inp.StopSupervising(by))
        else:
            await self._orders.supervise(by, interaction, mode)

    async def take_over(self, interaction: InteractionId, by: AgentId) -> None:
        self._session(interaction)
        await self._orders.take_over(by, interaction)

    # --- wrap-ups

    async def finish_wrap_up(self, agent: AgentId, interaction: InteractionId | None, disposition: str | None) -> None:
        owed = None if interaction is None else self._undisposed.find(interaction)
        if owed is not None and owed.agent == agent:
            return await self._dispose_late(owed, disposition)
        session, item = self._wrapping(agent, interaction)
        self._check_codes(session.record, disposition, None)
        self._check_disposed(session, disposition)
        self._daemon.desk.tell(
            routing.WrapUpFinished(at=self._clock.now(), agent=agent, disposition=disposition, item=item)
        )
        return None

    async def _dispose_late(self, owed: Owed, disposition: str | None) -> None:
        if disposition is None:
            raise p.DispositionRequired("This queue wants to know how the contact ended.", interaction=owed.record.id)
        self._check_codes(owed.record, disposition, None)
        await self.order(owed.record.id, inp.Classify(owed.agent, disposition=disposition))

    async def extend_wrap_up(self, agent: AgentId, interaction: InteractionId | None, seconds: float) -> None:
        _, item = self._wrapping(agent, interaction)
        self._daemon.desk.tell(routing.WrapUpExtended(at=self._clock.now(), agent=agent, seconds=seconds, item=item))

    async def check_wrapped_up(self, agent: AgentId) -> None:
        for session in self._daemon.sessions.values():
            if agent in session.state.wrapping:
                self._check_disposed(session, None)
        for owed in self._undisposed.of(agent):
            raise p.DispositionRequired("An earlier contact lacks how it ended.", interaction=owed.record.id)

    async def check_disposition(self, interaction: InteractionId, disposition: str | None, reason: str | None) -> None:
        owed = self._undisposed.find(interaction)
        record = self._session(interaction).record if owed is None else owed.record
        self._check_codes(record, disposition, reason)

    def _wrapping(self, agent: AgentId, interaction: InteractionId | None) -> tuple[CallSession, InteractionId]:
        view = self._daemon.desk.router.agents.get(agent)
        works = [] if view is None else [work for work in view.works.values() if work.until is not None]
        for work in works:
            call = InteractionId(work.item.partition(ITEM)[0])
            session = self._daemon.sessions.get(call)
            if session is not None and interaction in (None, call):
                return session, work.item
        raise Conflict("This agent is not in wrap-up.", agent=agent)

    def _check_disposed(self, session: CallSession, disposition: str | None) -> None:
        record = session.record
        known = disposition or (record.disposition if record is not None else None)
        if known is None and record is not None and self._organisation.codes(record.queue).required:
            raise p.DispositionRequired("This queue wants to know how the contact ended.", interaction=record.id)

    def _check_codes(self, record: Interaction | None, disposition: str | None, reason: str | None) -> None:
        codes = self._organisation.codes(None if record is None else record.queue)
        if disposition is not None and codes.dispositions and disposition not in codes.dispositions:
            raise Invalid("This queue has no such disposition.", disposition=disposition)
        if reason is not None and codes.reasons and reason not in codes.reasons:
            raise Invalid("This queue has no such contact reason.", reason=reason)

    async def order(self, interaction: InteractionId, order: CallInput) -> None:
        if isinstance(order, inp.Classify) and interaction not in self._daemon.sessions:
            return self._undisposed.classify(interaction, order)
        return await self._orders.order(interaction, order)


def _concerns(state: CallState, agent: AgentId) -> bool:
    consult = state.consult
    return agent == state.agent or agent in state.wrapping or (consult is not None and agent == consult.agent)


def _is_asked(state: CallState, agent: AgentId) -> bool:
    return state.consult is not None and state.consult.agent == agent and state.consult.offer is not None


def _has_in_hand(state: CallState, agent: AgentId) -> bool:
    if state.phase not in _IN_HAND:
        return False
    if agent == state.agent and state.agent_participant is not None:  # else a third party has it now
        return True
    return state.consult is not None and agent == state.consult.agent and state.consult.talks


def _item(
    state: CallState, record: Interaction, title: Callable[[str], str], name: Callable[[AgentId], str], agent: AgentId
) -> p.ItemView:
    running = next((r for r in reversed(record.recordings) if r.state in ("recording", "paused")), None)
    legs = {
        leg.participant: p.LegView(
            participant=leg.participant,
            role=leg.role,
            name=record.from_name if leg.agent is None else name(leg.agent),
            address=leg.address,
            state=leg.state,
            agent=leg.agent,
        )
        for leg in legs_on_desk(state, record)
    }
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
        legs=list(legs.values()),
        consult=None if state.consult is None else legs.get(state.consult.participant),
        supervised="barge" if any(w.mode is Supervision.BARGE for w in state.watchers.values()) else None,
        mine=agent == state.agent,
    )


class OrganisationCodes:
    """Implements `ports_desk.Organisation`."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def codes(self, queue: str | None) -> p.Codes:
        found = self._organisation.codes(queue)
        return p.Codes(required=found.required, dispositions=found.dispositions, reasons=found.reasons)

    def skill_titles(self) -> Mapping[str, str]:
        return self._organisation.config.skills

    def not_ready_reasons(self) -> Mapping[str, str]:
        return {code: reason.title for code, reason in self._organisation.not_ready_reasons().items()}
