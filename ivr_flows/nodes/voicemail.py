"""`voicemail`: the caller leaves a message."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome, Wait
from ivr_flows.protocol import Input, Recorded
from ivr_flows.protocol import Record as RecordAction
from ivr_flows.terms import Name, NodeRef, SomePrompts


class Voicemail(NodeModel):
    """`mailbox` says whose it is. A message shorter than `min_s` is none."""

    kind: Literal["voicemail"]
    mailbox: Name
    prompts: SomePrompts
    min_s: float = Field(default=2.0, ge=0, le=30, allow_inf_nan=False)
    max_s: float = Field(default=120.0, ge=5, le=600, allow_inf_nan=False)
    next: NodeRef
    none: NodeRef | None = Field(default=None, description="where no message was left; else next")


def enter(node: Voicemail, context: Context) -> Outcome:
    return Wait(RecordAction(context.prompts(node.prompts), node.max_s, mailbox=node.mailbox))


def handle(node: Voicemail, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, Recorded):
        raise FlowFault("input", f"a mailbox cannot use {type(heard).__name__}")
    if not heard.recording or heard.seconds < node.min_s:
        note = context.note("voicemail.none", mailbox=node.mailbox, seconds=heard.seconds)
        return Go(node.none or node.next, notes=(note,))
    note = context.note("voicemail.left", mailbox=node.mailbox, recording=heard.recording, seconds=heard.seconds)
    return Go(node.next, notes=(note,))


KIND = NodeKind(Voicemail, enter, handle, is_end=True)
