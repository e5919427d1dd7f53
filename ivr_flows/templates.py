"""Text with places for facts and variables: a small, closed part of jinja2 in its sandbox.

Only what an admin needs is let through when a file is loaded: names, ``call.<fact>``, a few filters, comparisons, and
``if``. There are no loops, calls, attributes, imports or arithmetic that could repeat text, so that a template's time
and size are bounded by its own length. What callers control (caller id, headers, keys) is only ever data: it is never
compiled, and what it writes into spoken text loses the characters that speech engines read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, Template, TemplateError, nodes, pass_context
from jinja2.runtime import Context as Names
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ivr_flows.faults import FlowFault
from ivr_flows.speech.saying import SAYINGS, say, say_count

MAX_TEMPLATE = 2_000
# A caller hangs up long before the end of such a prompt; a longer one is a mistake.
MAX_RENDERED = 4_000
MAX_INSERTED = 200
# A template with no more parts nests too little for Python's compiler to refuse what jinja2 makes of it; compiling is
# then left to the first use.
SURELY_COMPILES = 40

FILTERS = (
    *("capitalize", "default", "first", "int", "last", "length", "lower", "round", "title", "trim", "upper"),
    *SAYINGS,
    "count",
)
# Whom a text is for: a name that no variable can have.
_LANGUAGE = "-language"
# What has fields: the call's facts, and the item or answer that a node is speaking of.
MAPPINGS = frozenset({"call", "item"})
TESTS = ("defined", "undefined", "none", "number", "string", "true", "false", "eq", "ne", "lt", "le", "gt", "ge", "in")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
    nodes.Neg,
)
# SSML and markup of espeak ([[phonemes]]) and Pico (<speed .../>), and anything that is not printed text.
# What neither speech nor a database's JSON can hold.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")
_MARKUP = re.compile(r"[<>\[\]{}\\`|\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


_TRUTHS = {"es": ("no", "sí"), "en": ("no", "yes")}


def spoken(value: object, language: str = "es") -> str:
    """A value as it may stand in spoken text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUTHS.get(language[:2], _TRUTHS["es"])[value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        raise FlowFault("template", f"a {type(value).__name__} cannot be spoken")
    return _MARKUP.sub(" ", str(value)[:MAX_INSERTED])


@pass_context
def _finalize(names: Names, value: object) -> object:
    # Undefined passes, so that StrictUndefined itself names the variable.
    return value if isinstance(value, StrictUndefined) else spoken(value, _language_of(names))


def _language_of(names: Names) -> str:
    return str(names.parent.get(_LANGUAGE, "es"))


def _saying(kind: str) -> Callable[..., str]:
    @pass_context
    def filter_(names: Names, value: object) -> str:
        return say(kind, value, _language_of(names))

    return filter_


@pass_context
def _count(names: Names, value: object, noun: object, plural: object = "", gender: object = "") -> str:
    return say_count(value, noun, plural, gender, language=_language_of(names))


class _Closed(ImmutableSandboxedEnvironment):
    """No Python attribute is ever reached: a dot and brackets both mean a key of a mapping, absent ones are empty."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return obj.get(argument, "") if isinstance(obj, Mapping) else self.undefined(obj=obj, name=str(argument))


def _datum(value: object) -> str:
    """A value as it may stand in a header or a body that we send: one line of text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        return ""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", str(value)[:MAX_INSERTED])


def _in_url(value: object) -> object:
    return value if isinstance(value, StrictUndefined) else quote(_datum(value), safe="")


def _in_data(value: object) -> object:
    return value if isinstance(value, StrictUndefined) else _datum(value)


_SAYING_FILTERS = {"count": _count, **{kind: _saying(kind) for kind in SAYINGS}}


def _environment(finalize: Callable[..., object]) -> _Closed:
    environment = _Closed(undefined=StrictUndefined, autoescape=False, finalize=finalize, keep_trailing_newline=False)
    environment.globals.clear()
    plain = {name: environment.filters[name] for name in FILTERS if name not in _SAYING_FILTERS}
    environment.filters = {**plain, **_SAYING_FILTERS}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    return environment


_ENVIRONMENT = _environment(_finalize)
# What a template makes is read by a person, by a server as part of an address, or by a server as a value.
_ENVIRONMENTS = {"speech": _ENVIRONMENT, "url": _environment(_in_url), "data": _environment(_in_data)}


def problem_of(text: str) -> str:
    """Why this text is no template; ``""`` when it is one."""
    if len(text) > MAX_TEMPLATE:
        return f"the text has {len(text)} characters, at most {MAX_TEMPLATE} are taken"
    return _read(text)[0] if "{" in text else ""  # jinja's marks all begin with it


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[str, frozenset[str], frozenset[tuple[str, str]]]:
    """The problem, the variables that are read, and the fields of what has fields."""
    nothing: frozenset[tuple[str, str]] = frozenset()
    try:
        found = list(_ENVIRONMENT.parse(text).find_all(nodes.Node))
        for node in found:
            if problem := _problem_of_node(node):
                return problem, frozenset(), nothing
        if len(found) > SURELY_COMPILES:
            _compiled(text)
    except TemplateError as error:
        return str(error.message or error), frozenset(), nothing
    # jinja2's parser is recursive and hands numbers to Python's own.
    except (RecursionError, ValueError, OverflowError, SyntaxError, MemoryError, TypeError) as error:
        return f"not a template: {error}", frozenset(), nothing
    names = frozenset(node.name for node in found if isinstance(node, nodes.Name))
    return "", names, frozenset(field for node in found if (field := _field(node)) is not None)


def _field(node: nodes.Node) -> tuple[str, str] | None:
    """``call.from`` or ``call["from"]``."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return node.node.name, node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        return node.node.name, str(node.arg.value)
    return None


def _problem_of_node(node: nodes.Node) -> str:
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} is not allowed in texts"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"unknown filter {node.name!r}; there are {', '.join(FILTERS)}"
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"unknown test {node.name!r}; there are {', '.join(TESTS)}"
    if isinstance(node, nodes.Getattr | nodes.Getitem) and not (
        isinstance(node.node, nodes.Name) and node.node.name in MAPPINGS
    ):
        return f"{getattr(node.node, 'name', 'this')!r} has no fields, only call has"
    return ""


def names_in(text: str) -> frozenset[str]:
    """The variables that a valid template reads (``call`` included)."""
    return _read(text)[1] if "{" in text else frozenset()


def fields_in(text: str, mapping: str) -> frozenset[str]:
    """The fields of `call` or `item` that a valid template reads."""
    return frozenset(name for of, name in _read(text)[2] if of == mapping) if "{" in text else frozenset()


def render(text: str, names: Mapping[str, object], use: str = "speech", language: str = "es") -> str:
    """The text for this call: for `speech`, for a `url` (values percent-encoded) or as `data`. Raises `FlowFault`."""
    if "{" not in text:
        return " ".join(text.split())
    try:
        rendered = _compiled(text, use).render({**names, _LANGUAGE: language})
    except (TemplateError, TypeError, ValueError, OverflowError, ArithmeticError, SyntaxError, RecursionError) as error:
        raise FlowFault("template", f"a text cannot be rendered: {error}") from error
    if len(rendered) > MAX_RENDERED:
        raise FlowFault("template", f"a text became {len(rendered)} characters long")
    return " ".join(rendered.split())


@lru_cache(maxsize=4096)
def _compiled(text: str, use: str = "speech") -> Template:
    return _ENVIRONMENTS[use].from_string(text)
