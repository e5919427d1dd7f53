"""`answer`: take the call. Nodes that speak answer by themselves; this one says where charging begins."""

from __future__ import annotations

from typing import Literal

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome, Wait
from ivr_flows.protocol import Answer as AnswerAction
from ivr_flows.protocol import Input
from ivr_flows.terms import NodeRef


class Answer(NodeModel):
    kind: Literal["answer"]
    next: NodeRef


def enter(node: Answer, context: Context) -> Outcome:
    return Wait(AnswerAction())


def handle(node: Answer, context: Context, heard: Input) -> Outcome:
    return Go(node.next)


KIND = NodeKind(Answer, enter, handle)
