"""What a call asks to be done: by the switch, by the router, by the clock. The session carries them out in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from callcontrol.callbacks import CallbackOrder
from callcontrol.model import AgentId, OfferEnd, OfferId
from callcontrol.routing.terms import WorkItem
from ivr_flows.protocol import Converse, Prompt, Request, TransferKind
from pbx.recognition.terms import Expected
from pbx.terms import DigitRules, HangupCause, Supervision


@dataclass(frozen=True, slots=True)
class AnswerLeg:
    channel: str


@dataclass(frozen=True, slots=True)
class RejectLeg:
    channel: str
    cause: HangupCause


@dataclass(frozen=True, slots=True)
class HangupLeg:
    channel: str
    cause: HangupCause = HangupCause.NORMAL


@dataclass(frozen=True, slots=True)
class PlayTo:
    channel: str
    playback: str
    prompts: Sequence[Prompt]
    # Where there are ears: asides that may be said meanwhile. The prompt is heard to its end all the same.
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class CollectFrom:
    channel: str
    playback: str
    prompts: Sequence[Prompt]
    rules: DigitRules
    # What may be said instead, where there are ears; `answers` False: only asides, which end nothing but themselves.
    expected: Expected | None = None
    answers: bool = True


@dataclass(frozen=True, slots=True)
class StartMusic:
    channel: str
    music: str


@dataclass(frozen=True, slots=True)
class StopMusic:
    channel: str


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring the agent's phone; `channel` is the new leg's id."""

    channel: str
    agent: AgentId
    caller_number: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CallOut:
    """Call somebody for the flow; `channel` is the new leg's id."""

    channel: str
    kind: TransferKind
    target: str
    caller_number: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask a system of the customer's. Answered by `Fetched`."""

    request: str
    action: Request


@dataclass(frozen=True, slots=True)
class TalkToBot:
    """Let the caller talk with a bot. Answered by `BotTalked`."""

    channel: str
    talk: str
    action: Converse


@dataclass(frozen=True, slots=True)
class AskPlace:
    """Where this call stands in its queue. Answered by `QueuePlace`."""

    number: int


@dataclass(frozen=True, slots=True)
class PartLegs:
    """The pair of that leg is taken apart. Asked of the citizen's leg: an agent's may be in another call."""

    channel: str


@dataclass(frozen=True, slots=True)
class EnterRoom:
    channel: str
    room: str


@dataclass(frozen=True, slots=True)
class LeaveRoom:
    channel: str


@dataclass(frozen=True, slots=True)
class SuperviseLeg:
    supervisor: str
    target: str
    mode: Supervision


@dataclass(frozen=True, slots=True)
class StopSupervision:
    supervisor: str


@dataclass(frozen=True, slots=True)
class SendDigitsTo:
    channel: str
    digits: str


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    customer: str
    agent: str


@dataclass(frozen=True, slots=True)
class TransferLeg:
    """Blind; `new_leg` is the third party's, and `shown` the number that a phone of ours shows."""

    channel: str
    new_leg: str
    target: str
    shown: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class HoldLeg:
    channel: str


@dataclass(frozen=True, slots=True)
class UnholdLeg:
    channel: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    channel: str
    recording: str
    path: str  # below the recordings folder


@dataclass(frozen=True, slots=True)
class PauseRecording:
    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class FinishRecording:
    """Its switch or daemon died, or its end was never told: make the file whole. Answered by `RecordingFinished`."""

    recording: str
    path: str


@dataclass(frozen=True, slots=True)
class RouteItem:
    """`number` is the citizen's: an agent who knows them may be preferred."""

    item: WorkItem
    number: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawItem:
    item: str = ""  # the call's own


@dataclass(frozen=True, slots=True)
class MoveItem:
    queue: str
    by: str


@dataclass(frozen=True, slots=True)
class RaiseItem:
    priority: int
    by: str


@dataclass(frozen=True, slots=True)
class AssignItem:
    agent: AgentId
    by: str


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    offer: OfferId
    how: OfferEnd
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BeginWork:
    """An agent begins what was not offered to them: a call out, a call taken over."""

    agent: AgentId
    queue: str


@dataclass(frozen=True, slots=True)
class TakeWork:
    """What the agent has under that item's name (the call's own when empty) is the call itself from now on."""

    agent: AgentId
    item: str
    queue: str


@dataclass(frozen=True, slots=True)
class EndWork:
    """`item`: the call's own when empty. Without `wrap_up` there is nothing to write down."""

    agent: AgentId
    item: str = ""
    wrap_up: bool = True


@dataclass(frozen=True, slots=True)
class NoteDisposed:
    """To the router: the agent has said how their part ended. `item` as in `EndWork`."""

    agent: AgentId
    item: str = ""


@dataclass(frozen=True, slots=True)
class PlaceCallback:
    """A promise was made. Answered by `CallbackPlaced`."""

    order: CallbackOrder


@dataclass(frozen=True, slots=True)
class SetTimer:
    name: str
    at: float


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody must look: goes to supervisors and the log."""

    kind: str
    message: str


SwitchCommand: TypeAlias = (
    AnswerLeg
    | RejectLeg
    | HangupLeg
    | PlayTo
    | CollectFrom
    | StartMusic
    | StopMusic
    | RingAgent
    | CallOut
    | BridgeLegs
    | PartLegs
    | SendDigitsTo
    | SuperviseLeg
    | StopSupervision
    | EnterRoom
    | LeaveRoom
    | TransferLeg
    | HoldLeg
    | UnholdLeg
    | StartRecording
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | FinishRecording
)
RouterCommand: TypeAlias = (
    RouteItem
    | WithdrawItem
    | MoveItem
    | RaiseItem
    | AssignItem
    | AnswerOffer
    | BeginWork
    | TakeWork
    | EndWork
    | NoteDisposed
)
Command: TypeAlias = SwitchCommand | RouterCommand | SetTimer | PlaceCallback | Alert | Fetch | TalkToBot | AskPlace
