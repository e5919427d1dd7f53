"""The recordings that flows ask for: what is still to be recorded, with the words to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from ivr_flows.flow import Flow
from ivr_flows.terms import PromptSpec

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
    match value:
        case PromptSpec():
            yield path, value
        case BaseModel():
            fields = value.__dict__
            for name, info in type(value).model_fields.items():
                if isinstance(fields[name], BaseModel | Mapping | tuple | list):
                    yield from _specs(fields[name], (*path, info.alias or name))
        case Mapping():
            for key, each in value.items():
                yield from _specs(each, (*path, str(key)))
        case list() | tuple():
            for index, each in enumerate(value):
                yield from _specs(each, (*path, index))
