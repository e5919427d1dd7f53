"""What the router is told and what it decides. Time comes in with each event, in unix seconds."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd, OfferId
from callcontrol.routing.rules import DEFAULT_CAPACITY, Blend, Capacity, QueueRules
from callcontrol.routing.why import Why

__all__ = ["QueueRules"]


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person: an interaction seen by the router.

    `agent` names the only one it is for; `hand` the one to whom a supervisor assigned it, as long as they are there;
    `preferred` are tried first (account owner, last agent), alone for
    `preferred_wait_s` (None: as the queue says) if any of them is signed in when it comes. `requires` is an expression
    over skills, beside those in `skills`.
    """

    id: InteractionId
    medium: Medium
    queue: str
    queued_at: float
    priority: int = 0
    skills: dict[str, int] = {}
    reason: str = ""
    give_up_at: float | None = None
    offers_made: int = 0
    requires: str = ""
    criticality: str = ""
    preferred: tuple[AgentId, ...] = ()
    preferred_wait_s: float | None = None
    agent: AgentId | None = None
    hand: AgentId | None = None
    outbound: bool = False
    target_s: float | None = None  # > 0: its own service-level target, for which it ages faster or slower than others


class _In(msgspec.Struct, frozen=True, kw_only=True):
    at: float


class AgentSignedIn(_In, frozen=True, kw_only=True):
    """Of one who is signed in already: the new profile takes effect at once, the state stays. `ring` is the place in
    the queues of strategy ring_order."""

    agent: AgentId
    queues: frozenset[str]
    skills: dict[str, int] = {}
    ring: dict[str, int] = {}
    capacity: Capacity = DEFAULT_CAPACITY
    blend: Blend = Blend.BOTH
    auto_accept: bool = False


class AgentAsked(_In, frozen=True, kw_only=True):
    """The agent, or a supervisor for them, asks for a state: ready, not_ready (with a reason) or signed_out. During
    work it takes effect after it."""

    agent: AgentId
    state: AgentState
    reason: str = ""


class StateForced(_In, frozen=True, kw_only=True):
    """A supervisor sets a state: wrap-up and offers end at once, only a talk is not cut."""

    agent: AgentId
    state: AgentState
    reason: str = ""
    by: str = ""


class ItemQueued(_In, frozen=True, kw_only=True):
    item: WorkItem


class ItemWithdrawn(_In, frozen=True, kw_only=True):
    item: InteractionId


class PlaceHeld(_In, frozen=True, kw_only=True):
    """Virtual hold: the caller leaves and is called back when their place comes."""

    item: InteractionId


class ItemMoved(_In, frozen=True, kw_only=True):
    """By a supervisor: into another queue, keeping the time of arrival."""

    item: InteractionId
    queue: str
    by: str = ""


class ItemRaised(_In, frozen=True, kw_only=True):
    item: InteractionId
    priority: int
    by: str = ""


class ItemAssigned(_In, frozen=True, kw_only=True):
    """By a supervisor: to this agent and no other, whatever queue and skills say; offered as soon as there is room."""

    item: InteractionId
    agent: AgentId
    by: str = ""


class OfferAnswered(_In, frozen=True, kw_only=True):
    offer: OfferId
    how: OfferEnd
    detail: str = ""


class WorkEnded(_In, frozen=True, kw_only=True):
    """Agent and citizen no longer talk: the wrap-up begins."""

    item: InteractionId
    agent: AgentId


class WrapUpFinished(_In, frozen=True, kw_only=True):
    """Without `item`: the oldest of this agent's."""

    agent: AgentId
    disposition: str | None = None
    item: InteractionId | None = None


class Disposed(_In, frozen=True, kw_only=True):
    """How this item ended is said already, before its wrap-up is over."""

    agent: AgentId
    item: InteractionId


class WrapUpExtended(_In, frozen=True, kw_only=True):
    agent: AgentId
    seconds: float
    item: InteractionId | None = None


class WorkRestored(_In, frozen=True, kw_only=True):
    """After a restart: this agent is talking with, or wrapping up (until then), this item."""

    item: InteractionId
    agent: AgentId
    queue: str
    wrap_up_until: float | None = None
    medium: Medium = Medium.VOICE


class WorkRenamed(_In, frozen=True, kw_only=True):
    """What an agent works on goes on under another name, and by another queue's rules: a consultation becomes the call
    itself."""

    agent: AgentId
    item: InteractionId
    becomes: InteractionId
    queue: str


class TimePassed(_In, frozen=True, kw_only=True):
    pass


RouterEvent: TypeAlias = (
    AgentSignedIn
    | AgentAsked
    | StateForced
    | ItemQueued
    | ItemWithdrawn
    | PlaceHeld
    | ItemMoved
    | ItemRaised
    | ItemAssigned
    | OfferAnswered
    | WorkEnded
    | WrapUpFinished
    | Disposed
    | WrapUpExtended
    | WorkRestored
    | WorkRenamed
    | TimePassed
)


class MakeOffer(msgspec.Struct, frozen=True, kw_only=True):
    """With `auto_accept` the edge takes it for the agent; digital items are then assigned in the same step."""

    offer: OfferId
    item: InteractionId
    agent: AgentId
    expires_at: float
    auto_accept: bool = False
    why: Why | None = None


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
    """The item leaves the queue without an agent. `why`: timeout, unknown_queue, no_agents, closed, full, length,
    expected_wait. `to`: voicemail, callback or message, where a rule says so."""

    item: InteractionId
    why: str
    to: str = ""
    target: str = ""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """It waits in another queue now, by an overflow rule or by a supervisor's hand."""

    item: InteractionId
    queue: str
    came_from: str
    why: str


class Relaxed(msgspec.Struct, frozen=True, kw_only=True):
    item: InteractionId
    ring: int
    requires: str


class AgentChanged(msgspec.Struct, frozen=True, kw_only=True):
    agent: AgentId
    state: AgentState
    reason: str
    since: float
    item: InteractionId | None


class WrapUpBegun(msgspec.Struct, frozen=True, kw_only=True):
    """Again, with another `until`, when it was extended."""

    item: InteractionId
    agent: AgentId
    until: float


class WrapUpOver(msgspec.Struct, frozen=True, kw_only=True):
    item: InteractionId
    agent: AgentId
    how: str  # finished, timer, signed_out, forced
    disposition: str | None


class WorkSuspended(msgspec.Struct, frozen=True, kw_only=True):
    """Work that may wait was interrupted by `by`."""

    item: InteractionId
    agent: AgentId
    by: InteractionId


class WorkResumed(msgspec.Struct, frozen=True, kw_only=True):
    item: InteractionId
    agent: AgentId


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor had assigned it to this agent, who has signed out: it stands in its old place, for anybody."""

    item: InteractionId
    agent: AgentId
    queue: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody must look. `kind`: no_qualified_agent (`detail`: what is asked for, relaxed as far as it goes; live ones
    leave, the others wait on), bad_expression."""

    kind: str
    item: InteractionId
    queue: str
    detail: str = ""
    medium: Medium = Medium.VOICE


IgnoredWhy: TypeAlias = Literal[
    "already_waits",
    "already_there",
    "already_in_hand",
    "at_its_longest",
    "being_offered",
    "name_taken",
    "no_room",
    "no_such_state",
    "not_waiting",
    "not_working_on_it",
    "not_wrapping_up",
    "offer_over",
    "signed_out",
    "unknown_agent",
    "unknown_queue",
]


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """An event that changes nothing (late, twice, unknown id): counted and logged, never an error."""

    event: str
    why: IgnoredWhy


Decision: TypeAlias = (
    MakeOffer
    | OfferOver
    | Assign
    | GiveUp
    | Moved
    | Relaxed
    | AgentChanged
    | WrapUpBegun
    | WrapUpOver
    | WorkSuspended
    | WorkResumed
    | Released
    | Alert
    | Ignored
)
