"""Warnings: the flow would run, and somebody should look at it. Also the graph of a flow, which drawings share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr_flows import lint_names
from ivr_flows.findings import Severity
from ivr_flows.flow import Flow
from ivr_flows.lint_names import Words
from ivr_flows.node import Surroundings
from ivr_flows.nodes import KINDS
from ivr_flows.nodes.set import Set
from ivr_flows.prompt_list import Recorded, prompts_of
from ivr_flows.references import Known
from ivr_flows.secret_words import is_secret
from ivr_flows.source import Path, Source
from ivr_flows.terms import NodeRef, Reading, VariableRef, words_of

# Where a caller is served by somebody, now or later; a flow that is entered, or that came from elsewhere, may do so.
_SERVES = frozenset({"queue", "transfer", "voicemail", "callback", "subflow", "return"})


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a node to another; the label is the field that names it (``then.timeout``, ``options.1``)."""

    origin: str
    target: str
    label: str


def edges(flow: Flow) -> Iterator[Edge]:
    """What the nodes name themselves. From every waiting node the key for a person leads away, too."""
    for node_id, node in flow.nodes.items():
        for path, word in words_of(node):
            if isinstance(word, NodeRef):
                label = ".".join(str(part) for part in path if part != "to")
                yield Edge(str(node_id), str(word), label)


def roots(flow: Flow) -> list[str]:
    """Where calls come from outside the nodes' own words."""
    head = flow.head
    found = [head.entry, head.person.to if head.person else None, head.on_error]
    return [str(node) for node in found if node is not None]


def warn(source: Source, flow: Flow, known: Known) -> None:
    """Add the warnings of a flow whose words lead somewhere to its findings, and the errors that its meaning has."""
    is_part = any(node.kind == "return" for node in flow.nodes.values())
    if flow.head.person is None and not is_part:  # who enters a part has both
        _warn(source, ("id",), "flow.no_person", "callers cannot ask for a person: person is not given")
    if flow.head.on_error is None and not is_part:
        _warn(source, ("id",), "flow.no_on_error", "after a fault callers hear an apology and are hung up")
    _warn_of_prompts(source, flow, known.recorded)
    _warn_of_secrets(source, flow)
    _warn_of_calendars(source, flow)
    _warn_of_ways(source, flow)
    # read once, as a flow has thousands
    words = {node_id: tuple(words_of(node)) for node_id, node in flow.nodes.items()}
    _warn_of_variables(source, flow, words, given=is_part)
    person = flow.head.person
    lint_names.look(source, flow, words, known)
    around = Surroundings(person.digit if person else None)
    for node_id, node in flow.nodes.items():
        for doubt in KINDS[node.kind].lint(node, around):
            path = ("nodes", node_id, *doubt.path)
            _warn(source, path, doubt.code, f"{node_id}: {doubt.message}", doubt.suggestion)


def _warn_of_prompts(source: Source, flow: Flow, recorded: Recorded) -> None:
    for path, spec in prompts_of(flow):
        if spec.file is not None and spec.text is None and not recorded(spec.language or flow.head.language, spec.file):
            message = f"prompt {spec.file} is not recorded and has no text: callers hear nothing"
            _warn(source, path, "prompt.no_text", message)


def _warn_of_secrets(source: Source, flow: Flow) -> None:
    """In variables and in what is set; requests look for themselves."""
    place: Path
    for name, spec in flow.head.variables.items():
        if spec.default and is_secret(str(name), spec.default):
            place = ("variables", str(name), "default")
            _warn(source, place, "secret.plain", f"{name} looks like a secret in plain text")
    for node_id, node in flow.nodes.items():
        for name, value in node.values.items() if isinstance(node, Set) else ():
            if value.text and "{" not in value.text and is_secret(str(name), value.text):
                place = ("nodes", str(node_id), "values", str(name))
                _warn(source, place, "secret.plain", f"{name} looks like a secret in plain text")


def _warn_of_person(source: Source, flow: Flow, ends: set[str]) -> None:
    """The way to a person must not lead to a hang-up alone."""
    person = flow.head.person
    if person is not None and person.to not in ends:
        text = f"from {person.to} no way leads to a person, a message or a callback"
        _warn(source, ("person", "to"), "person.nobody", text)


def _warn_of_calendars(source: Source, flow: Flow) -> None:
    for name, calendar in flow.head.calendars.items():
        if not any(calendar.weekly.values()) and not any(calendar.open.values()):
            _warn(source, ("calendars", name), "calendar.closed", f"calendar {name} has no open hour", key=True)


def _warn_of_ways(source: Source, flow: Flow) -> None:
    forth: dict[str, list[str]] = {node_id: [] for node_id in flow.nodes}
    back: dict[str, list[str]] = {node_id: [] for node_id in flow.nodes}
    for edge in edges(flow):
        forth[edge.origin].append(edge.target)
        back[edge.target].append(edge.origin)
    reached = _reach(roots(flow), forth)
    ends = _reach([node_id for node_id, node in flow.nodes.items() if KINDS[node.kind].is_end], back)
    served = [node_id for node_id, node in flow.nodes.items() if node.kind in _SERVES]
    _warn_of_person(source, flow, _reach(served, back))
    for node_id in flow.nodes:
        if node_id not in reached:
            _warn(source, ("nodes", node_id), "node.unreachable", f"nothing leads to {node_id}", key=True)
        elif node_id not in ends:
            message = f"from {node_id} no way leads to a queue or hang-up: only the limits end it"
            _warn(source, ("nodes", node_id), "node.dead_end", message, key=True)


def _reach(starts: Iterable[str], ways: Mapping[str, list[str]]) -> set[str]:
    seen = set(starts)
    waiting = deque(seen)
    while waiting:
        for target in ways[waiting.popleft()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def _warn_of_variables(source: Source, flow: Flow, words: Words, *, given: bool) -> None:
    """`given`: whoever enters the flow may set any of them."""
    written: set[str] = set()
    read: dict[str, Path] = {}
    for node_id, found in words.items():
        for path, word in found:
            place = ("nodes", node_id, *path)
            if isinstance(word, VariableRef):
                written.add(str(word))
            elif isinstance(word, Reading):
                for name in word.names():
                    read.setdefault(name, place)
    for name, spec in flow.head.variables.items():
        place = ("variables", str(name))
        if name in read and name not in written and spec.default is None and not given:
            _warn(source, read[name], "variable.never_set", f"{name} is read and never set")
        elif name not in read and name not in written:
            _warn(source, place, "variable.unused", f"{name} is not used", key=True)


def _warn(source: Source, path: Path, code: str, message: str, suggestion: str = "", *, key: bool = False) -> None:
    source.add(path, code, message, suggestion=suggestion, key=key, severity=Severity.WARNING)
