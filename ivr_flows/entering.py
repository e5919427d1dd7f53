"""Flows that name other flows: the one check of it, for the command, for pages and for taking files up."""

from __future__ import annotations

from collections.abc import Collection

from ivr_flows.findings import Finding, Severity, closest
from ivr_flows.flow import Flow
from ivr_flows.source import parse
from ivr_flows.terms import FlowName, words_of

CODE = "flow.unknown"


def unknown_flows(file: str, flow: Flow, known: Collection[str]) -> list[Finding]:
    """A mistake for each flow that is entered and not known; a flow may always enter itself."""
    missing = {name for name in flow.enters if name != flow.id and name not in known}
    if not missing:
        return []
    source = parse(flow.text, file)
    found = []
    for node_id, node in flow.nodes.items():
        for path, word in words_of(node):
            if isinstance(word, FlowName) and word in missing:
                line, column = source.place(("nodes", str(node_id), *path))
                found.append(_unknown(file, line, column, str(word), closest(word, known)))
    return found


def _unknown(file: str, line: int, column: int, name: str, suggestion: str) -> Finding:
    return Finding(
        file=file,
        line=line,
        column=column,
        severity=Severity.ERROR,
        code=CODE,
        message=f"there is no flow {name!r}",
        suggestion=suggestion,
    )
