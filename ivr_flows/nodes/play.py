"""`play`: say something, then go on."""

from __future__ import annotations

from typing import Literal

from ivr_flows.asking import LISTEN_AFTER_S
from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome, Wait
from ivr_flows.protocol import Collect, Collected, Input, Played
from ivr_flows.protocol import Play as PlayAction
from ivr_flows.terms import NodeRef, SomePrompts


class Play(NodeModel):
    """With `barge_in` a key ends the prompt: the key for a person leads there, any other is kept for the question that
    follows. Without it the prompt is heard to its end (what the law wants said)."""

    kind: Literal["play"]
    prompts: SomePrompts
    next: NodeRef
    barge_in: bool = True


def enter(node: Play, context: Context) -> Outcome:
    if not node.barge_in:
        return Wait(PlayAction(context.prompts(node.prompts)))
    if context.typed:  # somebody who knows the way has answered already
        return Go(node.next, typed=context.typed)
    return Wait(
        Collect(
            prompts=context.prompts(node.prompts),
            max_digits=1,
            first_s=LISTEN_AFTER_S,
            between_s=LISTEN_AFTER_S,
            terminator="",
            barge_in=True,
        )
    )


def handle(node: Play, context: Context, heard: Input) -> Outcome:
    if isinstance(heard, Collected):
        return Go(node.next, typed=heard.digits)
    if isinstance(heard, Played) and not heard.ok:
        return Go(node.next, notes=(context.note("play.failed", detail=heard.detail[:200]),))
    return Go(node.next)


KIND = NodeKind(Play, enter, handle)
