"""`collect`: several keys into a variable (a contract number, a cédula), checked, and read back when asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.answers import KINDS, AnswerKind, read_back
from ivr_flows.asking import Question, ask, ask_again, words
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import Aside, Collected, CollectEnd, Input
from ivr_flows.protocol import Collect as CollectAction
from ivr_flows.terms import Digit, NodeRef, Seconds, VariableRef

_YES, _NO = "1", "2"
# What may be said instead of the two keys.
_SAY_YES: Mapping[str, tuple[str, ...]] = {"es": ("sí", "correcto"), "en": ("yes", "correct")}
_SAY_NO: Mapping[str, tuple[str, ...]] = {"es": ("no", "corregir"), "en": ("no", "change it")}
_CONFIRM = {
    "es": "Usted digitó: {value}. Si es correcto, marque uno. Para corregirlo, marque dos.",
    "en": "You entered: {value}. If this is correct, press one. To correct it, press two.",
}


class Collect(Question):
    """The key for a person is heard when it comes alone (then the terminator or a pause), as numbers may begin with
    it; `person: false` makes it a plain key here. `as` checks what was keyed: a cédula by its check digit, a date
    (day, month and year), an amount (a star before the cents)."""

    kind: Literal["collect"]
    into: VariableRef
    meaning: Literal["digits", "cedula", "ruc", "identity", "contract", "phone", "date", "amount"] = Field(
        default="digits", alias="as"
    )
    min_digits: int | None = Field(default=None, ge=1, le=40)
    max_digits: int | None = Field(default=None, ge=1, le=40)
    terminator: Digit | Literal[""] = "#"
    between_s: Seconds = 4.0
    read_back: bool = False
    speech: bool = Field(default=False, description="digits may be said, too; best with read_back")
    person: bool = True
    next: NodeRef

    @model_validator(mode="after")
    def _in_order(self) -> Collect:
        if self.meaning == "digits" and self.max_digits is None:
            raise PydanticCustomError("digits", "max_digits is missing (or say what the keys are: as)")
        if self.shortest > self.longest:
            raise PydanticCustomError("digits", "min_digits is greater than max_digits")
        return self

    @property
    def answer(self) -> AnswerKind:
        return KINDS[self.meaning]

    @property
    def shortest(self) -> int:
        return self.answer.shortest if self.min_digits is None else self.min_digits

    @property
    def longest(self) -> int:
        return self.answer.longest if self.max_digits is None else self.max_digits

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        return not self.person or bool(scratch.get("typed"))

    def keys(self) -> tuple[int, float, str]:
        return (self.longest, self.between_s, self.terminator)


def enter(node: Collect, context: Context) -> Outcome:
    wait = ask(node, context, keys=node.keys(), spoken_digits=node.speech)
    if not (context.typed and node.barge_in):
        return wait
    if node.longest == len(context.typed):
        return _collected(node, context, Collected(context.typed, CollectEnd.COMPLETE))
    # The first keys came before the question: say nothing, take the rest.
    assert isinstance(wait.action, CollectAction)  # noqa: S101 - for the type checker
    rest = dataclasses.replace(
        wait.action, prompts=(), max_digits=node.longest - len(context.typed), first_s=node.between_s
    )
    return Wait(rest, {**wait.scratch, "typed": context.typed})


def handle(node: Collect, context: Context, heard: Input) -> Outcome:
    if "value" in context.scratch:
        return _confirmed(node, context, _key_of(heard, context) if isinstance(heard, Collected) else "")
    if not isinstance(heard, Collected):
        return _again(node, context, silent=True)
    before = str(context.scratch.get("typed", ""))
    return _collected(node, context, Collected(before + heard.digits, heard.end, heard.phrase))


def _said(phrases: Mapping[str, tuple[str, ...]], context: Context) -> tuple[str, ...]:
    return phrases.get(context.language[:2], phrases["es"])


def _key_of(heard: Collected, context: Context) -> str:
    """Of the read-back: what was said stands for a key, anything that was not understood for a wrong one."""
    if heard.digits or not heard.phrase:
        return heard.digits
    if heard.phrase in _said(_SAY_YES, context):
        return _YES
    return _NO if heard.phrase in _said(_SAY_NO, context) else "?"


def _collected(node: Collect, context: Context, heard: Collected) -> Outcome:
    if not heard.digits and not heard.phrase:
        note = context.note("collect.no_input", asked=context.scratch.get("asked", 1))
        return _again(node, context, silent=True, notes=(note,))
    value = node.answer.value(heard.digits) if len(heard.digits) >= node.shortest else None
    if value is None:
        note = context.note("collect.no_match", private=True, length=len(heard.digits))
        why = node.answer.wrong.get(context.language[:2], node.answer.wrong["es"])
        return _again(node, context, silent=False, notes=(note,), why=why)
    return _read_back(node, context, value) if node.read_back else _taken(node, context, value)


def _again(node: Collect, context: Context, *, silent: bool, notes: tuple[Aside, ...] = (), why: str = "") -> Outcome:
    speech = node.speech
    return ask_again(node, context, keys=node.keys(), silent=silent, notes=notes, why=why, spoken_digits=speech)


def _read_back(node: Collect, context: Context, value: str) -> Outcome:
    spoken = read_back(node.meaning, value, context.language)
    question = (words(_CONFIRM, context, value=spoken),)
    phrases = _said(_SAY_YES, context) + _said(_SAY_NO, context)
    wait = ask(node, context, keys=(1, 1.0, ""), question=question, phrases=phrases)
    asked = int(context.scratch.get("asked", 1))
    return Wait(wait.action, {"asked": asked, "confirms": 1, "value": value})


def _confirmed(node: Collect, context: Context, key: str) -> Outcome:
    value = str(context.scratch["value"])
    if key == _YES:
        return _taken(node, context, value)
    if key == _NO:
        note = context.note("collect.corrected")
        return _again(node, context, silent=False, notes=(note,), why=" ")
    confirms = int(context.scratch.get("confirms", 1))
    if confirms > node.repeats:
        return Go(node.on_no_input if not key else node.on_no_match)
    again = _read_back(node, context, value)
    assert isinstance(again, Wait)  # noqa: S101 - for the type checker
    return Wait(again.action, {**again.scratch, "confirms": confirms + 1})


def _taken(node: Collect, context: Context, value: str) -> Outcome:
    stored = context.set_variable(node.into, value)
    note = context.note("collect.done", private=True, variable=str(node.into), length=len(value))
    return Go(node.next, variables={node.into: stored}, notes=(note,))


def lint(node: Collect, around: Surroundings) -> Iterable[Doubt]:
    if node.person and around.person_digit is not None and node.shortest == 1:
        text = f"{around.person_digit} alone asks for a person here; `person: false` makes it an answer"
        path = "min_digits" if node.min_digits is not None else "kind"
        yield Doubt((path,), "collect.person", text)


KIND = NodeKind(Collect, enter, handle, lint=lint)
