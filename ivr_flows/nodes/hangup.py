"""`hangup`: end the call."""

from __future__ import annotations

from typing import Literal

from ivr_flows.node import Context, End, NodeKind, NodeModel, Outcome


class Hangup(NodeModel):
    kind: Literal["hangup"]
    # Causes that a switch can give to a caller, in the switches' common words.
    cause: Literal["normal", "busy", "rejected", "unallocated", "congestion"] = "normal"


def enter(node: Hangup, context: Context) -> Outcome:
    return End(node.cause)


KIND = NodeKind(Hangup, enter, is_end=True)
