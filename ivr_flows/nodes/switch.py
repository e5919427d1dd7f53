"""`switch`: one of many ways, by a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings
from ivr_flows.terms import Expression, NodeRef


class Switch(NodeModel):
    """The value as text, without regard to case, is looked up among the cases."""

    kind: Literal["switch"]
    value: Expression
    cases: dict[str, NodeRef] = Field(min_length=1, max_length=50)
    otherwise: NodeRef = Field(alias="else")


def enter(node: Switch, context: Context) -> Outcome:
    value = context.value(node.value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = str(value).strip().casefold()
    target = next((to for case, to in node.cases.items() if case.strip().casefold() == word), node.otherwise)
    return Go(target, typed=context.typed)


def lint(node: Switch, around: Surroundings) -> Iterable[Doubt]:
    seen: dict[str, str] = {}
    for case in node.cases:
        if (other := seen.setdefault(case.strip().casefold(), case)) != case:
            yield Doubt(("cases", case), "switch.twice", f"case {case!r} is never reached: {other!r} is the same")


KIND = NodeKind(Switch, enter, lint=lint)
