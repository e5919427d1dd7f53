"""The engine's own rules: which input when, limits, faults, the key for a person, resuming, the end."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest

from ivr_flows import engine
from ivr_flows.faults import BadState, UnexpectedInput
from ivr_flows.protocol import (
    Answer,
    Answered,
    Begin,
    CallerLeft,
    Collect,
    Collected,
    CollectEnd,
    Enqueue,
    Hangup,
    Note,
    Play,
    Played,
    PromptText,
    QueueExit,
    QueueLeft,
    Resume,
)
from ivr_flows.state import FlowState, Frame, Phase
from tests.support.flows import HEAD, Caller, flow_of, through_json

MENU = flow_of("  uno: {kind: menu, prompts: Elija, options: {'1': fin, '2': cola}}")
INPUTS = {
    "Begin": Begin({}),
    "Answered": Answered(),
    "Played": Played(),
    "Collected": Collected("1", CollectEnd.COMPLETE),
    "QueueLeft": QueueLeft(QueueExit.TALKED),
    "Resume": Resume(),
    "CallerLeft": CallerLeft(),
}


def states() -> dict[str, FlowState]:
    """One state for each thing that can be waited for."""
    new = engine.begin(MENU)
    answer = engine.step(MENU, new, Begin({})).state
    menu = engine.step(MENU, answer, Answered()).state
    queue = engine.step(MENU, menu, Collected("2", CollectEnd.COMPLETE)).state
    over = engine.step(MENU, menu, Collected("1", CollectEnd.COMPLETE)).state
    left = engine.step(MENU, menu, CallerLeft()).state
    broken = flow_of("  uno: {kind: goto, to: uno}", "id: prueba\nentry: uno\n")
    apology = engine.step(broken, dataclasses.replace(new, version=broken.version, answered=True), Begin({})).state
    return {"new": new, "answer": answer, "menu": menu, "queue": queue, "over": over, "left": left, "apology": apology}


LEGAL = {
    "new": {"Begin", "CallerLeft"},
    "answer": {"Answered", "Resume", "CallerLeft"},
    "menu": {"Collected", "Resume", "CallerLeft"},
    "queue": {"QueueLeft", "Collected", "Resume", "CallerLeft"},
    "apology": {"Played", "Collected", "Resume", "CallerLeft"},
    "over": {"Resume", "CallerLeft"},
    "left": {"Resume", "CallerLeft"},
}


def test_a_step_that_does_nothing_keeps_every_field() -> None:
    """Also one that is new: the step makes its state field by field."""
    full = FlowState(
        flow=MENU.id,
        version=MENU.version,
        phase=Phase.LEFT,
        node="uno",
        scratch={"a": 1},
        variables={"t": "x"},
        facts={"from": "1"},
        path=("uno",),
        failed_at=1,
        answered=True,
        waiting=Play(()),
        held=Play(()),
        stack=(Frame(flow="f", version="v", node="n", variables={}),),
        versions={"f": "v"},
        language="en",
        at=5.0,
        spent_s=2.0,
    )
    plain = FlowState(flow="", version="")
    assert [f.name for f in dataclasses.fields(FlowState) if getattr(full, f.name) == getattr(plain, f.name)] == []
    assert engine.step(MENU, full, CallerLeft()).state == full


@pytest.mark.parametrize(("where", "heard"), list(itertools.product(LEGAL, INPUTS)))
def test_which_input_is_legal_when(where: str, heard: str) -> None:
    state = states()[where]
    if heard in LEGAL[where]:
        engine.step(MENU, state, INPUTS[heard])
    else:
        with pytest.raises(UnexpectedInput) as raised:
            engine.step(MENU, state, INPUTS[heard])
        assert raised.value.code == "flow.unexpected_input"


def test_the_call_is_answered_before_it_is_spoken_to() -> None:
    state, actions = engine.step(MENU, engine.begin(MENU), Begin({}))
    assert actions == (Note("node", {"flow": "prueba", "version": MENU.version, "node": "uno"}), Answer())
    state, actions = engine.step(MENU, state, Answered())
    assert isinstance(actions[0], Collect)
    assert state.answered


def test_a_call_that_is_refused_is_not_answered() -> None:
    flow = flow_of("  uno: {kind: hangup, cause: busy}")
    _, actions = engine.step(flow, engine.begin(flow), Begin({}))
    assert actions[-1] == Hangup("busy")
    assert Answer() not in actions


def test_each_entry_is_a_note_and_the_end_tells_the_path() -> None:
    caller = Caller(MENU)
    caller.press("1")
    assert [note.data["node"] for note in caller.notes("node")] == ["uno", "fin"]
    (ended,) = caller.notes("flow.ended")
    assert ended.data == {
        "flow": "prueba", "version": MENU.version, "node": "fin", "end": "hangup", "path": ["uno", "fin"]
    }  # fmt: skip


@pytest.mark.parametrize("where", ["answer", "menu", "queue", "apology"])
def test_when_the_caller_leaves_the_record_says_where(where: str) -> None:
    state = states()[where]
    after, actions = engine.step(MENU, state, CallerLeft())
    assert after.phase is Phase.LEFT
    (note,) = actions
    assert isinstance(note, Note)
    assert (note.kind, note.data["end"], note.data["node"]) == ("flow.ended", "caller_left", state.node)
    assert engine.step(MENU, after, CallerLeft()) == (after, ())


@pytest.mark.parametrize("where", ["answer", "menu", "queue", "apology"])
def test_resume_asks_again_for_the_same(where: str) -> None:
    state = through_json(states()[where])
    after, actions = engine.step(MENU, state, Resume())
    assert after == state
    assert actions[-1] == state.waiting
    assert type(actions[-1]) is {"answer": Answer, "menu": Collect, "queue": Enqueue, "apology": Play}[where]


def test_resume_after_the_end_hangs_up_once_more() -> None:
    assert engine.step(MENU, states()["over"], Resume()).actions == (Hangup("normal"),)
    assert engine.step(MENU, states()["left"], Resume()).actions == ()


def test_a_person_from_every_node() -> None:
    nodes = """
  uno: {kind: play, prompts: Hola, next: dos}
  dos: {kind: menu, prompts: Elija, options: {'1': tres}}
  tres: {kind: collect, prompts: Marque, into: a, min_digits: 10, max_digits: 10, next: fin}
"""
    flow = flow_of(nodes, HEAD + "variables: {a: digits}\n")
    for keys in ([], [""], ["", "1"]):
        caller = Caller(flow)
        for digits in keys:
            caller.press(digits)
        caller.press("0", CollectEnd.TIMEOUT)
        assert caller.state.node == "cola"
        assert len(caller.notes("person.asked")) == 1


# --- faults and limits --------------------

LOOP = "  uno: {kind: goto, to: uno}"


def test_a_loop_leads_to_on_error() -> None:
    caller = Caller(flow_of(LOOP))
    assert isinstance(caller.waits, Enqueue)
    (error,) = caller.notes("flow.error")
    assert error.data["reason"] == "limit.visits"
    assert caller.state.path.count("uno") == 25


def test_a_long_way_leads_to_on_error() -> None:
    nodes = "".join(f"  n{i}: {{kind: goto, to: n{i + 1}}}\n" for i in range(30)) + "  n30: {kind: goto, to: fin}"
    flow = flow_of("  uno: {kind: goto, to: n0}\n" + nodes, HEAD + "limits: {steps: 20}\n")
    caller = Caller(flow)
    assert caller.notes("flow.error")[0].data["reason"] == "limit.steps"
    assert caller.state.node == "cola"
    assert caller.state.steps == 21


def test_without_on_error_an_apology_is_spoken_and_we_hang_up() -> None:
    caller = Caller(flow_of(LOOP, "id: prueba\nentry: uno\n"))
    assert caller.said().startswith("Lo sentimos")
    assert caller.tell(Played())[-1] == Hangup("normal")
    assert caller.notes("flow.ended")[0].data["end"] == "apology"


def test_an_on_error_that_fails_itself_ends_in_the_apology() -> None:
    head = HEAD.replace("on_error: cola", "on_error: uno") + "apology: Disculpe usted.\n"
    caller = Caller(flow_of(LOOP, head))
    assert caller.said() == "Disculpe usted."
    assert len(caller.notes("flow.error")) == 2
    assert caller.tell(Played(ok=False))[-1] == Hangup("normal")


def test_an_apology_that_cannot_be_rendered_is_replaced() -> None:
    head = (
        "id: prueba\nentry: uno\nlanguage: en\nvariables: {n: integer}\napology: '{% if n < call.from %}x{% endif %}'\n"
    )
    caller = Caller(flow_of(LOOP, head))
    assert caller.said().startswith("We are sorry")


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("{kind: condition, if: n / 0 > 1, then: fin, else: fin}", "expression"),
        ("{kind: condition, if: n > call.from, then: fin, else: fin}", "expression"),
        ("{kind: set, values: {n: '{{ call.trunk }}'}, next: fin}", "variable"),
        ("{kind: set, values: {n: {expr: 9999999999 * 9999999999}}, next: fin}", "variable"),
        ("{kind: play, prompts: '{% if n < call.from %}x{% endif %}', next: fin}", "template"),
    ],
)
def test_a_fault_in_a_node_leads_to_on_error(node: str, reason: str) -> None:
    caller = Caller(flow_of(f"  uno: {node}", HEAD + "variables: {n: integer}\n"))
    assert caller.state.node == "cola"
    assert caller.notes("flow.error")[0].data["reason"] == reason


# --- what comes from outside --------------------


def test_facts_are_bounded_plain_data() -> None:
    facts = {
        "from": "0999\x00\ud800" + "9" * 5000,
        "nested": {"a": [1]},
        "big": 10**40,
        "nan": float("nan"),
        **{f"header{i}": "x" for i in range(500)},
    }
    caller = Caller(MENU, **facts)
    assert len(caller.state.facts) == engine.MAX_FACTS
    assert all(len(str(value)) <= engine.MAX_FACT for value in caller.state.facts.values())
    json.dumps(caller.state.to_json(), allow_nan=False).encode("utf-8")


def test_templates_in_facts_are_not_rendered() -> None:
    flow = flow_of("  uno: {kind: play, prompts: 'De {{ call.from }}', next: fin}")
    assert Caller(flow, **{"from": "{{ 7*7 }}{% raw %}"}).said() == "De 7*7 % raw %"


def test_more_keys_than_asked_for_and_odd_ones_are_cut() -> None:
    caller = Caller(MENU)
    caller.press("x1222")
    assert caller.state.node == "fin"


# --- stored states --------------------


@pytest.mark.parametrize("where", list(LEGAL))
def test_states_survive_json(where: str) -> None:
    through_json(states()[where])


def test_other_data_is_no_state() -> None:
    good = states()["menu"].to_json()
    bad: list[object] = [{}, [], None, {**good, "format": 2}, {**good, "phase": "x"}, {**good, "waiting": {"do": "x"}}]
    bad += [{**good, "extra": 1}, {k: v for k, v in good.items() if k != "flow"}, {**good, "waiting": {"do": "play"}}]
    for plain in bad:
        with pytest.raises(BadState):
            FlowState.from_json(plain)  # type: ignore[arg-type]


def test_a_state_moves_to_another_version() -> None:
    head = HEAD + "variables: {a: text, b: integer}\n"
    old = flow_of("  uno: {kind: menu, prompts: Elija, options: {'1': fin}}", head)
    state = dataclasses.replace(Caller(old).state, variables={"a": "hola", "b": 3})
    new_head = HEAD + "variables: {a: integer, b: integer, c: {type: text, default: x}}\n"
    new = flow_of("  uno: {kind: menu, prompts: Elija, options: {'1': cola}}", new_head)
    moved = engine.moved(new, state)
    assert moved.variables == {"a": 0, "b": 3, "c": "x"}
    assert engine.step(new, moved, Collected("1", CollectEnd.COMPLETE)).state.node == "cola"


def test_a_node_that_is_gone_in_the_new_version_leads_to_on_error() -> None:
    state = Caller(MENU).state
    for nodes in ("  dos: {kind: hangup}", "  dos: {kind: hangup}\n  uno: {kind: goto, to: fin}"):
        flow = flow_of(nodes, HEAD.replace("entry: uno", "entry: dos"))
        after = engine.step(flow, engine.moved(flow, state), Collected("1", CollectEnd.COMPLETE))
        assert after.state.node == "cola"


def test_the_language_of_a_prompt() -> None:
    flow = flow_of("  uno: {kind: play, prompts: [{text: Hello, language: en}, Hola], next: fin}")
    action = Caller(flow).waits
    assert isinstance(action, Collect)
    assert list(action.prompts) == [PromptText("Hello", "en"), PromptText("Hola", "es")]
