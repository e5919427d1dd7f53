from __future__ import annotations

import pytest

from ivr_flows.protocol import Collect, Failure
from tests.support.flows import HEAD, Caller, flow_of

HEAD_ = HEAD + "variables: {nombre: text, seguro: integer}\n"
NODE = """\
  uno:
    kind: identify
    by: [caller, cedula, ruc, contract]
    request: {system: etapa, url: "/clientes?por={{ item.by }}&numero={{ item.value }}"}
    take: {nombre: nombre}
    sure: seguro
    prompts: Digite su cédula o su contrato, y luego numeral.
    repeats: 1
    next: dice
    unknown: desconocido
    fallback: falla
  dice: {kind: play, prompts: "Hola, {{ nombre }}.", next: fin}
  desconocido: {kind: play, prompts: No le encontramos., next: fin}
  falla: {kind: play, prompts: No podemos consultar., next: fin}
"""
FLOW = flow_of(NODE, HEAD_)


def test_by_the_callers_number_in_silence() -> None:
    caller = Caller(FLOW, **{"from": "+593999123456"})
    assert caller.asked().url == "/clientes?por=caller&numero=0999123456"
    caller.answer(200, {"nombre": "Ana"})
    assert caller.said() == "Hola, Ana."
    assert caller.variable("seguro") == 1


@pytest.mark.parametrize(
    ("keys", "by"),
    [("1710034065", "cedula"), ("1710034065001", "ruc"), ("17100340641", "contract"), ("20451", "contract")],
)
def test_then_by_what_is_keyed(keys: str, by: str) -> None:
    caller = Caller(FLOW)
    caller.answer(404)
    assert caller.said() == "Digite su cédula o su contrato, y luego numeral."
    caller.press(keys)
    assert caller.asked().url == f"/clientes?por={by}&numero={keys}"
    caller.answer(200, {"nombre": "Luis"})
    assert caller.variable("seguro") == 2
    assert caller.notes("identified")[0].data["by"] == by


def test_a_number_that_nobody_has_is_asked_for_again_and_then_unknown() -> None:
    caller = Caller(FLOW)
    caller.answer(404)
    caller.press("20451")
    caller.answer(404)
    assert caller.said() == "No encontramos ese número. Digite su cédula o su contrato, y luego numeral."
    caller.press("20452")
    caller.answer(404)
    assert caller.path == "uno desconocido"
    assert caller.variable("seguro") == 0


def test_a_number_that_cannot_be_one_is_never_sent() -> None:
    caller = Caller(FLOW)
    caller.answer(404)
    caller.press("12")
    assert isinstance(caller.waits, Collect)
    assert caller.said().startswith("Ese número no es correcto. Digite")
    assert caller.notes("identify.no_match")[0].private


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("1710034066", "Ese número de cédula no es correcto."),
        ("1710034066001", "Ese número de RUC no es correcto."),
        ("1*1", "Ese número no es correcto."),
    ],
)
def test_a_cedula_or_ruc_with_a_wrong_check_digit_is_no_contract(keys: str, said: str) -> None:
    caller = Caller(FLOW)
    caller.answer(404)
    caller.press(keys)
    assert isinstance(caller.waits, Collect)
    assert caller.said() == f"{said} Digite su cédula o su contrato, y luego numeral."


@pytest.mark.parametrize(
    ("more", "keys", "by"),
    [
        ("contract_digits: [10]", "1710034066", "contract"),
        ("contract_digits: [10]", "1710034065", "cedula"),
        ("contract_digits: [10]", "20451", None),
        ("contract_digits: [5, 6]", "20451", "contract"),
    ],
)
def test_where_contracts_have_that_length_they_are_looked_up(more: str, keys: str, by: str | None) -> None:
    caller = Caller(flow_of(NODE.replace("    repeats: 1", f"    {more}\n    repeats: 1"), HEAD_))
    caller.answer(404)
    caller.press(keys)
    if by is None:
        assert caller.said().startswith("Ese número no es correcto.")
    else:
        assert caller.asked().url == f"/clientes?por={by}&numero={keys}"


def test_contracts_of_any_length_where_no_cedula_is_asked_for() -> None:
    caller = Caller(flow_of(NODE.replace("[caller, cedula, ruc, contract]", "contract"), HEAD_))
    caller.press("1710034066")
    assert caller.asked().url == "/clientes?por=contract&numero=1710034066"


@pytest.mark.parametrize("failure", list(Failure))
def test_the_system_is_gone(failure: Failure) -> None:
    caller = Caller(FLOW)
    caller.fail(failure)
    assert caller.said() == "No podemos consultar."


def test_a_hidden_number_is_not_looked_up() -> None:
    assert isinstance(Caller(FLOW, **{"from": ""}).waits, Collect)
    assert isinstance(Caller(FLOW, **{"from": "anonymous"}).waits, Collect)


def test_by_the_telephone_alone_nobody_is_asked() -> None:
    only = flow_of(NODE.replace("[caller, cedula, ruc, contract]", "caller"), HEAD_)
    caller = Caller(only)
    caller.answer(404)
    assert caller.path == "uno desconocido"


def test_a_person() -> None:
    caller = Caller(FLOW)
    caller.answer(404)
    caller.press("0")
    assert caller.path == "uno cola"
