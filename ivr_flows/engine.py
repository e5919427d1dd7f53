"""The pure engine: `step(flow, state, heard, at=..., find=...) -> (state, actions)`.

Theory of operation
-------------------
A step takes one input, lets the node that waited for it decide, and enters nodes until one waits or the call ends. Each
entry is one `Note` of kind ``node`` and one item of the path, and the path has limits, so every step ends
(`ivr_flows.run` is that step). Which input is legal when is the table below; any other pair is `UnexpectedInput` and
changes nothing.

Flows may enter other flows: the state keeps a stack of those that wait for a `return`. `find` gives a flow by id and
version (an empty version: the present one). Which version each of them is in, the call's `Begin` fixes for all that it
can come to, so that flows which were saved together, and only fit together, stay together. Time comes in as `at` with
each input; nothing here looks at a clock.

No caller is left in silence: a fault of the flow (a limit, a text or condition that fails) leads to the flow's
`on_error` with a small reserve of steps; a second one, or the want of `on_error`, to a spoken apology and hang-up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

from ivr_flows.faults import FlowFault, UnexpectedInput
from ivr_flows.flow import Flow
from ivr_flows.moments import local
from ivr_flows.node import Go, Outcome
from ivr_flows.nodes import KINDS
from ivr_flows.outside import MAX_FACT, MAX_FACTS, clean_facts, cleaned, only_digits
from ivr_flows.protocol import (
    Answer,
    Answered,
    Begin,
    CallerLeft,
    Collect,
    Collected,
    Converse,
    Conversed,
    Enqueue,
    Failure,
    Hangup,
    Input,
    Play,
    Played,
    QueueLeft,
    Reassure,
    Record,
    Recorded,
    Request,
    Response,
    Resume,
    Transfer,
    TransferEnded,
    Waiting,
)
from ivr_flows.run import STEPS_AFTER_FAULT, Find, Run, Step, versions_from
from ivr_flows.state import FlowState, Phase
from ivr_flows.terms import converted

__all__ = ["MAX_FACT", "MAX_FACTS", "STEPS_AFTER_FAULT", "Find", "Step", "begin", "clean_facts", "moved", "step"]


def begin(flow: Flow) -> FlowState:
    """The state of a call before its `Begin`."""
    return FlowState(flow=flow.id, version=flow.version)


def _no_others(_flow: str, _version: str) -> Flow | None:
    return None


def step(flow: Flow, state: FlowState, heard: Input, *, at: float | None = None, find: Find = _no_others) -> Step:
    """One input. `flow` is the one, in the version, that the state names; `at` is unix seconds (None: as before).
    Raises `UnexpectedInput`."""
    handler = _TRANSITIONS.get((state.phase, type(heard)))
    wanted = _ANSWERS.get(type(heard))
    if handler is None or (wanted is not None and type(state.waiting) not in wanted):
        raise UnexpectedInput(
            f"{type(heard).__name__} is not what the flow waits for",
            phase=state.phase.value,
            waiting=type(state.waiting).__name__,
            node=state.node,
        )
    run = Run(flow, state, find, *_timed(state, at))
    handler(run, heard)
    return run.result()


def _timed(state: FlowState, at: float | None) -> tuple[float, float]:
    """Time never runs backwards, and what a caller waits in queues or talks is not time in the flow."""
    if at is None or at <= state.at:
        return state.at, state.spent_s
    counts = state.at > 0 and not isinstance(state.waiting, Enqueue | Transfer | Converse)
    spent = state.spent_s + (at - state.at) if counts else state.spent_s
    return at, round(spent, 3)


def moved(flow: Flow, state: FlowState) -> FlowState:
    """The state taken up by another version of its flow, where its own is lost: values that still fit are kept. Flows
    that it enters from now on are in the version that goes with this one."""
    variables = dict(flow.first)
    for name, spec in flow.head.variables.items():
        try:
            variables[name] = converted(state.variables[name], spec.type)
        except (KeyError, ValueError):
            continue  # new, or of another type now: it begins afresh
    return dataclasses.replace(state, flow=flow.id, version=flow.version, versions={}, variables=variables)


# --- the inputs --------------------


def _on_begin(run: Run, heard: Begin) -> None:
    run.variables = dict(run.flow.first)
    ours = {"today": local(run.at).date().isoformat()}
    run.facts = clean_facts(ours | dict(heard.facts) | ours)
    run.versions = versions_from(run.flow, run.find)
    run.follow(lambda: Go(run.flow.head.entry))


def _on_answered(run: Run, heard: Answered) -> None:
    run.answered = True
    held = run.state.held
    if held is not None:
        run.wait(held, run.state.phase, run.state.scratch)
    else:  # a node that answers
        run.follow(lambda: _decided(run, heard))


def _on_heard(run: Run, heard: Input) -> None:
    if isinstance(heard, Collected) and not isinstance(run.state.waiting, Collect):
        return _on_key_unasked(run, heard)
    if isinstance(heard, Collected):
        heard = only_digits(heard, run.state.waiting)
    elif isinstance(heard, Played):
        heard = Played(heard.ok, cleaned(heard.detail))
    return run.follow(lambda: _decided(run, heard))


def _on_key_unasked(run: Run, heard: Collected) -> None:
    """Nothing was asked: only the wish for a person counts. A system's answer, or a telephone that rings, is then not
    waited for; an announcement is heard and a message kept first; a queue is what was asked for."""
    if run.scratch.get(_WISH) or not _asks_for_a_person(run, heard):
        return
    run.note("person.asked")
    if isinstance(run.state.waiting, Enqueue):
        _in_a_queue(run, run.state.waiting)
    elif isinstance(run.state.waiting, Request | Transfer):
        run.follow(lambda: Go(None))
    else:
        run.changes = {"scratch": {**run.scratch, _WISH: True}}


def _in_a_queue(run: Run, here: Enqueue) -> None:
    """Who waits in a queue waits for a person already, and nobody who asks for one loses by it: only where the way to a
    person leads straight into another queue, or to more priority in this one, is the caller led there. To a menu, a
    message or a closed door nobody is sent out of a line."""
    there = _at_the_end_of_the_way(run)
    if there is None or not _is_nearer(there, here):
        return run.actions.append(Reassure(run.language or run.flow.head.language))
    run.follow(lambda: Go(None))
    moved = dataclasses.replace(there, priority=max(there.priority, here.priority))
    run.changes["waiting"] = run.actions[-1] = moved
    return None


def _at_the_end_of_the_way(run: Run) -> Enqueue | None:
    """The queue into which a wish for a person leads, without asking the caller anything."""
    way = Run(run.given, run.state, run.find, run.at, run.spent_s)
    way.follow(lambda: Go(None))
    there = way.result().state.waiting
    return there if isinstance(there, Enqueue) and way.failed_at == run.failed_at else None


def _is_nearer(there: Enqueue, here: Enqueue) -> bool:
    if there.queue != here.queue or there.priority > here.priority:
        return True
    return there.criticality not in ("", here.criticality)


def _asks_for_a_person(run: Run, heard: Input) -> bool:
    person = run.person()
    if person is None or not isinstance(heard, Collected):
        return False
    said = heard.phrase != "" and heard.phrase in [phrase.casefold() for phrase in person.phrases]
    return heard.digits == person.digit or said


def _decided(run: Run, heard: Input) -> Outcome:
    node = run.flow.nodes.get(run.node)
    handle = KINDS[node.kind].handle if node is not None else None
    if node is None or handle is None:  # only after a change of version
        raise FlowFault("node", f"node {run.node!r} does not wait for anything")
    if (
        isinstance(heard, Collected)
        and _asks_for_a_person(run, heard)
        and not (heard.digits and node.takes(heard.digits, run.scratch))
    ):
        run.note("person.asked")
        return Go(None)
    outcome = handle(node, run.context(), heard)
    return Go(None, notes=outcome.notes) if run.scratch.get(_WISH) else outcome


def _on_apology_said(run: Run, heard: Played) -> None:
    run.hang_up("normal", "apology")


def _on_resume(run: Run, heard: Resume) -> None:
    state = run.state
    assert state.waiting is not None  # noqa: S101 - the table of phases: both that come here wait
    run.note("flow.resumed")
    if isinstance(state.waiting, Request) and state.waiting.method != "GET":
        # Whether it was done nobody knows, and doing it twice may cost somebody money.
        return run.follow(lambda: _decided(run, Response(failure=Failure.UNREACHABLE)))
    run.changes = {}
    return run.actions.append(state.waiting)


def _on_resume_after_end(run: Run, heard: Resume) -> None:
    """We had decided to hang up; whether it was done nobody knows, and twice does no harm."""
    run.actions.append(Hangup(str(run.state.scratch.get("cause", "normal"))))


def _on_caller_left(run: Run, heard: CallerLeft) -> None:
    run.caller_left()


def _nothing(run: Run, heard: Input) -> None:
    """Known, and nothing is to be done."""


_Handler: TypeAlias = Callable[[Run, Any], None]

# In the scratch of a node that waits: the caller has asked for a person, and gets one afterwards.
_WISH = "wishes_person"

# The input that answers each action.
_ANSWERS: dict[type[Input], tuple[type[Waiting], ...]] = {
    Answered: (Answer,),
    Played: (Play,),
    Collected: (Collect, Request, Play, Record, Transfer, Enqueue),
    QueueLeft: (Enqueue,),
    Response: (Request,),
    Recorded: (Record,),
    TransferEnded: (Transfer,),
    Conversed: (Converse,),
}
_TRANSITIONS: dict[tuple[Phase, type[Input]], _Handler] = {
    (Phase.NEW, Begin): _on_begin,
    (Phase.NEW, CallerLeft): _on_caller_left,
    (Phase.WAITING, Answered): _on_answered,
    (Phase.WAITING, Played): _on_heard,
    (Phase.WAITING, Collected): _on_heard,
    (Phase.WAITING, QueueLeft): _on_heard,
    (Phase.WAITING, Response): _on_heard,
    (Phase.WAITING, Recorded): _on_heard,
    (Phase.WAITING, TransferEnded): _on_heard,
    (Phase.WAITING, Conversed): _on_heard,
    (Phase.WAITING, Resume): _on_resume,
    (Phase.WAITING, CallerLeft): _on_caller_left,
    (Phase.APOLOGY, Answered): _on_answered,
    (Phase.APOLOGY, Played): _on_apology_said,
    (Phase.APOLOGY, Collected): _nothing,
    (Phase.APOLOGY, Resume): _on_resume,
    (Phase.APOLOGY, CallerLeft): _on_caller_left,
    (Phase.OVER, CallerLeft): _nothing,
    (Phase.OVER, Resume): _on_resume_after_end,
    (Phase.LEFT, CallerLeft): _nothing,
    (Phase.LEFT, Resume): _nothing,
}
