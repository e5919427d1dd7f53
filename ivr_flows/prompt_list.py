"""The recordings that flows ask for: what is still to be recorded, with the words to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ivr_flows.flow import Flow
from ivr_flows.source import Path as Place
from ivr_flows.terms import PromptSpec, parts_of

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


def prompts_of(flow: Flow) -> Iterator[tuple[Place, PromptSpec]]:
    """Every prompt of a flow with its path in the file."""
    yield from parts_of(flow.head, PromptSpec)
    for node_id, node in flow.nodes.items():
        yield from parts_of(node, PromptSpec, ("nodes", str(node_id)))
