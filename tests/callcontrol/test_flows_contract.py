"""The contract of flows as a call sees them (`callcontrol.call_state.Flows`), for the twin and for the flow book."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callcontrol.call_state import FlowRef, Flows
from callcontrol.flows import BookFlows
from ivr_flows import protocol as flow
from ivr_flows.book import FlowBook
from ivr_flows.faults import NoFlow, UnexpectedInput
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import Entry, FlowSettings
from tests.support.flow_twin import MemoryFlows

TEXT = """\
id: tres
entry: tono
person: {to: cola}
on_error: fin
nodes:
  tono: {kind: play, barge_in: false, prompts: {tone: {hz: HZ, ms: 100}}, next: motivo}
  motivo: {kind: menu, prompts: {tone: {hz: HZ, ms: 100}}, options: {"1": cola, "2": fin}}
  cola: {kind: queue, name: q, then: {talked: fin, timeout: fin}}
  fin: {kind: hangup}
"""
ONE = flow.Collected("1", flow.CollectEnd.COMPLETE)
TOLD: Sequence[flow.Input] = (flow.Answered(), flow.Played(), ONE, flow.QueueLeft(flow.QueueExit.TALKED))
ASKED = (flow.Answer, flow.Play, flow.Collect, flow.Enqueue, flow.Hangup)
Step = tuple[dict[str, Any], Sequence[flow.Action]]


@dataclass
class Rig:
    """One flow, on the number 18: answer, a tone, a key, a queue, good-bye. `change` gives new calls another tone."""

    flows: Flows
    change: Callable[[int], None]


def _memory() -> Rig:
    flows = MemoryFlows()

    def change(hz: int) -> None:
        tone = (flow.PromptTone(hz, 100),)
        script = [flow.Answer(), flow.Play(tone), flow.Collect(tone, 1, 5, 1, "", True), flow.Enqueue("q")]
        flows.put("tres", ["18"], [*script, flow.Hangup()])

    change(440)
    return Rig(flows, change)


def _book(folder: Path) -> Rig:
    entries = [Entry(number="18", flow="tres")]
    book = FlowBook(
        FlowSettings(folders=[str(folder)], shipped=False, entries=entries, default="otro"),
        known=Known({QueueName: ["q"]}),
    )
    times = iter(range(1_700_000_000, 1_800_000_000))

    def change(hz: int) -> None:
        path = folder / "tres.yaml"
        path.write_text(TEXT.replace("HZ", str(hz)), encoding="utf-8")
        os.utime(path, (next(times),) * 2)  # another one, whatever the file system's clock resolves
        assert book.refresh().taken

    change(440)
    return Rig(BookFlows(book), change)


@pytest.fixture(params=["memory", "book"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return _memory() if request.param == "memory" else _book(tmp_path)


def begun(rig: Rig) -> Step:
    ref = rig.flows.choose("18")
    assert ref is not None
    return rig.flows.begin(ref, {"from": "0991234567", "to": "18"}, 1.0)


def told(rig: Rig, *inputs: flow.Input) -> Step:
    """A call that has come, and then was told these."""
    cursor, actions = begun(rig)
    for at, each in enumerate(inputs, 2):
        cursor, actions = rig.flows.step(cursor, each, float(at))
    return cursor, actions


def asked(actions: Sequence[flow.Action]) -> list[flow.Action]:
    """Without what is only noted."""
    return [action for action in actions if not isinstance(action, flow.Note)]


def test_a_number_has_a_flow_or_none(rig: Rig) -> None:
    ref = rig.flows.choose("18")
    assert ref is not None
    assert ref.name == "tres"
    assert ref == rig.flows.choose("18")
    assert rig.flows.choose("19") is None


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_a_call_is_led_through_it(rig: Rig, number: int) -> None:
    (action,) = asked(told(rig, *TOLD[:number])[1])
    assert type(action) is ASKED[number]


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_a_cursor_is_plain_json_and_a_restart_asks_again(rig: Rig, number: int) -> None:
    cursor, actions = told(rig, *TOLD[:number])
    read = json.loads(json.dumps(cursor, allow_nan=False))
    assert read == cursor
    after, again = rig.flows.step(read, flow.Resume(), 60.0)
    assert asked(again) == asked(actions)
    if number < len(TOLD):
        after, actions = rig.flows.step(after, TOLD[number], 61.0)
        assert type(asked(actions)[0]) is ASKED[number + 1]


@pytest.mark.parametrize("number", range(len(TOLD)))
def test_who_hangs_up_is_asked_for_nothing_more(rig: Rig, number: int) -> None:
    cursor, actions = rig.flows.step(told(rig, *TOLD[:number])[0], flow.CallerLeft(), 9.0)
    assert asked(actions) == []
    for late in (flow.CallerLeft(), flow.Resume()):
        cursor, actions = rig.flows.step(cursor, late, 10.0)
        assert asked(actions) == []


LATE: Sequence[flow.Input] = (*TOLD, flow.Response(200))
UNWANTED = [(number, late) for number in range(len(ASKED)) for late in LATE if late not in TOLD[number : number + 1]]


@pytest.mark.parametrize(("number", "late"), UNWANTED)
def test_what_it_does_not_wait_for_is_named_and_changes_nothing(rig: Rig, number: int, late: flow.Input) -> None:
    cursor, actions = told(rig, *TOLD[:number])
    before = deepcopy(cursor)
    if isinstance(asked(actions)[0], flow.Play | flow.Enqueue) and late == ONE:  # a key that asks for nothing
        assert asked(rig.flows.step(cursor, late, 9.0)[1]) == []
    else:
        with pytest.raises(UnexpectedInput):
            rig.flows.step(cursor, late, 9.0)
    assert cursor == before


def test_a_step_is_pure(rig: Rig) -> None:
    """The same again gives the same, and what was handed in is as it was: a call may try a step twice."""
    cursor, _ = told(rig, flow.Answered())
    before = deepcopy(cursor)
    first, second = (rig.flows.step(cursor, flow.Played(), 5.0) for _ in range(2))
    assert first == second
    assert cursor == before


def test_two_calls_know_nothing_of_each_other(rig: Rig) -> None:
    far, _ = told(rig, flow.Answered(), flow.Played())
    near, _ = begun(rig)
    assert type(asked(rig.flows.step(near, flow.Answered(), 9.0)[1])[0]) is flow.Play
    assert type(asked(rig.flows.step(far, ONE, 9.0)[1])[0]) is flow.Enqueue


def tone_of(actions: Sequence[flow.Action]) -> object:
    (play,) = asked(actions)
    assert isinstance(play, flow.Play | flow.Collect)
    return play.prompts[0]


def test_a_call_ends_in_the_version_in_which_it_began(rig: Rig) -> None:
    old = rig.flows.choose("18")
    cursor, actions = told(rig, flow.Answered())
    assert tone_of(actions) == flow.PromptTone(440, 100)
    rig.change(660)
    assert rig.flows.choose("18") != old
    assert tone_of(rig.flows.step(cursor, flow.Played(), 5.0)[1]) == flow.PromptTone(440, 100)
    assert tone_of(told(rig, flow.Answered())[1]) == flow.PromptTone(660, 100)
    assert old is not None
    waiting, _ = rig.flows.begin(old, {}, 1.0)  # chosen before, begun after
    assert tone_of(rig.flows.step(waiting, flow.Answered(), 2.0)[1]) == flow.PromptTone(440, 100)


@pytest.mark.parametrize("ref", [FlowRef("otro", "1"), FlowRef("tres", "no")])
def test_one_that_is_not_there_cannot_be_begun(rig: Rig, ref: FlowRef) -> None:
    with pytest.raises(NoFlow):
        rig.flows.begin(ref, {}, 1.0)
