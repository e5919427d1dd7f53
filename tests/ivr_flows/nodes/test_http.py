from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.loader import load
from ivr_flows.protocol import Failure, PromptText, Response, Resume
from ivr_flows.requesting import find
from tests.support.flows import END, HEAD, Caller, flow_of

VARIABLES = HEAD + "variables: {contrato: {type: text, default: '%s'}, deuda: number, nombre: text, cuantas: integer}\n"
NODE = """\
  uno:
    kind: http
    request:
      system: etapa
      url: "/cuentas/{{ contrato }}?desde={{ call.from }}"
      headers: {X-Origen: "IVR {{ contrato }}"}
      secrets: {Authorization: etapa-token}
    take: {deuda: cuentas.0.saldo, nombre: titular.nombre, cuantas: cuentas.#}
    status: {"404": no_hay}
    next: dice
    fallback: cola
  dice: {kind: play, prompts: "{{ nombre }} debe {{ deuda | money }} en {{ cuantas }} cuentas.", next: fin}
  no_hay: {kind: play, prompts: No existe., next: fin}
"""


def caller_of(contract: str = "A1") -> Caller:
    return Caller(flow_of(NODE, VARIABLES % contract))


def test_the_request_is_what_is_written() -> None:
    asked = caller_of().asked()
    assert (asked.system, asked.method, asked.url) == ("etapa", "GET", "/cuentas/A1?desde=0999123456")
    assert asked.headers == {"X-Origen": "IVR A1"}
    assert asked.secrets == {"Authorization": "etapa-token"}
    assert asked.comfort == (PromptText("Un momento, por favor.", "es"),)
    assert 0 < asked.comfort_after_s < 4


def test_the_answer_sets_variables_and_is_spoken() -> None:
    caller = caller_of()
    caller.answer(200, {"titular": {"nombre": "Ana Cordero"}, "cuentas": [{"saldo": 12.5}, {"saldo": 3}]})
    assert caller.said() == "Ana Cordero debe doce dólares con cincuenta centavos en 2 cuentas."


def test_a_status_can_be_an_answer() -> None:
    caller = caller_of()
    caller.answer(404, {"error": "no existe"})
    assert caller.said() == "No existe."


BODY = """\
  uno:
    kind: http
    request:
      system: etapa
      url: /pagos
      method: POST
      body:
        contrato: "{{ contrato }}"
        texto: "5"
        valor: {expr: deuda + 0.5}
        cuantas: {expr: cuantas}
        urgente: {expr: deuda > 3}
        nada: {expr: None}
        cliente: {nombre: "{{ nombre }}", telefonos: ["{{ call.from }}", {tipo: fijo, vale: {expr: False}}], otros: []}
    next: fin
    fallback: cola
"""


def test_a_body_has_numbers_truths_objects_and_lists() -> None:
    caller = Caller(flow_of(BODY, VARIABLES % 'A"1'))
    assert caller.asked().body == {
        "contrato": 'A"1',
        "texto": "5",
        "valor": 0.5,
        "cuantas": 0,
        "urgente": False,
        "nada": None,
        "cliente": {
            "nombre": "",
            "telefonos": ["0999123456", {"tipo": "fijo", "vale": False}],
            "otros": [],
        },
    }


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("{a: {b: {expr: 1 +}}}", "field.value", 12),
        ("{a: [x, {b: '{{ c'}]}", "field.value", 12),
        ("{a: [x, {b: '{{ nadie }}'}]}", "variable.unknown", 12),
        ("{a: {b: {expr: nadie}}}", "variable.unknown", 12),
        ("{cliente: {clave: abc}}", "secret.plain", 12),
    ],
)
def test_mistakes_deep_in_a_body_are_found_at_their_line(body: str, code: str, line: int) -> None:
    node = f"  uno:\n    kind: http\n    request:\n      system: etapa\n      url: /x\n      body: {body}\n"
    loaded = load(f"{HEAD}nodes:\n{node}    next: fin\n    fallback: cola\n{END}")
    assert [(f.line, f.code) for f in loaded.findings] == [(line - 1, code)], loaded.findings


def test_a_list_of_an_expression_is_no_value_of_a_body() -> None:
    caller = Caller(flow_of(BODY.replace("{expr: cuantas}", '{expr: "[1, 2]"}'), VARIABLES % "A1"))
    assert "cannot be sent" in str(caller.notes("flow.error")[0].data["message"])


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_leads_to_the_fallback(failure: Failure) -> None:
    caller = caller_of()
    caller.fail(failure)
    assert caller.path == "uno cola"
    assert caller.notes("http.failed")[0].data["why"] == failure.value


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (302, None), (0, None), (200, {"cuentas": [{"saldo": "mucho"}]})]
)
def test_a_wrong_answer_leads_to_the_fallback(status: int, body: object) -> None:
    caller = caller_of()
    caller.answer(status, body)
    assert caller.path == "uno cola"


@pytest.mark.parametrize("body", [None, [], "texto", 3, {"cuentas": {}}, {"cuentas": None, "titular": []}])
def test_what_an_answer_lacks_keeps_its_value(body: object) -> None:
    caller = caller_of()
    caller.answer(200, body)
    assert caller.variable("deuda") == 0
    assert caller.variable("nombre") == ""


@given(st.text(max_size=60))
def test_no_value_can_change_where_a_request_goes(text: str) -> None:
    flow = flow_of(NODE, VARIABLES % "A1")
    caller = Caller(flow, **{"from": text})
    url = caller.asked().url
    assert url.startswith("/cuentas/A1?desde=")
    rest = url.removeprefix("/cuentas/A1?desde=")
    assert not set(rest) & set("/?#&=@: \r\n\t\\")
    assert rest.isascii()


@given(st.text(max_size=60))
def test_no_header_can_be_smuggled(text: str) -> None:
    node = NODE.replace("IVR {{ contrato }}", "{{ call.from }}")
    value = Caller(flow_of(node, VARIABLES % "A1"), **{"from": text}).asked().headers["X-Origen"]
    assert not set(value) & set("\r\n\x00")


def test_a_person_while_the_system_is_asked() -> None:
    caller = caller_of()
    caller.press("5")
    assert caller.state.node == "uno"
    caller.press("0")
    assert caller.path == "uno cola"


def test_a_question_is_asked_again_after_a_restart_and_an_order_is_not() -> None:
    caller = caller_of()
    caller.tell(Resume())
    assert caller.last[-1] == caller.waits
    node = NODE.replace("system: etapa", "system: etapa\n      method: POST")
    caller = Caller(flow_of(node, VARIABLES % "A1"))
    assert caller.asked().retries == 0
    caller.tell(Resume())
    assert caller.path == "uno cola"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("{url: 'ftp://x/'}", "field.value"),
        ("{url: '{{ call.from }}/x'}", "field.value"),
        ("{url: 'https://{{ call.from }}/x'}", "field.value"),
        ("{system: etapa, url: x}", "field.value"),
        ("{url: 'https://a/', headers: {'Bad Header': x}}", "field.value"),
        ("{url: 'https://a/', headers: {Authorization: 'Bearer abc'}}", "secret.plain"),
        ("{url: 'https://a/?api_key=abc'}", "secret.plain"),
        ("{url: 'https://a/', method: POST, body: {clave: abc}}", "secret.plain"),
        ("{url: 'http://a.example/'}", "http.plain"),
    ],
)
def test_mistakes_and_plain_secrets_are_found(request_: str, code: str) -> None:
    loaded = load(f"{HEAD}nodes:\n  uno: {{kind: http, request: {request_}, next: fin, fallback: cola}}\n{END}")
    assert code in {f.code for f in loaded.findings}, loaded.findings


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cuentas", "saldo", "titular", "nombre", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([200, 201, 404, 500, -1, 999]))
def test_no_answer_breaks_a_call(body: object, status: int) -> None:
    caller = caller_of()
    caller.tell(Response(status, body))
    assert caller.state.node in ("dice", "no_hay", "cola")
    find(body, "cuentas.0.saldo.#")
