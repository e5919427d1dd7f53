"""Asking the customer's systems, shared by the kinds that do (http, identify, announce): the request as it is written,
the action it becomes, and how values are taken out of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from ivr_flows.faults import FlowFault
from ivr_flows.node import Context, Doubt
from ivr_flows.protocol import Failure, PromptText, Response
from ivr_flows.protocol import Request as RequestAction
from ivr_flows.references import SecretName, SystemName
from ivr_flows.secret_words import in_address, is_secret
from ivr_flows.source import Path
from ivr_flows.terms import ANSWER_PATH, HEADER, Expression, Prompts, Scalar, Spec, Template

MAX_URL = 1500
AnswerPath = Annotated[str, Field(pattern=ANSWER_PATH, max_length=200)]
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/|$)")
_WAIT_PLEASE = {"es": "Un momento, por favor.", "en": "One moment, please."}


class Computed(Spec):
    """A value that keeps its type: ``{expr: saldo}`` is sent as a number, ``{expr: True}`` as a truth."""

    expr: Expression


def _shape_of(value: object) -> str:
    if isinstance(value, Computed) or (isinstance(value, dict) and value.keys() == {"expr"}):
        return "[expr]"
    return "[object]" if isinstance(value, dict) else "[list]" if isinstance(value, list | tuple) else "[text]"


# What is sent as JSON: a text with its templates, a value of an expression, an object or a list of those.
if TYPE_CHECKING:  # mypy follows no alias that names itself within Annotated
    BodyValue: TypeAlias = Template | Computed | Mapping[str, object] | tuple[object, ...]
else:
    BodyValue = TypeAliasType(
        "BodyValue",
        Annotated[
            Annotated[Template, Tag("[text]")]
            | Annotated[Computed, Tag("[expr]")]
            | Annotated[dict[str, "BodyValue"], Field(max_length=50), Tag("[object]")]
            | Annotated[tuple["BodyValue", ...], Field(max_length=50), Tag("[list]")],
            Discriminator(_shape_of),
        ],
    )


def _sent(value: object, context: Context, item: Mapping[str, object] | None) -> object:
    if isinstance(value, Computed):
        result = context.value(value.expr, item)
        if result is not None and not isinstance(result, str | int | float | bool):
            raise FlowFault("expression", f"a {type(result).__name__} cannot be sent in a body: write it out")
        return result
    if isinstance(value, Mapping):
        return {name: _sent(each, context, item) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_sent(each, context, item) for each in value]
    return context.text(str(value), item, use="data")


class RequestSpec(Spec):
    """What to ask. `url` is whole, or a path behind the address of `system`. Values are percent-encoded in it; they can
    never change where a request goes."""

    system: SystemName | None = Field(default=None, description="one of the settings' customer_systems")
    url: Template
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: dict[Annotated[str, Field(pattern=HEADER)], Template] = Field(default={}, max_length=20)
    secrets: dict[Annotated[str, Field(pattern=HEADER)], SecretName] = Field(
        default={}, max_length=10, description="headers whose values are secrets, by their names in the settings"
    )
    body: dict[str, BodyValue] | None = Field(default=None, max_length=50, description="sent as JSON")
    timeout_s: float = Field(default=4.0, gt=0, le=20, allow_inf_nan=False)
    retries: int = Field(default=1, ge=0, le=3, description="for methods that may be repeated")
    comfort: Prompts = ()
    comfort_after_s: float = Field(default=2.5, gt=0, le=3.5, allow_inf_nan=False)

    @model_validator(mode="after")
    def _leads_where_it_says(self) -> RequestSpec:
        if self.system is None and not _ADDRESS.match(self.url):
            text = "a url begins with http(s)://host/, or system says whose path it is"
            raise PydanticCustomError("url", text)
        if self.system is not None and not self.url.startswith("/"):
            raise PydanticCustomError("url", "behind a system the url begins with /")
        return self

    def action(self, context: Context, item: Mapping[str, object] | None = None) -> RequestAction:
        comfort = context.prompts(self.comfort)
        if not comfort:
            words = _WAIT_PLEASE.get(context.language[:2], _WAIT_PLEASE["es"])
            comfort = (PromptText(words, context.language),)
        body = self.body
        return RequestAction(
            url=context.text(self.url, item, use="url")[:MAX_URL],
            system=str(self.system or ""),
            method=self.method,
            headers={name: context.text(value, item, use="data") for name, value in self.headers.items()},
            secrets={header: str(name) for header, name in self.secrets.items()},
            body=None if body is None else {name: _sent(value, context, item) for name, value in body.items()},
            timeout_s=self.timeout_s,
            retries=self.retries if self.method in ("GET", "PUT") else 0,
            comfort=comfort,
            comfort_after_s=self.comfort_after_s,
        )


def doubts(spec: RequestSpec, path: tuple[str, ...] = ("request",)) -> Iterator[Doubt]:
    """The lints that all who ask share."""
    for name, value in spec.headers.items():
        if "{" not in value and is_secret(name, value):
            text = f"header {name} holds what looks like a secret, in plain text; name it under secrets"
            yield Doubt((*path, "headers", name), "secret.plain", text)
    for place, text in _texts_in(spec.body or {}, ()):
        name = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
        if text and "{" not in text and is_secret(name, text):
            yield Doubt((*path, "body", *place), "secret.plain", f"{name} looks like a secret in plain text")
    if in_address(spec.url):
        yield Doubt((*path, "url"), "secret.plain", "the url holds what looks like a secret; send it as a header")
    if spec.url.startswith("http://") and not re.match(r"http://(localhost|127\.|\[::1\])", spec.url):
        yield Doubt((*path, "url"), "http.plain", "http:// sends the caller's data in the clear; use https://")


def _texts_in(value: object, place: Path) -> Iterator[tuple[Path, str]]:
    """Every text of a body, with its path in it."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping | tuple):
        for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _texts_in(each, (*place, key))


def usable(response: Response) -> bool:
    return response.failure is None and 200 <= response.status < 300


def failure_word(response: Response) -> str:
    """Why there is no usable answer, for reports."""
    return response.failure.value if response.failure is not None else f"status_{response.status}"


def find(body: object, path: str) -> object:
    """The value at a path of an answer; None where there is none."""
    here: Any = body
    for part in path.split("."):
        if part == "#":
            return len(here) if isinstance(here, list | dict) else 0
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return here


def take(context: Context, body: object, wanted: Mapping[Any, str]) -> dict[str, Scalar]:
    """The variables that an answer gives; what it lacks keeps its value. Raises FlowFault for a value that does not
    fit its variable."""
    taken: dict[str, Scalar] = {}
    for name, path in wanted.items():
        value = find(body, path)
        if value is not None and not isinstance(value, dict | list):
            taken[str(name)] = context.set_variable(str(name), value)
    return taken


def as_item(value: object) -> dict[str, object]:
    """One object of an answer as texts may use it (``item.sector``): plain values only."""
    if not isinstance(value, dict):
        return {}
    return {str(k)[:64]: v for k, v in list(value.items())[:50] if isinstance(v, str | int | float | bool)}


UNREACHABLE = Response(failure=Failure.UNREACHABLE)
