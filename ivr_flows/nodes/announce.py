"""`announce`: the open outages of a sector and service, as one of the customer's systems knows them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import ClassVar, Literal

from pydantic import Field

from ivr_flows.asking import LISTEN_AFTER_S
from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Collect, Collected, Input, Prompt, Response
from ivr_flows.requesting import AnswerPath, RequestSpec, as_item, doubts, failure_word, find, usable
from ivr_flows.terms import NodeRef, Prompts, Scalar, SomePrompts, VariableRef

# More than a caller listens to.
SPOKEN = 3


class Announce(NodeModel):
    """The answer's list is at `list` (``#`` paths as in http). Each item is spoken by `each`, where ``item.sector``
    stands for its fields; one that cannot be said is passed over. `more` is said where there are more than `most`
    (``item.more`` of them). `count` is a variable for how many there are."""

    speaks_of: ClassVar[frozenset[str]] = frozenset({"each", "more"})

    kind: Literal["announce"]
    request: RequestSpec
    list: AnswerPath
    before: Prompts = ()
    each: SomePrompts
    more: Prompts = ()
    after: Prompts = ()
    most: int = Field(default=SPOKEN, ge=1, le=10)
    count: VariableRef | None = None
    next: NodeRef
    none: NodeRef | None = Field(default=None, description="where no outage is open; else next")
    fallback: NodeRef


def enter(node: Announce, context: Context) -> Outcome:
    return Wait(node.request.action(context))


def handle(node: Announce, context: Context, heard: Input) -> Outcome:
    if isinstance(heard, Response):
        return _heard_of(node, context, heard)
    return Go(node.next, typed=heard.digits if isinstance(heard, Collected) else "")


def _heard_of(node: Announce, context: Context, response: Response) -> Outcome:
    found = find(response.body, node.list) if usable(response) else None
    if not isinstance(found, list):
        why = failure_word(response) if not usable(response) else "answer"
        return Go(node.fallback, notes=(context.note("http.failed", why=why),))
    items = [item for each in found if (item := as_item(each))]
    counted: dict[str, Scalar] = {}
    if node.count is not None:
        counted[node.count] = context.set_variable(node.count, len(items))
    note = context.note("announced", count=len(items))
    if not items:
        return Go(node.none or node.next, variables=counted, notes=(note,))
    told = [prompts for item in items[: node.most] if (prompts := _told(node, context, item))]
    if not told:
        failed = context.note("http.failed", why="answer", private=True, detail="no item can be said")
        return Go(node.fallback, notes=(failed,))
    rest = {"more": len(items) - len(told), "count": len(items)}
    more = context.prompts(node.more, rest) if rest["more"] else ()
    spoken = (*context.prompts(node.before), *chain.from_iterable(told), *more, *context.prompts(node.after))
    keys = Collect(spoken, 1, LISTEN_AFTER_S, LISTEN_AFTER_S, "", barge_in=True)
    return Wait(keys, notes=(note,), variables=counted)


def _told(node: Announce, context: Context, item: dict[str, object]) -> tuple[Prompt, ...]:
    """Nothing for an item whose fields cannot be said: the others are news all the same."""
    try:
        return context.prompts(node.each, item)
    except FlowFault:
        return ()


def lint(node: Announce, around: Surroundings) -> Iterable[Doubt]:
    yield from doubts(node.request)


KIND = NodeKind(Announce, enter, handle, lint=lint)
