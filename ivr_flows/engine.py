"""The pure engine: `step(flow, state, heard) -> (state, actions)`.

Theory of operation
-------------------
A step takes one input, lets the node that waited for it decide, and enters nodes until one waits or the call ends. Each
entry is one `Note` of kind ``node`` and one item of the path, and the path has limits, so every step ends. Which
input is legal when is the table below; any other pair is `UnexpectedInput` and changes nothing.

No caller is left in silence: a fault of the flow (a limit, a text or condition that fails) leads to the flow's
`on_error` with a small reserve of steps; a second one, or the want of `on_error`, to a spoken apology and hang-up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from ivr_flows.faults import FlowFault, UnexpectedInput
from ivr_flows.flow import Flow
from ivr_flows.node import Context, End, Go, Outcome, Wait
from ivr_flows.nodes import KINDS
from ivr_flows.protocol import (
    Action,
    Answer,
    Answered,
    Begin,
    CallerLeft,
    Collect,
    Collected,
    Enqueue,
    Hangup,
    Input,
    Note,
    Play,
    Played,
    Prompt,
    PromptText,
    QueueLeft,
    Resume,
)
from ivr_flows.state import FlowState, Phase, Waiting
from ivr_flows.templates import UNPRINTABLE
from ivr_flows.terms import MAX_NUMBER, Scalar, converted

# Enough for an announcement, a queue and a good-bye; too few to loop for long.
STEPS_AFTER_FAULT = 50
MAX_FACTS = 100
MAX_FACT = 500

APOLOGIES = {
    "es": "Lo sentimos, en este momento no podemos atender su llamada. Por favor, inténtelo más tarde. "
    "Gracias por llamar.",
    "en": "We are sorry, we cannot take your call at this moment. Please try again later. Thank you for calling.",
}


class Step(NamedTuple):
    state: FlowState
    actions: tuple[Action, ...]


def begin(flow: Flow) -> FlowState:
    """The state of a call before its `Begin`."""
    return FlowState(flow=flow.id, version=flow.version)


def step(flow: Flow, state: FlowState, heard: Input) -> Step:
    """One input. `flow` is the one, in the version, that the state names. Raises `UnexpectedInput`."""
    handler = _TRANSITIONS.get((state.phase, type(heard)))
    wanted = _ANSWERS.get(type(heard))
    if handler is None or (wanted is not None and type(state.waiting) is not wanted):
        raise UnexpectedInput(
            f"{type(heard).__name__} is not what the flow waits for",
            phase=state.phase.value,
            waiting=type(state.waiting).__name__,
            node=state.node,
        )
    run = _Run(flow, state)
    handler(run, heard)
    return run.result()


def moved(flow: Flow, state: FlowState) -> FlowState:
    """The state taken up by another version of its flow, where its own is lost: values that still fit are kept."""
    variables = dict(flow.first)
    for name, spec in flow.head.variables.items():
        try:
            variables[name] = converted(state.variables[name], spec.type)
        except (KeyError, ValueError):
            continue  # new, or of another type now: it begins afresh
    return dataclasses.replace(state, flow=flow.id, version=flow.version, variables=variables)


# --- one step --------------------


@dataclass(frozen=True, slots=True)
class _Sorry:
    """Nothing helped: apologise and hang up."""


class _Run:
    """A step in the making: the only mutable thing here, and it does not outlive the step."""

    def __init__(self, flow: Flow, state: FlowState) -> None:
        self.flow = flow
        self.state = state
        self.actions: list[Action] = []
        self.changes: dict[str, Any] = {}
        self.node = state.node
        self.path = list(state.path)
        self.failed_at = state.failed_at
        self.answered = state.answered
        self.variables: Mapping[str, Scalar] = state.variables
        self.facts = state.facts
        self.scratch: Mapping[str, Any] = state.scratch
        self.typed = ""

    def result(self) -> Step:
        state = dataclasses.replace(
            self.state,
            node=self.node,
            path=tuple(self.path),
            failed_at=self.failed_at,
            answered=self.answered,
            variables=self.variables,
            facts=self.facts,
            **self.changes,
        )
        return Step(state, tuple(self.actions))

    # what a node decided, until one waits or the call ends

    def follow(self, first: Callable[[], Outcome]) -> None:
        outcome = self._guarded(first)
        while isinstance(outcome, Go):
            self.actions += outcome.notes
            self.variables = {**self.variables, **outcome.variables} if outcome.variables else self.variables
            self.typed = outcome.typed
            outcome = self._guarded(partial(self._enter, outcome.target))
        match outcome:
            case Wait():
                self.actions += outcome.notes
                self.wait(outcome.action, Phase.WAITING, outcome.scratch)
            case End():
                self.actions += outcome.notes
                self.hang_up(outcome.cause, "hangup")
            case _:
                self.wait(Play(self._apology()), Phase.APOLOGY, {})

    def _guarded(self, decide: Callable[[], Outcome]) -> Outcome | _Sorry:
        try:
            return decide()
        except FlowFault as fault:
            self.note("flow.error", reason=fault.reason, message=_clean(fault.message))
            on_error = self.flow.head.on_error
            if self.failed_at is not None or on_error is None:
                return _Sorry()
            self.failed_at = len(self.path)
            return Go(on_error)

    def _enter(self, target: str | None) -> Outcome:
        if target is None:
            target = self._person()
        self._check_limits(target)
        node = self.flow.nodes.get(target)
        if node is None:
            raise FlowFault("node", f"there is no node {target!r}")
        self.node = str(target)
        self.path.append(self.node)
        self.scratch = {}
        self.note("node")
        return KINDS[node.kind].enter(node, self.context())

    def _person(self) -> str:
        head = self.flow.head
        target = head.person.to if head.person is not None else head.on_error
        if target is None:
            raise FlowFault("target", "the flow names nowhere to go on")
        return target

    def _check_limits(self, target: str) -> None:
        limits = self.flow.head.limits
        since = self.failed_at or 0
        allowed = limits.steps if self.failed_at is None else STEPS_AFTER_FAULT
        if len(self.path) - since >= allowed:
            raise FlowFault("limit.steps", f"more than {allowed} steps")
        if self.path[since:].count(target) >= limits.visits:
            raise FlowFault("limit.visits", f"more than {limits.visits} visits of {target!r}")

    # the ways a step ends

    def wait(self, action: Waiting, phase: Phase, scratch: Mapping[str, Any]) -> None:
        held = None
        if not self.answered and not isinstance(action, Answer):
            action, held = Answer(), action
        self.changes = {"phase": phase, "waiting": action, "held": held, "scratch": dict(scratch)}
        self.actions.append(action)

    def hang_up(self, cause: str, end: str) -> None:
        self._end(Phase.OVER, end, {"cause": cause})
        self.actions.append(Hangup(cause))

    def caller_left(self) -> None:
        self._end(Phase.LEFT, "caller_left", {})

    def _end(self, phase: Phase, end: str, scratch: Mapping[str, Any]) -> None:
        self.note("flow.ended", end=end, path=list(self.path))
        self.changes = {"phase": phase, "waiting": None, "held": None, "scratch": scratch}

    # what nodes see

    def note(self, kind: str, **data: object) -> None:
        where = {"flow": self.flow.id, "version": self.flow.version, "node": self.node}
        self.actions.append(Note(kind, {**where, **data}))

    def context(self) -> Context:
        return Context(
            flow=self.flow.id,
            version=self.flow.version,
            node=self.node,
            language=self.flow.head.language,
            variables=self.variables,
            facts=self.facts,
            scratch=self.scratch,
            typed=self.typed,
            set_variable=self._converted,
        )

    def _converted(self, name: str, value: object) -> Scalar:
        spec = self.flow.head.variables.get(name)  # type: ignore[call-overload]
        if spec is None:
            raise FlowFault("variable", f"there is no variable {name!r}")
        try:
            return converted(value, spec.type)
        except ValueError as error:
            raise FlowFault("variable", f"{name} cannot be set: {error}") from error

    def _apology(self) -> tuple[Prompt, ...]:
        language = self.flow.head.language
        own = self._own_apology()
        return own or (PromptText(APOLOGIES.get(language[:2], APOLOGIES["es"]), language),)

    def _own_apology(self) -> tuple[Prompt, ...]:
        try:
            return self.context().prompts(self.flow.head.apology)
        except FlowFault:
            return ()  # noted already: what led here is the fault to mend first


# --- the inputs --------------------


def _on_begin(run: _Run, heard: Begin) -> None:
    run.variables = dict(run.flow.first)
    run.facts = clean_facts(heard.facts)
    run.follow(lambda: Go(run.flow.head.entry))


def _on_answered(run: _Run, heard: Answered) -> None:
    run.answered = True
    held = run.state.held
    if held is not None:
        run.wait(held, run.state.phase, run.state.scratch)


def _on_heard(run: _Run, heard: Input) -> None:
    if isinstance(heard, Collected):
        heard = _only_digits(heard, run.state.waiting)
    elif isinstance(heard, Played):
        heard = Played(heard.ok, _clean(heard.detail))
    run.follow(lambda: _decided(run, heard))


def _decided(run: _Run, heard: Input) -> Outcome:
    node = run.flow.nodes.get(run.node)
    handle = KINDS[node.kind].handle if node is not None else None
    if node is None or handle is None:  # only after a change of version
        raise FlowFault("node", f"node {run.node!r} does not wait for anything")
    person = run.flow.head.person
    if (
        person is not None
        and isinstance(heard, Collected)
        and heard.digits == person.digit
        and not node.takes(heard.digits, run.scratch)
    ):
        run.note("person.asked")
        return Go(person.to)
    return handle(node, run.context(), heard)


def _on_apology_said(run: _Run, heard: Played) -> None:
    run.hang_up("normal", "apology")


def _on_resume(run: _Run, heard: Resume) -> None:
    state = run.state
    assert state.waiting is not None  # noqa: S101 - the table of phases: both that come here wait
    run.note("flow.resumed")
    run.changes = {}
    run.actions.append(state.waiting)


def _on_resume_after_end(run: _Run, heard: Resume) -> None:
    """We had decided to hang up; whether it was done nobody knows, and twice does no harm."""
    run.actions.append(Hangup(str(run.state.scratch.get("cause", "normal"))))


def _on_caller_left(run: _Run, heard: CallerLeft) -> None:
    run.caller_left()


def _nothing(run: _Run, heard: Input) -> None:
    """Known, and nothing is to be done."""


_Handler: TypeAlias = Callable[[_Run, Any], None]

# The input that answers each action.
_ANSWERS: dict[type[Input], type[Waiting]] = {
    Answered: Answer,
    Played: Play,
    Collected: Collect,
    QueueLeft: Enqueue,
}
_TRANSITIONS: dict[tuple[Phase, type[Input]], _Handler] = {
    (Phase.NEW, Begin): _on_begin,
    (Phase.NEW, CallerLeft): _on_caller_left,
    (Phase.WAITING, Answered): _on_answered,
    (Phase.WAITING, Played): _on_heard,
    (Phase.WAITING, Collected): _on_heard,
    (Phase.WAITING, QueueLeft): _on_heard,
    (Phase.WAITING, Resume): _on_resume,
    (Phase.WAITING, CallerLeft): _on_caller_left,
    (Phase.APOLOGY, Answered): _on_answered,
    (Phase.APOLOGY, Played): _on_apology_said,
    (Phase.APOLOGY, Resume): _on_resume,
    (Phase.APOLOGY, CallerLeft): _on_caller_left,
    (Phase.OVER, CallerLeft): _nothing,
    (Phase.OVER, Resume): _on_resume_after_end,
    (Phase.LEFT, CallerLeft): _nothing,
    (Phase.LEFT, Resume): _nothing,
}


# --- what comes from outside --------------------


def clean_facts(facts: Mapping[str, object]) -> dict[str, Any]:
    """Facts as flat, bounded, plain data: some were written by a stranger's telephone."""
    return {_clean(str(name))[:64]: _clean_fact(value) for name, value in list(facts.items())[:MAX_FACTS]}


def _clean_fact(value: object) -> Scalar | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= MAX_NUMBER:
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    return UNPRINTABLE.sub(" ", text[:MAX_FACT])


def _only_digits(heard: Collected, asked: Waiting | None) -> Collected:
    most = asked.max_digits if isinstance(asked, Collect) else 0
    digits = "".join(d for d in heard.digits if d in "0123456789*#ABCD")[:most]
    return Collected(digits, heard.end)
