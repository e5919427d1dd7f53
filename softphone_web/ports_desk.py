"""What an agent's page needs of call control: the desk as it stands, answers to offers, orders to calls.

Errors as in `softphone_web.ports`; besides, `callcontrol.call_state.NotNow` (a `Conflict`) where a call is not in a
state for an order, and what the switch refused it with. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
from foundation.errors import Conflict
from pbx.terms import Supervision


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneView:
    """`leg_up`: the open audio leg stands. `online`: the endpoint is registered, None where the switch has not said."""

    kind: PhoneKind
    leg_up: bool
    endpoint: str | None
    online: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """`kind`: offer, or consult when a colleague asks (`by`)."""

    id: OfferId
    kind: str
    by: AgentId | None
    interaction: InteractionId
    medium: Medium
    queue: str
    queue_title: str
    reason: str
    priority: int
    from_address: str
    from_name: str
    waited_s: float
    path: Sequence[Choice]
    expires_at: float
    auto_accept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """`state`: ringing, talking, held, away."""

    participant: str
    role: Role
    name: str
    address: str
    state: str
    agent: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One interaction that the agent has in hand. `recording`: on, paused, off. `supervised`: barge, where a supervisor
    speaks in it: who only listens is told to nobody."""

    interaction: InteractionId
    medium: Medium
    direction: Direction
    phase: str
    from_address: str
    from_name: str
    to_address: str
    queue: str
    queue_title: str
    reason: str
    connected_at: float | None
    held: bool
    recording: str
    legs: Sequence[LegView]
    consult: LegView | None
    supervised: str | None
    mine: bool  # the agent whose call it is; false for one who is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Code and title, in the organisation's order."""

    required: bool = False
    dispositions: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpView:
    """`until` None: its time ran out without the disposition that its queue wants."""

    interaction: InteractionId
    queue: str
    until: float | None
    disposition: str | None
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAgent:
    id: AgentId
    name: str
    state: AgentState
    since: float
    reason: str
    wanted: AgentState | None  # after the work in hand
    wanted_reason: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    agent: DeskAgent
    phone: PhoneView
    offers: Sequence[OfferView]
    items: Sequence[ItemView]
    wrap_ups: Sequence[WrapUpView]
    supervising: tuple[InteractionId, Supervision] | None  # the call that a supervisor is in
    measured_at: float


class DispositionRequired(Conflict):
    """The queue wants to know how each contact ended."""

    code = "wrap_up.disposition_required"


class Desks(Protocol):
    async def view(self, agent: AgentId) -> DeskView: ...
    async def accept(self, agent: AgentId, offer: OfferId) -> None: ...
    async def reject(self, agent: AgentId, offer: OfferId, reason: str) -> None: ...
    async def finish_wrap_up(self, agent: AgentId, interaction: InteractionId | None, disposition: str | None) -> None:
        """Without an interaction the oldest. Raises `DispositionRequired` where the queue wants one and there is none,
        `Invalid` for one that the queue does not have, `Conflict` where there is no wrap-up."""
        ...

    async def extend_wrap_up(self, agent: AgentId, interaction: InteractionId | None, seconds: float) -> None: ...
    async def check_wrapped_up(self, agent: AgentId) -> None:
        """Raises `DispositionRequired` while a wrap-up of theirs lacks what its queue wants."""
        ...

    async def check_disposition(self, interaction: InteractionId, disposition: str | None, reason: str | None) -> None:
        """Raises `Invalid` for a code that the call's queue does not have."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """Who has to do with a call now: whose it is, who was asked, who writes it down."""

    owners: frozenset[AgentId] = frozenset()
    asked: frozenset[AgentId] = frozenset()
    wrapping: frozenset[AgentId] = frozenset()


class Calls(Protocol):
    async def in_hand(self, interaction: InteractionId) -> InHand:
        """Raises `NotFound` for a call that does not go on."""
        ...

    async def transfer(self, interaction: InteractionId, by: AgentId, kind: Target, to: str, *, attended: bool) -> None:
        """Raises `NotFound` for a queue or an agent that there is not, `Conflict` for an agent who is not ready."""
        ...

    async def supervise(self, interaction: InteractionId, by: AgentId, mode: Supervision | None) -> None:
        """From the open leg of `by`; None ends it. Raises `Conflict` without a leg, or with one in another call."""
        ...

    async def take_over(self, interaction: InteractionId, by: AgentId) -> None: ...
    async def place(self, agent: AgentId, number: str, queue: str | None, customer: str | None) -> InteractionId:
        """Call out from the agent's open leg; without a queue for the agent's first. `customer`: their document."""
        ...

    async def order(self, interaction: InteractionId, order: CallInput) -> None:
        """Returns when it is done."""
        ...


class Organisation(Protocol):
    """The codes that the organisation chose for what agents tell."""

    def codes(self, queue: str | None) -> Codes: ...
    def skill_titles(self) -> Mapping[str, str]: ...

    def not_ready_reasons(self) -> Mapping[str, str]: ...
