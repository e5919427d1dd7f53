"""One step of the engine in the making: it follows what nodes decide until one waits or the call ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ivr_flows.faults import FlowFault
from ivr_flows.flow import Flow, FlowHead, Person
from ivr_flows.node import Context, End, Enter, Go, Outcome, Return, Wait
from ivr_flows.nodes import KINDS
from ivr_flows.outside import cleaned
from ivr_flows.protocol import (
    Action,
    Answer,
    Collect,
    Converse,
    Enqueue,
    Hangup,
    Note,
    Play,
    Prompt,
    PromptText,
    Record,
    Request,
    Transfer,
    Waiting,
)
from ivr_flows.state import FlowState, Frame, Phase
from ivr_flows.terms import Scalar, converted

T = TypeVar("T")

# Enough for an announcement, a queue and a good-bye; too few to loop for long.
STEPS_AFTER_FAULT = 50

APOLOGIES = {
    "es": "Lo sentimos, en este momento no podemos atender su llamada. Por favor, inténtelo más tarde. "
    "Gracias por llamar.",
    "en": "We are sorry, we cannot take your call at this moment. Please try again later. Thank you for calling.",
}


class Step(NamedTuple):
    state: FlowState
    actions: tuple[Action, ...]


# A flow by its id and version; "" asks for the present version. None: there is none.
Find: TypeAlias = Callable[[str, str], Flow | None]


@dataclass(frozen=True, slots=True)
class Sorry:
    """Nothing helped: apologise and hang up."""


class Run:
    """A step in the making: the only mutable thing here, and it does not outlive the step."""

    def __init__(self, flow: Flow, state: FlowState, find: Find, at: float, spent_s: float) -> None:
        self.flow = self.given = flow
        self.state = state
        self.find = find
        self.at = at
        self.spent_s = spent_s
        self.stack = state.stack
        self.versions = state.versions
        self.language = state.language
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
        """Field by field: `replace` takes a tenth of the whole step."""
        before, changes, moved = self.state, self.changes, self.flow is not self.given
        state = FlowState(
            flow=self.flow.id if moved else before.flow,
            version=self.flow.version if moved else before.version,
            phase=changes.get("phase", before.phase),
            node=self.node,
            scratch=changes.get("scratch", before.scratch),
            variables=self.variables,
            facts=self.facts,
            path=tuple(self.path),
            failed_at=self.failed_at,
            answered=self.answered,
            waiting=changes.get("waiting", before.waiting),
            held=changes.get("held", before.held),
            stack=self.stack,
            versions=self.versions,
            language=self.language,
            at=self.at,
            spent_s=self.spent_s,
        )
        return Step(state, tuple(self.actions))

    # what a node decided, until one waits or the call ends

    def follow(self, first: Callable[[], Outcome]) -> None:
        outcome = self._guarded(first)
        while isinstance(outcome, Go | Enter | Return):
            self.actions += outcome.notes
            outcome = self._guarded(partial(self._on, outcome))
        match outcome:
            case Wait():
                self.actions += outcome.notes
                self.variables = {**self.variables, **outcome.variables} if outcome.variables else self.variables
                self.wait(outcome.action, Phase.WAITING, outcome.scratch)
            case End():
                self.actions += outcome.notes
                self.hang_up(outcome.cause, "hangup")
            case _:
                self._out_to(lambda head: head.apology or None)
                self.wait(Play(self._apology()), Phase.APOLOGY, {})

    def _on(self, outcome: Go | Enter | Return) -> Outcome:
        match outcome:
            case Go():
                self.variables = {**self.variables, **outcome.variables} if outcome.variables else self.variables
                self.typed = outcome.typed
                self.language = outcome.language or self.language
                return self._enter(outcome.target)
            case Enter():
                return self._enter_flow(outcome)
            case Return():
                return self._return()

    def _enter_flow(self, wanted: Enter) -> Outcome:
        flow = self._version_of(wanted.flow)
        if flow is None:
            raise FlowFault("flow", f"there is no flow {wanted.flow!r}")
        if wanted.comes_back:
            if len(self.stack) >= self.flow.head.limits.depth:
                raise FlowFault("limit.depth", f"more than {self.flow.head.limits.depth} flows deep")
            mine = Frame(flow=self.flow.id, version=self.flow.version, node=self.node, variables=self.variables)
            self.stack = (*self.stack, mine)
        else:
            self.stack = ()
        self.flow, self.variables = flow, dict(flow.first)
        self.variables = {**flow.first, **{n: self._converted(n, value) for n, value in wanted.values.items()}}
        self.note("flow.entered")
        return self._enter(flow.head.entry)

    def _version_of(self, flow_id: str) -> Flow | None:
        """That of this call. Where it is lost, or the flow is newer than the call, the present one."""
        version = self.versions.get(flow_id, "")
        flow = self.find(flow_id, version) if version else None
        if flow is not None:
            return flow
        flow = self.find(flow_id, "")
        if flow is not None:
            self.versions = {**versions_from(flow, self.find), **self.versions, flow_id: flow.version}
            if version:
                self.note("flow.version_lost", entered=flow_id, lost=version, now=flow.version)
        return flow

    def _return(self) -> Outcome:
        if not self.stack:
            return End()
        theirs, frame = self.variables, self._pop()
        node = self.flow.nodes.get(frame.node)
        returned = KINDS[node.kind].returned if node is not None else None
        if node is None or returned is None:  # only after a change of version
            raise FlowFault("node", f"node {frame.node!r} entered no flow")
        self.node, self.scratch, self.typed = frame.node, {}, ""
        self.note("flow.returned")
        return returned(node, self.context(), theirs)

    def _pop(self) -> Frame:
        """Leave this flow for the one that entered it."""
        frame = self.stack[-1]
        flow = self._flow_of(frame)
        if flow is None:
            raise FlowFault("flow", f"flow {frame.flow!r} is not there any more")
        self.flow, self.stack, self.variables = flow, self.stack[:-1], frame.variables
        return frame

    def _flow_of(self, frame: Frame) -> Flow | None:
        return self.find(frame.flow, frame.version) or self.find(frame.flow, "")

    def _guarded(self, decide: Callable[[], Outcome]) -> Outcome | Sorry:
        try:
            return decide()
        except FlowFault as fault:
            self.note("flow.error", reason=fault.reason, message=cleaned(fault.message))
            if self.failed_at is not None:
                return Sorry()
            self.failed_at = len(self.path)
            on_error = self._out_to(lambda head: head.on_error)
            return Sorry() if on_error is None else Go(on_error)

    def _enter(self, target: str | None) -> Outcome:
        if target is None:
            target = self._person()
        self._check_limits(target)
        node = self.flow.nodes.get(target)
        if node is None:
            raise FlowFault("node", f"there is no node {target!r}")
        self.node = str(target)
        self.path.append(self.place(self.node))
        self.scratch = {}
        self.note("node")
        return KINDS[node.kind].enter(node, self.context())

    def _nearest(self, named: Callable[[FlowHead], T | None]) -> tuple[int, T] | None:
        """What the nearest flow names, and how far out that is: 0 is this one, 1 the one that entered it. A flow that
        is not there any more names nothing."""
        found = named(self.flow.head)
        if found is not None:
            return 0, found
        for out, frame in enumerate(reversed(self.stack), start=1):
            flow = self._flow_of(frame)
            if flow is not None and (found := named(flow.head)) is not None:
                return out, found
        return None

    def _out_to(self, named: Callable[[FlowHead], T | None]) -> T | None:
        """The same, and the flow that names it goes on from here; where none does, this one."""
        nearest = self._nearest(named)
        if nearest is None:
            return None
        out, found = nearest
        if out:
            self.stack = self.stack[: len(self.stack) - out + 1]
            self.node = self._pop().node
        return found

    def person(self) -> Person | None:
        """The way to a person that holds now. However near an `on_error` is: who asks for somebody is not sent away by
        a part that only knows what to do after a fault."""
        nearest = self._nearest(_person_of)
        return None if nearest is None else nearest[1]

    def _person(self) -> str:
        person = self._out_to(_person_of)
        target = person.to if person is not None else self._out_to(lambda head: head.on_error)
        if target is None:
            raise FlowFault("target", "the flow names nowhere to go on")
        return target

    def _check_limits(self, target: str) -> None:
        limits = self.flow.head.limits
        since = self.failed_at or 0
        allowed = limits.steps if self.failed_at is None else STEPS_AFTER_FAULT
        if len(self.path) - since >= allowed:
            raise FlowFault("limit.steps", f"more than {allowed} steps")
        if self.path[since:].count(self.place(target)) >= limits.visits:
            raise FlowFault("limit.visits", f"more than {limits.visits} visits of {target!r}")
        if self.failed_at is None and self.spent_s > limits.minutes * 60:
            raise FlowFault("limit.minutes", f"more than {limits.minutes:g} minutes in the flow")

    def place(self, node: str) -> str:
        """A node as the path names it: those of an entered flow with the flow's name."""
        return f"{self.flow.id}.{node}" if self.stack else node

    # the ways a step ends

    def wait(self, action: Waiting, phase: Phase, scratch: Mapping[str, Any]) -> None:
        held = None
        if not isinstance(action, Answer) and phase is not Phase.APOLOGY:
            action = self._with_ears(action)
        if not self.answered and not isinstance(action, Answer):
            action, held = Answer(), action
        self.changes = {"phase": phase, "waiting": action, "held": held, "scratch": dict(scratch)}
        self.actions.append(action)

    def _with_ears(self, action: Waiting) -> Waiting:
        """A person may be asked for wherever somebody waits, and words are heard in the caller's language."""
        person = self.person()
        asides = () if person is None else _folded(person.phrases)
        language = self.language or self.flow.head.language
        if isinstance(action, Converse):
            return dataclasses.replace(action, asides=asides, person_digit="" if person is None else person.digit)
        if isinstance(action, Play):
            return Play(action.prompts, asides, language)
        if not isinstance(action, Collect):
            return action if isinstance(action, Answer) else _hearing(action, asides, language)
        return Collect(  # each call asks thousands of times: `replace` takes three times as long
            action.prompts,
            action.max_digits,
            action.first_s,
            action.between_s,
            action.terminator,
            action.barge_in,
            action.phrases,
            asides,
            action.spoken_digits,
            language,
        )

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
            language=self.language or self.flow.head.language,
            variables=self.variables,
            facts=self.facts,
            scratch=self.scratch,
            typed=self.typed,
            set_variable=self._converted,
            at=self.at,
            calendars=self.flow.head.calendars,
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
        language = self.language or self.flow.head.language
        own = self._own_apology()
        return own or (PromptText(APOLOGIES.get(language[:2], APOLOGIES["es"]), language),)

    def _own_apology(self) -> tuple[Prompt, ...]:
        try:
            return self.context().prompts(self.flow.head.apology)
        except FlowFault:
            return ()  # noted already: what led here is the fault to mend first


def _hearing(action: Enqueue | Request | Record | Transfer, asides: tuple[str, ...], language: str) -> Waiting:
    return dataclasses.replace(action, asides=asides, language=language)


@lru_cache(maxsize=256)
def _folded(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase.casefold() for phrase in phrases)


def versions_from(flow: Flow, find: Find) -> dict[str, str]:
    """The present versions of the flows that can be come to from this one, and its own."""
    found, waiting = {flow.id: flow.version}, [flow]
    while waiting:
        for name in waiting.pop().enters:
            other = None if name in found else find(name, "")
            if other is not None:
                found[name] = other.version
                waiting.append(other)
    return found


def _person_of(head: FlowHead) -> Person | None:
    return head.person
