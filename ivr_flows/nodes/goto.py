"""`goto`: go on elsewhere (a name for a place that many nodes lead to)."""

from __future__ import annotations

from typing import Literal

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import NodeRef


class Goto(NodeModel):
    kind: Literal["goto"]
    to: NodeRef


def enter(node: Goto, context: Context) -> Outcome:
    return Go(node.to, typed=context.typed)


KIND = NodeKind(Goto, enter)
