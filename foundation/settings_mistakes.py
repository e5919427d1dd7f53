"""pydantic's errors as an operator needs them: which line, which key, what was expected, what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from foundation.settings_yaml import Document, Mistake, Path, dotted

# Expected, in words, where pydantic's own sentence speaks of Python.
_EXPECTED: dict[str, str] = {
    "string_type": "text (put it in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a section with keys of its own",
    "model_type": "a section with keys of its own",
    "model_attributes_type": "a section with keys of its own",
}
_SHOULD = re.compile(r"^(Input|String|Value|List|Dictionary|Tuple|Set) should ")


def explain(errors: Iterable[ErrorDetails], model: type[BaseModel], document: Document) -> list[Mistake]:
    """Values are never shown: the place tells them, and one of them may be a secret in the wrong place."""
    mistakes = []
    for error in errors:
        path = _path_in(document.values, error["loc"], adds_last=error["type"] in {"missing", "extra_forbidden"})
        mistakes.append(Mistake(document.place(path), dotted(path), _sentence(error, path, model)))
    return mistakes


def _sentence(error: ErrorDetails, path: Path, model: type[BaseModel]) -> str:
    kind, value = error["type"], error.get("input")
    if kind == "missing":
        return "this required key is missing"
    if kind == "extra_forbidden":
        return "unknown key" + _did_you_mean_key(path, model)
    if kind in _EXPECTED:
        found = "a fraction" if kind == "int_from_float" else _kind_of(value)
        return f"expected {_EXPECTED[kind]}, found {found}"
    context = error.get("ctx", {})
    if kind in {"enum", "literal_error"}:
        expected = str(context.get("expected", ""))
        choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
        near = _nearest(value, choices) if isinstance(value, str) else ""
        # "text" alone would say nothing: text is what was asked for.
        found = "another word" if isinstance(value, str) else _kind_of(value)
        return f"expected {expected}" + (f"; did you mean '{near}'?" if near else f", found {found}")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return _SHOULD.sub("must ", message)


def _did_you_mean_key(path: Path, model: type[BaseModel]) -> str:
    key = str(path[-1])
    known = _known_keys(model, path[:-1])
    near = _nearest(key, known)
    if near:
        return f"; did you mean '{near}'?"
    elsewhere = [where for where in _all_keys(model, (), set()) if where[-1] == key]
    if len(elsewhere) == 1:
        return f"; did you mean '{dotted(elsewhere[0])}'?"
    return f"; known here: {', '.join(sorted(known))}" if known else ""


def _nearest(word: str, choices: Sequence[str]) -> str:
    folded = {choice.lower().replace("-", "_"): choice for choice in choices}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "a section"
        case list():
            return "a list"
        case _:
            return type(value).__name__


def _path_in(values: object, location: Sequence[str | int], *, adds_last: bool) -> Path:
    """The part of pydantic's location that is in the file: it also names members of unions and kinds of validators."""
    path: list[str | int] = []
    here: Any = values
    for position, part in enumerate(location):
        is_last = position == len(location) - 1
        inside_mapping = isinstance(here, dict) and part in here
        inside_list = isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here)
        if inside_mapping or inside_list:
            here = here[part]
            path.append(part)
        elif is_last and adds_last:
            path.append(part)
    return tuple(path)


def _known_keys(model: type[BaseModel], parents: Path) -> list[str]:
    current = [model]
    for part in parents:
        fields = [m.model_fields[part] for m in current if isinstance(part, str) and part in m.model_fields]
        if fields:
            current = [found for field in fields for found in _models_in(field.annotation)]
    return sorted({field.alias or name for m in current for name, field in m.model_fields.items()})


def _all_keys(model: type[BaseModel], prefix: Path, inside: set[type[BaseModel]]) -> list[Path]:
    """Every key that can be reached without passing a list or a mapping."""
    if model in inside:
        return []
    paths: list[Path] = []
    for name, field in model.model_fields.items():
        paths.append((*prefix, name))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            paths += _all_keys(field.annotation, (*prefix, name), inside | {model})
    return paths


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
