from __future__ import annotations

import pytest

from ivr_flows.loader import load
from ivr_flows.protocol import Collect, CollectEnd, PromptText
from tests.support.flows import HEAD, PERSON, Caller, flow_of

DECLARED = HEAD + "variables: {a: {type: digits, private: true}}\n"
ASK = "  uno: {kind: collect, prompts: Marque, into: a, min_digits: 3, max_digits: 10, next: cola%s}"


def test_it_asks_as_it_is_told_to() -> None:
    caller = Caller(flow_of(ASK % ", terminator: '*', timeout_s: 8, between_s: 2", DECLARED))
    assert caller.waits == Collect((PromptText("Marque"),), 10, 8.0, 2.0, "*", barge_in=True, asides=PERSON)


def test_the_keys_become_the_variable_and_stay_out_of_the_notes() -> None:
    caller = Caller(flow_of(ASK % "", DECLARED))
    caller.press("0102030405")
    assert caller.state.variables == {"a": "0102030405"}
    assert caller.state.node == "cola"
    assert not [note for note in caller.notes("collect.done") if "0102" in str(note.data)]


def test_too_few_keys_are_asked_for_again() -> None:
    caller = Caller(flow_of(ASK % ", repeats: 1", DECLARED))
    caller.press("12", CollectEnd.TERMINATOR)
    assert caller.said() == "Ese número no es correcto. Marque"
    caller.press("123", CollectEnd.TIMEOUT)
    assert caller.state.variables["a"] == "123"


def test_silence_is_asked_again_and_then_a_person() -> None:
    caller = Caller(flow_of(ASK % ", repeats: 1", DECLARED))
    caller.say_nothing()
    assert caller.said().startswith("No recibimos")
    caller.say_nothing()
    assert caller.state.node == "cola"
    assert caller.state.variables["a"] == ""


def test_the_key_for_a_person_alone_and_in_a_number() -> None:
    caller = Caller(flow_of(ASK % "", DECLARED))
    caller.press("0", CollectEnd.TERMINATOR)
    assert caller.notes("person.asked")
    caller = Caller(flow_of(ASK % "", DECLARED))
    caller.press("000", CollectEnd.TERMINATOR)
    assert not caller.notes("person.asked")
    caller = Caller(flow_of((ASK % ", person: false").replace("min_digits: 3", "min_digits: 1"), DECLARED))
    caller.press("0", CollectEnd.TERMINATOR)
    assert caller.state.variables["a"] == "0"


def test_keys_pressed_ahead_are_the_first_of_the_number() -> None:
    nodes = "  cero: {kind: play, prompts: Hola, next: uno}\n" + ASK % ""
    caller = Caller(flow_of(nodes, DECLARED.replace("entry: uno", "entry: cero")))
    caller.press("7")
    assert isinstance(caller.waits, Collect)
    assert (caller.waits.prompts, caller.waits.max_digits) == ((), 9)
    caller.press("0", CollectEnd.TERMINATOR)  # not a person: it is the second key of 70
    assert caller.said() == "Ese número no es correcto. Marque"
    assert isinstance(caller.waits, Collect)
    assert caller.waits.max_digits == 10


def test_keys_that_do_not_fit_the_variable_lead_to_on_error() -> None:
    caller = Caller(flow_of(ASK % ", on_no_match: fin", HEAD + "variables: {a: integer}\n"))
    caller.press("12*4")
    assert caller.notes("flow.error")[0].data["reason"] == "variable"


def test_limits_that_cannot_be_are_refused() -> None:
    text = f"{DECLARED}nodes:\n{ASK.replace('max_digits: 10', 'max_digits: 2') % ''}\n  cola: {{kind: hangup}}\n"
    (finding,) = load(text).findings
    assert "min_digits" in finding.message


CHECKED = (
    "  uno: {kind: collect, prompts: Digite., as: %s, into: v, read_back: %s, repeats: 2, next: dos}\n"
    "  dos: {kind: play, prompts: 'Es {{ v }}', next: fin}"
)


@pytest.mark.parametrize(
    ("meaning", "keys", "value"),
    [
        ("cedula", "1710034065", "1710034065"),
        ("ruc", "1710034065001", "1710034065001"),
        ("identity", "1710034065001", "1710034065001"),
        ("contract", "20451", "20451"),
        ("phone", "2831900", "072831900"),
        ("date", "02032026", "2026-03-02"),
        ("amount", "12*5", "12.50"),
        ("amount", "7", "7.00"),
    ],
)
def test_keys_are_checked_by_what_they_mean(meaning: str, keys: str, value: str) -> None:
    caller = Caller(flow_of(CHECKED % (meaning, "false"), HEAD + "variables: {v: text}\n"))
    caller.press(keys)
    assert caller.variable("v") == value


@pytest.mark.parametrize(
    ("meaning", "keys", "word"),
    [
        ("cedula", "1710034064", "cédula"),
        ("cedula", "17", "cédula"),
        ("ruc", "1710034064001", "RUC"),
        ("contract", "1*11", "contrato"),
        ("phone", "123", "teléfono"),
        ("date", "31022026", "fecha"),
        ("date", "99999999", "fecha"),
        ("amount", "1*2*3", "valor"),
        ("amount", "*50", "valor"),
    ],
)
def test_wrong_keys_are_told_why(meaning: str, keys: str, word: str) -> None:
    caller = Caller(flow_of(CHECKED % (meaning, "false"), HEAD + "variables: {v: text}\n"))
    caller.press(keys)
    assert word in caller.said()
    assert caller.said().endswith("Digite.")


def test_read_back_confirm_and_correct() -> None:
    caller = Caller(flow_of(CHECKED % ("amount", "true"), HEAD + "variables: {v: number}\n"))
    caller.press("12*50")
    assert caller.said().startswith("Usted digitó: doce dólares con cincuenta centavos. Si es correcto, marque uno.")
    caller.press("2")
    assert caller.said().endswith("Digite.")
    caller.press("13")
    caller.press("")
    assert caller.said().startswith("Usted digitó: trece dólares.")
    caller.press("1")
    assert caller.variable("v") == 13.0


def test_read_back_without_an_answer_ends_at_a_person() -> None:
    caller = Caller(flow_of(CHECKED % ("contract", "true"), HEAD + "variables: {v: text}\n"))
    caller.press("20451")
    for _ in range(3):
        caller.press("")
    assert caller.path == "uno cola"


def test_a_person_at_the_read_back() -> None:
    caller = Caller(flow_of(CHECKED % ("contract", "true"), HEAD + "variables: {v: text}\n"))
    caller.press("20451")
    caller.press("0")
    assert caller.path == "uno cola"


@pytest.mark.parametrize(
    ("language", "yes", "no"),
    [("es", ("sí", "correcto"), ("no", "corregir")), ("en", ("yes", "correct"), ("no", "change it"))],
)
def test_a_read_back_is_answered_in_the_callers_words(language: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    flow = flow_of(ASK % ", read_back: true", f"{DECLARED}language: {language}\n")
    for phrase in (*yes, *no):
        caller = Caller(flow)
        caller.press("20451", CollectEnd.TERMINATOR)
        assert isinstance(caller.waits, Collect)
        assert caller.waits.phrases == (*yes, *no)
        caller.say(phrase)
        assert (caller.state.node == "cola") == (phrase in yes)
