"""What a node kind is made of. A kind is one file in `ivr_flows/nodes/` that ends with ``KIND = NodeKind(...)``:

- a model (`NodeModel`): the fields an admin writes; their types (`NodeRef`, `Template`, `VariableRef` ...) give the
  checks, the lints and the drawing;
- ``enter(node, context) -> Outcome``: what happens when the call comes to the node;
- ``handle(node, context, heard) -> Outcome``: what happens when the input comes that the node waited for. A kind that
  never waits has none.

Both are pure: they read the context and return what is to be done. They may raise `FlowFault`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from ivr_flows import expressions, templates
from ivr_flows.calendars import Calendar
from ivr_flows.faults import FlowFault
from ivr_flows.protocol import Aside, Input, Note, Prompt, PromptFile, PromptText, PromptTone, Waiting
from ivr_flows.speech.saying import say
from ivr_flows.terms import Expression, NodeRef, PromptSpec, Scalar, Spec, Template

M = TypeVar("M", bound="NodeModel")


class NodeModel(Spec):
    """Base of every node's fields."""

    # The fields in whose words `item` stands for something.
    speaks_of: ClassVar[frozenset[str]] = frozenset()

    kind: str
    description: str = ""

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        """These digits mean something to this node, even where they are the key for a person."""
        return False


# --- what a node answers --------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """Do this and wait for its input. `scratch` is what the node must remember until then (plain JSON)."""

    action: Waiting
    scratch: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Aside, ...] = ()
    variables: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Go:
    """Go on with another node; None asks for a person (where the flow names none: `on_error`). `typed` are keys that
    the caller pressed ahead of the question they answer."""

    target: NodeRef | None
    variables: Mapping[str, Scalar] = field(default_factory=dict)
    notes: tuple[Aside, ...] = ()
    typed: str = ""
    language: str = ""  # the caller's choice from now on


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on in another flow, with these values of its variables; `comes_back` when its `return` leads here again."""

    flow: str
    values: Mapping[str, object] = field(default_factory=dict)
    comes_back: bool = True
    notes: tuple[Aside, ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    """Back to the flow that called this one; the end where none did."""

    notes: tuple[Aside, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Hang up."""

    cause: str = "normal"
    notes: tuple[Aside, ...] = ()


Outcome: TypeAlias = Wait | Go | Enter | Return | End


# --- what a node is told --------------------


@dataclass(frozen=True, slots=True)
class Context:
    """The call as a node may see it."""

    flow: str
    version: str
    node: str
    language: str
    variables: Mapping[str, Scalar]
    facts: Mapping[str, Any]
    scratch: Mapping[str, Any]
    typed: str
    set_variable: Callable[[str, object], Scalar]  # the value as the variable's type; raises FlowFault
    at: float = 0.0  # unix seconds
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    def text(
        self,
        template: Template | str,
        item: Mapping[str, object] | None = None,
        *,
        use: str = "speech",
        language: str = "",
    ) -> str:
        """`item` is what the node speaks of just now; `use` is speech, url or data; `language` is the caller's where
        none is said."""
        return templates.render(template, self._names(item), use, language or self.language)

    def value(self, expression: Expression | str, item: Mapping[str, object] | None = None) -> object:
        return expressions.evaluate(expression, self._names(item))

    def prompts(self, specs: Iterable[PromptSpec], item: Mapping[str, object] | None = None) -> tuple[Prompt, ...]:
        return tuple(self._prompt(spec, item) for spec in specs)

    def note(self, kind: str, *, private: bool = False, **data: object) -> Note:
        where = {"flow": self.flow, "version": self.version, "node": self.node}
        return Note(kind, {**where, **data}, private)

    def _names(self, item: Mapping[str, object] | None = None) -> dict[str, object]:
        return {**self.variables, "call": self.facts, "item": item or {}}

    def _prompt(self, spec: PromptSpec, item: Mapping[str, object] | None) -> Prompt:
        language = spec.language or self.language
        if spec.tone is not None:
            return PromptTone(spec.tone.hz, spec.tone.ms)
        if spec.saying is not None:
            kind, expression = spec.saying
            return PromptText(self._said(kind, self.value(expression, item), language), language)
        text = "" if spec.text is None else self.text(spec.text, item, language=language)
        return PromptText(text, language) if spec.file is None else PromptFile(spec.file, text, language)

    def _said(self, kind: str, value: object, language: str) -> str:
        try:
            return say(kind, value, language)
        except (ValueError, OverflowError) as error:
            raise FlowFault("prompt", f"a value cannot be said as {kind}: {error}") from error


# --- the kind itself --------------------


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lint may know beside the node itself."""

    person_digit: str | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A lint's warning: the path in the node's fields, a stable code, a sentence."""

    path: tuple[str | int, ...]
    code: str
    message: str
    suggestion: str = ""


def _no_doubts(node: Any, around: Surroundings) -> Iterable[Doubt]:
    return ()


@dataclass(frozen=True, slots=True)
class NodeKind(Generic[M]):
    """`is_end`: the caller is served here (hang-up, queue, transfer); every node must be able to reach one. `returned`
    is told the variables of a flow that the node entered and that came back."""

    model: type[M]
    enter: Callable[[M, Context], Outcome]
    handle: Callable[[M, Context, Input], Outcome] | None = None
    is_end: bool = False
    lint: Callable[[M, Surroundings], Iterable[Doubt]] = _no_doubts
    returned: Callable[[M, Context, Mapping[str, Scalar]], Outcome] | None = None
