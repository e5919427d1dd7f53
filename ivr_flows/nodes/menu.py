"""`menu`: choose by one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.asking import Question, ask, ask_again
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import Collected, Input, Note, Prompt
from ivr_flows.terms import Digit, Expression, NodeRef, Prompts, Spec

# What people keep in mind while they listen; more options belong into a second menu.
COMFORTABLE = 5
_ONE_KEY = (1, 1.0, "")


class Option(Spec):
    short: ClassVar[str] = "to"

    to: NodeRef
    name: str = Field(default="", max_length=80, description="for reports")
    prompts: Prompts = Field(default=(), description="said after the menu's own, where the options are adaptive")
    phrases: tuple[Annotated[str, Field(max_length=60)], ...] = Field(
        default=(), max_length=10, description="words that choose it, where speech is heard"
    )
    when: Expression | None = Field(default=None, description="the option is there only when this holds")
    first_when: Expression | None = Field(default=None, description="it is said first when this holds")


class Menu(Question):
    """The keys of the options stay the same in every call, as callers learn them; what they are told, and in which
    order, may depend on who they are."""

    kind: Literal["menu"]
    prompts: Prompts = ()
    options: dict[Digit, Option] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> Menu:
        if not self.prompts and not all(option.prompts for option in self.options.values()):
            raise PydanticCustomError("prompts", "prompts is missing, here or at each option")
        return self

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        return digits in self.options


def _there(node: Menu, context: Context) -> dict[str, Option]:
    """The options of this caller, the likely ones first."""
    there = {key: each for key, each in node.options.items() if each.when is None or context.value(each.when)}
    likely = [k for k, each in there.items() if each.first_when is not None and context.value(each.first_when)]
    return {key: there[key] for key in (*likely, *(key for key in there if key not in likely))}


def _question(node: Menu, context: Context) -> tuple[Prompt, ...]:
    options = _there(node, context).values()
    return context.prompts(node.prompts) + tuple(p for each in options for p in context.prompts(each.prompts))


def _phrases(node: Menu) -> tuple[str, ...]:
    return tuple(phrase.casefold() for option in node.options.values() for phrase in option.phrases)


def _ask(node: Menu, context: Context) -> Wait:
    return ask(node, context, keys=_ONE_KEY, question=_question(node, context), phrases=_phrases(node))


def _again(node: Menu, context: Context, *, silent: bool, note: Note) -> Outcome:
    question, phrases = _question(node, context), _phrases(node)
    return ask_again(node, context, keys=_ONE_KEY, silent=silent, notes=(note,), question=question, phrases=phrases)


def enter(node: Menu, context: Context) -> Outcome:
    if context.typed and node.barge_in:
        return _chosen(node, context, context.typed)
    return _ask(node, context)


def handle(node: Menu, context: Context, heard: Input) -> Outcome:
    digits = _meant(node, heard) if isinstance(heard, Collected) else ""
    if not digits:
        note = context.note("menu.no_input", asked=context.scratch.get("asked", 1))
        return _again(node, context, silent=True, note=note)
    return _chosen(node, context, digits)


def _meant(node: Menu, heard: Collected) -> str:
    """The key; of a phrase, the key of its option."""
    if heard.digits or not heard.phrase:
        return heard.digits
    return next(
        (key for key, each in node.options.items() if heard.phrase in (p.casefold() for p in each.phrases)), "?"
    )


def _chosen(node: Menu, context: Context, digits: str) -> Outcome:
    option = _there(node, context).get(digits)
    if option is not None:
        # The option is a word of the flow file that the caller picked, not something the caller said.
        return Go(option.to, notes=(context.note("menu.choice", option=digits, to=str(option.to), name=option.name),))
    note = context.note("menu.no_match", private=True, digits=digits)
    if not context.scratch:  # keyed ahead, before the question was heard: that counts for nothing yet
        wait = _ask(node, context)
        return Wait(wait.action, wait.scratch, (note,))
    return _again(node, context, silent=False, note=note)


def lint(node: Menu, around: Surroundings) -> Iterable[Doubt]:
    always = [option for option in node.options.values() if option.when is None]
    # Of those with a condition about half are there at a time.
    heard = len(always) + (len(node.options) - len(always) + 1) // 2
    if heard > COMFORTABLE:
        yield Doubt(("options",), "menu.long", f"{heard} options; people keep at most {COMFORTABLE} in mind")
    seen: dict[str, str] = {}
    for key, option in node.options.items():
        for index, phrase in enumerate(option.phrases):
            if (other := seen.setdefault(phrase.casefold(), key)) != key:
                text = f"option {other} is chosen by {phrase!r}, too"
                yield Doubt(("options", key, "phrases", index), "menu.phrase_twice", text)
    if around.person_digit is not None and around.person_digit in node.options:
        text = f"option {around.person_digit} takes the place of the key for a person in this menu"
        yield Doubt(("options", around.person_digit), "menu.hides_person", text)


KIND = NodeKind(Menu, enter, handle, lint=lint)
