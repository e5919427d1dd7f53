"""What the flow engine asks for and what it is told: the whole contract between a flow and whoever carries it out.

``engine.step(state, input) -> (state, actions)``. The engine knows no switch and no clock: a call session turns actions
into switch commands, a chat session turns the same actions into messages.

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
    """Waits: `Played`."""

    prompts: Sequence[Prompt]


@dataclass(frozen=True, slots=True)
class Collect:
    """Play the prompts and collect digits. Waits: `Collected`."""

    prompts: Sequence[Prompt]
    max_digits: int
    first_s: float
    between_s: float
    terminator: str
    barge_in: bool


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put the interaction into a queue. Waits: `QueueLeft`, which comes when the flow is to go on: the queue gave up,
    or the talk is over and the caller is still there."""

    queue: str
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    music: str = "default"
    timeout_s: float | None = None


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


Action: TypeAlias = Answer | Play | Collect | Enqueue | Hangup | Note


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


class CollectEnd(StrEnum):
    COMPLETE = "complete"
    TERMINATOR = "terminator"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Collected:
    digits: str
    end: CollectEnd


class QueueExit(StrEnum):
    TALKED = "talked"  # an agent talked and left; the caller is still there
    TIMEOUT = "timeout"
    UNKNOWN_QUEUE = "unknown_queue"
    NO_AGENTS = "no_agents"


@dataclass(frozen=True, slots=True)
class QueueLeft:
    reason: QueueExit


@dataclass(frozen=True, slots=True)
class Resume:
    """The daemon was restarted: ask again for what the flow was waiting for."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    pass


Input: TypeAlias = Begin | Answered | Played | Collected | QueueLeft | Resume | CallerLeft
