"""`http`: ask one of the customer's systems; its answer sets variables and decides the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Doubt, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Input, Note, Response
from ivr_flows.requesting import AnswerPath, RequestSpec, doubts, failure_word, take, usable
from ivr_flows.terms import STATUS, NodeRef, Scalar, VariableRef

Status = Annotated[str, Field(pattern=STATUS)]


class Http(NodeModel):
    """`status` names ways for statuses that are answers (404: there is none). `fallback` is the way for all else: no
    answer, another status, an answer whose values do not fit."""

    kind: Literal["http"]
    request: RequestSpec
    take: dict[VariableRef, AnswerPath] = Field(default={}, max_length=50)
    status: dict[Status, NodeRef] = {}
    next: NodeRef
    fallback: NodeRef


def enter(node: Http, context: Context) -> Outcome:
    # Keys that were pressed ahead are for the question that follows.
    return Wait(node.request.action(context), {"typed": context.typed} if context.typed else {})


def handle(node: Http, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, Response):
        raise FlowFault("input", f"a request cannot use {type(heard).__name__}")
    special = node.status.get(str(heard.status)) if heard.failure is None else None
    if special is None and not usable(heard):
        return _on(node.fallback, context, context.note("http.failed", why=failure_word(heard)))
    try:
        taken = take(context, heard.body, node.take)
    except FlowFault as fault:
        note = context.note("http.failed", why="answer", private=True, detail=fault.message)
        return _on(node.fallback, context, note)
    return _on(special or node.next, context, context.note("http.done", status=heard.status), taken)


def _on(target: NodeRef, context: Context, note: Note, taken: Mapping[str, Scalar] | None = None) -> Go:
    return Go(target, variables=taken or {}, notes=(note,), typed=str(context.scratch.get("typed", "")))


def lint(node: Http, around: Surroundings) -> Iterable[Doubt]:
    yield from doubts(node.request)


KIND = NodeKind(Http, enter, handle, lint=lint)
