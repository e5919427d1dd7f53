"""`record`: consent to being recorded, as the law on personal data asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.asking import Question, ask, ask_again
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import AllowRecording, Collect, Collected, Input
from ivr_flows.terms import Digit, NodeRef


class Record(Question):
    """`ask: refuse` records unless the caller presses `refuse`; `ask: accept` only when the caller presses `accept`."""

    kind: Literal["record"]
    ask: Literal["refuse", "accept"] = "refuse"
    accept: Digit = "1"
    refuse: Digit = "2"
    next: NodeRef

    @model_validator(mode="after")
    def _two_keys(self) -> Record:
        if self.accept == self.refuse:
            raise PydanticCustomError("keys", "accept and refuse are the same key")
        return self

    def takes(self, digits: str, scratch: object) -> bool:
        return digits in (self.accept, self.refuse)


_ONE_KEY = (1, 1.0, "")


def enter(node: Record, context: Context) -> Outcome:
    wait = ask(node, context, keys=_ONE_KEY)
    assert isinstance(wait.action, Collect)  # noqa: S101 - for the type checker
    return Wait(wait.action, wait.scratch)


def handle(node: Record, context: Context, heard: Input) -> Outcome:
    digits = heard.digits if isinstance(heard, Collected) else ""
    if digits == node.refuse:
        return _decided(node, context, allowed=False)
    if digits == node.accept:
        return _decided(node, context, allowed=True)
    if not digits:  # silence is no answer: it means what the announcement said it means
        return _decided(node, context, allowed=node.ask == "refuse")
    if int(context.scratch.get("asked", 1)) > node.repeats:
        return _decided(node, context, allowed=node.ask == "refuse")
    return ask_again(node, context, keys=_ONE_KEY, silent=False)


def _decided(node: Record, context: Context, *, allowed: bool) -> Outcome:
    return Go(node.next, notes=(context.note("recording.consent", allowed=allowed), AllowRecording(allowed)))


def lint(node: Record, around: Surroundings) -> Iterable[Doubt]:
    for name in ("accept", "refuse"):
        if getattr(node, name) == around.person_digit:
            text = f"{name} takes the place of the key for a person in this question"
            yield Doubt((name,), "record.hides_person", text)


KIND = NodeKind(Record, enter, handle, lint=lint)
