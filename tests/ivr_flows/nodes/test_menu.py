from __future__ import annotations

import pytest

from ivr_flows.protocol import Collect, Hangup, PromptText
from tests.support.flows import HEAD, PERSON, Caller, flow_of

MENU = "  uno: {kind: menu, prompts: Elija, options: {'1': fin, '#': {to: cola, name: Cola}}%s}"


def test_it_asks_for_one_key_as_it_is_told_to() -> None:
    caller = Caller(flow_of(MENU % ", timeout_s: 4.5, barge_in: false"))
    assert caller.waits == Collect((PromptText("Elija"),), 1, 4.5, 1.0, "", barge_in=False, asides=PERSON)


def test_an_option_is_noted_and_followed() -> None:
    caller = Caller(flow_of(MENU % ""))
    caller.press("#")
    (choice,) = caller.notes("menu.choice")
    assert (choice.data["option"], choice.data["to"], choice.data["name"]) == ("#", "cola", "Cola")
    assert caller.state.node == "cola"


@pytest.mark.parametrize("repeats", [0, 1, 3])
@pytest.mark.parametrize("key", ["", "7"])
def test_it_asks_again_and_then_offers_a_person(repeats: int, key: str) -> None:
    caller = Caller(flow_of(MENU % f", repeats: {repeats}"))
    for _ in range(repeats):
        caller.press(key)
        assert caller.state.node == "uno"
        assert caller.said().endswith("Elija")
        assert caller.said().startswith("La opción" if key else "No recibimos")
    caller.press(key)
    assert caller.state.node == "cola"


def test_own_prompts_and_ways_out() -> None:
    more = ", repeats: 1, no_input: Nada, no_match: Otra, on_no_input: fin, on_no_match: dos"
    nodes = MENU % more + "\n  dos: {kind: hangup, cause: busy}"
    caller = Caller(flow_of(nodes))
    caller.press("")
    assert caller.said() == "Nada Elija"
    assert caller.press("")[-1] == Hangup("normal")
    caller = Caller(flow_of(nodes))
    caller.press("5")
    assert caller.said() == "Otra Elija"
    assert caller.press("5")[-1] == Hangup("busy")


def test_wrong_keys_are_private_and_choices_are_not() -> None:
    caller = Caller(flow_of(MENU % ""))
    caller.press("7")
    caller.press("1")
    assert caller.notes("menu.no_match")[0].private
    assert not caller.notes("menu.choice")[0].private


def test_an_option_may_take_the_key_for_a_person() -> None:
    caller = Caller(flow_of("  uno: {kind: menu, prompts: Elija, options: {'0': fin}}"))
    caller.press("0")
    assert caller.state.node == "fin"


def test_a_wrong_key_pressed_ahead_is_no_attempt() -> None:
    nodes = (
        "  uno: {kind: play, prompts: Hola, next: dos}\n"
        "  dos: {kind: menu, prompts: Elija, repeats: 0, options: {'1': fin}}"
    )
    caller = Caller(flow_of(nodes))
    caller.press("9")
    assert caller.said() == "Elija"


def test_a_key_pressed_ahead_is_not_for_a_menu_that_must_be_heard() -> None:
    nodes = (
        "  uno: {kind: play, prompts: Hola, next: dos}\n"
        "  dos: {kind: menu, prompts: Elija, barge_in: false, options: {'1': fin}}"
    )
    caller = Caller(flow_of(nodes))
    caller.press("1")
    assert caller.state.node == "dos"


def test_without_a_person_it_gives_up_by_on_error() -> None:
    caller = Caller(flow_of(MENU % ", repeats: 0", HEAD.replace('person: {digit: "0", to: cola}\n', "")))
    caller.press("")
    assert caller.state.node == "cola"


ADAPTIVE = """\
  uno:
    kind: menu
    prompts: Elija.
    options:
      "1": {to: fin, prompts: Agua., phrases: [agua, el agua potable]}
      "2": {to: cola, prompts: Su factura vencida., when: deuda > 0, first_when: deuda > 20}
"""


@pytest.mark.parametrize(
    ("debt", "said"),
    [("0", "Elija. Agua."), ("5", "Elija. Agua. Su factura vencida."), ("30", "Elija. Su factura vencida. Agua.")],
)
def test_what_is_offered_depends_on_the_caller(debt: str, said: str) -> None:
    flow = flow_of(ADAPTIVE, HEAD + f"variables: {{deuda: {{type: number, default: '{debt}'}}}}\n")
    caller = Caller(flow)
    assert caller.said() == said
    caller.press("2")
    assert caller.path == ("uno" if debt == "0" else "uno cola")


def test_a_phrase_chooses_as_its_key_does() -> None:
    flow = flow_of(ADAPTIVE, HEAD + "variables: {deuda: number}\n")
    caller = Caller(flow)
    assert isinstance(caller.waits, Collect)
    assert caller.waits.phrases == ("agua", "el agua potable")
    caller.say("El Agua Potable")
    assert caller.path == "uno fin"
    caller = Caller(flow)
    caller.say("asesor")
    assert caller.path == "uno cola"
    caller = Caller(flow)
    caller.say("otra cosa")
    assert caller.said().startswith("La opción no es válida.")
