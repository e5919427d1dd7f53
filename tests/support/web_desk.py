"""In-memory twins of the desk's ports (`softphone_web.ports_desk`): agents, their calls, what they may do with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace

from callcontrol import inputs as inp
from callcontrol.call_state import NotNow
from callcontrol.model import (
    AgentId,
    AgentState,
    Direction,
    InteractionId,
    OfferId,
    PhoneKind,
    Target,
)
from callcontrol.orders import Busy, LegDown, NotAvailable, NotSignedIn, OfferOverAlready
from foundation.clock import Clock, VirtualClock
from foundation.errors import Conflict, Invalid, NotFound
from pbx.terms import Supervision
from softphone_web import ports_desk as p
from tests.support.web_desk_views import Call, Card, Shown

AT = 1_795_000_000.0
CALL = InteractionId("i-00001")
OFFER = OfferId("i-offer.o1")
_OFFER_S = 20.0
_TALKS = frozenset({"talking", "consult", "conference"})


class MemoryOrganisation:
    """`few`: the dispositions of the queues that have not all of them."""

    def __init__(self) -> None:
        self.few: dict[str | None, list[str]] = {}

    def codes(self, queue: str | None) -> p.Codes:
        dispositions = {"resuelto": "Resuelto", "sin_solucion": "Sin solución"}
        return p.Codes(
            required=queue == "averias",
            dispositions={code: dispositions[code] for code in self.few.get(queue, dispositions)},
            reasons={"agua": "Agua potable"},
        )

    def skill_titles(self) -> Mapping[str, str]:
        return {"internet": "Internet"}

    def not_ready_reasons(self) -> Mapping[str, str]:
        return {"almuerzo": "Almuerzo", "capacitacion": "Capacitación"}


class MemoryDesks(Shown):
    """`done` is what was asked of it; `refuse` is raised by every order and call out. `titles` of the queues."""

    def __init__(
        self,
        clock: Clock | None = None,
        organisation: p.Organisation | None = None,
        titles: Mapping[str, str] | None = None,
        *,
        wrap_up_s: float = 30.0,
    ) -> None:
        averias = {"averias": "Averías", "facturas": "Facturas"}
        super().__init__(clock or VirtualClock(AT), organisation or MemoryOrganisation(), titles or averias)
        self.done: list[tuple[object, ...]] = []
        self.refuse: Exception | None = None
        self.legs: set[AgentId] = set()
        self.calls: dict[InteractionId, Call] = {}
        self._wrap_up_s = wrap_up_s
        self._numbers = itertools.count(1)

    # --- what tests do --------------------

    def employ(self, agent: AgentId, name: str, *queues: str) -> None:
        self.people[agent] = self._signed_out(agent, name, queues)

    def sign_in(self, agent: AgentId) -> None:
        """Ready, with the leg of their page up."""
        self.legs.add(agent)
        self._becomes(agent, AgentState.READY)

    def arrive(self, queue: str, call: str = "") -> InteractionId:
        """A citizen, who is offered to the first of that queue who is ready."""
        made = Call(InteractionId(call or f"i-{next(self._numbers)}"), queue, self.clock.now())
        self.calls[made.id] = made
        ready = (a.id for a in self.people.values() if a.state is AgentState.READY and queue in a.queues)
        agent = next(ready, None)
        if agent is not None:
            self._offer(made, agent)
        return made.id

    def leave(self, call: InteractionId) -> None:
        """The citizen hangs up."""
        one = self.calls[call]
        one.there = False
        self._part(one)

    def owes(self, agent: AgentId) -> None:
        """What this agent wraps up lacks its disposition from now on."""
        for one in self.calls.values():
            if agent in one.wrapping:
                one.disposition = None

    # --- desks --------------------

    async def view(self, agent: AgentId) -> p.DeskView:
        self._run_out()
        calls = self.calls.values()
        return p.DeskView(
            agent=self._person(agent),
            phone=p.PhoneView(kind=PhoneKind.WEB, leg_up=agent in self.legs, endpoint="1001", online=True),
            offers=[self._offer_view(c, c.card) for c in calls if c.card is not None and c.card.agent == agent],
            items=[self._item(c, agent) for c in calls if agent in (c.owner, self._in_it(c))],
            wrap_ups=[self._wrap_up(c, c.wrapping[agent]) for c in calls if agent in c.wrapping],
            supervising=next(((c.id, c.watchers[agent]) for c in calls if agent in c.watchers), None),
            measured_at=self.clock.now(),
        )

    async def accept(self, agent: AgentId, offer: OfferId) -> None:
        call = self._offered(agent, offer)
        if agent not in self.legs:
            raise LegDown("the audio leg of this agent is down", agent=agent)
        for other in self.calls.values():
            other.watchers.pop(agent, None)
        if call.asked is None:
            call.owner, call.phase = agent, "talking"
        call.card = None
        self._becomes(agent, AgentState.INTERACTING)
        self.done.append((agent, offer, "accept"))

    async def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None:
        call = self._offered(agent, offer)
        call.card = None
        if call.asked is not None:
            call.asked, call.phase = None, "talking"
        self._becomes(agent, AgentState.NOT_READY, "rejected")
        self.done.append((agent, offer, f"reject:{reason}"))

    def _offered(self, agent: AgentId, offer: OfferId) -> Call:
        for call in self.calls.values():
            if call.card is not None and (call.card.id, call.card.agent) == (offer, agent):
                return call
        raise OfferOverAlready("this offer is over", offer=offer)

    async def finish_wrap_up(self, agent: AgentId, interaction: InteractionId | None, disposition: str | None) -> None:
        call = self._wrapping(agent, interaction)
        self._check_codes(call, disposition, None)
        self._check_disposed(call, disposition)
        call.disposition = disposition or call.disposition
        del call.wrapping[agent]
        self._becomes(agent, AgentState.READY)
        self._close(call)
        self.done.append((agent, interaction, disposition))

    async def extend_wrap_up(self, agent: AgentId, interaction: InteractionId | None, seconds: float) -> None:
        self._wrapping(agent, interaction).wrapping[agent] += seconds
        self.done.append((agent, interaction, seconds))

    async def check_wrapped_up(self, agent: AgentId) -> None:
        for call in self.calls.values():
            if agent in call.wrapping:
                self._check_disposed(call, None)

    async def check_disposition(self, interaction: InteractionId, disposition: str | None, reason: str | None) -> None:
        self._check_codes(self._found(interaction), disposition, reason)

    def _wrapping(self, agent: AgentId, interaction: InteractionId | None) -> Call:
        for call in self.calls.values():
            if agent in call.wrapping and interaction in (None, call.id):
                return call
        raise Conflict("This agent is not in wrap-up.", agent=agent)

    def _check_disposed(self, call: Call, disposition: str | None) -> None:
        if (disposition or call.disposition) is None and self._organisation.codes(call.queue).required:
            raise p.DispositionRequired("This queue wants to know how the contact ended.")

    def _check_codes(self, call: Call, disposition: str | None, reason: str | None) -> None:
        codes = self._organisation.codes(call.queue)
        for code, known in ((disposition, codes.dispositions), (reason, codes.reasons)):
            if code is not None and known and code not in known:
                raise Invalid("This queue has no such code.")

    # --- calls --------------------

    async def in_hand(self, interaction: InteractionId) -> p.InHand:
        call = self._found(interaction)
        return p.InHand(owners=_set(call.owner), asked=_set(self._in_it(call)), wrapping=frozenset(call.wrapping))

    async def transfer(self, interaction: InteractionId, by: AgentId, kind: Target, to: str, *, attended: bool) -> None:
        if kind is Target.AGENT:
            if to not in self.people:
                raise NotFound("There is no such agent.", agent=to)
            if self.people[AgentId(to)].state is not AgentState.READY:
                raise NotAvailable("this agent is not ready", agent=to)
        elif kind is Target.QUEUE and to not in self._titles:
            raise NotFound("There is no such queue.", queue=to)
        call = self._talked_in(interaction)
        if attended:
            call.phase = "consult"
            if kind is Target.AGENT:
                call.asked = AgentId(to)
                self._offer(call, call.asked, by=by)
        else:
            self._part(call)
            call.queue = to if kind is Target.QUEUE else call.queue
        self.done.append((interaction, by, kind, to, attended))

    async def supervise(self, interaction: InteractionId, by: AgentId, mode: Supervision | None) -> None:
        call = self._found(interaction)
        if mode is None:
            if call.watchers.pop(by, None) is None:
                raise NotNow("you are not in this call")
        else:
            self._may_come_in(call, by)
            call.watchers[by] = mode
        self.done.append((interaction, by, mode))

    async def take_over(self, interaction: InteractionId, by: AgentId) -> None:
        call = self._found(interaction)
        self._may_come_in(call, by)
        self._part(call)
        call.owner, call.phase = by, "talking"
        self._becomes(by, AgentState.INTERACTING)
        self.done.append((interaction, by, "take over"))

    def _may_come_in(self, call: Call, by: AgentId) -> None:
        if by not in self.legs:
            raise LegDown("the audio leg of this agent is down", agent=by)
        if any(by == one.owner or by in one.watchers for one in self.calls.values() if one is not call):
            raise Busy("your audio leg is in another call")
        if call.phase not in _TALKS or by in (call.owner, call.asked):
            raise NotNow("nobody talks in it, or it is one's own call")

    async def place(self, agent: AgentId, number: str, queue: str | None, customer: str | None) -> InteractionId:
        if self.refuse is not None:
            raise self.refuse
        if queue is not None and queue not in self._titles:
            raise NotFound("There is no such queue.", queue=queue)
        if agent not in self.legs:
            raise LegDown("the audio leg of this agent is down", agent=agent)
        known = self._person(agent)
        if known.state is AgentState.SIGNED_OUT:
            raise NotSignedIn("this agent is not signed in", agent=agent)
        if any(agent == one.owner or (one.card is not None and one.card.agent == agent) for one in self.calls.values()):
            raise Busy("this agent has a call in hand, or is offered one", agent=agent)
        call = InteractionId(f"i-out{next(self._numbers)}")
        self.calls[call] = Call(
            call,
            queue or known.queues[0],
            self.clock.now(),
            direction=Direction.OUTBOUND,
            number=number,
            owner=agent,
            phase="dialing",
        )
        self._becomes(agent, AgentState.INTERACTING)
        self.done.append((agent, number, queue, customer))
        return call

    async def order(self, interaction: InteractionId, order: inp.CallInput) -> None:
        if self.refuse is not None:
            raise self.refuse
        call = self._found(interaction)
        match order:
            case inp.Classify(disposition=disposition):
                call.disposition = disposition or call.disposition
            case inp.ConsultComplete() | inp.ConsultCancel() if call.asked is None:
                raise NotNow("nobody is asked")
            case inp.ConsultComplete():
                colleague = self._in_it(call)
                if colleague is None:
                    raise NotNow("who was asked has not answered yet")
                self._part(call)
                call.owner, call.phase = colleague, "talking"
                self._becomes(colleague, AgentState.INTERACTING)
            case inp.ConsultCancel():
                self._let_go(call)
                call.phase = "talking"
            case inp.AgentHangup() if call.phase == "dialing":
                call.there = False
                self._part(call)
            case _:
                self._talked_in(interaction)
                self._ordered(call, order)
        self.done.append((interaction, order))

    def _ordered(self, call: Call, order: inp.CallInput) -> None:
        match order:
            case inp.AgentHold() | inp.AgentResume():
                call.held = isinstance(order, inp.AgentHold)
            case inp.RecordingPause():
                call.recording = "paused"
            case inp.RecordingResume():
                call.recording = "on"
            case inp.AgentHangup():
                self._part(call)
            case _:
                pass

    # --- what becomes of them --------------------

    def _found(self, interaction: InteractionId) -> Call:
        self._run_out()
        if interaction not in self.calls:
            raise NotFound("There is no such interaction.", interaction=interaction)
        return self.calls[interaction]

    def _talked_in(self, interaction: InteractionId) -> Call:
        call = self._found(interaction)
        if call.phase not in _TALKS:
            raise NotNow("the call is not in a state for this")
        return call

    def _offer(self, call: Call, agent: AgentId, *, by: AgentId | None = None) -> None:
        name = OfferId(f"{call.id}.o{next(self._numbers)}")
        call.card = Card(name, agent, self.clock.now() + _OFFER_S, by)
        self._becomes(agent, AgentState.RESERVED)

    def _let_go(self, call: Call) -> None:
        """Who was asked."""
        if call.asked is not None:
            self._becomes(call.asked, AgentState.READY)
        call.asked = call.card = None

    def _part(self, call: Call) -> None:
        """Owner and citizen: the one writes it down."""
        if call.card is not None and call.asked is None:
            self._becomes(call.card.agent, AgentState.READY)
        self._let_go(call)
        call.watchers.clear()
        if call.owner is not None:
            call.wrapping[call.owner] = self.clock.now() + self._wrap_up_s
            self._becomes(call.owner, AgentState.WRAP_UP)
        call.owner, call.phase, call.held = None, "queued", False
        self._close(call)

    def _close(self, call: Call) -> None:
        if not call.there and not call.wrapping:
            del self.calls[call.id]

    def _run_out(self) -> None:
        """Wrap-ups whose time is over: what is owed stays."""
        now = self.clock.now()
        over = [(c, agent) for c in self.calls.values() for agent, until in c.wrapping.items() if until <= now]
        for call, agent in over:
            if call.disposition is None and self._organisation.codes(call.queue).required:
                self._becomes(agent, AgentState.NOT_READY, "undisposed")
            else:
                del call.wrapping[agent]
                self._becomes(agent, AgentState.READY)
                self._close(call)

    def _becomes(self, agent: AgentId, state: AgentState, reason: str = "") -> None:
        if agent in self.people:
            self.people[agent] = replace(self.people[agent], state=state, reason=reason, since=self.clock.now())


def _set(*agents: AgentId | None) -> frozenset[AgentId]:
    return frozenset(agent for agent in agents if agent is not None)


def desks_of_ana(signed_in: Iterable[str] = ("ana", "luis")) -> MemoryDesks:
    """Ana talks in `CALL` (Berta, whom she asked, with them), is being offered the next (`OFFER`), and has written
    down the last (`i-done`); Luis is ready."""
    ana = AgentId("ana")
    desks = MemoryDesks()
    for agent in ("ana", "luis", "berta"):
        desks.employ(AgentId(agent), agent.title(), "averias")
    for agent in signed_in:
        desks.sign_in(AgentId(agent))
    desks.calls = {
        CALL: Call(CALL, "averias", AT, owner=ana, asked=AgentId("berta"), phase="conference"),
        InteractionId("i-offer"): Call(InteractionId("i-offer"), "averias", AT - 12.3, card=Card(OFFER, ana, AT + 20)),
        InteractionId("i-done"): Call(
            InteractionId("i-done"), "averias", AT, wrapping={ana: AT + 30}, disposition="resuelto"
        ),
    }
    desks.people[ana] = replace(
        desks.people[ana],
        state=AgentState.INTERACTING,
        wanted=AgentState.NOT_READY,
        wanted_reason="almuerzo",
    )
    return desks
