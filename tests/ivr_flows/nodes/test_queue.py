from __future__ import annotations

import pytest

from ivr_flows.protocol import Enqueue, QueueExit
from tests.support.flows import HEAD, Caller, flow_of

ENDS = "  a: {kind: hangup}\n  b: {kind: hangup}\n  c: {kind: hangup}\n  d: {kind: hangup}\n"


def test_it_asks_for_what_is_written() -> None:
    node = (
        "  uno: {kind: queue, name: soporte, priority: 5, skills: {internet: 3}, reason: 'falla {{ sector }}',"
        " music: calma, timeout_s: 90, then: {talked: fin, timeout: fin}}"
    )
    caller = Caller(flow_of(node, HEAD + "variables: {sector: {type: text, default: Totoracocha}}\n"))
    assert caller.waits == Enqueue("soporte", 5, {"internet": 3}, "falla Totoracocha", "calma", 90.0)


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
