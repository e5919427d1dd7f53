"""Conditions and computed values: a whitelisted part of Python's expressions, evaluated by simpleeval.

``call.from`` reads a fact (absent ones are empty text). There are no attributes, no calls but the functions below, no
powers, shifts or comprehensions.
"""

from __future__ import annotations

import ast
import io
import operator
import re
import tokenize
from collections.abc import Callable, Mapping
from functools import lru_cache

from simpleeval import EvalWithCompoundTypes, InvalidExpression, safe_add, safe_mult

from ivr_flows.faults import FlowFault
from ivr_flows.moments import day

MAPPINGS = frozenset({"call", "item"})
MAX_EXPRESSION = 500
MAX_NODES = 200

_ALLOWED = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BinOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.IfExp,
    ast.Subscript,
    ast.Call,
    ast.Tuple,
    ast.List,
)


def _number_mod(left: object, right: object) -> object:
    # "%" on text is formatting, which can make text of any length.
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("% is for numbers")
    return left % right


_OPERATORS: dict[type[ast.AST], Callable[..., object]] = {
    ast.Add: safe_add,
    ast.Sub: operator.sub,
    ast.Mult: safe_mult,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: _number_mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
    ast.Not: operator.not_,
    ast.USub: operator.neg,
}


def _iso_date(value: object) -> str:
    """Days that can be compared (``iso_date(vence) < call.today``); empty for what is none."""
    try:
        return day(value).isoformat()
    except ValueError:
        return ""


FUNCTIONS: dict[str, Callable[..., object]] = {
    "length": lambda text: len(str(text)),
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "text": lambda value: str(value)[:1000],
    "integer": lambda value: int(value),
    "starts_with": lambda text, start: str(text).startswith(str(start)),
    "iso_date": _iso_date,
    "ends_with": lambda text, end: str(text).endswith(str(end)),
}


def problem_of(text: str) -> str:
    """Why this text is no expression; ``""`` when it is one."""
    if len(text) > MAX_EXPRESSION:
        return f"the expression has {len(text)} characters, at most {MAX_EXPRESSION} are taken"
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError, tokenize.TokenError) as error:
        return _meant_otherwise(text) or f"not an expression: {getattr(error, 'msg', None) or error}"
    found = list(ast.walk(tree))
    if len(found) > MAX_NODES:
        return "the expression is too long: set variables on the way"
    return next((problem for node in found if (problem := _problem_of_node(node))), "")


# What people write who know another language: looked for outside of quotes.
_OTHERWISE = (
    (r"&&|\|\||\b[yoó]\b", "conditions are joined by and, or"),
    (r"<>", "what differs is written !="),
    (r"!(?!=)", "what is not so is written not"),
    (r"(?<![=!<>])=(?!=)", "what is equal is written =="),
)


def _meant_otherwise(text: str) -> str:
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)
    if bare.count("'") % 2 or bare.count('"') % 2:
        return "not an expression: quotes that are not closed"
    return next((f"not an expression: {told}" for pattern, told in _OTHERWISE if re.search(pattern, bare)), "")


def _problem_of_node(node: ast.AST) -> str:
    if isinstance(node, ast.Is | ast.IsNot):
        return "what is equal is written ==, what differs !="
    if isinstance(node, ast.Attribute):
        return f"{getattr(node.value, 'id', 'this')!r} has no fields, only call has"
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} is not allowed in expressions"
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS):
        return f"unknown function; there are {', '.join(FUNCTIONS)}"
    if isinstance(node, ast.Call) and node.keywords:
        return "functions take no named arguments"
    if isinstance(node, ast.Subscript) and not (isinstance(node.value, ast.Name) and node.value.id in MAPPINGS):
        return f"{getattr(node.value, 'id', 'this')!r} has no fields, only call has"
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | bool | None):
        return f"{type(node.value).__name__} is not allowed in expressions"
    return ""


@lru_cache(maxsize=4096)
def names_in(text: str) -> frozenset[str]:
    """The variables that a valid expression reads (``call`` included)."""
    return frozenset({node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)} - FUNCTIONS.keys())


@lru_cache(maxsize=4096)
def fields_in(text: str, mapping: str) -> frozenset[str]:
    """The fields of `call` or `item` that a valid expression reads."""
    return frozenset(
        node.slice.value
        for node in ast.walk(_parsed(text))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == mapping
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def evaluate(text: str, names: Mapping[str, object]) -> object:
    """The expression's value for this call. Raises `FlowFault`."""
    mappings = {name: _Facts(found) if isinstance(found := names.get(name), Mapping) else _Facts() for name in MAPPINGS}
    evaluator = EvalWithCompoundTypes(operators=_OPERATORS, functions=FUNCTIONS, names={**names, **mappings})
    try:
        return evaluator.eval(text, previously_parsed=_parsed(text).body)
    except (InvalidExpression, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise FlowFault("expression", f"an expression cannot be evaluated: {error}") from error


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.Expression:
    return ast.parse(_facts_as_keys(text), mode="eval")


def _facts_as_keys(text: str) -> str:
    """``call.from`` as ``call["from"]``: facts may be named with Python's own words."""
    text = " ".join(text.split())
    if not any(name in text for name in MAPPINGS):
        return text
    tokens = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline)]
    written: list[str] = []
    position = 0
    while position < len(tokens):
        after = tokens[position + 1 : position + 3]
        word = tokens[position]
        if word in MAPPINGS and len(after) == 2 and after[0] == "." and after[1].isidentifier():
            written.append(f"{word}[{after[1]!r}]")
            position += 3
        else:
            written.append(tokens[position])
            position += 1
    return " ".join(written).strip()
