"""`condition`: one way or the other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import Expression, NodeRef


class Condition(NodeModel):
    kind: Literal["condition"]
    test: Expression = Field(alias="if")
    then: NodeRef
    otherwise: NodeRef = Field(alias="else")


def enter(node: Condition, context: Context) -> Outcome:
    return Go(node.then if context.value(node.test) else node.otherwise, typed=context.typed)


KIND = NodeKind(Condition, enter)
