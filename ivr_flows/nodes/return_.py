"""`return`: back to the flow that called this one; in a call's first flow it hangs up."""

from __future__ import annotations

from typing import Literal

from ivr_flows.node import Context, NodeKind, NodeModel, Outcome
from ivr_flows.node import Return as Back


class Return(NodeModel):
    kind: Literal["return"]


def enter(node: Return, context: Context) -> Outcome:
    return Back()


KIND = NodeKind(Return, enter, is_end=True)
