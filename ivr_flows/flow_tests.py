"""Tests of flows, written beside them in YAML: given caller, keys and answers of the customer's systems, expect this
path.

    flow: principal
    tests:
      - name: una factura vencida
        at: 2026-03-02T10:00
        facts: {from: "0991234567"}
        do:
          - hear: Bienvenido
          - press: "3"
          - answer: {json: {saldo: 12.5}}
          - queue: talked
        expect: {path: [bienvenida, menu, consulta], ends: hangup}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.faults import UnexpectedInput
from ivr_flows.findings import Finding, has_errors
from ivr_flows.flow import Flow
from ivr_flows.moments import instant
from ivr_flows.problems import add_problems
from ivr_flows.protocol import BotExit, CallBack, Enqueue, Failure, QueueExit, Request, Transfer, TransferExit
from ivr_flows.rehearsal import SOME_MONDAY, BotPlayer, NotWaitedFor, Rehearsal, told_fault
from ivr_flows.source import Source, decode, parse
from ivr_flows.terms import Name, Spec

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,9})?")


class Reply(Spec):
    """An answer of one of the customer's systems. `json` is any YAML; numbers and truths are what they look like."""

    status: int = Field(default=200, ge=0, le=999)
    body: Any = Field(default=None, alias="json")


class BotReply(Spec):
    how: BotExit = BotExit.DONE
    slots: dict[str, Any] = {}


class Step(Spec):
    """One thing that happens, or (hear, asks) that must have happened by now."""

    press: str | None = Field(default=None, pattern=r"^[0-9*#]+$")
    say: str | None = None
    silence: str | None = None
    answer: Reply | None = None
    fail: Failure | None = None
    queue: QueueExit | None = None
    transfer: TransferExit | None = None
    record: float | None = Field(default=None, ge=0, le=3600)
    bot: BotReply | None = None
    wait: float | None = Field(default=None, ge=0, le=86_400, description="seconds that pass")
    hangup: str | None = None
    hear: str | None = Field(default=None, description="the last thing said has this text in it")
    asks: str | None = Field(default=None, description="the system that is asked now: this is in its url")

    @model_validator(mode="after")
    def _one_of(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("step", "a step is one of {all}", {"all": ", ".join(type(self).model_fields)})
        return self


class Expect(Spec):
    """`path` is exact, `visits` are some of it in order. `ends` is ``hangup``, ``left``, ``queue <name>``,
    ``transfer <target>``, ``request`` or ``waits``."""

    path: tuple[str, ...] | None = None
    visits: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    ends: str | None = None
    variables: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    survey: dict[str, int] = {}
    priority: int | None = None
    reason: str | None = Field(default=None, description="of the last queue, as the agent reads it")
    callback: str | None = Field(default=None, description="the number that we are to call back")
    fault: str | None = Field(default=None, description="the reason of a fault; without it a fault fails the test")
    callback_reason: str | None = Field(default=None, description="why we call back, as the agent reads it")


class Case(Spec):
    name: str = Field(max_length=120)
    at: str | None = None
    facts: dict[str, str] = {}
    do: tuple[Step, ...] = Field(default=(), max_length=200)
    expect: Expect

    @model_validator(mode="after")
    def _when(self) -> Case:
        try:
            self.moment()
        except ValueError as error:
            raise PydanticCustomError("at", "at: {error}", {"error": str(error)}) from error
        return self

    def moment(self) -> float:
        return SOME_MONDAY if self.at is None else instant(self.at)


class TestFile(Spec):
    __test__ = False  # not a class of tests

    flow: Name
    language: Literal["es", "en"] = "es"
    tests: tuple[Case, ...] = Field(min_length=1, max_length=200)


@dataclass(slots=True)
class Outcome:
    """Of all files: how many cases ran, what failed and where, and the nodes that no case came to."""

    ran: int = 0
    findings: list[Finding] = field(default_factory=list)
    unvisited: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.findings)


def run_tests(files: Iterable[Path], flows: Mapping[str, Flow], bots: BotPlayer | None = None) -> Outcome:
    """Run the test files against these flows by id. With `bots` these answer, where a test has no step `bot`."""
    outcome = Outcome()
    visited: dict[str, set[str]] = {}
    for path in files:
        source, read = _read(path)
        outcome.findings += source.findings
        if read is None:
            continue
        flow = flows.get(read.flow)
        if flow is None:
            source.add(("flow",), "test.flow", f"flow {read.flow!r} is not loaded")
            outcome.findings += source.findings[-1:]
            continue
        visited.setdefault(flow.id, set())
        for index, case in enumerate(read.tests):
            outcome.ran += 1
            failure = _run(case, flow, flows, visited, bots)
            if failure is not None:
                place, message = failure
                source.add(("tests", index, *place), "test.failed", f"{case.name}: {message}")
                outcome.findings += source.findings[-1:]
    for flow_id, seen in visited.items():
        missing = [str(node) for node in flows[flow_id].nodes if str(node) not in seen] if flow_id in flows else []
        if missing:
            outcome.unvisited[flow_id] = missing
    return outcome


def _read(path: Path) -> tuple[Source, TestFile | None]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        source = Source(str(path))
        source.add((), "file.unreadable", f"the file cannot be read: {error.strerror or error}")
        return source, None
    text, findings = decode(raw, str(path))
    source = Source(str(path), findings=findings) if findings else parse(text, str(path))
    if has_errors(source.findings):
        return source, None
    if not isinstance(source.data, dict):
        source.add((), "test.not_a_mapping", "not a file of tests", expected="flow and tests")
        return source, None
    try:
        return source, TestFile.model_validate(source.data)
    except ValidationError as error:
        add_problems(source, (), TestFile, error)
        return source, None


_Fault = tuple[tuple[str | int, ...], str]


def _run(
    case: Case, flow: Flow, flows: Mapping[str, Flow], visited: dict[str, set[str]], bots: BotPlayer | None
) -> _Fault | None:
    call = Rehearsal(flow, lambda name, _version: flows.get(name), {"trunk": "prueba", **case.facts}, case.moment())
    call.bots = None if any(step.bot is not None for step in case.do) else bots
    fault: _Fault | None = None
    try:
        call.begin()
        for index, each in enumerate(case.do):
            if problem := _do(call, each):
                fault = (("do", index), problem)
                break
        else:
            call.let_it_speak()
            fault = _missed(call, case.expect) or _fault_of_the_flow(call, case.expect)
    except (NotWaitedFor, UnexpectedInput) as error:
        fault = (("do", min(index, len(case.do) - 1)), str(error)) if case.do else ((), str(error))
    for place in call.path:
        name, _, node = place.rpartition(".")
        visited.setdefault(name or flow.id, set()).add(node)
    return fault


def _do(call: Rehearsal, step: Step) -> str:
    """Carry out a step; what was wrong with what it checks."""
    (name,) = step.model_fields_set
    value = getattr(step, name)
    if name == "hear":
        return _heard(call, value)
    if name == "asks":
        call.let_it_speak()
        fits = isinstance(call.waits, Request) and value in call.waits.url
        return "" if fits else f"{value!r} is not asked for; {call.standing()}"
    _DO[name](call, value)
    return ""


def _heard(call: Rehearsal, wanted: str) -> str:
    """In what was said last; else in what is said next, to its end."""
    before = len(call.said)
    if call.said and _folded(wanted) in _folded(call.said[-1]):
        return ""
    call.let_it_speak()
    if any(_folded(wanted) in _folded(text) for text in call.said[before:]):
        return ""
    return f"{wanted!r} was not said; the last was {call.said[-1] if call.said else 'nothing'!r}"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


_DO: Mapping[str, Callable[[Rehearsal, Any], None]] = {
    "press": Rehearsal.press,
    "say": Rehearsal.say,
    "silence": lambda call, _value: call.silence(),
    "answer": lambda call, reply: call.answer(reply.status, plain(reply.body)),
    "fail": Rehearsal.fail,
    "queue": Rehearsal.queue,
    "transfer": Rehearsal.transfer,
    "record": Rehearsal.record,
    "bot": lambda call, reply: call.bot(reply.how, plain(reply.slots)),
    "wait": Rehearsal.pass_time,
    "hangup": lambda call, _value: call.hang_up(),
}


def plain(value: Any) -> Any:
    """YAML's texts as JSON would have them: numbers (without leading zeros) and truths."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        if _NUMBER.fullmatch(value):
            return float(value) if "." in value else int(value)
    return value


# --- what was expected --------------------


def _missed(call: Rehearsal, expect: Expect) -> _Fault | None:
    for name, problem in _CHECKS.items():
        if name in expect.model_fields_set and (text := problem(call, getattr(expect, name))):
            return ("expect", name), text
    return None


def _fault_of_the_flow(call: Rehearsal, expect: Expect) -> _Fault | None:
    """None may be there that nobody expects: the flow leads on, and its author would never know."""
    unexpected = [note for note in call.faults if note.data["reason"] != expect.fault]
    return (("expect",), f"a fault at {told_fault(unexpected[0])}") if unexpected else None


def _fault(call: Rehearsal, wanted: str) -> str:
    found = [str(note.data["reason"]) for note in call.faults]
    return "" if wanted in found else f"there was no fault {wanted!r}; there are {found}"


def _path(call: Rehearsal, wanted: tuple[str, ...]) -> str:
    return "" if call.path == list(wanted) else f"the path was {' '.join(call.path)}"


def _visits(call: Rehearsal, wanted: tuple[str, ...]) -> str:
    rest = iter(call.path)
    missing = [node for node in wanted if node not in rest]
    return f"{missing[0]} was not visited (in this order): {' '.join(call.path)}" if missing else ""


def _avoids(call: Rehearsal, unwanted: tuple[str, ...]) -> str:
    found = [node for node in unwanted if node in call.path]
    return f"{found[0]} was visited" if found else ""


def _ends(call: Rehearsal, wanted: str) -> str:
    waits = call.waits
    if call.is_over:
        found = "left" if call.state.phase.value == "left" else "hangup"
    elif isinstance(waits, Enqueue):
        found = f"queue {waits.queue}"
    elif isinstance(waits, Transfer):
        found = f"transfer {waits.target}"
    elif isinstance(waits, Request):
        found = "request"
    else:
        found = "waits"
    return "" if found == " ".join(wanted.split()) else f"it ended with {found}; {call.standing()}"


def _variables(call: Rehearsal, wanted: dict[str, str]) -> str:
    for name, text in wanted.items():
        value = call.state.variables.get(name)
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if shown != text and not (isinstance(value, float) and _NUMBER.fullmatch(text) and float(text) == value):
            return f"{name} is {shown!r}, not {text!r}"
    return ""


def _tags(call: Rehearsal, wanted: tuple[str, ...]) -> str:
    found = [note.data.get("tag") for note in call.notes if note.kind == "tag"]
    return next((f"tag {tag!r} is missing; there are {found}" for tag in wanted if tag not in found), "")


def _notes(call: Rehearsal, wanted: tuple[str, ...]) -> str:
    found = {note.kind for note in call.notes}
    return next((f"nothing was noted as {kind}" for kind in wanted if kind not in found), "")


def _survey(call: Rehearsal, wanted: dict[str, int]) -> str:
    found = {n.data["question"]: n.data["answer"] for n in call.notes if n.kind == "survey.answer"}
    return "" if found == wanted else f"the survey's answers were {found}"


def _priority(call: Rehearsal, wanted: int) -> str:
    found = [action.priority for action in call.done if isinstance(action, Enqueue)]
    return "" if found and found[-1] == wanted else f"the priorities were {found}"


def _reason(call: Rehearsal, wanted: str) -> str:
    found = [action.reason for action in call.done if isinstance(action, Enqueue)]
    return "" if found and found[-1] == wanted else f"the reasons were {found}"


def _callback_reason(call: Rehearsal, wanted: str) -> str:
    found = [action.reason for action in call.done if isinstance(action, CallBack)]
    return "" if wanted in found else f"the reasons of the calls to be made were {found}"


def _callback(call: Rehearsal, wanted: str) -> str:
    found = [action.number for action in call.done if isinstance(action, CallBack)]
    return "" if wanted in found else f"the calls to be made were {found}"


_CHECKS: Mapping[str, Callable[[Rehearsal, Any], str]] = {
    "path": _path,
    "visits": _visits,
    "avoids": _avoids,
    "ends": _ends,
    "variables": _variables,
    "tags": _tags,
    "notes": _notes,
    "survey": _survey,
    "priority": _priority,
    "reason": _reason,
    "callback": _callback,
    "fault": _fault,
    "callback_reason": _callback_reason,
}
