"""What the router is told and what it decides. Time comes in with each event, in unix seconds."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person: an interaction seen by the router."""

    id: InteractionId
    medium: Medium
    queue: str
    queued_at: float
    priority: int = 0
    skills: dict[str, int] = {}
    reason: str = ""
    give_up_at: float | None = None
    offers_made: int = 0


class QueueRules(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    offer_s: float = 20.0
    wrap_up_s: float = 30.0
    max_wait_s: float | None = None


class _In(msgspec.Struct, frozen=True, kw_only=True):
    at: float


class AgentSignedIn(_In, frozen=True, kw_only=True):
    agent: AgentId
    queues: frozenset[str]


class AgentAsked(_In, frozen=True, kw_only=True):
    """The agent, or a supervisor for them, asks for a state: ready, not_ready (with a reason) or signed_out. During a
    talk it takes effect after it."""

    agent: AgentId
    state: AgentState
    reason: str = ""


class ItemQueued(_In, frozen=True, kw_only=True):
    item: WorkItem


class ItemWithdrawn(_In, frozen=True, kw_only=True):
    item: InteractionId


class OfferAnswered(_In, frozen=True, kw_only=True):
    offer: OfferId
    how: OfferEnd
    detail: str = ""


class WorkEnded(_In, frozen=True, kw_only=True):
    """Agent and citizen no longer talk: the wrap-up begins."""

    item: InteractionId
    agent: AgentId


class WrapUpFinished(_In, frozen=True, kw_only=True):
    agent: AgentId
    disposition: str | None = None


class WorkRestored(_In, frozen=True, kw_only=True):
    """After a restart: this agent is talking with, or wrapping up (until then), this item."""

    item: InteractionId
    agent: AgentId
    queue: str
    wrap_up_until: float | None = None


class TimePassed(_In, frozen=True, kw_only=True):
    pass


RouterEvent: TypeAlias = (
    AgentSignedIn
    | AgentAsked
    | ItemQueued
    | ItemWithdrawn
    | OfferAnswered
    | WorkEnded
    | WrapUpFinished
    | WorkRestored
    | TimePassed
)


class MakeOffer(msgspec.Struct, frozen=True, kw_only=True):
    offer: OfferId
    item: InteractionId
    agent: AgentId
    expires_at: float


class OfferOver(msgspec.Struct, frozen=True, kw_only=True):
    """The offer ended without an agent: take it off their device."""

    offer: OfferId
    item: InteractionId
    agent: AgentId
    how: OfferEnd
    detail: str = ""


class Assign(msgspec.Struct, frozen=True, kw_only=True):
    """The agent has it: join them."""

    offer: OfferId
    item: InteractionId
    agent: AgentId


class GiveUp(msgspec.Struct, frozen=True, kw_only=True):
    """The item leaves the queue without an agent: timeout, unknown_queue."""

    item: InteractionId
    why: str


class AgentChanged(msgspec.Struct, frozen=True, kw_only=True):
    agent: AgentId
    state: AgentState
    reason: str
    since: float
    item: InteractionId | None


class WrapUpBegun(msgspec.Struct, frozen=True, kw_only=True):
    item: InteractionId
    agent: AgentId
    until: float


class WrapUpOver(msgspec.Struct, frozen=True, kw_only=True):
    item: InteractionId
    agent: AgentId
    how: str  # finished, timer, signed_out
    disposition: str | None


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """An event that changes nothing (late, twice, unknown id): counted and logged, never an error."""

    event: str
    why: str


Decision: TypeAlias = MakeOffer | OfferOver | Assign | GiveUp | AgentChanged | WrapUpBegun | WrapUpOver | Ignored
