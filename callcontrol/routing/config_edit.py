"""Changes made in sheets, written into the YAML that people wrote: what did not change stays as it stands, comments
and all."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from foundation.errors import Invalid

Document: TypeAlias = dict[str, Any]
# What names an entry of a list, so that it is found again when others come before it.
_KEYS = ("id", "name", "after_s", "when")


class NotADocument(Invalid):
    code = "organisation.not_a_document"


def document_of(text: str) -> Document:
    """The text as plain JSON: dates as text, nothing added. Raises `NotADocument` where it is no mapping."""
    document: Document = _plain(_load(text))
    return document


def render(text: str, document: Document) -> str:
    """The text with what `document` changes of it."""
    tree = _load(text)
    _merge(tree, document)
    out = io.StringIO()
    _yaml().dump(tree, out)
    return out.getvalue() if tree else ""


def _yaml() -> YAML:
    yaml = YAML()  # round trip
    yaml.width = 200  # nothing that a person wrote in one line is broken
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(text: str) -> Any:
    try:
        tree = _yaml().load(text or "{}")
    except YAMLError as error:
        raise NotADocument("The text is no YAML.") from error
    if not isinstance(tree, Mapping):
        raise NotADocument("The organisation is a mapping: keys with values.")
    if not tree:  # `{}` would stay in braces
        return _yaml().map()
    return tree


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {_key(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case dt.date():
            return value.isoformat()
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case _:
            return str(value)


def _key(key: object) -> str:
    return key.isoformat() if isinstance(key, dt.date) else str(key)


def _merge(tree: Any, wanted: Mapping[str, Any]) -> None:
    for key in [key for key in tree if _key(key) not in wanted]:
        del tree[key]
    mine = {_key(key): key for key in tree}
    for name, value in wanted.items():
        key = mine.get(name, name)
        if key not in tree:
            tree[key] = value
        elif _plain(tree[key]) != value:
            tree[key] = _merged(tree[key], value)


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        _merge(old, new)
        return old
    if isinstance(old, list) and isinstance(new, list):
        return _merged_list(old, new)
    return new


def _merged_list(old: Any, new: list[Any]) -> Any:
    """In the new order; an entry that was there keeps its node, with its comments."""
    known = {name: entry for entry in old if (name := _name(entry)) is not None}
    entries = []
    for n, wanted in enumerate(new):
        name = _name(wanted)
        before = known.pop(name, None) if name is not None else (old[n] if n < len(old) else None)
        entries.append(wanted if before is None else _merged(before, wanted))
    old[:] = entries
    return old


def _name(entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    return next((f"{key}={entry[key]}" for key in _KEYS if key in entry), None)
