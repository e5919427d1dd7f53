"""`transfer`: to a number, a telephone of ours, an agent, or into another flow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Doubt, Enter, Go, NodeKind, NodeModel, Outcome, Surroundings, Wait
from ivr_flows.protocol import Input, TransferEnded, TransferExit, TransferKind
from ivr_flows.protocol import Transfer as TransferAction
from ivr_flows.references import AgentName, PhoneName
from ivr_flows.terms import FlowName, Name, NodeRef, Spec, Template


class Party(Spec):
    """Exactly one of these."""

    number: Template | None = None
    phone: PhoneName | None = Field(default=None, description="a SIP telephone, by its name in pbx.phones")
    agent: AgentName | None = None
    flow: FlowName | None = Field(default=None, description="it takes the call over and does not come back")

    @model_validator(mode="after")
    def _one_of(self) -> Party:
        if len([v for v in (self.number, self.phone, self.agent, self.flow) if v is not None]) != 1:
            raise PydanticCustomError("party", "a transfer leads to one of number, phone, agent or flow")
        return self


class Then(Spec):
    """Where the caller goes on. What is left out leads where `failed` does; `talked` hangs up when left out."""

    talked: NodeRef | None = None
    no_answer: NodeRef | None = None
    busy: NodeRef | None = None
    failed: NodeRef


class Transfer(NodeModel):
    kind: Literal["transfer"]
    to: Party
    timeout_s: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = 30.0
    music: Name = "default"
    then: Then | None = None

    @model_validator(mode="after")
    def _goes_on(self) -> Transfer:
        if self.to.flow is None and self.then is None:
            raise PydanticCustomError("then", "then is missing: where the caller goes when nobody answers")
        return self


def enter(node: Transfer, context: Context) -> Outcome:
    to = node.to
    if to.flow is not None:
        return Enter(str(to.flow), comes_back=False)
    if to.number is not None:
        number = re.sub(r"[^0-9+*#]", "", context.text(to.number, use="data"))
        if not number:
            return _on(node, context, TransferExit.REFUSED)
        return _calling(node, TransferKind.NUMBER, number[:32])
    if to.phone is not None:
        return _calling(node, TransferKind.PHONE, str(to.phone))
    return _calling(node, TransferKind.AGENT, str(to.agent or ""))


def _calling(node: Transfer, kind: TransferKind, target: str) -> Outcome:
    return Wait(TransferAction(kind, target, node.timeout_s, node.music))


def handle(node: Transfer, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, TransferEnded):
        raise FlowFault("input", f"a transfer cannot use {type(heard).__name__}")
    return _on(node, context, heard.how)


def _on(node: Transfer, context: Context, how: TransferExit) -> Outcome:
    note = context.note("transfer.ended", how=how.value)
    then = node.then
    if then is None:
        raise FlowFault("transfer", "a transfer into a flow does not end")
    if how is TransferExit.TALKED and then.talked is None:
        from ivr_flows.node import End

        return End(notes=(note,))
    given = {TransferExit.TALKED: then.talked, TransferExit.NO_ANSWER: then.no_answer, TransferExit.BUSY: then.busy}
    return Go(given.get(how) or then.failed, notes=(note,))


def lint(node: Transfer, around: Surroundings) -> Iterable[Doubt]:
    if node.to.number is not None and "call.from" in node.to.number:
        text = "the caller's own number is written by strangers; what is dialled here must pass pbx's allow-list"
        yield Doubt(("to", "number"), "transfer.stranger", text)


KIND = NodeKind(Transfer, enter, handle, is_end=True, lint=lint)
