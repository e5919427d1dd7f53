"""`callback`: we call you back, at the number you call from or another one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ivr_flows.answers import KINDS
from ivr_flows.asking import words
from ivr_flows.identity import is_phone
from ivr_flows.node import Context, Go, NodeKind, NodeModel, Outcome, Wait
from ivr_flows.protocol import CallBack, Collect, Collected, Input, Prompt
from ivr_flows.references import QueueText
from ivr_flows.speech.grouping import national_number
from ivr_flows.speech.saying import say
from ivr_flows.terms import Expression, NodeRef, Prompts, Template

_HERE, _OTHER, _NOT = "1", "2", "3"
_OFFER = {
    "es": "Podemos devolverle la llamada al número {number}. Si está de acuerdo, marque uno. "
    "Para indicar otro número, marque dos. Si no desea que le llamemos, marque tres.",
    "en": "We can call you back at {number}. To accept, press one. For another number, press two. "
    "If you do not want a call, press three.",
}
_NUMBER = {
    "es": "Digite el número de teléfono con el código de provincia, y al final la tecla numeral.",
    "en": "Enter the telephone number with its area code, then the pound key.",
}


class Callback(NodeModel):
    """The number must be one of Ecuador's. `not_before` is an expression (unix seconds, a `schedule`'s opens_at)."""

    kind: Literal["callback"]
    queue: QueueText
    reason: Template = Template("")
    number: Template = Template("{{ call.from }}")
    not_before: Expression | None = None
    prompts: Prompts = Field(default=(), description="said before the offer")
    repeats: int = Field(default=1, ge=0, le=3)
    next: NodeRef
    declined: NodeRef


def enter(node: Callback, context: Context) -> Outcome:
    number = national_number(context.text(node.number, use="data"))
    before = context.prompts(node.prompts)
    return _offer(node, context, number, before) if is_phone(number) else _ask_number(context, before, 1)


def _offer(node: Callback, context: Context, number: str, before: tuple[Prompt, ...], asked: int = 1) -> Wait:
    offer = words(_OFFER, context, number=say("phone", number, context.language))
    action = Collect((*before, offer), 1, 6.0, 1.0, "", barge_in=True)
    return Wait(action, {"number": number, "asked": asked})


def _ask_number(context: Context, before: tuple[Prompt, ...], asked: int) -> Wait:
    action = Collect((*before, words(_NUMBER, context)), 10, 6.0, 4.0, "#", barge_in=True)
    return Wait(action, {"number": "", "asked": asked})


def handle(node: Callback, context: Context, heard: Input) -> Outcome:
    keys = heard.digits if isinstance(heard, Collected) else ""
    number, asked = str(context.scratch.get("number", "")), int(context.scratch.get("asked", 1))
    if not number:
        return _numbered(node, context, keys, asked)
    if keys == _HERE:
        return _agreed(node, context, number)
    if keys == _OTHER:
        return _ask_number(context, (), 1)
    if keys == _NOT or asked > node.repeats:
        return _declined(node, context)
    return _offer(node, context, number, (), asked + 1)


def _numbered(node: Callback, context: Context, keys: str, asked: int) -> Outcome:
    phone = KINDS["phone"]
    number = phone.value(keys)
    if number is not None:
        return _offer(node, context, number, ())
    if asked > node.repeats:
        return _declined(node, context)
    return _ask_number(context, (words(phone.wrong, context),) if keys else (), asked + 1)


def _agreed(node: Callback, context: Context, number: str) -> Outcome:
    raw = None if node.not_before is None else context.value(node.not_before)
    not_before = float(raw) if isinstance(raw, int | float) and raw > context.at else None
    reason, queue = context.text(node.reason, use="data"), context.text(node.queue, use="data")
    note = context.note(
        "callback.asked", private=True, number=number, queue=queue, reason=reason, not_before=not_before
    )
    return Go(node.next, notes=(note, CallBack(number, queue, reason, not_before)))


def _declined(node: Callback, context: Context) -> Outcome:
    return Go(node.declined, notes=(context.note("callback.declined"),))


KIND = NodeKind(Callback, enter, handle)
