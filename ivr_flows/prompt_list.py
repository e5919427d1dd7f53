"""The recordings that flows ask for: what is still to be recorded, with the words to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ivr_flows.flow import Flow
from ivr_flows.terms import PromptSpec, Shape, fields_of, shape

# Whether a prompt is recorded, by language and name.
Recorded = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One recording: `texts` are the words that stand in for it, more than one where flows disagree."""

    language: str
    name: str
    texts: tuple[str, ...]
    flows: tuple[str, ...]
    recorded: bool


def wanted(flows: Iterable[Flow], recorded: Recorded = lambda _language, _name: False) -> list[Wanted]:
    texts: dict[tuple[str, str], dict[str, None]] = {}
    users: dict[tuple[str, str], dict[str, None]] = {}
    for flow in flows:
        for _path, spec in prompts_of(flow):
            if spec.file is None:
                continue
            key = (spec.language or flow.head.language, spec.file)
            users.setdefault(key, {})[flow.id] = None
            if spec.text is not None:
                texts.setdefault(key, {})[" ".join(spec.text.split())] = None
    return [
        Wanted(language, name, tuple(texts.get((language, name), ())), tuple(using), recorded(language, name))
        for (language, name), using in sorted(users.items())
    ]


def prompts_of(flow: Flow) -> Iterator[tuple[tuple[str | int, ...], PromptSpec]]:
    """Every prompt of a flow with its path in the file."""
    yield from _specs(flow.head, ())
    for node_id, node in flow.nodes.items():
        yield from _specs(node, ("nodes", str(node_id)))


def _specs(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], PromptSpec]]:
    found: list[tuple[tuple[str | int, ...], PromptSpec]] = []
    _gather(value, path, found)
    return iter(found)


_HOLDS = (Shape.MODEL, Shape.MAPPING, Shape.LIST)


def _gather(value: Any, path: tuple[str | int, ...], found: list[tuple[tuple[str | int, ...], PromptSpec]]) -> None:
    holds = shape(type(value))
    if isinstance(value, PromptSpec):
        found.append((path, value))
    elif holds is Shape.MODEL:
        model: type[BaseModel] = type(value)
        fields = value.__dict__
        for name, alias in fields_of(model):
            item = fields[name]
            if item and shape(type(item)) in _HOLDS:
                _gather(item, (*path, alias), found)
    elif holds is Shape.MAPPING:
        for key, each in value.items():
            _gather(each, (*path, str(key)), found)
    elif holds is Shape.LIST:
        for index, each in enumerate(value):
            _gather(each, (*path, index), found)
