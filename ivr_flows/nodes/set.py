"""`set`: give variables their values."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import Expression, NodeRef, Scalar, Spec, Template, VariableRef


class Value(Spec):
    """A text (with its templates), or an expression."""

    short: ClassVar[str] = "text"

    text: Template | None = None
    expr: Expression | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Value:
        if (self.text is None) == (self.expr is None):
            raise PydanticCustomError("value", "a value is either text or expr")
        return self

    def of(self, context: Context) -> object:
        return context.value(self.expr) if self.expr is not None else context.text(self.text or "", use="data")


class Set(NodeModel):
    kind: Literal["set"]
    values: dict[VariableRef, Value] = Field(min_length=1, max_length=50)
    next: NodeRef


def enter(node: Set, context: Context) -> Outcome:
    """All values are computed from what was before: their order does not matter."""
    new: dict[str, Scalar] = {}
    for name, value in node.values.items():
        new[name] = context.set_variable(name, value.of(context))
    return Go(node.next, variables=new, typed=context.typed)


KIND = NodeKind(Set, enter)
