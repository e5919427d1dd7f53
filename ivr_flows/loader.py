"""From a file's text to a `Flow`, or to the list of everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ivr_flows import lint, templates
from ivr_flows.findings import Finding, closest, has_errors, in_order
from ivr_flows.flow import MAX_NODES, Flow, FlowHead, version_of
from ivr_flows.node import NodeModel
from ivr_flows.nodes import KINDS
from ivr_flows.problems import add_problems, words_written
from ivr_flows.references import NOTHING_KNOWN, Known
from ivr_flows.source import Path as Place
from ivr_flows.source import Source, decode, parse
from ivr_flows.terms import CalendarRef, FlowName, NodeRef, Reading, VariableRef, Word, words_of

MAX_FINDINGS = 200


class Loaded:
    """`flow` is None when there are errors; warnings may stand beside a flow."""

    __slots__ = ("findings", "flow")

    def __init__(self, flow: Flow | None, findings: list[Finding]) -> None:
        self.flow = flow
        self.findings = findings


def load(text: str, file: str = "<flow>", *, known: Known = NOTHING_KNOWN) -> Loaded:
    """Read a flow. `known` is what lies outside of it. Never raises for what the text holds."""
    source = parse(text, file)
    flow = None if has_errors(source.findings) and source.data is None else _read(source, text)
    if flow is not None and not has_errors(source.findings):
        lint.warn(source, flow, known)
    if has_errors(source.findings):
        flow = None
    return Loaded(flow, in_order(source.findings)[:MAX_FINDINGS])


def load_file(path: Path, *, name: str = "", known: Known = NOTHING_KNOWN) -> Loaded:
    """Read a flow file; one that cannot be read is a finding, too. `name` stands in the findings, else the path."""
    name = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        source = Source(name)
        source.add((), "file.unreadable", f"the file cannot be read: {error.strerror or error}")
        return Loaded(None, source.findings)
    text, findings = decode(raw, name)
    return Loaded(None, findings) if findings else load(text, name, known=known)


def _read(source: Source, text: str) -> Flow | None:
    data = source.data
    if not isinstance(data, dict):
        source.add((), "flow.not_a_mapping", "not a flow", expected="a mapping with id, entry and nodes")
        return None
    written_head = {key: value for key, value in data.items() if key != "nodes"}
    head = _head(written_head, source)
    nodes, written = _nodes(data.get("nodes"), source, given="nodes" in data)
    variables = data.get("variables")
    calendars = _mapping(data.get("calendars"))
    readable = not isinstance(data.get("nodes"), list)
    known = _Written(
        written if readable else None, set(variables) if isinstance(variables, dict) else set(), set(calendars)
    )
    known.check(source, (), words_of(head) if head is not None else words_written(FlowHead, written_head))
    for node_id, fields in _mapping(data.get("nodes")).items():
        known.check(source, ("nodes", node_id), _words_of_node(nodes.get(node_id), fields))
    if head is None or has_errors(source.findings):
        return None
    first = {str(name): spec.first() for name, spec in head.variables.items()}
    named = (str(word) for node in nodes.values() for _, word in words_of(node) if isinstance(word, FlowName))
    enters = tuple(dict.fromkeys(named))
    return Flow(head, version_of(text), MappingProxyType(nodes), MappingProxyType(first), text, enters)


def _head(data: Mapping[str, Any], source: Source) -> FlowHead | None:
    try:
        return FlowHead.model_validate(data)
    except ValidationError as error:
        add_problems(source, (), FlowHead, error, also=("nodes",))
        return None


def _nodes(data: Any, source: Source, *, given: bool) -> tuple[dict[str, NodeModel], set[str]]:
    """The nodes that are valid by themselves, and the ids of all that are written."""
    if not isinstance(data, dict) or not data:
        message = (
            "nodes is a list" if isinstance(data, list) and data else "nodes is empty" if given else "nodes is missing"
        )
        source.add(("nodes",), "flow.no_nodes", message, expected="nodes by their id", key=True)
        return {}, set()
    if len(data) > MAX_NODES:
        source.add(("nodes",), "flow.too_large", f"{len(data)} nodes", expected=f"at most {MAX_NODES}", key=True)
        return {}, set(data)
    nodes = {node_id: node for node_id, fields in data.items() if (node := _node(node_id, fields, source)) is not None}
    return nodes, set(data)


def _node(node_id: str, fields: Any, source: Source) -> NodeModel | None:
    place: Place = ("nodes", node_id)
    if not _is_node_id(node_id):
        source.add(
            place, "node.id", f"{node_id[:64]!r} is no node id", expected="lower-case letters, digits, _ or -", key=True
        )
    if not isinstance(fields, dict):
        source.add(place, "node.not_a_mapping", f"node {node_id[:64]!r} has no fields", expected="kind: ...", key=True)
        return None
    kind = fields.get("kind")
    known = ", ".join(KINDS)
    if kind is None:
        source.add(place, "node.no_kind", f"node {node_id[:64]!r} has no kind", expected=f"one of {known}", key=True)
        return None
    if not isinstance(kind, str) or kind not in KINDS:
        word = kind if isinstance(kind, str) else ""
        message = f"unknown kind {word[:64]!r}"
        source.add((*place, "kind"), "node.kind", message, expected=f"one of {known}", suggestion=closest(word, KINDS))
        return None
    model = KINDS[kind].model
    try:
        node: NodeModel = model.model_validate(fields)
    except ValidationError as error:
        add_problems(source, place, model, error)
        return None
    return node


def _is_node_id(text: str) -> bool:
    return re.fullmatch(NodeRef.pattern.strip("^$"), text) is not None


# --- do the words lead anywhere? --------------------


def _mapping(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _words_of_node(node: NodeModel | None, fields: Any) -> Iterable[tuple[Place, Word]]:
    if node is not None:
        return words_of(node)
    kind = _mapping(fields).get("kind")
    return words_written(KINDS[kind].model, fields) if isinstance(kind, str) and kind in KINDS else ()


@dataclass(frozen=True, slots=True)
class _Written:
    """The ids and names that are written in the file, their owners valid or not: one mistake is told once."""

    nodes: set[str] | None  # None: they cannot be read, and no reference to them says anything
    variables: set[str]
    calendars: set[str]

    def check(self, source: Source, place: Place, words: Iterable[tuple[Place, Word]]) -> None:
        for path, word in dict.fromkeys(words):
            self._check(source, (*place, *path), word)

    def _check(self, source: Source, path: Place, word: Word) -> None:
        match word:
            case NodeRef():
                self._check_node(source, path, str(word))
            case CalendarRef():
                self._check_calendar(source, path, str(word))
            case VariableRef():
                self._check_variable(source, path, str(word), self.variables)
            case Reading():
                for name in sorted(word.names()):
                    self._check_variable(source, path, name, {*self.variables, *templates.MAPPINGS})

    def _check_node(self, source: Source, path: Place, word: str) -> None:
        if self.nodes is not None and word not in self.nodes:
            message = f"there is no node {word[:64]!r}"
            suggestion = closest(word, self.nodes)
            source.add(path, "node.unknown_target", message, expected="a node id", suggestion=suggestion)

    def _check_calendar(self, source: Source, path: Place, word: str) -> None:
        if word not in self.calendars:
            message = f"there is no calendar {word[:64]!r}"
            suggestion = closest(word, self.calendars)
            source.add(path, "calendar.unknown", message, expected="a name under calendars", suggestion=suggestion)

    def _check_variable(self, source: Source, path: Place, name: str, known: set[str]) -> None:
        if name not in known:
            message = f"there is no variable {name[:64]!r}"
            expected = "a name under variables, or call.<fact>"
            source.add(path, "variable.unknown", message, expected=expected, suggestion=closest(name, known))
