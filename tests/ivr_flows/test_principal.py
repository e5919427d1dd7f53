"""The customer's flows: they pass the check and their own tests, and nobody is left alone in them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import ivr_flows
from app.place import CHECKOUT
from callcontrol.routing.config_store import read
from ivr_flows.checking import check, load_all
from ivr_flows.drawing import draw
from ivr_flows.flow import Flow
from ivr_flows.flow_tests import run_tests
from ivr_flows.loader import load
from ivr_flows.nodes.set import Set
from ivr_flows.nodes.switch import Switch
from ivr_flows.protocol import Collect, Enqueue, Failure, Hangup, Play, PromptFile, QueueExit, Request, Response
from ivr_flows.references import CriticalityName, Known, QueueName, SkillName
from tests.support.flows import Caller, texts

FLOWS = Path(ivr_flows.__file__).parent / "flows"
TESTS = sorted((FLOWS / "tests").glob("*.yaml"))


@pytest.fixture(scope="module")
def flows() -> dict[str, Flow]:
    return load_all([FLOWS])


@pytest.fixture
def caller(flows: dict[str, Flow]) -> Caller:
    return Caller(flows["principal"], *flows.values())


def test_all_shipped_flows_pass_the_check_without_a_warning() -> None:
    assert check([FLOWS], known=Known({QueueName: {"contact-center"}})) == []


def test_all_shipped_flows_pass_their_tests(flows: dict[str, Flow]) -> None:
    outcome = run_tests(TESTS, flows)
    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.ran >= 25


def test_the_greeting_is_a_recording_with_a_text_to_stand_in(caller: Caller) -> None:
    assert isinstance(caller.waits, Collect)
    (prompt,) = caller.waits.prompts
    assert isinstance(prompt, PromptFile)
    assert prompt.name == "bienvenida"
    assert prompt.fallback_text.startswith("Bienvenido a ETAPA EP.")


def test_an_opening_that_nobody_knows_of_is_not_told_as_a_day(flows: dict[str, Flow]) -> None:
    """The calendar finds none within two weeks: a long closure."""
    days = ", ".join(f"2026-03-{day:02}: cierre" for day in range(2, 25))
    text = flows["atencion"].text.replace("    holidays: cuenca\n", f"    holidays: cuenca\n    closed: {{{days}}}\n")
    closed = load(text).flow
    assert closed is not None
    caller = Caller(flows["principal"], *{**flows, "atencion": closed}.values())
    caller.press("0")
    heard = []
    while caller.state.node != "fuera_de_horario":
        heard.append(caller.said())
        caller.say_nothing()
    assert heard == ["Hoy es feriado y nuestras oficinas están cerradas."]
    caller.press("2")
    caller.press("1")
    assert caller.said() == "Le llamaremos en cuanto abramos."


def test_who_knows_the_menu_presses_during_the_greeting(caller: Caller) -> None:
    caller.press("1")
    caller.fail(Failure.REFUSED)
    assert caller.path == "bienvenida perfil recuerda motivo agua_potable espera.servicio espera.agua espera.cola"
    assert isinstance(caller.waits, Enqueue)
    assert (caller.waits.queue, caller.waits.reason) == ("agua-potable", "agua_potable")


@pytest.mark.parametrize("exit_", [QueueExit.TIMEOUT, QueueExit.NO_AGENTS, QueueExit.UNKNOWN_QUEUE])
def test_when_nobody_can_take_the_call_the_caller_is_told(caller: Caller, exit_: QueueExit) -> None:
    caller.press("1")
    caller.fail()
    caller.queue(exit_)
    if exit_ is QueueExit.UNKNOWN_QUEUE:  # of that service: the general one is tried
        caller.queue(exit_)
    assert isinstance(caller.waits, Play | Collect)
    assert texts(caller.waits.prompts)[0].startswith(("Disculpe la espera.", "Lo sentimos"))


def test_every_system_that_is_asked_is_waited_for_in_company(flows: dict[str, Flow]) -> None:
    requests = [node.request for flow in flows.values() for node in flow.nodes.values() if hasattr(node, "request")]
    assert len(requests) >= 4
    assert all(request.comfort_after_s < 4 for request in requests)


@pytest.mark.parametrize("seed", range(150))
def test_a_caller_who_presses_anything_is_always_served_in_the_end(flows: dict[str, Flow], seed: int) -> None:
    """Anything but a person, who would be an end too."""
    luck = random.Random(seed)
    caller = Caller(flows["principal"], *flows.values(), at=1_772_463_600.0 + luck.randrange(0, 14 * 86_400, 1800))
    for _ in range(400):
        caller.at += luck.choice([1, 5])
        if caller.state.is_over:
            break
        waits = caller.waits
        if isinstance(waits, Request):
            caller.tell(
                luck.choice(
                    [
                        Response(404),
                        Response(failure=Failure.TIMEOUT),
                        Response(200, {"saldo": 3}),
                        Response(200, {"cortes": []}),
                    ]
                )
            )
        elif isinstance(waits, Collect):
            caller.press(luck.choice(["", *"123456789", "204510"])[: waits.max_digits])
        elif isinstance(waits, Enqueue):
            caller.queue(luck.choice([QueueExit.TALKED, QueueExit.TIMEOUT, QueueExit.NO_AGENTS]))
        else:
            caller.say_nothing() if isinstance(waits, Play) else caller.message(luck.choice([0.0, 9.0]))
    assert caller.state.is_over
    assert isinstance(caller.all[-1], Hangup)
    assert not caller.notes("flow.error")


def test_the_drawing_names_every_node(flows: dict[str, Flow]) -> None:
    drawing = draw(flows["principal"])
    assert drawing.startswith("flowchart TD\n")
    assert all(f'"{node}<br/>' in drawing for node in flows["principal"].nodes)
    assert '-->|"options.1"|' in drawing


def test_every_line_that_the_flows_name_is_one_of_the_customers_own() -> None:
    """And every service has its own, with a reason that leads there."""
    etapa = read(CHECKOUT / "config/etapa.yaml")
    queues = {queue.name for queue in etapa.queues}
    known = Known({QueueName: queues, SkillName: set(etapa.skills), CriticalityName: set(etapa.criticality)})
    assert check([FLOWS], known=known) == []
    flow = load_all([FLOWS])["espera"]
    named = {str(node.values["linea"].text) for node in flow.nodes.values() if isinstance(node, Set)}
    assert named <= queues
    assert queues - named == {"internet-general", "centro-de-gestion"}  # of agents, and of the house itself
    ways = flow.nodes["servicio"]
    assert isinstance(ways, Switch)
    assert {str(to) for to in ways.cases.values()} == {name for name, node in flow.nodes.items() if name in _LINES}


_LINES = {
    *("agua", "internet", "telefonia", "internacionales", "capacidades", "planillas", "directorio", "aceites"),
    "monitoreo",
}
