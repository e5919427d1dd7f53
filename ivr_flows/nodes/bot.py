"""`bot`: hand the caller to a voice or chat bot and take back what it found out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome, Wait
from ivr_flows.nodes.set import Value
from ivr_flows.protocol import BotExit, Converse, Conversed, Input, Prompt, PromptText
from ivr_flows.references import BotName
from ivr_flows.terms import NodeRef, Prompts, Scalar, VariableRef

_ONE_MOMENT = {
    "es": ("Un momento, por favor.", "Seguimos revisando su consulta. Gracias por esperar."),
    "en": ("One moment, please.", "We are still looking into it. Thank you for waiting."),
}


class Bot(NodeModel):
    """`with` are slots that are known before; `take` brings slots home (variable: slot). A caller who asks the bot for
    a person gets one."""

    kind: Literal["bot"]
    name: BotName
    given: dict[str, Value] = Field(default={}, alias="with", max_length=50)
    take: dict[VariableRef, str] = Field(default={}, max_length=50)
    comfort: Prompts = Field(
        default=(), description="said while the bot thinks for long: the first one, another time the next one"
    )
    timeout_s: float = Field(default=180.0, gt=0, le=1800, allow_inf_nan=False)
    next: NodeRef
    unavailable: NodeRef


def enter(node: Bot, context: Context) -> Outcome:
    slots = {name: value.of(context) for name, value in node.given.items()}
    comfort = context.prompts(node.comfort) or _patience(context.language)
    return Wait(Converse(str(node.name), context.language, slots, node.timeout_s, comfort=comfort))


def _patience(language: str) -> tuple[Prompt, ...]:
    words = _ONE_MOMENT.get(language[:2], _ONE_MOMENT["es"])
    return tuple(PromptText(text, language) for text in words)


def handle(node: Bot, context: Context, heard: Input) -> Outcome:
    if not isinstance(heard, Conversed):
        raise FlowFault("input", f"a bot cannot use {type(heard).__name__}")
    note = context.note("bot.ended", how=heard.how.value, reason=heard.reason[:60])
    if heard.how is BotExit.UNAVAILABLE:
        return Go(node.unavailable, notes=(note,))
    taken = _taken(node, context, heard)
    return Go(None if heard.how is BotExit.PERSON else node.next, variables=taken, notes=(note,))


def _taken(node: Bot, context: Context, heard: Conversed) -> dict[str, Scalar]:
    """What a bot misheard must not break the call: a slot that does not fit is left out."""
    taken: dict[str, Scalar] = {}
    for name, slot in node.take.items():
        value = heard.slots.get(slot)
        try:
            if isinstance(value, str | int | float):
                taken[name] = context.set_variable(name, value)
        except FlowFault:
            continue
    return taken


KIND = NodeKind(Bot, enter, handle)
