"""What must hold whenever a caller asks for a person, in any flow: told by the flows' heads, not by the engine."""

from __future__ import annotations

from ivr_flows import engine
from ivr_flows.flow import Flow, Person
from ivr_flows.protocol import Collect, Collected, Enqueue, Input, Note, Play, Record, Request, Transfer
from ivr_flows.state import FlowState, Phase

_ASKED = "person.asked"


def check_wish(find: engine.Find, before: FlowState, heard: Input, after: engine.Step) -> None:
    """A step that begins with a wish for a person, or comes after one that had to wait for it, leads to the `person.to`
    of the nearest flow that has one. Only a limit may come between: it is there to end calls."""
    way = way_to_a_person(find, before)
    notes = [action for action in after.actions if isinstance(action, Note)]
    asked = [index for index, note in enumerate(notes) if note.kind == _ASKED]
    assert bool(asked) == _is_wish(find, before, heard, way), (before, heard)
    waited = bool(before.scratch.get("wishes_person"))
    if not (asked or waited) or isinstance(before.waiting, Enqueue) or after.state.phase is Phase.LEFT:
        return  # who is in a line already: tests/ivr_flows/test_person_in_queue.py
    come_to = next((note for note in notes[asked[0] if asked else 0 :] if note.kind in ("node", "flow.error")), None)
    if come_to is None:
        assert isinstance(before.waiting, Play | Record)
        assert after.state.waiting == before.waiting
        assert after.state.scratch["wishes_person"]
    elif come_to.kind == "flow.error":
        assert str(come_to.data["reason"]).startswith("limit."), come_to
    else:
        assert way is not None
        assert (come_to.data["flow"], come_to.data["node"]) == (way[0].id, way[1].to)


def way_to_a_person(find: engine.Find, state: FlowState) -> tuple[Flow, Person] | None:
    entered = [(state.flow, state.version), *((frame.flow, frame.version) for frame in reversed(state.stack))]
    for flow in [find(*each) for each in entered]:
        if flow is not None and flow.head.person is not None:
            return flow, flow.head.person
    return None


def _is_wish(find: engine.Find, before: FlowState, heard: Input, way: tuple[Flow, Person] | None) -> bool:
    if way is None or before.phase is not Phase.WAITING or not isinstance(heard, Collected):
        return False
    if not isinstance(before.waiting, Collect | Request | Play | Record | Transfer | Enqueue):
        return False
    person = way[1]
    here = find(before.flow, before.version)
    assert here is not None
    takes = isinstance(before.waiting, Collect) and here.nodes[before.node].takes(heard.digits, before.scratch)
    by_key = heard.digits == person.digit and not takes
    return not before.scratch.get("wishes_person") and (by_key or heard.phrase in person.phrases)
