from __future__ import annotations

import pytest

from ivr_flows.protocol import BotExit, Converse, Conversed, PromptFile, PromptText, PromptTone
from ivr_flows.state import action_from_json, action_to_json
from tests.support.flows import HEAD, PERSON, Caller, flow_of

BOT = """\
  uno:
    kind: bot
    name: asistente
    with: {sector: "{{ sector }}"}
    take: {sector: sector, n: cuantos}
    next: dice
    unavailable: fin
  dice: {kind: play, prompts: "{{ sector }} {{ n }}", next: fin}
"""
FLOW = flow_of(BOT, HEAD + "variables: {sector: {type: text, default: Monay}, n: integer}\n")


def test_slots_go_to_the_bot_and_come_back() -> None:
    caller = Caller(FLOW)
    words = ("Un momento, por favor.", "Seguimos revisando su consulta. Gracias por esperar.")
    comfort = tuple(PromptText(text, "es") for text in words)
    assert caller.waits == Converse("asistente", "es", {"sector": "Monay"}, 180.0, "0", PERSON, comfort)
    caller.tell(Conversed(BotExit.DONE, {"sector": "Baños", "cuantos": "3"}))
    assert caller.said() == "Baños 3"


def test_what_is_said_while_it_thinks_may_be_recorded() -> None:
    own = BOT.replace(
        "    next: dice", "    comfort: [{file: espere, text: Espere}, {tone: {hz: 440, ms: 200}}]\n    next: dice"
    )
    waits = Caller(flow_of(own, HEAD + "variables: {sector: {type: text, default: Monay}, n: integer}\n")).waits
    assert isinstance(waits, Converse)
    assert waits.comfort == (PromptFile("espere", "Espere", "es"), PromptTone(440, 200))
    assert action_from_json(action_to_json(waits)) == waits


@pytest.mark.parametrize("slots", [{}, {"cuantos": "muchos"}, {"cuantos": None, "sector": ["x"]}, {"cuantos": {}}])
def test_what_the_bot_misheard_is_left_out(slots: dict[str, object]) -> None:
    caller = Caller(FLOW)
    caller.tell(Conversed(BotExit.DONE, slots))
    assert caller.said() == "Monay 0"


def test_a_person_asked_of_the_bot_and_a_bot_that_is_not_there() -> None:
    caller = Caller(FLOW)
    caller.tell(Conversed(BotExit.PERSON, {"sector": "Baños"}))
    assert caller.path == "uno cola"
    assert caller.variable("sector") == "Baños"
    caller = Caller(FLOW)
    caller.tell(Conversed(BotExit.UNAVAILABLE))
    assert caller.path == "uno fin"


SURVEY = """\
  uno:
    kind: survey
    name: atencion
    intro: Responda por favor.
    questions:
      - {id: calidad, prompts: ¿Calidad?}
      - {id: solucion, prompts: ¿Solución?, scale: 2}
    next: dice
  dice: {kind: play, prompts: Gracias., next: fin}
"""


def answers(caller: Caller) -> dict[object, object]:
    return {note.data["question"]: note.data["answer"] for note in caller.notes("survey.answer")}


def test_answers_are_noted() -> None:
    caller = Caller(flow_of(SURVEY))
    assert caller.said() == "Responda por favor. ¿Calidad?"
    caller.press("5")
    assert caller.said() == "¿Solución?"
    caller.press("1")
    assert caller.said() == "Gracias."
    assert answers(caller) == {"calidad": 5, "solucion": 1}
    assert caller.notes("survey.done")


def test_a_wrong_key_is_explained_and_silence_goes_on() -> None:
    caller = Caller(flow_of(SURVEY))
    caller.press("9")
    assert caller.said() == "Por favor, responda del uno al cinco. ¿Calidad?"
    caller.press("8")
    assert caller.said() == "¿Solución?"
    caller.press("")
    assert caller.said() == "¿Solución?"
    caller.press("")
    assert caller.said() == "Gracias."
    assert answers(caller) == {}
    assert len(caller.notes("survey.no_answer")) == 2


def test_a_person_in_the_survey() -> None:
    caller = Caller(flow_of(SURVEY))
    caller.press("0")
    assert caller.path == "uno cola"
