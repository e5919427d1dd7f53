"""A caller in a queue who asks for a person: reassured, or led to where they are better served; never worse off."""

from __future__ import annotations

from typing import Any

import pytest

from ivr_flows.protocol import Collected, CollectEnd, Enqueue, Note, QueueExit, QueueLeft, Reassure, Resume
from tests.support.flows import Caller, flow_of

HEAD = """\
id: prueba
entry: uno
person: {{digit: "0", phrases: [operadora], to: {to}}}
on_error: fin
calendars:
  nunca: {{weekly: {{mon: "00:00-00:01"}}, holidays: none}}
  siempre: {{weekly: {{mon-sun: "00:00-24:00"}}, holidays: none}}
variables: {{n: {{type: integer, default: 0}}}}
"""
END = "talked: fin, timeout: fin"
NODES = f"""
  uno: {{kind: queue, name: averias, priority: 10, comfort: Gracias, comfort_every_s: 30, then: {{{END}}}}}
  otra: {{kind: queue, name: asesores, priority: 3, then: {{{END}}}}}
  misma: {{kind: queue, name: averias, priority: 10, then: {{{END}}}}}
  menos: {{kind: queue, name: averias, then: {{{END}}}}}
  urgente: {{kind: queue, name: averias, urgency: [{{when: n == 0, by: 20}}], then: {{{END}}}}}
  critica: {{kind: queue, name: averias, criticality: special_capacities, then: {{{END}}}}}
  abierto: {{kind: schedule, calendar: siempre, open: otra, closed: mensaje}}
  cerrado: {{kind: schedule, calendar: nunca, open: otra, closed: mensaje}}
  mensaje: {{kind: voicemail, mailbox: m, prompts: Deje, next: fin}}
  opciones: {{kind: menu, prompts: Elija, options: {{'1': otra, '2': fin}}}}
  vueltas: {{kind: goto, to: vueltas}}
  suelto: {{kind: hangup}}
"""
WISHES: list[dict[str, Any]] = [{"digits": "0"}, {"digits": "", "phrase": "operadora"}]


def waiting(to: str, nodes: str = NODES) -> Caller:
    caller = Caller(flow_of(nodes, HEAD.format(to=to)))
    assert isinstance(caller.waits, Enqueue)
    assert caller.waits.queue == "averias"
    return caller


def wish(caller: Caller, digits: str = "0", phrase: str = "") -> tuple[Any, ...]:
    return caller.tell(Collected(digits, CollectEnd.COMPLETE, phrase))


@pytest.mark.parametrize("said", WISHES)
@pytest.mark.parametrize("to", ["uno", "misma", "menos"])
def test_in_the_right_queue_they_are_told_so_and_stay(to: str, said: dict[str, Any]) -> None:
    caller = waiting(to)
    before = caller.state
    actions = wish(caller, **said)
    assert [type(action) for action in actions] == [Note, Reassure]
    assert (caller.state.node, caller.state.waiting) == (before.node, before.waiting)
    assert caller.path == "uno"
    caller.tell(QueueLeft(QueueExit.TALKED))  # and the wait goes on as it would have
    assert caller.state.is_over


@pytest.mark.parametrize("said", WISHES)
@pytest.mark.parametrize(("to", "queue", "priority"), [("otra", "asesores", 10), ("abierto", "asesores", 10)])
def test_into_the_queue_for_persons_without_losing_priority(
    to: str, queue: str, priority: int, said: dict[str, Any]
) -> None:
    caller = waiting(to)
    wish(caller, **said)
    assert isinstance(caller.waits, Enqueue)
    assert (caller.waits.queue, caller.waits.priority) == (queue, priority)
    assert caller.last[-1] == caller.waits
    assert len(caller.notes("person.asked")) == 1
    assert [type(action) for action in wish(caller)] == [Note, Reassure]  # once there, they are there


def test_more_priority_in_the_same_queue() -> None:
    caller = waiting("urgente")
    wish(caller)
    assert (caller.state.node, caller.waits.priority) == ("urgente", 20)  # type: ignore[union-attr]
    caller = waiting("critica")
    wish(caller)
    assert (caller.waits.criticality, caller.waits.priority) == ("special_capacities", 10)  # type: ignore[union-attr]
    assert isinstance(wish(caller)[-1], Reassure)


@pytest.mark.parametrize("to", ["cerrado", "mensaje", "opciones", "vueltas", "suelto"])
def test_nobody_is_sent_out_of_a_line_to_a_message_a_menu_or_an_end(to: str) -> None:
    caller = waiting(to)
    assert isinstance(wish(caller)[-1], Reassure)
    assert (caller.state.node, caller.path) == ("uno", "uno")
    assert not caller.notes("flow.error")
    assert caller.state.failed_at is None


def test_other_keys_and_words_change_nothing() -> None:
    caller = waiting("otra")
    assert wish(caller, "5") == ()
    assert wish(caller, "", "la sopa") == ()
    assert wish(caller, "", "?") == ()
    assert caller.state.node == "uno"


def test_a_flow_that_names_no_way_to_a_person_has_none_here_either() -> None:
    node = f"  uno: {{kind: queue, name: averias, then: {{{END}}}}}"
    caller = Caller(flow_of(node, "id: prueba\nentry: uno\n"))
    assert wish(caller) == ()
    assert caller.waits.asides == ()  # type: ignore[union-attr]


def test_after_a_restart_the_line_is_the_same() -> None:
    caller = waiting("misma")
    wish(caller)
    caller.tell(Resume())
    assert caller.last[-1] == caller.waits
