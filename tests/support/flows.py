"""Driving flows in tests without a switch: the runner's part of the contract, written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from ivr_flows import engine
from ivr_flows.flow import Flow
from ivr_flows.loader import load
from ivr_flows.protocol import (
    Action,
    AllowRecording,
    Answer,
    Answered,
    Begin,
    CallBack,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Enqueue,
    Failure,
    Hangup,
    Input,
    Note,
    Play,
    Played,
    PromptFile,
    PromptText,
    QueueExit,
    QueueLeft,
    Reassure,
    Record,
    Recorded,
    Request,
    Response,
    Transfer,
    TransferEnded,
    TransferExit,
)
from ivr_flows.state import FlowState

# The words of which one asks for a person, where a flow names none.
PERSON = ("asesor", "persona", "operadora")
HEAD = """\
id: prueba
entry: uno
person: {digit: "0", to: cola}
on_error: cola
"""
END = """
  cola: {kind: queue, name: contact-center, reason: persona, then: {talked: fin, timeout: fin}}
  fin: {kind: hangup}
"""


def flow_of(nodes: str, head: str = HEAD) -> Flow:
    """A flow with these nodes (indented by two), a queue `cola` and an end `fin`; it must load without errors."""
    loaded = load(f"{head}nodes:\n{nodes.rstrip()}{END}")
    assert loaded.flow is not None, "\n".join(map(str, loaded.findings))
    return loaded.flow


def through_json(state: FlowState) -> FlowState:
    again = FlowState.from_json(json.loads(json.dumps(state.to_json(), allow_nan=False)))
    msgspec.json.encode(state)
    assert again == state
    return again


class Caller:
    """A call that follows the contract: after each step it checks what every step must be."""

    def __init__(self, flow: Flow, *others: Flow, at: float = 1_772_463_600.0, **facts: object) -> None:
        self.flows = {each.id: each for each in (flow, *others)}
        self.flow = flow
        self.at = at  # a Monday, ten in the morning in Cuenca
        self.state = engine.begin(flow)
        self.all: list[Action] = []
        self.last: tuple[Action, ...] = ()
        self.tell(Begin(facts or {"from": "0999123456", "to": "072862000", "trunk": "pstn"}))
        if isinstance(self.waits, Answer):
            self.tell(Answered())

    def tell(self, heard: Input) -> tuple[Action, ...]:
        before = through_json(self.state)
        self.state, self.last = engine.step(self.flows[before.flow], before, heard, at=self.at, find=self._find)
        check_actions(self.state, self.last)
        through_json(self.state)
        self.all += self.last
        return self.last

    def _find(self, flow: str, _version: str) -> Flow | None:
        return self.flows.get(flow)

    def answer(self, status: int = 200, body: object = None) -> tuple[Action, ...]:
        """The customer's system answers."""
        return self.tell(Response(status, body))

    def fail(self, failure: Failure = Failure.TIMEOUT) -> tuple[Action, ...]:
        return self.tell(Response(failure=failure))

    def transferred(self, how: TransferExit) -> tuple[Action, ...]:
        return self.tell(TransferEnded(how))

    def message(self, seconds: float) -> tuple[Action, ...]:
        return self.tell(Recorded("rec1" if seconds else "", seconds))

    def say(self, phrase: str) -> tuple[Action, ...]:
        return self.tell(Collected("", CollectEnd.COMPLETE, phrase))

    def press(self, digits: str, end: CollectEnd = CollectEnd.COMPLETE) -> tuple[Action, ...]:
        return self.tell(Collected(digits, end))

    def say_nothing(self) -> tuple[Action, ...]:
        """The prompt is heard to its end, and no key comes."""
        return self.tell(Played() if isinstance(self.waits, Play) else Collected("", CollectEnd.TIMEOUT))

    def queue(self, exit_: QueueExit) -> tuple[Action, ...]:
        return self.tell(QueueLeft(exit_))

    @property
    def waits(self) -> Action | None:
        return self.state.waiting

    @property
    def path(self) -> str:
        return " ".join(self.state.path)

    def notes(self, kind: str) -> list[Note]:
        return [a for a in self.all if isinstance(a, Note) and a.kind == kind]

    def said(self) -> str:
        """What the last step says."""
        prompts = [p for a in self.last if isinstance(a, Play | Collect) for p in a.prompts]
        prompts += [p for a in self.last if isinstance(a, Record) for p in a.prompts]
        return " ".join(texts(prompts))

    def asked(self) -> Request:
        assert isinstance(self.waits, Request), self.waits
        return self.waits

    def variable(self, name: str) -> object:
        return self.state.variables[name]


def texts(prompts: Iterable[object]) -> list[str]:
    return [
        p.text if isinstance(p, PromptText) else p.fallback_text
        for p in prompts
        if isinstance(p, PromptText | PromptFile)
    ]


def check_actions(state: FlowState, actions: tuple[Action, ...]) -> None:
    """What holds after every step: notes, then one action that ends or waits, and that is what the state says."""
    *before, last = actions or (Note("none", {}),)
    assert all(isinstance(a, Note | AllowRecording | CallBack) for a in before)
    json.dumps([a.data for a in actions if isinstance(a, Note)], allow_nan=False)
    msgspec.json.encode(actions)  # as the journal and the bus do, which take no kind of text but text
    if isinstance(last, Hangup):
        assert state.is_over
    elif isinstance(last, Answer | Play | Collect | Enqueue | Request | Record | Transfer | Converse):
        assert state.waiting == last
    elif isinstance(last, Reassure):
        assert isinstance(state.waiting, Enqueue)
    elif isinstance(state.waiting, Request | Play | Record | Transfer | Enqueue):
        # A key where none was asked for means nothing, or that a person is wished for afterwards.
        assert [a.kind for a in actions if isinstance(a, Note)] in ([], ["person.asked"])
    else:
        assert state.is_over
