from __future__ import annotations

import pytest

from ivr_flows.protocol import Answered, Collect, Enqueue, Note
from tests.support.flows import HEAD, Caller, flow_of


def test_answer_answers_and_goes_on() -> None:
    caller = Caller(flow_of("  uno: {kind: answer, next: cola}"))
    assert isinstance(caller.waits, Enqueue)
    assert caller.path == "uno cola"


def test_a_second_answer_is_answered_by_the_runner_again() -> None:
    caller = Caller(flow_of("  uno: {kind: answer, next: dos}\n  dos: {kind: answer, next: fin}"))
    caller.tell(Answered())
    assert caller.state.is_over


def test_from_now_on_prompts_are_of_the_language() -> None:
    flow = flow_of(
        "  uno: {kind: language, language: en, next: dos}\n"
        "  dos: {kind: menu, prompts: Choose, options: {'1': fin}, repeats: 2}"
    )
    caller = Caller(flow)
    assert isinstance(caller.waits, Collect)
    assert [p.language for p in caller.waits.prompts] == ["en"]  # type: ignore[union-attr]
    caller.say_nothing()
    assert caller.said() == "We did not get your answer. Choose"


def test_tags_are_noted_and_templates_filled() -> None:
    caller = Caller(
        flow_of("  uno: {kind: tag, tags: [reclamo, 'troncal {{ call.trunk }}', '{{ call.nada }}'], next: fin}")
    )
    assert [note.data["tag"] for note in caller.notes("tag")] == ["reclamo", "troncal pstn"]


VARIABLES = HEAD + "variables: {motivo: {type: text, default: %s}, n: {type: number, default: '2'}}\n"


@pytest.mark.parametrize(
    ("default", "path"), [("Agua", "uno fin"), ("INTERNET", "uno cola"), ("otra", "uno tres"), ("''", "uno tres")]
)
def test_switch_takes_the_case_that_fits(default: str, path: str) -> None:
    node = (
        "  uno: {kind: switch, value: motivo, cases: {agua: fin, Internet: cola}, else: tres}\n"
        "  tres: {kind: play, prompts: Hola, next: fin}"
    )
    assert Caller(flow_of(node, VARIABLES % default)).path == path


def test_switch_knows_numbers() -> None:
    caller = Caller(flow_of("  uno: {kind: switch, value: n, cases: {'2': fin}, else: cola}", VARIABLES % "x"))
    assert caller.path == "uno fin"
    assert all(isinstance(n, Note) for n in caller.all[:-1])
