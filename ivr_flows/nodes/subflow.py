"""`subflow`: another flow does a part (authentication, a survey) and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from ivr_flows.node import Context, Enter, Go, NodeKind, NodeModel, Outcome
from ivr_flows.nodes.set import Value
from ivr_flows.terms import FlowName, NodeRef, Scalar, VariableRef


class Subflow(NodeModel):
    """`with` gives values to the other flow's variables; `take` brings its variables home (mine: theirs)."""

    kind: Literal["subflow"]
    flow: FlowName
    given: dict[str, Value] = Field(default={}, alias="with", max_length=50)
    take: dict[VariableRef, str] = Field(default={}, max_length=50)
    next: NodeRef


def enter(node: Subflow, context: Context) -> Outcome:
    return Enter(str(node.flow), {name: value.of(context) for name, value in node.given.items()})


def returned(node: Subflow, context: Context, theirs: Mapping[str, Scalar]) -> Outcome:
    taken = {str(mine): context.set_variable(mine, theirs[name]) for mine, name in node.take.items() if name in theirs}
    return Go(node.next, variables=taken)


KIND = NodeKind(Subflow, enter, returned=returned)
