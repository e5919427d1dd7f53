from __future__ import annotations

import pytest

from ivr_flows.protocol import Collect, Failure
from tests.support.flows import HEAD, Caller, flow_of

NODE = """\
  uno:
    kind: announce
    request: {system: etapa, url: "/cortes?sector={{ sector }}&servicio=agua"}
    list: cortes
    before: "Le informamos."
    each: "En {{ item.sector }} hay un corte de {{ item.servicio }} hasta {{ item.hasta | time }}."
    after: "Disculpe la molestia."
    most: 2
    count: n
    next: cola
    none: sin_cortes
    fallback: falla
  sin_cortes: {kind: play, prompts: No hay cortes., next: fin}
  falla: {kind: play, prompts: No podemos consultar., next: fin}
"""
HEADS = HEAD + "variables: {sector: {type: text, default: El Vergel}, n: integer}\n"
FLOW = flow_of(NODE, HEADS)
CUT = {"sector": "Totoracocha", "servicio": "agua", "hasta": "2026-03-02T15:30:00"}


def test_each_outage_is_spoken_and_the_caller_goes_on() -> None:
    caller = Caller(FLOW)
    assert caller.asked().url == "/cortes?sector=El%20Vergel&servicio=agua"
    caller.answer(200, {"cortes": [CUT, {**CUT, "sector": "Monay"}, {**CUT, "sector": "Baños"}]})
    assert caller.said() == (
        "Le informamos. En Totoracocha hay un corte de agua hasta las tres y media de la tarde."
        " En Monay hay un corte de agua hasta las tres y media de la tarde. Disculpe la molestia."
    )
    assert caller.variable("n") == 3
    assert isinstance(caller.waits, Collect)
    caller.say_nothing()
    assert caller.path == "uno cola"


def test_who_has_heard_enough_presses_on() -> None:
    caller = Caller(FLOW)
    caller.answer(200, {"cortes": [CUT]})
    caller.press("0")
    assert caller.path == "uno cola"


def test_none() -> None:
    caller = Caller(FLOW)
    caller.answer(200, {"cortes": []})
    assert caller.said() == "No hay cortes."


@pytest.mark.parametrize(
    "body", [None, {}, {"cortes": 5}, {"cortes": [{"sector": "X"}]}, {"cortes": [{**CUT, "hasta": "hoy"}]}]
)
def test_an_answer_that_cannot_be_spoken_is_no_answer(body: object) -> None:
    caller = Caller(FLOW)
    caller.answer(200, body)
    assert caller.said() == "No podemos consultar."


def test_a_failure() -> None:
    caller = Caller(FLOW)
    caller.fail(Failure.BREAKER)
    assert caller.said() == "No podemos consultar."


def test_what_an_answer_writes_is_never_markup_or_template() -> None:
    caller = Caller(FLOW)
    caller.answer(200, {"cortes": [{**CUT, "sector": "<speak>{{ call.from }}</speak>"}]})
    assert "{{" not in caller.said()
    assert "<" not in caller.said()
    assert "0999123456" not in caller.said()


def test_more_than_are_said_are_counted_and_what_cannot_be_said_is_passed_over() -> None:
    caller = Caller(
        flow_of(
            NODE.replace("    most: 2", "    more: \"Hay {{ item.more | count('corte') }} más.\"\n    most: 2"), HEADS
        )
    )
    caller.answer(200, {"cortes": [CUT, {**CUT, "hasta": "hoy"}, CUT, CUT]})
    assert caller.said() == (
        "Le informamos. En Totoracocha hay un corte de agua hasta las tres y media de la tarde."
        " Hay tres cortes más. Disculpe la molestia."
    )
    counted = "more: \"Hay {{ item.more | count('corte') }} más.\"\n    most: 2"
    caller = Caller(flow_of(NODE.replace("most: 2", counted), HEADS))
    caller.answer(200, {"cortes": [CUT, {**CUT, "hasta": "hoy"}, CUT, CUT]})
    assert caller.said() == (
        "Le informamos. En Totoracocha hay un corte de agua hasta las tres y media de la tarde."
        " Hay tres cortes más. Disculpe la molestia."
    )
    caller = Caller(flow_of(NODE.replace("    most: 2", '    more: "Hay más."\n    most: 2'), HEADS))
    caller.answer(200, {"cortes": [CUT, CUT]})
    assert "Hay más." not in caller.said()
