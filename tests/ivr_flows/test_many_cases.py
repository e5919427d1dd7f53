"""The same promises as in test_random_flows.py, for very many cases: hypothesis draws the flows, a plain random source
plays their callers, and damages their files. The promise is a hundred thousand of each, counted; in parts, which
workers share out. `RIMAY_CASES` says another number, for a hurried look or a long one."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ivr_flows
from ivr_flows import engine
from ivr_flows.flow import Flow
from ivr_flows.loader import load
from ivr_flows.protocol import (
    Answer,
    Answered,
    Begin,
    BotExit,
    CallerLeft,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Conversed,
    Enqueue,
    Failure,
    Hangup,
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
from ivr_flows.state import Phase
from tests.ivr_flows.test_random_flows import MOST_INPUTS, PAIRS, UNASKED, finder, flow_from, present
from tests.support.flow_wishes import check_wish

CASES = int(os.environ.get("RIMAY_CASES", "100000"))
PARTS = 5
CALLERS = 100  # of each two flows that are drawn, each of another mixture of them
BODIES = [None, {"a": 1}, {"a": "x", "xs": [{"a": "12:30"}]}, {"xs": []}, {"xs": [{}, 3]}, [], "x", {"a": {"b": []}}]
SAID = ["0", "1", "2", "5", "9", "*", "#", "", "", "17", "1710034065", "20451", "0999999999"]


def some_answer(waits: object, luck: random.Random) -> Input:
    match waits:
        case Answer():
            return Answered()
        case Play() | Request() | Record() | Transfer() | Enqueue() if luck.random() < 0.1:
            return luck.choice(UNASKED)
        case Play():
            return Played(luck.random() < 0.9)
        case Collect() if luck.random() < 0.1:
            return Collected("", CollectEnd.COMPLETE, "operadora")
        case Collect() | Request() if luck.random() < 0.05:
            return CallerLeft()
        case Collect():
            return Collected(luck.choice(SAID)[: waits.max_digits], luck.choice(list(CollectEnd)))
        case Request():
            return Response(luck.choice([200, 200, 404, 500]), luck.choice(BODIES), luck.choice([None, None, *Failure]))
        case Record():
            return Recorded(luck.choice(["", "r"]), luck.random() * 90)
        case Transfer():
            return TransferEnded(luck.choice(list(TransferExit)))
        case Converse():
            return Conversed(luck.choice(list(BotExit)), luck.choice([{}, {"a": "x"}, {"a": 3}]))
        case Enqueue():
            return QueueLeft(luck.choice(list(QueueExit)), luck.choice(["", "1"]))
        case _:
            raise AssertionError(waits)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_caller_of_every_flow_is_served_in_the_end(part: int) -> None:
    served, flows = 0, set()

    # How fast an example is drawn says how busy the machine is.
    @settings(max_examples=-(-CASES // (PARTS * CALLERS)), suppress_health_check=[HealthCheck.too_slow])
    @given(PAIRS, st.integers(0, 2**32))
    def serve(pair: tuple[object, object], number: int) -> None:
        nonlocal served
        drawn, luck = [flow_from(document) for document in pair], random.Random(number)
        for _ in range(CALLERS):
            mixed = mix(drawn, luck)
            serve_one(mixed, luck)
            served += 1
            flows.add(hash(tuple((flow.version, *map(id, flow.nodes.values())) for flow in mixed)))

    serve()
    assert served >= CASES // PARTS
    assert len(flows) > 0.9 * served


def mix(drawn: list[Flow], luck: random.Random) -> list[Flow]:
    """Other flows of the same nodes: every node's targets are in every flow, so that they are as valid. To draw and to
    load two takes as long as twenty calls."""
    nodes = [node for flow in drawn for name, node in flow.nodes.items() if name != "f"]
    return [replace(flow, nodes={**flow.nodes, **{n: luck.choice(nodes) for n in "abcde"}}) for flow in drawn]


def serve_one(flows: list[Flow], luck: random.Random) -> None:
    """One caller, to the end, who begins in the first of these flows."""
    at = 1_772_463_600.0 + luck.randrange(0, 14 * 86_400)
    facts = {"from": luck.choice(["0991234567", "", "anonymous", "{{ t }}", "<x>", "a" * 600]), "trunk": "x"}
    find = finder(*flows)
    state, actions = engine.step(flows[0], engine.begin(flows[0]), Begin(facts), at=at, find=find)
    inputs = 1
    while not state.is_over:
        at += luck.choice([0, 1, 4, 60])
        heard, before = some_answer(state.waiting, luck), state
        state, actions = engine.step(present(find, state), state, heard, at=at, find=find)
        check_wish(find, before, heard, engine.Step(state, actions))
        inputs += 1
        assert inputs <= MOST_INPUTS
    assert state.steps <= max(flow.head.limits.steps for flow in flows) + engine.STEPS_AFTER_FAULT
    assert state.phase is Phase.LEFT or isinstance(actions[-1], Hangup)


SHIPPED = [file.read_text(encoding="utf-8") for file in (Path(ivr_flows.__file__).parent / "flows").glob("*.yaml")]
# Small files are damaged: that is as many kinds of damage in a tenth of the time.
PIECES = [text[start : start + 700] for text in SHIPPED for start in range(0, len(text), 500)]
MENU = {"kind": "menu", "prompts": "Hola {{ call.x }}", "options": {"1": "a"}}
PIECES += [f"id: x\nentry: a\nnodes:\n  a: {json.dumps(MENU)}\n"]
INSERTED = [
    *"{}[]:,&*!|>'\"#%@`-? \n\t\\",
    "{{",
    "}}",
    "{%",
    "%}",
    "<<: ",
    "- ",
    "? ",
    "\x00",
    "\ud800",
    "é",
    "\u2028",
    "!!",
    "0x",
    "~",
    "'{{ 1 }}'",
]


def damaged(luck: random.Random) -> str:
    text = luck.choice(PIECES)
    for _ in range(luck.randrange(1, 6)):
        place = luck.randrange(len(text) + 1)
        match luck.randrange(4):
            case 0:
                text = text[:place] + luck.choice(INSERTED) + text[place:]
            case 1:
                text = text[:place] + text[place + luck.randrange(1, 40) :]
            case 2:
                text = text[:place] + luck.choice(PIECES)[: luck.randrange(200)] + text[place:]
            case _:
                text = text[:place] + luck.choice(INSERTED) * luck.randrange(1, 80) + text[place:]
    return text


@pytest.mark.parametrize("part", range(PARTS))
def test_no_damaged_file_crashes_the_loader(part: int) -> None:
    luck = random.Random(20260302 + part)
    tried = loaded = 0
    texts = set()
    for _ in range(-(-CASES // PARTS)):
        text = damaged(luck)
        result = load(text)
        assert (result.flow is None) <= bool(result.findings)
        tried += 1
        loaded += result.flow is not None
        texts.add(hash(text))
    assert tried >= CASES // PARTS
    assert len(texts) > 0.9 * tried
    assert loaded < tried
