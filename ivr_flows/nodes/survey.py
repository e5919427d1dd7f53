"""`survey`: a few questions answered by one key each; the answers are kept with the interaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from ivr_flows.asking import words
from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Aside, Collect, Collected, Input, Prompt
from ivr_flows.terms import Name, NodeRef, Prompts, Seconds, SomePrompts, Spec

_NO_MATCH = {"es": "Por favor, responda del uno al {most}.", "en": "Please answer from one to {most}."}
_WORDS = {"es": "dos tres cuatro cinco seis siete ocho nueve".split()}  # noqa: SIM905 - easier to read


class SurveyQuestion(Spec):
    id: Name
    prompts: SomePrompts
    scale: int = Field(default=5, ge=2, le=9, description="answers are 1 to this")


class Survey(NodeModel):
    """A question that gets no answer is left out, never insisted on: the caller was served already."""

    kind: Literal["survey"]
    name: Name
    intro: Prompts = ()
    questions: tuple[SurveyQuestion, ...] = Field(min_length=1, max_length=10)
    timeout_s: Seconds = 6.0
    repeats: int = Field(default=1, ge=0, le=3)
    next: NodeRef

    def takes(self, digits: str, scratch: Mapping[str, Any]) -> bool:
        question = self.questions[int(scratch.get("question", 0))]
        return digits in _keys(question)


def enter(node: Survey, context: Context) -> Outcome:
    return _ask(node, context, 0, before=context.prompts(node.intro))


def handle(node: Survey, context: Context, heard: Input) -> Outcome:
    index, asked = int(context.scratch.get("question", 0)), int(context.scratch.get("asked", 1))
    index = min(index, len(node.questions) - 1)
    question = node.questions[index]
    key = heard.digits if isinstance(heard, Collected) else ""
    if key and key in _keys(question):
        note = context.note(
            "survey.answer", survey=node.name, question=question.id, answer=int(key), scale=question.scale
        )
        return _next(node, context, index, note)
    if asked > node.repeats:
        return _next(node, context, index, context.note("survey.no_answer", survey=node.name, question=question.id))
    most = str(question.scale) if context.language[:2] != "es" else _WORDS["es"][question.scale - 2]
    reason = (words(_NO_MATCH, context, most=most),) if key else ()
    return _ask(node, context, index, before=reason, asked=asked + 1)


def _keys(question: SurveyQuestion) -> str:
    return "123456789"[: question.scale]


def _next(node: Survey, context: Context, index: int, note: Aside) -> Outcome:
    if index + 1 < len(node.questions):
        return _ask(node, context, index + 1, notes=(note,))
    done = context.note("survey.done", survey=node.name)
    return Go(node.next, notes=(note, done))


def _ask(
    node: Survey,
    context: Context,
    index: int,
    *,
    before: tuple[Prompt, ...] = (),
    asked: int = 1,
    notes: tuple[Aside, ...] = (),
) -> Wait:
    prompts = before + context.prompts(node.questions[index].prompts)
    action = Collect(prompts, 1, node.timeout_s, 1.0, "", barge_in=True)
    return Wait(action, {"question": index, "asked": asked}, notes)


def lint(node: Survey, around: Surroundings) -> Iterable[Doubt]:
    seen: set[str] = set()
    for index, question in enumerate(node.questions):
        if question.id in seen:
            text = f"question {question.id!r} is asked twice: its answers cannot be told apart"
            yield Doubt(("questions", index, "id"), "survey.twice", text)
        seen.add(question.id)
        if around.person_digit is not None and around.person_digit in _keys(question):
            text = f"answer {around.person_digit} takes the place of the key for a person in this question"
            yield Doubt(("questions", index, "scale"), "survey.hides_person", text)


KIND = NodeKind(Survey, enter, handle, lint=lint)
