"""Asking a question by keys, shared by the kinds that do (menu, collect): prompts, waiting, asking again, giving up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field

from ivr_flows.node import Context, Go, NodeModel, Outcome, Wait
from ivr_flows.protocol import Aside, Collect, Prompt, PromptText
from ivr_flows.terms import NodeRef, Prompts, Seconds, SomePrompts

# Keys are heard during a prompt, not waited for after it; a little above 0 for keys pressed on its last word.
LISTEN_AFTER_S = 0.1
_NO_INPUT = {"es": "No recibimos su respuesta.", "en": "We did not get your answer."}
_NO_MATCH = {"es": "La opción no es válida.", "en": "That is not a valid option."}


class Question(NodeModel):
    """The fields of a node that asks. After `repeats` it goes on to a person, or where `on_...` says."""

    prompts: SomePrompts
    no_input: Prompts = ()
    no_match: Prompts = ()
    barge_in: bool = True
    timeout_s: Seconds = Field(default=6.0, description="for the first key, after the prompt")
    repeats: int = Field(default=2, ge=0, le=5, description="times to ask again")
    on_no_input: NodeRef | None = None
    on_no_match: NodeRef | None = None


Q = TypeVar("Q", bound=Question)


def ask(
    node: Q,
    context: Context,
    *,
    keys: tuple[int, float, str],
    before: tuple[Prompt, ...] = (),
    question: tuple[Prompt, ...] | None = None,
    phrases: tuple[str, ...] = (),
    spoken_digits: bool = False,
) -> Wait:
    """The question for the first time. `keys`: how many, seconds between them, terminator. `question` stands for the
    node's own prompts."""
    prompts = context.prompts(node.prompts) if question is None else question
    return _asked(node, keys, before + prompts, {"asked": 1}, (phrases, spoken_digits))


def ask_again(
    node: Q,
    context: Context,
    *,
    keys: tuple[int, float, str],
    silent: bool,
    notes: tuple[Aside, ...] = (),
    question: tuple[Prompt, ...] | None = None,
    phrases: tuple[str, ...] = (),
    why: str = "",
    spoken_digits: bool = False,
) -> Outcome:
    """The question once more with the reason before it (`why`, where the node has no words of its own), or on when it
    was asked often enough."""
    asked = int(context.scratch.get("asked", 1))
    if asked > node.repeats:
        return Go(node.on_no_input if silent else node.on_no_match, notes=notes)
    given = context.prompts(node.no_input if silent else node.no_match)
    reason = given or ((PromptText(why, context.language),) if why else _spoken_reason(context, silent=silent))
    prompts = context.prompts(node.prompts) if question is None else question
    wait = _asked(node, keys, reason + prompts, {"asked": asked + 1}, (phrases, spoken_digits))
    return Wait(wait.action, wait.scratch, notes)


def _spoken_reason(context: Context, *, silent: bool) -> tuple[Prompt, ...]:
    texts = _NO_INPUT if silent else _NO_MATCH
    text = texts.get(context.language[:2])
    return () if text is None else (PromptText(text, context.language),)


def _asked(
    node: Question,
    keys: tuple[int, float, str],
    prompts: tuple[Prompt, ...],
    scratch: dict[str, int],
    heard: tuple[tuple[str, ...], bool],
) -> Wait:
    phrases, spoken_digits = heard
    count, between_s, terminator = keys
    action = Collect(
        prompts=prompts,
        max_digits=count,
        first_s=node.timeout_s,
        between_s=between_s,
        terminator=terminator,
        barge_in=node.barge_in,
        phrases=phrases,
        spoken_digits=spoken_digits,
    )
    return Wait(action, scratch)


def words(texts: Mapping[str, str], context: Context, **values: str) -> PromptText:
    """One of our own sentences in the caller's language."""
    text = texts.get(context.language[:2], texts["es"])
    return PromptText(text.format(**values), context.language)
