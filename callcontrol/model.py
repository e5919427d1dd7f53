"""The vocabulary of interactions: what one is made of and the states it passes through.

An *interaction* is the whole contact of a citizen with us over one medium; its *participants* are who took part; a
participant's time is cut into *segments* (in the IVR, waiting, alerting, talking, on hold, wrapping up). Everything
here is a fold over `callcontrol.events` (see `callcontrol.record`) and can be recomputed from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

import msgspec

InteractionId = NewType("InteractionId", str)
ParticipantId = NewType("ParticipantId", str)
AgentId = NewType("AgentId", str)
OfferId = NewType("OfferId", str)


class Medium(StrEnum):
    VOICE = "voice"
    VIDEO = "video"
    CHAT = "chat"
    MESSAGE = "message"
    EMAIL = "email"
    TASK = "task"
    CALLBACK = "callback"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class InitiationMethod(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    TRANSFER = "transfer"
    CALLBACK = "callback"
    API = "api"


class Phase(StrEnum):
    """Where an interaction is; the transitions are the table in `callcontrol.call`."""

    ARRIVING = "arriving"
    FLOW = "flow"
    QUEUED = "queued"
    CONNECTING = "connecting"  # an agent accepted; the two legs are being joined
    TALKING = "talking"
    CONSULT = "consult"  # the agent asks a colleague or a third party; the citizen hears music
    CONFERENCE = "conference"  # all three hear one another
    SCHEDULED = "scheduled"  # a callback that is not due yet, or is tried again later
    DIALING = "dialing"  # a call out: the number rings, the agent hears it
    TRANSFER = "transfer"  # given to a third party, who rings or talks with the citizen
    WRAP_UP = "wrap_up"  # the citizen is gone, the agent writes down what it was about
    ENDING = "ending"  # the citizen is gone; legs and recordings are being finished
    CLOSED = "closed"


class ExitReason(StrEnum):
    """Why the contact ended, seen from the citizen."""

    COMPLETED = "completed"  # talked with an agent, either hung up
    SELF_SERVICE = "self_service"  # the flow ended it, no person was asked for
    ABANDONED_IN_FLOW = "abandoned_in_flow"
    ABANDONED_IN_QUEUE = "abandoned_in_queue"
    ABANDONED_RINGING = "abandoned_ringing"  # hung up before we answered
    QUEUE_TIMEOUT = "queue_timeout"
    REJECTED = "rejected"  # we refused it
    FAILED = "failed"  # our side broke: see the cause
    SWITCH_LOST = "switch_lost"  # the switch died under it
    DAEMON_LOST = "daemon_lost"  # it ended while no daemon was watching
    NOT_REACHED = "not_reached"  # a call out that nobody answered
    ENDED_BY_SUPERVISOR = "ended_by_supervisor"  # before an agent talked


class Steering(StrEnum):
    """What a supervisor does by hand with an interaction."""

    MOVE = "move"
    RAISE = "raise"
    ASSIGN = "assign"
    END = "end"


class Target(StrEnum):
    """Whom an agent gives a call to, or asks."""

    AGENT = "agent"
    QUEUE = "queue"
    NUMBER = "number"


class Role(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    EXTERNAL = "external"
    BOT = "bot"


class SegmentKind(StrEnum):
    IVR = "ivr"
    QUEUE = "queue"
    ALERT = "alert"
    TALK = "talk"
    HOLD = "hold"
    WRAP_UP = "wrap_up"


class AgentState(StrEnum):
    SIGNED_OUT = "signed_out"
    READY = "ready"
    NOT_READY = "not_ready"  # always with a reason
    RESERVED = "reserved"  # an offer is out
    INTERACTING = "interacting"
    WRAP_UP = "wrap_up"


class PhoneKind(StrEnum):
    """How an agent is reached."""

    WEB = "web"  # an open audio leg; offers are shown on the page
    DESK = "desk"  # a SIP phone that rings


class OfferEnd(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # the caller left, or the queue gave up
    FAILED = "failed"  # the agent's device could not be reached


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a participant's time; `ended_at` is None while it lasts. Times are unix seconds."""

    participant: ParticipantId
    kind: SegmentKind
    started_at: float
    ended_at: float | None = None
    queue: str | None = None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    id: ParticipantId
    role: Role
    address: str  # number or endpoint; personal data for the customer
    channel: str | None
    joined_at: float
    agent: AgentId | None = None
    left_at: float | None = None
    leave_reason: str | None = None


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    path: str
    started_at: float
    state: str = "recording"  # recording, paused, complete, failed
    seconds: float | None = None
    channels: int | None = None
    detail: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """What a citizen chose in a menu of the flow."""

    node: str
    option: str
    title: str


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one interaction as of its event number `events`."""

    id: InteractionId
    medium: Medium
    direction: Direction
    initiation_method: InitiationMethod
    phase: Phase
    created_at: float
    from_address: str = ""
    from_name: str = ""
    to_address: str = ""
    trunk: str | None = None
    origin: InteractionId | None = None  # the contact in which this callback was promised
    customer: str | None = None  # whom a call out is for, by their document, where the agent knew
    callbacks: tuple[InteractionId, ...] = ()  # those that were promised in this one
    queue: str | None = None
    reason: str | None = None
    priority: int = 0
    target_s: float | None = None  # to be answered within, where that is not the queue's target
    agent: AgentId | None = None  # the last one who talked
    flow: str | None = None
    flow_version: str | None = None
    answered_at: float | None = None
    queued_at: float | None = None  # the first time
    connected_at: float | None = None  # the first time an agent and the citizen heard each other
    ended_at: float | None = None  # the citizen's leg was over
    closed_at: float | None = None
    exit_reason: ExitReason | None = None
    cause: str | None = None
    disposition: str | None = None
    participants: tuple[Participant, ...] = ()
    segments: tuple[Segment, ...] = ()
    recordings: tuple[Recording, ...] = ()
    tags: tuple[str, ...] = ()
    path: tuple[Choice, ...] = ()  # through the menus, in order
    supervisors: tuple[AgentId, ...] = ()  # who are in it now, unseen or not
    survey: dict[str, int] = {}  # the citizen's answers by question
    events: int = 0
