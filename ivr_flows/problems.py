"""pydantic's complaints as findings that an admin understands, at their place in the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ivr_flows.findings import closest
from ivr_flows.source import Path, Source
from ivr_flows.terms import NAME, PATTERNS, SHORT, WORD, CalendarRef, Expression, NodeRef, Template, VariableRef, Word

# What was expected, by pydantic's error type; braces take the error's own context.
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}


def add_problems(
    source: Source, place: Path, model: type[BaseModel], error: ValidationError, *, also: Iterable[str] = ()
) -> None:
    """One finding an error. `also` are fields at the top that are read elsewhere."""
    for detail in error.errors(include_url=False):
        _add(source, place, model, detail, tuple(also))


def _add(source: Source, place: Path, model: type[BaseModel], detail: ErrorDetails, also: tuple[str, ...]) -> None:
    kind, location = detail["type"], tuple(part for part in detail["loc"] if not _is_mark(part))
    path = (*place, *location)
    if kind == "extra_forbidden":
        word = str(location[-1])
        known = [*fields_at(model, location[:-1]), *(also if len(location) == 1 else ())]
        message = f"unknown field {word[:64]!r}"
        expected = f"one of {', '.join(known)}" if known else ""
        source.add(path, "field.unknown", message, expected=expected, suggestion=closest(word, known), key=True)
    elif kind == "missing":
        source.add(path, "field.missing", f"{location[-1]} is missing", key=True)
    elif kind in _EXPECTED or kind == "string_pattern_mismatch":
        context = _Context(detail.get("ctx") or {})
        pattern = context["pattern"]
        expected = _EXPECTED[kind].format_map(context) if kind in _EXPECTED else PATTERNS.get(pattern, pattern)
        name = _name_of(location)
        suggestion = _suggestion(detail)
        source.add(
            path, "field.value", f"{name} is {_shown(detail['input'])}", expected=expected, suggestion=suggestion
        )
    else:
        source.add(path, "field.value", f"{_name_of(location)}: {detail['msg']}")


def _is_mark(part: str | int) -> bool:
    """A word of pydantic's, or of a tag of ours, that is no part of the file: ``[key]``, ``[list]``."""
    return isinstance(part, str) and part.startswith("[") and part.endswith("]")


class _Context(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "something else"


def _name_of(location: Path) -> str:
    return ".".join(str(part)[:64] for part in location) or "this"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list | tuple) else "a mapping" if isinstance(value, dict) else repr(value)[:60]


def _suggestion(detail: ErrorDetails) -> str:
    given = detail["input"]
    if not isinstance(given, str):
        return ""
    if detail["type"] == "string_pattern_mismatch":
        return _in_small_letters(given, (detail.get("ctx") or {}).get("pattern", ""))
    if detail["type"] not in ("literal_error", "enum"):
        return ""
    words = str((detail.get("ctx") or {}).get("expected", "")).replace(" or ", ", ").split(", ")
    return closest(given, [word.strip("'") for word in words])


def _in_small_letters(given: str, pattern: str) -> str:
    """The name that is meant, where only its writing is wrong (``Cola 1``)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", given[:64].lower()) if not unicodedata.combining(c))
    meant = re.sub(r"\s+", "_", plain.strip())
    return meant if pattern in (NAME, NodeRef.pattern, VariableRef.pattern) and re.fullmatch(pattern, meant) else ""


@lru_cache(maxsize=256)
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def fields_at(model: type[BaseModel], location: Path) -> list[str]:
    """The fields that are known at a place of a model, read from its JSON schema."""
    schema = _schema(model)
    here = [schema]
    for part in location:
        here = [found for each in here for found in _below(_branches(each, schema), part)]
    return sorted(
        {name for each in here for branch in _branches(each, schema) for name in branch.get("properties", ())}
    )


def _branches(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives of a schema, references followed."""
    if "$ref" in schema:
        return _branches(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    several = [branch for word in ("anyOf", "allOf", "oneOf") for branch in schema.get(word, ())]
    return [schema, *(found for branch in several for found in _branches(branch, root))]


def _below(branches: Iterable[Mapping[str, Any]], part: str | int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for branch in branches:
        if isinstance(part, int):
            found += [branch[word] for word in ("items",) if isinstance(branch.get(word), dict)]
        elif part in branch.get("properties", {}):
            found.append(branch["properties"][part])
        else:
            if isinstance(branch.get("additionalProperties"), dict):
                found.append(branch["additionalProperties"])
            found += branch.get("patternProperties", {}).values()
    return found


# --- the meaningful words of data that is not valid --------------------

_MEANINGFUL = (NodeRef, VariableRef, CalendarRef, Template, Expression)
_WORDS: dict[str, type[Word]] = {word.__name__: word for word in _MEANINGFUL}


def words_written(model: type[BaseModel], data: object) -> Iterator[tuple[Path, Word]]:
    """Like `words_of` for data that the model refused: one mistake must not hide the others."""
    schema = _schema(model)
    yield from _words(schema, schema, data, ())


def _words(here: Mapping[str, Any], root: Mapping[str, Any], data: object, path: Path) -> Iterator[tuple[Path, Word]]:
    branches = _branches(here, root)
    if isinstance(data, str):
        # A bare text may be the short form of a mapping, or of a list with one item.
        branches += _items(branches, root)
        shorts = [each["properties"][each[SHORT]] for each in branches if SHORT in each]
        branches += [branch for each in shorts for branch in _branches(each, root)]
        meanings = {_WORDS[each[WORD]] for each in branches if each.get(WORD) in _WORDS}
        yield from (
            (path, meaning(data))
            for meaning in meanings
            if re.search(meaning.pattern, data) and not meaning.problem(data)
        )
    elif isinstance(data, dict):
        if any(each.get("propertyNames", {}).get(WORD) == VariableRef.__name__ for each in branches):
            yield from (((*path, key), VariableRef(key)) for key in data)
        # A single item may stand for a list of one.
        for key, value in data.items():
            for below in _below([*branches, *_items(branches, root)], key):
                yield from _words(below, root, value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            for below in _below(branches, index):
                yield from _words(below, root, value, (*path, index))


def _items(branches: Iterable[Mapping[str, Any]], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = [each["items"] for each in branches if isinstance(each.get("items"), dict)]
    return [found for each in lists for found in _branches(each, root)]
