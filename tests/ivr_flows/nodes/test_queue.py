from __future__ import annotations

import msgspec
import pytest

from ivr_flows.loader import load
from ivr_flows.protocol import Enqueue, QueueExit, QueueLeft
from tests.support.flows import END, HEAD, PERSON, Caller, flow_of

ENDS = "  a: {kind: hangup}\n  b: {kind: hangup}\n  c: {kind: hangup}\n  d: {kind: hangup}\n"


def test_it_asks_for_what_is_written() -> None:
    node = (
        "  uno: {kind: queue, name: soporte, priority: 5, skills: {internet: 3}, reason: 'falla {{ sector }}',"
        " music: calma, timeout_s: 90, criticality: outage, target_s: 10, prefer: ['{{ sector }} ', '{{ nadie }}'],"
        " then: {talked: fin, timeout: fin}}"
    )
    names = "sector: {type: text, default: Totoracocha}, nadie: {type: text}"
    caller = Caller(flow_of(node, f"{HEAD}variables: {{{names}}}\n"))
    assert caller.waits == Enqueue(
        "soporte",
        5,
        {"internet": 3},
        "falla Totoracocha",
        "calma",
        90.0,
        criticality="outage",
        target_s=10,
        preferred=("Totoracocha",),
        asides=PERSON,
    )
    assert msgspec.to_builtins(caller.waits)["criticality"] == "outage"  # a plain text: it is kept with the call


@pytest.mark.parametrize(
    ("exit_", "node"), [("talked", "a"), ("timeout", "b"), ("no_agents", "c"), ("unknown_queue", "d")]
)
def test_each_end_leads_on(exit_: str, node: str) -> None:
    then = "{talked: a, timeout: b, no_agents: c, unknown_queue: d}"
    caller = Caller(flow_of(f"  uno: {{kind: queue, name: x, then: {then}}}\n{ENDS}"))
    caller.queue(QueueExit(exit_))
    assert caller.state.node == node
    assert caller.notes("queue.left")[0].data["reason"] == exit_


@pytest.mark.parametrize("exit_", list(QueueExit))
def test_what_is_left_out_leads_where_the_timeout_does(exit_: QueueExit) -> None:
    caller = Caller(flow_of(f"  uno: {{kind: queue, name: x, then: {{talked: a, timeout: b}}}}\n{ENDS}"))
    caller.queue(exit_)
    assert caller.state.node == ("a" if exit_ is QueueExit.TALKED else "b")


@pytest.mark.parametrize("exit_", [QueueExit.VOICEMAIL, QueueExit.CALLBACK, QueueExit.MESSAGE])
def test_where_a_rule_sends_the_caller_leads_there_or_to_who_nobody_attends(exit_: QueueExit) -> None:
    for more, node in ((f", {exit_.value}: d", "d"), ("", "c")):
        then = f"{{talked: a, timeout: b, no_agents: c{more}}}"
        caller = Caller(flow_of(f"  uno: {{kind: queue, name: x, then: {then}}}\n{ENDS}"))
        caller.tell(QueueLeft(exit_, why="closed", target="feriado"))
        assert caller.state.node == node
        told = caller.notes("queue.left")[0].data
        assert (told["reason"], told["why"], told["target"]) == (exit_.value, "closed", "feriado")


def test_urgency_exits_and_comfort() -> None:
    node = (
        "  uno: {kind: queue, name: x, priority: 5, urgency: [{when: vip, by: 50}, {when: 'n > 3', by: 9}],"
        " comfort: Siga en línea, comfort_every_s: 30, say_position: true, say_wait: true,"
        " exits: {'1': a, '2': b}, then: {talked: c, timeout: d}}\n"
    )
    head = HEAD + "variables: {vip: {type: boolean, default: 'true'}, n: integer}\n"
    caller = Caller(flow_of(node + ENDS, head))
    assert isinstance(caller.waits, Enqueue)
    assert caller.waits.priority == 55
    assert caller.waits.exits == "12"
    assert (caller.waits.comfort_every_s, caller.waits.say_position, caller.waits.say_wait) == (30.0, True, True)
    caller.tell(QueueLeft(QueueExit.DIGIT, "2"))
    assert caller.state.node == "b"


def test_comfort_needs_to_know_how_often() -> None:
    loaded = load(
        f"{HEAD}nodes:\n  uno: {{kind: queue, name: x, say_wait: true, then: {{talked: fin, timeout: fin}}}}\n{END}"
    )
    assert loaded.flow is None
