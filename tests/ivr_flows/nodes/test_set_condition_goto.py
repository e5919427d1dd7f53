"""The kinds that never wait."""

from __future__ import annotations

from ivr_flows.loader import load
from tests.support.flows import HEAD, Caller, flow_of

DECLARED = HEAD + (
    "variables: {n: {type: integer, default: 2}, t: text, b: boolean, x: number, d: digits,"
    " m: {type: integer, default: 1}}\n"
)


def test_set_gives_each_variable_a_value_of_its_type() -> None:
    values = "{t: 'de {{ call.from }}', b: sí, x: 1.5, d: '0987', n: {expr: n + 1}}"
    caller = Caller(flow_of(f"  uno: {{kind: set, values: {values}, next: cola}}", DECLARED), **{"from": "0999"})
    assert caller.state.variables == {"t": "de 0999", "b": True, "x": 1.5, "d": "0987", "n": 3, "m": 1}


def test_set_computes_from_what_was_before() -> None:
    node = "  uno: {kind: set, values: {n: {expr: m}, m: {expr: n}}, next: cola}"
    variables = Caller(flow_of(node, DECLARED)).state.variables
    assert (variables["n"], variables["m"]) == (1, 2)


def test_a_counting_loop() -> None:
    nodes = """
  uno: {kind: condition, if: n < 10, then: dos, else: cola}
  dos: {kind: set, values: {n: {expr: n + 1}}, next: tres}
  tres: {kind: goto, to: uno}
"""
    caller = Caller(flow_of(nodes, DECLARED))
    assert caller.state.variables["n"] == 10
    assert caller.state.path.count("dos") == 8
    assert not caller.notes("flow.error")


def test_condition_by_facts() -> None:
    flow = flow_of("  uno: {kind: condition, if: 'starts_with(call.from, \"09\")', then: fin, else: cola}")
    assert Caller(flow, **{"from": "0999"}).state.node == "fin"
    assert Caller(flow, **{"from": "072"}).state.node == "cola"
    assert Caller(flow, other=1).state.node == "cola"


def test_a_value_is_one_thing() -> None:
    node = "  uno: {kind: set, values: {n: {text: '1', expr: '1'}}, next: uno}"
    text = f"{DECLARED}nodes:\n{node}\n  cola: {{kind: hangup}}\n"
    (finding,) = load(text).findings
    assert "either text or expr" in finding.message
