"""`collect`: several keys into a variable (a contract number, a cédula)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.asking import Question, ask, ask_again
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import Collect as CollectAction
from ivr_flows.protocol import Collected, CollectEnd, Input
from ivr_flows.terms import Digit, NodeRef, Seconds, VariableRef


class Collect(Question):
    """The key for a person is heard when it comes alone (then the terminator or a pause), as numbers may begin with
    it; `person: false` makes it a plain key here."""

    kind: Literal["collect"]
    into: VariableRef
    min_digits: int = Field(default=1, ge=1, le=40)
    max_digits: int = Field(ge=1, le=40)
    terminator: Digit | Literal[""] = "#"
    between_s: Seconds = 4.0
    person: bool = True
    next: NodeRef

    @model_validator(mode="after")
    def _in_order(self) -> Collect:
        if self.min_digits > self.max_digits:
            raise PydanticCustomError("digits", "min_digits is greater than max_digits")
        return self

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        return not self.person or bool(scratch.get("typed"))

    def keys(self) -> tuple[int, float, str]:
        return (self.max_digits, self.between_s, self.terminator)


def enter(node: Collect, context: Context) -> Outcome:
    wait = ask(node, context, keys=node.keys())
    if not (context.typed and node.barge_in):
        return wait
    if node.max_digits == len(context.typed):
        return _collected(node, context, Collected(context.typed, CollectEnd.COMPLETE))
    # The first keys came before the question: say nothing, take the rest.
    assert isinstance(wait.action, CollectAction)  # noqa: S101 - for the type checker
    rest = dataclasses.replace(
        wait.action, prompts=(), max_digits=node.max_digits - len(context.typed), first_s=node.between_s
    )
    return Wait(rest, {**wait.scratch, "typed": context.typed})


def handle(node: Collect, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, Collected):
        return ask_again(node, context, keys=node.keys(), silent=True)
    before = str(context.scratch.get("typed", ""))
    return _collected(node, context, Collected(before + heard.digits, heard.end))


def _collected(node: Collect, context: Context, heard: Collected) -> Outcome:
    if not heard.digits:
        note = context.note("collect.no_input", asked=context.scratch.get("asked", 1))
        return ask_again(node, context, keys=node.keys(), silent=True, notes=(note,))
    if len(heard.digits) < node.min_digits:
        note = context.note("collect.no_match", private=True, length=len(heard.digits))
        return ask_again(node, context, keys=node.keys(), silent=False, notes=(note,))
    value = context.set_variable(node.into, heard.digits)
    note = context.note("collect.done", private=True, variable=str(node.into), length=len(heard.digits))
    return Go(node.next, variables={node.into: value}, notes=(note,))


def lint(node: Collect, around: Surroundings) -> Iterable[Doubt]:
    if node.person and around.person_digit is not None and node.min_digits == 1:
        text = f"{around.person_digit} alone asks for a person here; `person: false` makes it an answer"
        yield Doubt(("min_digits",), "collect.person", text)


KIND = NodeKind(Collect, enter, handle, lint=lint)
