"""`schedule`: is somebody there now? By one of the flow's calendars."""

from __future__ import annotations

from typing import Literal

from ivr_flows.calendars import When
from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import CalendarRef, NodeRef, Scalar, VariableRef


class Schedule(NodeModel):
    """`opens_at` is a variable for the next opening (unix seconds), for texts such as ``{{ opens | moment }}``."""

    kind: Literal["schedule"]
    calendar: CalendarRef
    open: NodeRef
    closed: NodeRef
    holiday: NodeRef | None = None
    opens_at: VariableRef | None = None


def enter(node: Schedule, context: Context) -> Outcome:
    calendar = context.calendars.get(node.calendar)
    if calendar is None:
        raise FlowFault("calendar", f"there is no calendar {node.calendar!r}")
    when, name = calendar.at(context.at)
    found: dict[str, Scalar] = {}
    if node.opens_at is not None:
        opening = calendar.next_opening(context.at)
        found[node.opens_at] = context.set_variable(node.opens_at, 0 if opening is None else int(opening))
    targets = {When.OPEN: node.open, When.CLOSED: node.closed, When.HOLIDAY: node.holiday or node.closed}
    note = context.note("schedule", calendar=str(node.calendar), when=when.value, holiday=name)
    return Go(targets[when], variables=found, notes=(note,), typed=context.typed)


KIND = NodeKind(Schedule, enter)
