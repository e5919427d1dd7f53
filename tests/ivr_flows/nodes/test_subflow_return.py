from __future__ import annotations

from ivr_flows import engine
from ivr_flows.loader import load
from ivr_flows.protocol import Begin, Enqueue, Hangup, Play
from tests.support.flows import Caller, flow_of

MAIN = """\
id: principal
entry: uno
person: {digit: "0", to: cola}
on_error: cola
variables: {nombre: text, sector: {type: text, default: Monay}}
nodes:
  uno: {kind: subflow, flow: parte, with: {donde: "{{ sector }}"}, take: {nombre: quien}, next: dice}
  dice: {kind: play, prompts: "Hola, {{ nombre }} de {{ sector }}.", next: fin}
  cola: {kind: queue, name: q, then: {talked: fin, timeout: fin}}
  fin: {kind: hangup}
"""
PART = """\
id: parte
entry: pregunta
variables: {donde: text, quien: text}
nodes:
  pregunta: {kind: menu, prompts: "¿En {{ donde }}?", options: {"1": pone, "2": rompe, "3": otro}}
  pone: {kind: set, values: {quien: Ana}, next: vuelve}
  rompe: {kind: set, values: {quien: {expr: "1 / 0"}}, next: vuelve}
  otro: {kind: subflow, flow: parte, next: vuelve}
  vuelve: {kind: return}
"""


def flow(text: str) -> object:
    loaded = load(text)
    assert loaded.flow is not None, loaded.findings
    return loaded.flow


def caller_of(*, main: str = MAIN) -> Caller:
    return Caller(flow(main), flow(PART))  # type: ignore[arg-type]


def test_values_go_in_and_come_home() -> None:
    caller = caller_of()
    assert caller.said() == "¿En Monay?"
    assert caller.state.flow == "parte"
    caller.press("1")
    assert caller.said() == "Hola, Ana de Monay."
    assert caller.path == "uno parte.pregunta parte.pone parte.vuelve dice"
    assert caller.state.flow == "principal"


def test_a_person_from_within() -> None:
    caller = caller_of()
    caller.press("0")
    assert isinstance(caller.waits, Enqueue)
    assert caller.state.stack == ()


def test_a_fault_within_is_answered_by_who_called() -> None:
    caller = caller_of()
    caller.press("2")
    assert isinstance(caller.waits, Enqueue)


def test_depth_has_its_limit() -> None:
    caller = caller_of()
    for _ in range(4):
        caller.press("3")
    assert len(caller.state.stack) == 5
    caller.press("3")
    assert isinstance(caller.waits, Enqueue)
    assert caller.notes("flow.error")[0].data["reason"] == "limit.depth"


def test_return_comes_back_from_each_level() -> None:
    caller = caller_of()
    caller.press("3")
    caller.press("1")
    assert caller.said().startswith("Hola,")  # the outer part went on to its own return
    assert caller.path.endswith("parte.vuelve parte.vuelve dice")


def test_a_flow_that_is_not_there_is_a_fault() -> None:
    caller = Caller(flow(MAIN))  # type: ignore[arg-type]
    assert isinstance(caller.waits, Enqueue)


def test_a_value_that_does_not_fit_is_a_fault() -> None:
    caller = caller_of(main=MAIN.replace("{donde:", "{nadie:"))
    assert isinstance(caller.waits, Enqueue)


def test_a_caller_of_a_flow_that_vanished_gets_an_apology() -> None:
    main, part = flow(MAIN), flow(PART)
    state, _ = engine.step(main, engine.begin(main), Begin({}), find=lambda f, _v: part if f == "parte" else None)  # type: ignore[arg-type, return-value]
    caller = caller_of()
    caller.flows.pop("principal")
    caller.press("1")
    assert isinstance(caller.waits, Play)
    assert state.flow == "parte"


def test_return_in_the_first_flow_hangs_up() -> None:
    caller = Caller(flow_of("  uno: {kind: return}"))
    assert caller.last[-1] == Hangup("normal")
