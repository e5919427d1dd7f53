"""Everything that happens to an interaction, one class each: the rows of the append-only `interaction_events`.

They are facts in the past tense, never changed and never removed; records, CDRs and statistics are folds over them. The
``type`` tag of each is its stable name in the database, on the bus and in the API. Fields that hold personal data are
named in `PRIVATE_FIELDS`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from callcontrol.model import (
    AgentId,
    Direction,
    ExitReason,
    InitiationMethod,
    InteractionId,
    Medium,
    OfferEnd,
    OfferId,
    ParticipantId,
    Role,
    Steering,
    Target,
)
from callcontrol.routing.why import Why


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all."""


class Started(Fact, frozen=True, kw_only=True, tag="started"):
    medium: Medium
    direction: Direction
    initiation_method: InitiationMethod
    channel: str
    from_address: str
    from_name: str
    to_address: str
    trunk: str | None
    queue: str | None = None  # of a call out: for which it is made
    origin: InteractionId | None = None  # of a callback: the contact in which it was promised
    customer: str | None = None  # of a call out: whom it is for, by their document, where the agent knew


class ParticipantJoined(Fact, frozen=True, kw_only=True, tag="participant_joined"):
    participant: ParticipantId
    role: Role
    address: str
    channel: str | None
    agent: AgentId | None = None


class ParticipantLeft(Fact, frozen=True, kw_only=True, tag="participant_left"):
    participant: ParticipantId
    reason: str


class Answered(Fact, frozen=True, kw_only=True, tag="answered"):
    """We took the call; charging begins."""


class FlowStarted(Fact, frozen=True, kw_only=True, tag="flow_started"):
    flow: str
    version: str


class FlowNoted(Fact, frozen=True, kw_only=True, tag="flow_noted"):
    """What a flow wants remembered: node entered, choice made. `private`: `data` came from the caller's keys."""

    kind: str
    data: dict[str, Any]
    private: bool = False


class FlowResumed(Fact, frozen=True, kw_only=True, tag="flow_resumed"):
    """The citizen is back in the flow, after a queue that gave up or a talk that is over."""


class FlowEnded(Fact, frozen=True, kw_only=True, tag="flow_ended"):
    how: str


class Queued(Fact, frozen=True, kw_only=True, tag="queued"):
    queue: str
    priority: int
    skills: dict[str, int]
    reason: str
    callback: bool = False  # nobody waits on the line: they are called when their place comes
    target_s: float | None = None  # to be answered within, where that is not the queue's target


class Dequeued(Fact, frozen=True, kw_only=True, tag="dequeued"):
    """The item left the queue: answered, abandoned, timeout, no_agents, unknown_queue, closed, full, length,
    expected_wait, moved:<why>, raised (into the same one, with more priority)."""

    queue: str
    how: str
    waited_s: float


class Relaxed(Fact, frozen=True, kw_only=True, tag="relaxed"):
    """With waiting, less is asked of an agent's skills: `requires` from step `ring` (from 1) on; empty: nothing."""

    queue: str
    ring: int
    requires: str
    waited_s: float


class Offered(Fact, frozen=True, kw_only=True, tag="offered"):
    offer: OfferId
    agent: AgentId
    participant: ParticipantId
    expires_at: float
    why: Why | None = None


class OfferEnded(Fact, frozen=True, kw_only=True, tag="offer_ended"):
    offer: OfferId
    agent: AgentId
    how: OfferEnd
    detail: str = ""


class Connected(Fact, frozen=True, kw_only=True, tag="connected"):
    """Citizen and agent hear each other."""

    agent: AgentId
    participant: ParticipantId


class AgentAway(Fact, frozen=True, kw_only=True, tag="agent_away"):
    """The agent's audio broke off in the talk (a page loaded anew, a network cut); the citizen hears music, until then
    at the longest."""

    agent: AgentId
    participant: ParticipantId
    until: float


class AgentBack(Fact, frozen=True, kw_only=True, tag="agent_back"):
    """They hear each other again."""

    agent: AgentId
    participant: ParticipantId


class DigitsSent(Fact, frozen=True, kw_only=True, tag="digits_sent"):
    by: AgentId
    digits: str


class TransferBegun(Fact, frozen=True, kw_only=True, tag="transfer_begun"):
    """`participant` is the third party, who is being called."""

    by: AgentId
    to: str
    participant: ParticipantId


class TransferEnded(Fact, frozen=True, kw_only=True, tag="transfer_ended"):
    """`how`: connected, failed (nobody answered), refused (by our rules: then `participant` may be none)."""

    participant: ParticipantId | None
    how: str
    detail: str = ""


class Transferred(Fact, frozen=True, kw_only=True, tag="transferred"):
    """Given on without asking first, to an agent or a queue; what follows says who took it."""

    by: AgentId
    kind: Target
    to: str


class ConsultBegun(Fact, frozen=True, kw_only=True, tag="consult_begun"):
    """The agent asks somebody, and the citizen hears music."""

    by: AgentId
    kind: Target
    to: str
    participant: ParticipantId


class ConsultAnswered(Fact, frozen=True, kw_only=True, tag="consult_answered"):
    participant: ParticipantId


class ConsultSwapped(Fact, frozen=True, kw_only=True, tag="consult_swapped"):
    with_customer: bool


class ConsultEnded(Fact, frozen=True, kw_only=True, tag="consult_ended"):
    """`how`: completed (the citizen was given on), cancelled, failed (nobody took it), refused, left, lost."""

    participant: ParticipantId
    how: str
    detail: str = ""


class ConferenceBegun(Fact, frozen=True, kw_only=True, tag="conference_begun"):
    by: AgentId


class Dialing(Fact, frozen=True, kw_only=True, tag="dialing"):
    """A call out rings."""

    agent: AgentId
    participant: ParticipantId


class SupervisionStarted(Fact, frozen=True, kw_only=True, tag="supervision_started"):
    """Or its mode changed: listen, whisper, barge."""

    supervisor: AgentId
    mode: str


class SupervisionEnded(Fact, frozen=True, kw_only=True, tag="supervision_ended"):
    """`why`: left, talk_over, leg_lost, took_over, or the code with which the switch refused it."""

    supervisor: AgentId
    mode: str
    why: str


class TakenOver(Fact, frozen=True, kw_only=True, tag="taken_over"):
    by: AgentId
    of: AgentId


class SupervisorAsked(Fact, frozen=True, kw_only=True, tag="supervisor_asked"):
    by: AgentId
    text: str


class Classified(Fact, frozen=True, kw_only=True, tag="classified"):
    """By the agent, or by who may for them; None: as it was."""

    by: AgentId
    disposition: str | None = None
    reason: str | None = None


class Held(Fact, frozen=True, kw_only=True, tag="held"):
    by: AgentId | None


class Resumed(Fact, frozen=True, kw_only=True, tag="resumed"):
    by: AgentId | None


class Disconnected(Fact, frozen=True, kw_only=True, tag="disconnected"):
    """Citizen and agent no longer hear each other. `by`: customer, agent, system."""

    agent: AgentId
    participant: ParticipantId
    by: str


class RecordingStarted(Fact, frozen=True, kw_only=True, tag="recording_started"):
    recording: str
    path: str


class RecordingPaused(Fact, frozen=True, kw_only=True, tag="recording_paused"):
    recording: str


class RecordingResumed(Fact, frozen=True, kw_only=True, tag="recording_resumed"):
    recording: str


class RecordingStopped(Fact, frozen=True, kw_only=True, tag="recording_stopped"):
    recording: str
    path: str
    seconds: float
    channels: int


class RecordingFailed(Fact, frozen=True, kw_only=True, tag="recording_failed"):
    recording: str
    reason: str
    seconds: float | None = None


class WrapUpStarted(Fact, frozen=True, kw_only=True, tag="wrap_up_started"):
    agent: AgentId
    until: float | None


class WrapUpEnded(Fact, frozen=True, kw_only=True, tag="wrap_up_ended"):
    """`how`: finished, timer, signed_out, daemon_lost."""

    agent: AgentId
    how: str
    disposition: str | None = None


class CallbackPlaced(Fact, frozen=True, kw_only=True, tag="callback_placed"):
    """The caller was promised a call; `callback` is the interaction in which it is made."""

    callback: InteractionId


class CallbackScheduled(Fact, frozen=True, kw_only=True, tag="callback_scheduled"):
    """It comes into the line at that time, unix seconds. `attempt` is how often the citizen was dialled until now, and
    `cause` why the last time nobody was reached."""

    at: float
    attempt: int
    cause: str = ""


class Steered(Fact, frozen=True, kw_only=True, tag="steered"):
    """A supervisor moved, raised, assigned or ended it; `by` is the identity of the one who did."""

    act: Steering
    by: str
    queue: str | None = None
    priority: int | None = None
    agent: AgentId | None = None


class Reattached(Fact, frozen=True, kw_only=True, tag="reattached"):
    """A restarted daemon found the call again on the switch. `gap_s`: how long nobody watched."""

    gap_s: float


class CommandFailed(Fact, frozen=True, kw_only=True, tag="command_failed"):
    """The switch did not do what the call needed; what follows says how it went on."""

    command: str
    code: str
    message: str


class Ended(Fact, frozen=True, kw_only=True, tag="ended"):
    """The citizen's leg is over."""

    exit_reason: ExitReason
    cause: str
    by: str  # customer, agent, system
    mos: float | None = None


class Closed(Fact, frozen=True, kw_only=True, tag="closed"):
    """Nothing more will happen."""


AnyFact: TypeAlias = (
    Started
    | ParticipantJoined
    | ParticipantLeft
    | Answered
    | FlowStarted
    | FlowNoted
    | FlowResumed
    | FlowEnded
    | Queued
    | Dequeued
    | Offered
    | OfferEnded
    | Connected
    | AgentAway
    | AgentBack
    | DigitsSent
    | TransferBegun
    | TransferEnded
    | Transferred
    | ConsultBegun
    | ConsultAnswered
    | ConsultSwapped
    | ConsultEnded
    | ConferenceBegun
    | Dialing
    | SupervisionStarted
    | SupervisionEnded
    | TakenOver
    | SupervisorAsked
    | Classified
    | Held
    | Resumed
    | Disconnected
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | RecordingStopped
    | RecordingFailed
    | WrapUpStarted
    | WrapUpEnded
    | CallbackPlaced
    | CallbackScheduled
    | Steered
    | Relaxed
    | Reattached
    | CommandFailed
    | Ended
    | Closed
)

PRIVATE_FIELDS: dict[type[Fact], frozenset[str]] = {
    Started: frozenset({"from_address", "from_name", "customer"}),
    ParticipantJoined: frozenset({"address"}),
    DigitsSent: frozenset({"digits"}),
    ConsultBegun: frozenset({"to"}),
    SupervisorAsked: frozenset({"text"}),
    TransferBegun: frozenset({"to"}),
    FlowNoted: frozenset({"data"}),  # where the event says `private`
}


def is_behind_the_agent(fact: Fact) -> bool:
    """What the agents of a call are not told: that somebody listens, or speaks to one of them alone."""
    return isinstance(fact, SupervisionStarted | SupervisionEnded) and fact.mode != "barge"


class InteractionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A fact in its place: number `n` of its interaction, from 1, without gaps. `at` is unix seconds."""

    interaction: InteractionId
    n: int
    at: float
    fact: AnyFact


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyFact)


def fact_type(fact: Fact) -> str:
    """The stable name of the fact's kind."""
    tag = fact.__struct_config__.tag
    assert isinstance(tag, str)  # noqa: S101 - every class above has a literal tag
    return tag


def encode_fact(fact: Fact) -> bytes:
    return _encoder.encode(fact)


def decode_fact(data: bytes) -> AnyFact:
    """Raises msgspec.ValidationError for a row that no class above fits."""
    fact: AnyFact = _decoder.decode(data)
    return fact
