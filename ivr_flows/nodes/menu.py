"""`menu`: choose by one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from ivr_flows.asking import Question, ask, ask_again
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import Collected, Input
from ivr_flows.terms import Digit, NodeRef, Spec

# What people keep in mind while they listen; more options belong into a second menu.
COMFORTABLE = 5
_ONE_KEY = (1, 1.0, "")


class Option(Spec):
    short: ClassVar[str] = "to"

    to: NodeRef
    name: str = Field(default="", max_length=80, description="for reports")


class Menu(Question):
    kind: Literal["menu"]
    options: dict[Digit, Option] = Field(min_length=1)

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        return digits in self.options


def enter(node: Menu, context: Context) -> Outcome:
    if context.typed and node.barge_in:
        return _chosen(node, context, context.typed)
    return ask(node, context, keys=_ONE_KEY)


def handle(node: Menu, context: Context, heard: Input) -> Outcome:
    digits = heard.digits if isinstance(heard, Collected) else ""
    if not digits:
        note = context.note("menu.no_input", asked=context.scratch.get("asked", 1))
        return ask_again(node, context, keys=_ONE_KEY, silent=True, notes=(note,))
    return _chosen(node, context, digits)


def _chosen(node: Menu, context: Context, digits: str) -> Outcome:
    option = node.options.get(digits)
    if option is not None:
        # The option is a word of the flow file that the caller picked, not something the caller said.
        return Go(option.to, notes=(context.note("menu.choice", option=digits, to=str(option.to), name=option.name),))
    note = context.note("menu.no_match", private=True, digits=digits)
    if not context.scratch:  # keyed ahead, before the question was heard: that counts for nothing yet
        wait = ask(node, context, keys=_ONE_KEY)
        return Wait(wait.action, wait.scratch, (note,))
    return ask_again(node, context, keys=_ONE_KEY, silent=False, notes=(note,))


def lint(node: Menu, around: Surroundings) -> Iterable[Doubt]:
    if len(node.options) > COMFORTABLE:
        yield Doubt(
            ("options",), "menu.long", f"{len(node.options)} options; people keep at most {COMFORTABLE} in mind"
        )
    if around.person_digit is not None and around.person_digit in node.options:
        text = f"option {around.person_digit} takes the place of the key for a person in this menu"
        yield Doubt(("options", around.person_digit), "menu.hides_person", text)


KIND = NodeKind(Menu, enter, handle, lint=lint)
