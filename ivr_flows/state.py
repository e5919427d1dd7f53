"""Where a call is in its flow: frozen, plain, and the same after a trip through JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from ivr_flows.faults import BadState
from ivr_flows.protocol import (
    Answer,
    Collect,
    Converse,
    Enqueue,
    Play,
    Prompt,
    PromptFile,
    PromptText,
    PromptTone,
    Record,
    Request,
    Transfer,
    TransferKind,
    Waiting,
)
from ivr_flows.terms import Scalar

# Raised when a stored state could no longer be read by its fields' defaults alone.
FORMAT = 1


class Phase(StrEnum):
    NEW = "new"  # waits for Begin
    WAITING = "waiting"  # a node waits for its input
    APOLOGY = "apology"  # nothing helped: the apology is spoken, then we hang up
    OVER = "over"  # we hung up
    LEFT = "left"  # the caller did


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A flow that called another one and waits for its `return` at `node`."""

    flow: str
    version: str
    node: str
    variables: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """`waiting` is the action whose input comes next, as it was asked for: after a restart it is asked for again.
    `held` follows when an `Answer` had to come first."""

    flow: str
    version: str
    phase: Phase = Phase.NEW
    node: str = ""
    scratch: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Scalar] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    path: tuple[str, ...] = ()  # the nodes entered, in order; bounded by the flow's limits
    failed_at: int | None = None  # length of the path when the flow first failed
    answered: bool = False
    waiting: Waiting | None = None
    held: Waiting | None = None
    stack: tuple[Frame, ...] = ()  # the callers of this flow, the first one outermost
    # Of each flow that the call can come to, by id: what served when it began, or when it first came there.
    versions: Mapping[str, str] = field(default_factory=dict)
    language: str = ""  # that the caller chose; empty: the flow's own
    at: float = 0.0  # of the last input, unix seconds
    spent_s: float = 0.0  # in the flow, without queues and talks

    @property
    def steps(self) -> int:
        return len(self.path)

    @property
    def is_over(self) -> bool:
        return self.phase in (Phase.OVER, Phase.LEFT)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`. Holds personal data: caller id, keys, variables."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain |= {
            "format": FORMAT,
            "phase": self.phase.value,
            "scratch": dict(self.scratch),
            "variables": dict(self.variables),
            "facts": dict(self.facts),
            "versions": dict(self.versions),
            "path": list(self.path),
            "waiting": action_to_json(self.waiting),
            "held": action_to_json(self.held),
            "stack": [{**asdict(frame), "variables": dict(frame.variables)} for frame in self.stack],
        }
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> FlowState:
        """Raises `BadState` for anything that `to_json` did not write."""
        try:
            return cls._read(dict(plain))
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise BadState(f"a stored flow state cannot be read: {error}") from error

    @classmethod
    def _read(cls, plain: dict[str, Any]) -> FlowState:
        if plain.pop("format") != FORMAT:
            raise ValueError("unknown format")
        plain["phase"] = Phase(plain["phase"])
        plain["path"] = tuple(str(node) for node in plain["path"])
        plain["waiting"] = action_from_json(plain["waiting"])
        plain["held"] = action_from_json(plain["held"])
        plain["stack"] = tuple(Frame(**frame) for frame in plain.get("stack", ()))
        for name in ("scratch", "variables", "facts"):
            plain[name] = dict(plain[name])
        plain["versions"] = {str(flow): str(version) for flow, version in plain.get("versions", {}).items()}
        return cls(**plain)


# --- actions as plain data --------------------

_ACTIONS: dict[str, Callable[..., Waiting]] = {
    "answer": Answer,
    "play": Play,
    "collect": Collect,
    "enqueue": Enqueue,
    "request": Request,
    "record": Record,
    "transfer": Transfer,
    "converse": Converse,
}
# Fields that hold prompts.
_SPOKEN = ("prompts", "comfort")
_PROMPTS: dict[str, Callable[..., Prompt]] = {"file": PromptFile, "text": PromptText, "tone": PromptTone}
_NAMES: dict[Callable[..., Any], str] = {make: name for name, make in (*_ACTIONS.items(), *_PROMPTS.items())}


def action_to_json(action: Waiting | None) -> dict[str, Any] | None:
    """Plain data, for `action_from_json`."""
    if action is None:
        return None
    plain: dict[str, Any] = {"do": _NAMES[type(action)]}
    for each in fields(action):
        value = getattr(action, each.name)
        if each.name in _SPOKEN:
            value = [{"say": _NAMES[type(prompt)], **asdict(prompt)} for prompt in value]
        elif isinstance(value, Mapping):
            value = dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, StrEnum):
            value = value.value
        plain[each.name] = value
    return plain


def action_from_json(plain: Mapping[str, Any] | None) -> Waiting | None:
    if plain is None:
        return None
    rest = dict(plain)
    make = _ACTIONS[rest.pop("do")]
    for name in _SPOKEN:
        if name in rest:
            rest[name] = tuple(_prompt_in(prompt) for prompt in rest[name])
    for name in ("phrases", "asides", "preferred"):
        if name in rest:
            rest[name] = tuple(rest[name])
    if make is Transfer:
        rest["kind"] = TransferKind(rest["kind"])
    return make(**rest)


def _prompt_in(plain: Mapping[str, Any]) -> Prompt:
    rest = dict(plain)
    return _PROMPTS[rest.pop("say")](**rest)
