"""`identify`: who calls, and how sure that is: by the caller's number in silence, then by cédula, RUC or contract."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ivr_flows.answers import KINDS, WRONG_NUMBER
from ivr_flows.asking import Question, ask, ask_again
from ivr_flows.faults import FlowFault
from ivr_flows.identity import is_cedula, is_ruc
from ivr_flows.node import Context, Doubt, Go, NodeKind, Outcome, Surroundings, Wait
from ivr_flows.protocol import Collected, Input, Note, Request, Response
from ivr_flows.requesting import AnswerPath, RequestSpec, doubts, failure_word, take, usable
from ivr_flows.speech.grouping import national_number
from ivr_flows.terms import NodeRef, Scalar, VariableRef

Way = Literal["caller", "cedula", "ruc", "contract"]
# How sure: anybody in the house may use a telephone; a number that was keyed is known to its owner and few others.
SURE = {"caller": 1, "contract": 2, "cedula": 2, "ruc": 2}
_KEYS = (13, 4.0, "#")
_UNKNOWN = {"es": "No encontramos ese número.", "en": "We could not find that number."}


def _one_is_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Identify(Question):
    """The request may use ``item.by`` (caller, cedula, ruc, contract) and ``item.value``. A status 404 means that
    nobody is known by that number. `sure` is a variable: 0 nobody, 1 by the telephone, 2 by a number that was keyed.

    A number as long as a cédula or a RUC, where those are asked for, is one or is wrong; where contracts are as long
    `contract_digits` says so."""

    speaks_of: ClassVar[frozenset[str]] = frozenset({"request"})

    kind: Literal["identify"]
    by: Annotated[tuple[Way, ...], BeforeValidator(_one_is_list), Field(min_length=1)]
    request: RequestSpec
    take: dict[VariableRef, AnswerPath] = Field(default={}, max_length=50)
    sure: VariableRef | None = None
    contract_digits: tuple[Annotated[int, Field(ge=1, le=13)], ...] = Field(
        default=(), max_length=13, description="how many digits contracts have; 4 to 12 where it is not said"
    )
    next: NodeRef
    unknown: NodeRef
    fallback: NodeRef = Field(description="where the customer's system gives no answer")


def enter(node: Identify, context: Context) -> Outcome:
    number = national_number(str(context.facts.get("from") or ""))
    if "caller" in node.by and number:
        return _look_up(node, context, "caller", number, 0)
    return _ask(node, context)


def _ask(node: Identify, context: Context) -> Outcome:
    if set(node.by) == {"caller"}:
        return _unknown(node, context)
    return ask(node, context, keys=_KEYS)


def _look_up(node: Identify, context: Context, by: str, value: str, asked: int, *notes: Note) -> Wait:
    request: Request = node.request.action(context, {"by": by, "value": value})
    return Wait(request, {"by": by, "asked": asked}, notes)


def handle(node: Identify, context: Context, heard: Input) -> Outcome:
    if isinstance(heard, Response):
        return _answered(node, context, heard)
    keys = heard.digits if isinstance(heard, Collected) else ""
    asked = int(context.scratch.get("asked", 1))
    if not keys:
        return ask_again(node, context, keys=_KEYS, silent=True)
    by = _kind_of(node, keys)
    if by is None:
        note = context.note("identify.no_match", private=True, length=len(keys))
        wrong = _wrong(node, keys)
        why = wrong.get(context.language[:2], wrong["es"])
        return ask_again(node, context, keys=_KEYS, silent=False, notes=(note,), why=why)
    return _look_up(node, context, by, keys, asked)


def _kind_of(node: Identify, keys: str) -> str | None:
    if "cedula" in node.by and is_cedula(keys):
        return "cedula"
    if "ruc" in node.by and is_ruc(keys):
        return "ruc"
    return "contract" if "contract" in node.by and keys.isdigit() and len(keys) in _contract_lengths(node) else None


def _contract_lengths(node: Identify) -> Collection[int]:
    contract = KINDS["contract"]
    others = {KINDS[by].longest for by in ("cedula", "ruc") if by in node.by}
    return node.contract_digits or set(range(contract.shortest, contract.longest + 1)) - others


def _wrong(node: Identify, keys: str) -> Mapping[str, str]:
    """What the caller is told of keys that are no number of a kind that is asked for."""
    meant = next((by for by in ("cedula", "ruc") if by in node.by and len(keys) == KINDS[by].longest), None)
    return WRONG_NUMBER if meant is None else KINDS[meant].wrong


def _answered(node: Identify, context: Context, response: Response) -> Outcome:
    by = str(context.scratch.get("by", "caller"))
    if response.failure is None and response.status == 404:
        return _not_found(node, context, by)
    if not usable(response):
        return Go(node.fallback, notes=(context.note("http.failed", why=failure_word(response)),))
    try:
        taken = take(context, response.body, node.take) | _sureness(node, context, SURE[by])
    except FlowFault as fault:
        return Go(node.fallback, notes=(context.note("http.failed", why="answer", private=True, detail=fault.message),))
    return Go(node.next, variables=taken, notes=(context.note("identified", by=by, sure=SURE[by]),))


def _not_found(node: Identify, context: Context, by: str) -> Outcome:
    note = context.note("identify.unknown", by=by)
    if by == "caller":
        wait = _ask(node, context)
        return Wait(wait.action, wait.scratch, (note,)) if isinstance(wait, Wait) else wait
    if int(context.scratch.get("asked", 1)) > node.repeats:
        return _unknown(node, context, note)
    why = _UNKNOWN.get(context.language[:2], _UNKNOWN["es"])
    return ask_again(node, context, keys=_KEYS, silent=False, notes=(note,), why=why)


def _unknown(node: Identify, context: Context, *notes: Note) -> Outcome:
    return Go(node.unknown, variables=_sureness(node, context, 0), notes=notes)


def _sureness(node: Identify, context: Context, sure: int) -> dict[str, Scalar]:
    return {} if node.sure is None else {str(node.sure): context.set_variable(node.sure, sure)}


def lint(node: Identify, around: Surroundings) -> Iterable[Doubt]:
    yield from doubts(node.request)


KIND = NodeKind(Identify, enter, handle, lint=lint)
