"""The customer's first flow, walked through as callers do."""

from __future__ import annotations

from pathlib import Path

import pytest

import ivr_flows
from ivr_flows.checking import check
from ivr_flows.drawing import draw
from ivr_flows.flow import Flow
from ivr_flows.loader import load_file
from ivr_flows.protocol import Collect, Enqueue, Hangup, Play, PromptFile, QueueExit
from tests.support.flows import Caller, texts

FLOWS = Path(ivr_flows.__file__).parent / "flows"


@pytest.fixture(scope="module")
def flow() -> Flow:
    loaded = load_file(FLOWS / "principal.yaml")
    assert loaded.flow is not None
    return loaded.flow


def test_all_shipped_flows_pass_the_check_without_a_warning() -> None:
    assert check([FLOWS], queues={"contact-center"}) == []


def test_every_prompt_is_a_recording_with_a_text_to_stand_in(flow: Flow) -> None:
    caller = Caller(flow)
    assert isinstance(caller.waits, Collect)
    assert list(caller.waits.prompts) == [
        PromptFile("bienvenida", "Bienvenido a ETAPA EP. Para nosotros es un gusto atenderle.", "es")
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [("1", "agua_potable"), ("2", "internet_telefonia"), ("3", "facturacion"), ("0", "asesor")],
)
def test_each_key_leads_to_its_queue(flow: Flow, key: str, reason: str) -> None:
    caller = Caller(flow)
    caller.say_nothing()
    caller.press(key)
    assert caller.waits == Enqueue("contact-center", 0, {}, reason, "default", 300.0)
    caller.queue(QueueExit.TALKED)
    assert caller.said() == "Gracias por comunicarse con ETAPA EP. Que tenga un buen día."
    assert isinstance(caller.waits, Play)
    assert caller.say_nothing()[-1] == Hangup("normal")


def test_who_says_nothing_is_asked_again_and_then_gets_a_person(flow: Flow) -> None:
    caller = Caller(flow)
    caller.say_nothing()
    caller.say_nothing()
    assert caller.said().startswith("Disculpe, no recibimos su respuesta. Para agua potable")
    caller.say_nothing()
    assert caller.path == "bienvenida motivo asesor"


def test_who_presses_a_wrong_key_is_asked_again_and_then_gets_a_person(flow: Flow) -> None:
    caller = Caller(flow)
    caller.say_nothing()
    caller.press("9")
    assert caller.said().startswith("Disculpe, esa opción no está disponible.")
    caller.press("8")
    assert caller.path == "bienvenida motivo asesor"


def test_who_knows_the_menu_presses_during_the_greeting(flow: Flow) -> None:
    caller = Caller(flow)
    caller.press("2")
    assert caller.path == "bienvenida motivo internet_telefonia"


def test_a_person_during_the_greeting(flow: Flow) -> None:
    caller = Caller(flow)
    caller.press("0")
    assert caller.path == "bienvenida asesor"


@pytest.mark.parametrize("exit_", [QueueExit.TIMEOUT, QueueExit.NO_AGENTS, QueueExit.UNKNOWN_QUEUE])
@pytest.mark.parametrize("key", ["1", "2", "3", "0"])
def test_when_nobody_can_take_the_call_it_ends_with_an_apology(flow: Flow, key: str, exit_: QueueExit) -> None:
    caller = Caller(flow)
    caller.press(key)
    caller.queue(exit_)
    assert isinstance(caller.waits, Play)
    assert texts(caller.waits.prompts)[0].startswith(("Disculpe la espera.", "Lo sentimos"))
    assert caller.say_nothing()[-1] == Hangup("normal")


def test_the_drawing_names_every_node(flow: Flow) -> None:
    drawing = draw(flow)
    assert drawing.startswith("flowchart TD\n")
    assert all(f'"{node}<br/>' in drawing for node in flow.nodes)
    assert '-->|"options.1"|' in drawing
