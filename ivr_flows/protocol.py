"""What the flow engine asks for and what it is told: the whole contract between a flow and whoever carries it out.

``engine.step(flow, state, input, at=...) -> (state, actions)``. The engine knows no switch and no clock: a call session
turns actions into switch commands, a chat session turns the same actions into messages.

After each `step` the runner carries out the actions in order. An action whose docstring says *waits* is the last of its
list: the flow goes on with the input named there. `CallerLeft` may come at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

# --- prompts --------------------


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A recorded prompt by name, or `fallback_text` spoken where it is not recorded yet."""

    name: str
    fallback_text: str = ""
    language: str = "es"


@dataclass(frozen=True, slots=True)
class PromptText:
    """Text to be spoken."""

    text: str
    language: str = "es"


@dataclass(frozen=True, slots=True)
class PromptTone:
    hz: int
    ms: int


Prompt: TypeAlias = PromptFile | PromptText | PromptTone


# --- actions --------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the call (nothing to do for one that is answered, or for a chat). Waits: `Answered`."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play to the end, whatever the caller does. `asides` are the words for a person: who says one of them, or presses
    the key, is `Collected` meanwhile. Waits: `Played`."""

    prompts: Sequence[Prompt]
    asides: Sequence[str] = ()
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Collect:
    """Play the prompts and collect digits, and where a recogniser is configured (or in a chat) one of the `phrases`, or
    with `spoken_digits` digits that are said. `asides` are phrases, too, which answer no question: whoever says none of
    them is not taken to have answered. Waits: `Collected`."""

    prompts: Sequence[Prompt]
    max_digits: int
    first_s: float
    between_s: float
    terminator: str
    barge_in: bool
    phrases: Sequence[str] = ()
    asides: Sequence[str] = ()
    spoken_digits: bool = False
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put the interaction into a queue. Waits: `QueueLeft`, which comes when the flow is to go on: the queue gave up,
    or the talk is over and the caller is still there, or the caller pressed one of the `exits`. Any other key, and one
    of the `asides` that is said, is `Collected`: it is answered by `Reassure`, or by another `Enqueue` for a caller who
    is better served there, and who keeps the moment since when they wait.

    Every `comfort_every_s` the music is interrupted by the caller's place and expected wait (each where asked for and
    known; `ivr_flows.speech.waiting` has the words) and by the comfort prompts."""

    queue: str
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    music: str = "default"
    timeout_s: float | None = None
    comfort: Sequence[Prompt] = ()
    comfort_every_s: float | None = None
    say_position: bool = False
    say_wait: bool = False
    exits: str = ""
    language: str = "es"
    criticality: str = ""  # a name that the organisation gives points of priority (special_capacities, outage, ...)
    preferred: Sequence[str] = ()  # agents who are tried first
    target_s: float | None = None  # within which it should be answered, where that is not the queue's target
    asides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """Ask a system of the customer's. Waits: `Response`; a key meanwhile, or one of the `asides`, is `Collected`.

    `system` names one in the settings (its address, its headers, its breaker); without it `url` is whole. Of `secrets`
    (header to name in the settings) only the runner knows the values. After `comfort_after_s` without an answer the
    prompts are spoken, then music: nobody waits in silence."""

    url: str
    system: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    timeout_s: float = 4.0
    retries: int = 1
    comfort: Sequence[Prompt] = ()
    comfort_after_s: float = 2.5
    asides: Sequence[str] = ()
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Record:
    """Play the prompts, then record what the caller says until a key or the limit. Waits: `Recorded`; a key meanwhile,
    or one of the `asides` said by itself, is `Collected`, and where the flow then notes something the message ends
    there."""

    prompts: Sequence[Prompt]
    max_s: float
    beep: bool = True
    mailbox: str = ""  # whose message it is, where the caller ends it by hanging up
    asides: Sequence[str] = ()
    language: str = "es"


class TransferKind(StrEnum):
    NUMBER = "number"
    PHONE = "phone"  # a SIP endpoint of ours, by its name in the settings
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller with somebody outside of the queues. Waits: `TransferEnded`; a key while it rings, or one of
    the `asides`, is `Collected`."""

    kind: TransferKind
    target: str
    timeout_s: float = 30.0
    music: str = "default"
    asides: Sequence[str] = ()
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Converse:
    """Hand the caller to a bot, with what is known. `person_digit` and `asides` are how the caller asks for a person,
    whatever the bot makes of it; while it thinks, too. What is in `comfort` is said in turns where it thinks for long:
    nobody waits in silence. Waits: `Conversed`."""

    bot: str
    language: str
    slots: Mapping[str, object] = field(default_factory=dict)
    timeout_s: float = 120.0
    person_digit: str = ""
    asides: Sequence[str] = ()
    comfort: Sequence[Prompt] = ()


@dataclass(frozen=True, slots=True)
class AllowRecording:
    """What the caller said about being recorded: holds for every talk that follows. Never waits."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class CallBack:
    """The caller wants to be called back: the runner stores it and sees to it. Never waits."""

    number: str
    queue: str
    reason: str = ""
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class Reassure:
    """A caller in the queue asked for a person, who is what they wait for: tell them so, their place and the expected
    wait. Never waits: the wait in the queue goes on."""

    language: str = "es"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call. The flow is over."""

    cause: str = "normal"


@dataclass(frozen=True, slots=True)
class Note:
    """A fact for the interaction's record: node entered, menu choice, tag. Never waits.

    `kind` is dotted (``node``, ``menu.choice``); `data` is plain JSON. `private` marks data that came from the caller's
    keys or voice."""

    kind: str
    data: Mapping[str, object]
    private: bool = False


Waiting: TypeAlias = Answer | Play | Collect | Enqueue | Request | Record | Transfer | Converse
Aside: TypeAlias = Note | AllowRecording | CallBack | Reassure
Action: TypeAlias = Waiting | Aside | Hangup


# --- inputs --------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The interaction begins. `facts` become the flow's read-only variables under ``call`` (from, to, trunk, ...)."""

    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class Played:
    ok: bool = True
    detail: str = ""


# Somebody spoke, and it was nothing that was expected.
UNEXPECTED = "?"


class CollectEnd(StrEnum):
    COMPLETE = "complete"
    TERMINATOR = "terminator"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Collected:
    digits: str
    end: CollectEnd
    # The one of the action's phrases that was heard, what was typed in a chat, or `UNEXPECTED`.
    phrase: str = ""


class QueueExit(StrEnum):
    TALKED = "talked"  # an agent talked and left; the caller is still there
    TIMEOUT = "timeout"
    UNKNOWN_QUEUE = "unknown_queue"
    NO_AGENTS = "no_agents"
    DIGIT = "digit"  # the caller pressed one of the exits
    # Where a rule of the queue sends who cannot be attended now
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """`why` is the rule that was followed (closed, length, expected_wait, time, no_agents) and `target` what it names,
    where a rule sent the caller out."""

    reason: QueueExit
    digit: str = ""
    why: str = ""
    target: str = ""


class Failure(StrEnum):
    """Why a system of the customer's gave no usable answer."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    BREAKER = "breaker"  # it failed so often that it is not asked for a while
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    REFUSED = "refused"  # by our own rules: an unknown system or secret, a forbidden address


@dataclass(frozen=True, slots=True)
class Response:
    """Any status counts as an answer; `body` is its JSON, None where there was none."""

    status: int = 0
    body: object = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """`recording` names it in the interaction's record; empty when nothing was recorded."""

    recording: str
    seconds: float


class TransferExit(StrEnum):
    TALKED = "talked"  # the other party left; the caller is still there
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    REFUSED = "refused"  # by our own rules, or there is no such party


@dataclass(frozen=True, slots=True)
class TransferEnded:
    how: TransferExit


class BotExit(StrEnum):
    DONE = "done"
    PERSON = "person"  # the caller asked for one
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Conversed:
    how: BotExit
    slots: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""  # a word of the bot's, or of the runner's


@dataclass(frozen=True, slots=True)
class Resume:
    """The daemon was restarted: ask again for what the flow was waiting for."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    pass


Input: TypeAlias = (
    Begin
    | Answered
    | Played
    | Collected
    | QueueLeft
    | Response
    | Recorded
    | TransferEnded
    | Conversed
    | Resume
    | CallerLeft
)
