"""In-memory twins of the desk's ports (`softphone_web.ports_desk`)."""

from __future__ import annotations

from collections.abc import Mapping

from callcontrol.call_state import NotNow
from callcontrol.inputs import CallInput
from callcontrol.model import (
    AgentId,
    AgentState,
    Choice,
    Direction,
    InteractionId,
    Medium,
    OfferId,
    PhoneKind,
    Role,
    Target,
)
from callcontrol.orders import OfferOverAlready
from foundation.errors import Conflict, Invalid, NotFound
from pbx.terms import Supervision
from softphone_web import ports_desk as p

AT = 1_795_000_000.0
CALL = InteractionId("i-00001")
OFFER = OfferId("i-offer.o1")


def desk_of(agent: AgentId) -> p.DeskView:
    """An agent who talks, is being offered the next, and writes down the last one."""
    customer = p.LegView(
        participant="c", role=Role.CUSTOMER, name="Rosa Quito", address="+593987654321", state="talking", agent=None
    )
    return p.DeskView(
        agent=p.DeskAgent(
            id=agent,
            name=agent.title(),
            state=AgentState.INTERACTING,
            since=AT,
            reason="",
            wanted=AgentState.NOT_READY,
            wanted_reason="almuerzo",
            queues=("averias",),
        ),
        phone=p.PhoneView(kind=PhoneKind.WEB, leg_up=True, endpoint="1001", online=True),
        offers=[
            p.OfferView(
                id=OFFER,
                kind="offer",
                by=None,
                interaction=InteractionId("i-offer"),
                medium=Medium.VOICE,
                queue="averias",
                queue_title="Averías",
                reason="sin servicio",
                priority=0,
                from_address="+593987654321",
                from_name="Rosa Quito",
                waited_s=12.3,
                path=(Choice("motivo", "1", "Agua potable"),),
                expires_at=AT + 20,
                auto_accept=False,
            )
        ],
        items=[
            p.ItemView(
                interaction=CALL,
                medium=Medium.VOICE,
                direction=Direction.INBOUND,
                phase="talking",
                from_address="+593987654321",
                from_name="Rosa Quito",
                to_address="072831900",
                queue="averias",
                queue_title="Averías",
                reason="",
                connected_at=AT,
                held=False,
                recording="on",
                legs=[customer],
                consult=None,
                supervised=None,
                mine=True,
            )
        ],
        wrap_ups=[
            p.WrapUpView(
                interaction=InteractionId("i-done"),
                queue="averias",
                until=AT + 30,
                disposition=None,
                codes=p.Codes(required=True, dispositions={"resuelto": "Resuelto"}, reasons={}),
            )
        ],
        supervising=None,
        measured_at=AT,
    )


class MemoryDesks:
    """`done` is what was asked of it. The agent `ana` has the call `CALL` in hand and is offered `OFFER`."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.over: set[OfferId] = set()
        self.refuse: Exception | None = None
        self.wrapping: AgentId | None = None  # who is in a wrap-up that wants a disposition

    async def view(self, agent: AgentId) -> p.DeskView:
        return desk_of(agent)

    async def accept(self, agent: AgentId, offer: OfferId) -> None:
        self._answer(agent, offer, "accept")

    async def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None:
        self._answer(agent, offer, f"reject:{reason}")

    def _answer(self, agent: AgentId, offer: OfferId, how: str) -> None:
        if offer != OFFER or agent != "ana" or offer in self.over:
            raise OfferOverAlready("this offer is over", offer=offer)
        self.over.add(offer)
        self.done.append((agent, offer, how))

    async def in_hand(self, interaction: InteractionId) -> p.InHand:
        if interaction != CALL:
            raise NotFound("There is no such interaction.")
        return p.InHand(owners=frozenset({AgentId("ana")}), asked=frozenset({AgentId("berta")}))

    async def transfer(self, interaction: InteractionId, by: AgentId, kind: Target, to: str, *, attended: bool) -> None:
        if kind is Target.AGENT and to not in ("ana", "luis"):
            raise NotFound("There is no such agent.")
        self.done.append((interaction, by, kind, to, attended))

    async def supervise(self, interaction: InteractionId, by: AgentId, mode: Supervision | None) -> None:
        await self.in_hand(interaction)
        self.done.append((interaction, by, mode))

    async def take_over(self, interaction: InteractionId, by: AgentId) -> None:
        await self.in_hand(interaction)
        self.done.append((interaction, by, "take over"))

    async def place(self, agent: AgentId, number: str, queue: str | None, customer: str | None) -> InteractionId:
        if self.refuse is not None:
            raise self.refuse
        self.done.append((agent, number, queue, customer))
        return InteractionId("i-out")

    async def finish_wrap_up(self, agent: AgentId, interaction: InteractionId | None, disposition: str | None) -> None:
        if self.wrapping is None:
            raise Conflict("This agent is not in wrap-up.")
        if disposition is None:
            raise p.DispositionRequired("This queue wants to know how the contact ended.")
        self.done.append((agent, interaction, disposition))

    async def extend_wrap_up(self, agent: AgentId, interaction: InteractionId | None, seconds: float) -> None:
        self.done.append((agent, interaction, seconds))

    async def check_wrapped_up(self, agent: AgentId) -> None:
        if self.wrapping == agent:
            raise p.DispositionRequired("This queue wants to know how the contact ended.")

    async def check_disposition(self, interaction: InteractionId, disposition: str | None, reason: str | None) -> None:
        if disposition not in (None, "resuelto") or reason not in (None, "agua"):
            raise Invalid("This queue has no such code.")

    async def order(self, interaction: InteractionId, order: CallInput) -> None:
        if self.refuse is not None:
            raise self.refuse
        if interaction != CALL:
            raise NotNow("the call is over")
        self.done.append((interaction, order))


class MemoryOrganisation:
    def codes(self, queue: str | None) -> p.Codes:
        return p.Codes(
            required=queue == "averias",
            dispositions={"resuelto": "Resuelto", "sin_solucion": "Sin solución"},
            reasons={"agua": "Agua potable"},
        )

    def not_ready_reasons(self) -> Mapping[str, str]:
        return {"almuerzo": "Almuerzo", "capacitacion": "Capacitación"}
