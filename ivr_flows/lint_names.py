"""What the words of a valid flow name that is nowhere: queues, bots, secrets of the platform, facts of a call, the item
that is spoken of; and values that never fit their variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ivr_flows.answers import KINDS as ANSWERS
from ivr_flows.findings import Severity, closest
from ivr_flows.flow import Flow
from ivr_flows.node import NodeModel
from ivr_flows.nodes.collect import Collect
from ivr_flows.nodes.queue import Queue
from ivr_flows.nodes.set import Set
from ivr_flows.references import FACTS, AgentName, Known, QueueText, Reference
from ivr_flows.source import Path, Source
from ivr_flows.terms import Reading, VariableSpec, Word, converted, words_of

Words = Mapping[str, Sequence[tuple[Path, Word]]]  # of each node, with their paths in it


def look(source: Source, flow: Flow, words: Words, known: Known) -> None:
    """Add the findings. What is outside of the file may come later: a warning."""
    for node_id, node in flow.nodes.items():
        place: Path = ("nodes", str(node_id))
        for path, word in words[node_id]:
            _references(source, (*place, *path), word, known)
            _facts(source, (*place, *path), word, item=str(path[0]) in node.speaks_of)
        if isinstance(node, Queue):
            _preferred(source, place, node, known)
        _misfits(source, place, node, flow)
    for path, word in words_of(flow.head):
        _facts(source, path, word, item=False)


def _references(source: Source, path: Path, word: Word, known: Known) -> None:
    kind = type(word) if isinstance(word, Reference) else word.refers_to if isinstance(word, QueueText) else None
    there = None if kind is None or "{" in word else known.names.get(kind)
    if kind is not None and there is not None and word not in there:
        message = f"there is no {kind.what} {str(word)!r}"
        _warn(source, path, f"{kind.what}.unknown", message, closest(word, there))


def _facts(source: Source, path: Path, word: Word, *, item: bool) -> None:
    if not isinstance(word, Reading):
        return
    for name in sorted(word.fields("call") - FACTS.keys()):
        message = f"a call has no fact {name!r}: it is read as empty; there are {', '.join(FACTS)}"
        _warn(source, path, "fact.unknown", message, closest(name, FACTS))
    if not item and "item" in word.names():
        _warn(source, path, "item.none", "item is empty here: only what a node goes through or asks for has one")


def _preferred(source: Source, place: Path, node: Queue, known: Known) -> None:
    agents = known.names.get(AgentName)
    for index, name in enumerate(node.prefer):
        if agents is not None and "{" not in name and name.strip() not in agents:
            message = f"there is no agent {str(name)!r}"
            _warn(source, (*place, "prefer", index), "agent.unknown", message, closest(name, agents))


def _misfits(source: Source, place: Path, node: NodeModel, flow: Flow) -> None:
    """Each would be a fault in every call that comes there."""
    for path, name, value in _literals(node):
        spec = flow.head.variables.get(name)  # type: ignore[call-overload]
        if spec is not None and (why := misfit(value, spec)):
            message = f"{name} is {spec.type.value}: {why}"
            source.add((*place, *path), "value.misfit", message, expected=f"a value for {spec.type.value}")


def _literals(node: NodeModel) -> Iterator[tuple[Path, str, str]]:
    """Where a text that is always the same goes into a variable: its place, the variable, the text."""
    if isinstance(node, Set):
        for name, value in node.values.items():
            if value.text is not None and "{" not in value.text:
                yield ("values", str(name)), str(name), str(value.text)
    elif isinstance(node, Collect):
        yield ("into",), str(node.into), ANSWERS[node.meaning].example


def misfit(value: str, spec: VariableSpec) -> str:
    """Why the text is no value of that variable; empty where it is one."""
    try:
        converted(value, spec.type)
    except ValueError as error:
        return str(error)
    return ""


def _warn(source: Source, path: Path, code: str, message: str, suggestion: str = "") -> None:
    source.add(path, code, message, suggestion=suggestion, severity=Severity.WARNING)
