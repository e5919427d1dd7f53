"""`tag`: words that the interaction is found by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome
from ivr_flows.terms import NodeRef, Template

MAX_TAG = 60


def _one_is_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Tag(NodeModel):
    kind: Literal["tag"]
    tags: Annotated[tuple[Template, ...], BeforeValidator(_one_is_list), Field(min_length=1, max_length=10)]
    next: NodeRef


def enter(node: Tag, context: Context) -> Outcome:
    words = [context.text(tag, use="data")[:MAX_TAG] for tag in node.tags]
    return Go(node.next, typed=context.typed, notes=tuple(context.note("tag", tag=word) for word in words if word))


KIND = NodeKind(Tag, enter)
