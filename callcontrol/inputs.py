"""What a call is told, besides the switch's events (`pbx.events`) and the router's decisions (`routing.terms`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from callcontrol.callbacks import CallbackOrder, CallbackPolicy
from callcontrol.commands import Command
from callcontrol.model import AgentId, InteractionId, Steering, Target
from callcontrol.routing import terms as routing
from ivr_flows.protocol import Conversed, Response
from pbx import events as pbx
from pbx.terms import DigitsEnd, HangupCause, RecordedFile, Supervision


@dataclass(frozen=True, slots=True)
class CommandFailed:
    command: Command
    code: str  # of the RimayError
    message: str


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    recording: str
    file: RecordedFile | None


@dataclass(frozen=True, slots=True)
class Fetched:
    request: str
    response: Response


@dataclass(frozen=True, slots=True)
class Heard:
    """How a question was answered, by keys or by speech; `playback` names the question."""

    playback: str
    digits: str
    end: DigitsEnd
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Overheard:
    """The words for a person, said beside what goes on now."""

    phrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BotTalked:
    """How the talk with the bot ended."""

    talk: str
    ended: Conversed


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; None where it is not known, so is `wait_s`."""

    number: int
    position: int | None
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class TimerFired:
    name: str


@dataclass(frozen=True, slots=True)
class Reattach:
    """The switch's truth about this call, after nobody watched for `gap_s`. `restarted`: the daemon itself is new.

    `legs` are those of ours that live, and whether they are answered. Only what was `asked` before the switch was asked
    can be missing there: a leg that was sent out since is on its way."""

    gap_s: float
    restarted: bool
    customer_up: bool
    customer_answered: bool = False
    bridged_to: str | None = None
    legs: Mapping[str, bool] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    def lives(self, leg: str | None) -> bool:
        return leg is not None and (leg in self.legs or leg not in self.asked)


@dataclass(frozen=True, slots=True)
class SwitchDied:
    """The switch restarted: every leg is gone."""


@dataclass(frozen=True, slots=True)
class OfferMade:
    """An offer to an agent who has their calls on the page. `leg` is their open leg, None where it is down."""

    offer: routing.MakeOffer
    leg: str | None


@dataclass(frozen=True, slots=True)
class LegLost:
    """An open leg that this call uses is down."""

    channel: str
    cause: HangupCause


@dataclass(frozen=True, slots=True)
class LegBack:
    """The agent whom this call misses has an open leg again."""

    agent: AgentId
    channel: str


@dataclass(frozen=True, slots=True)
class AgentHold:
    by: AgentId


@dataclass(frozen=True, slots=True)
class AgentResume:
    by: AgentId


@dataclass(frozen=True, slots=True)
class AgentHangup:
    by: AgentId


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Keys to the citizen's far end, as the agent presses them."""

    by: AgentId
    digits: str


@dataclass(frozen=True, slots=True)
class RecordingPause:
    by: AgentId


@dataclass(frozen=True, slots=True)
class RecordingResume:
    by: AgentId


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """The first input of a callback. `due` is when it comes into the line, unix seconds."""

    order: CallbackOrder
    policy: CallbackPolicy
    due: float


@dataclass(frozen=True, slots=True)
class CallbackPostponed:
    """It was to come into the line of a queue that is closed, and opens then (unix seconds)."""

    until: float


@dataclass(frozen=True, slots=True)
class CallbackPlaced:
    """What was promised in this call will be kept in that one."""

    callback: InteractionId


@dataclass(frozen=True, slots=True)
class Steer:
    """By a supervisor's hand; `queue`, `priority` and `agent` as the act needs them."""

    by: str
    act: Steering
    queue: str = ""
    priority: int = 0
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class AskColleague:
    """Attended transfer: ask first, whom then the citizen is given to, or not. `kind` is agent or number."""

    by: AgentId
    kind: Target
    to: str


@dataclass(frozen=True, slots=True)
class ConsultDecision:
    """The router on a consultation's own item; `leg` is the open leg of whom it offers to, with `on_page`."""

    decision: routing.MakeOffer | routing.OfferOver | routing.Assign | routing.GiveUp
    leg: str | None = None
    on_page: bool = False


@dataclass(frozen=True, slots=True)
class ConsultComplete:
    """The citizen is given to who was asked."""

    by: AgentId


@dataclass(frozen=True, slots=True)
class ConsultCancel:
    """Back to the citizen."""

    by: AgentId


@dataclass(frozen=True, slots=True)
class ConsultSwap:
    by: AgentId


@dataclass(frozen=True, slots=True)
class ConsultConference:
    by: AgentId


@dataclass(frozen=True, slots=True)
class ConferenceLeave:
    """The agent goes, the others talk on."""

    by: AgentId


@dataclass(frozen=True, slots=True)
class ConferenceRemove:
    """Who was asked goes."""

    by: AgentId
    participant: str


@dataclass(frozen=True, slots=True)
class HandOn:
    """Blind transfer: to an agent, a queue, a number."""

    by: AgentId
    kind: Target
    to: str


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """The first input of a call out, from the agent's open leg."""

    by: AgentId
    leg: str
    number: str
    queue: str | None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Supervise:
    """From the supervisor's open leg; of one who is in already, another mode."""

    by: AgentId
    channel: str
    mode: Supervision


@dataclass(frozen=True, slots=True)
class StopSupervising:
    by: AgentId


@dataclass(frozen=True, slots=True)
class TakeOver:
    by: AgentId
    channel: str


@dataclass(frozen=True, slots=True)
class AskSupervisor:
    by: AgentId
    text: str


@dataclass(frozen=True, slots=True)
class Classify:
    """What the contact was about, and how it ended; None leaves it as it is."""

    by: AgentId
    disposition: str | None = None
    reason: str | None = None


CallInput: TypeAlias = (
    AskColleague
    | ConsultDecision
    | ConsultComplete
    | ConsultCancel
    | ConsultSwap
    | ConsultConference
    | ConferenceLeave
    | ConferenceRemove
    | HandOn
    | PlaceCall
    | Supervise
    | StopSupervising
    | TakeOver
    | AskSupervisor
    | Classify
    | pbx.SwitchEvent
    | routing.MakeOffer
    | routing.OfferOver
    | routing.Assign
    | routing.GiveUp
    | routing.Moved
    | routing.Released
    | routing.Relaxed
    | routing.WorkSuspended
    | routing.WorkResumed
    | routing.WrapUpBegun
    | routing.WrapUpOver
    | CommandFailed
    | RecordingFinished
    | Fetched
    | Heard
    | Overheard
    | BotTalked
    | QueuePlace
    | TimerFired
    | Reattach
    | SwitchDied
    | OfferMade
    | LegLost
    | LegBack
    | SendDigits
    | AgentHold
    | AgentResume
    | AgentHangup
    | RecordingPause
    | RecordingResume
    | CallbackAsked
    | CallbackPostponed
    | CallbackPlaced
    | Steer
)
