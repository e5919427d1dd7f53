"""A person at any time, in the customer's own flows: from every node that waits, by day and by night, by the key and by
each of the words. The places are found by playing every answer to every question: a new node is asked from, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import ivr_flows
from ivr_flows import engine
from ivr_flows.checking import load_all
from ivr_flows.flow import Flow
from ivr_flows.nodes import KINDS
from ivr_flows.protocol import (
    Answer,
    Answered,
    Begin,
    BotExit,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Conversed,
    Enqueue,
    Failure,
    Input,
    Play,
    Played,
    QueueExit,
    QueueLeft,
    Record,
    Recorded,
    Request,
    Response,
    Transfer,
    TransferEnded,
    TransferExit,
)
from ivr_flows.rehearsal import SOME_MONDAY, Rehearsal
from ivr_flows.state import FlowState
from ivr_flows.terms import NodeRef, words_of

FLOWS = load_all([Path(ivr_flows.__file__).parent / "flows"])
# Calls begin in those that no other one enters.
PARTS = {name for flow in FLOWS.values() for name in flow.enters}
ENTRIES = [flow.id for flow in FLOWS.values() if flow.id not in PARTS]
TIMES = {"day": SOME_MONDAY, "night": SOME_MONDAY + 13 * 3600, "holiday": SOME_MONDAY - 67 * 86_400}
FACTS = {"from": "0991234567", "to": "072831900", "trunk": "prueba"}
# Where somebody is served who asked for a person and cannot have one now.
OFFERS = {"queue", "callback", "voicemail", "transfer"}
BODIES = [
    {"nombre": "Rosa", "contrato": "204510", "sector": "Monay", "saldo": 12.5, "vence": "2026-03-20", "mes": "marzo"},
    {"cortes": [{"sector": "Monay", "servicio": "agua", "motivo": "mantenimiento", "hasta": "18:00"}]},
    {"cortes": []},
]
KEYS = ["", *"123456789", "204510", "1710034065"]


def find(name: str, _version: str) -> Flow | None:
    return FLOWS.get(name)


def stepped(state: FlowState, heard: Input, at: float) -> FlowState:
    return engine.step(FLOWS[state.flow], state, heard, at=at, find=find).state


def answers(waits: object) -> Iterator[Input]:
    match waits:
        case Answer():
            yield Answered()
        case Play():
            yield Played()
        case Collect():
            yield from (Collected(k, CollectEnd.COMPLETE) for k in KEYS if len(k) <= waits.max_digits)
        case Request():
            yield from (Response(200, body) for body in BODIES)
            yield from (Response(404), Response(failure=Failure.TIMEOUT))
        case Record():
            yield from (Recorded("", 0.0), Recorded("r", 9.0))
        case Transfer():
            yield from map(TransferEnded, TransferExit)
        case Converse():
            yield from map(Conversed, BotExit)
        case Enqueue():
            yield from (QueueLeft(how) for how in QueueExit if how is not QueueExit.DIGIT)
            yield from (QueueLeft(QueueExit.DIGIT, key) for key in waits.exits)


@dataclass(frozen=True)
class Spot:
    """Somewhere that a caller can be: the nodes of all flows they are in, and what is waited for."""

    time: str
    nodes: tuple[tuple[str, str], ...]
    waits: str
    question: object  # which of those that the node asks, and how often it did

    @classmethod
    def of(cls, time: str, state: FlowState) -> Spot:
        nodes = (*((frame.flow, frame.node) for frame in state.stack), (state.flow, state.node))
        return cls(time, nodes, type(state.waiting).__name__, tuple(map(state.scratch.get, ("question", "asked"))))


def everywhere(entry: str) -> dict[Spot, FlowState]:
    seen: dict[Spot, FlowState] = {}
    for time, at in TIMES.items():
        new = [stepped(engine.begin(FLOWS[entry]), Begin(FACTS), at)]
        while new:
            state = new.pop()
            if state.is_over or (spot := Spot.of(time, state)) in seen:
                continue
            seen[spot] = state
            new += [stepped(state, heard, at) for heard in answers(state.waiting)]
            # And what follows a fault: here, of a call that has lasted too long.
            late = replace(state, spent_s=100_000.0)
            failed = [stepped(late, heard, at) for heard in answers(state.waiting)]
            new += [each for each in failed if each.failed_at is not None]
    return seen


PLACES = {entry: everywhere(entry) for entry in ENTRIES}


def is_served(call: Rehearsal) -> bool:
    """In a line, or asked something that one answer later serves them."""
    if isinstance(call.waits, Enqueue | Transfer):
        return True
    flow = FLOWS[call.state.flow]
    node = flow.nodes[call.state.node]
    ahead = {flow.nodes[str(word)].kind for _, word in words_of(node) if isinstance(word, NodeRef)}
    return isinstance(call.waits, Collect) and bool(OFFERS & {node.kind, *ahead})


def asked(state: FlowState, wish: str) -> Rehearsal:
    """What must be heard or kept comes to its end, and what is said on the way is listened to."""
    call = Rehearsal(FLOWS[state.flow], find, FACTS, state.at, state=state)
    if isinstance(call.waits, Converse):
        call.tell(Conversed(BotExit.PERSON))
    else:
        call.tell(Collected(wish if wish.isdigit() else "", CollectEnd.COMPLETE, "" if wish.isdigit() else wish))
    if isinstance(call.waits, Record):
        call.tell(Recorded("r", 9.0))
    call.let_it_speak()
    return call


def test_every_node_that_waits_is_asked_from() -> None:
    been = {spot.nodes[-1] for places in PLACES.values() for spot in places}
    wait = {
        (f.id, str(n)) for f in FLOWS.values() for n, node in f.nodes.items() if KINDS[node.kind].handle is not None
    }
    assert wait - been == set()


@pytest.mark.parametrize("entry", ENTRIES)
def test_who_asks_for_a_person_is_never_hung_up(entry: str) -> None:
    person = FLOWS[entry].head.person
    assert person is not None
    lost, tried = [], 0
    for spot, state in PLACES[entry].items():
        if isinstance(state.waiting, Answer):
            continue  # nobody hears anything yet
        for wish in (person.digit, *person.phrases):
            tried += 1
            call = asked(state, wish)
            if call.is_over or not is_served(call) or any(note.kind == "flow.error" for note in call.notes):
                lost.append((spot, wish, call.standing()))
    assert lost == []
    assert tried > 20


@pytest.mark.parametrize("time", [time for time in TIMES if time != "day"])
def test_who_insists_at_night_is_offered_the_same_again_and_never_hung_up(time: str) -> None:
    call = Rehearsal(FLOWS["principal"], find, FACTS, TIMES[time])
    call.begin()
    for _ in range(60):
        call.press("0")
        call.let_it_speak()
        assert is_served(call), call.standing()
