"""A flow as a Mermaid chart."""

from __future__ import annotations

from ivr_flows.flow import Flow
from ivr_flows.lint import edges
from ivr_flows.nodes import KINDS


def draw(flow: Flow) -> str:
    """Mermaid text. Nodes are numbered in it, as ids of flows may be words that Mermaid keeps for itself."""
    numbers = {str(node_id): f"n{index}" for index, node_id in enumerate(flow.nodes)}
    lines = ["flowchart TD", f'  start(["{_quoted(flow.name)}"]) --> {numbers[str(flow.head.entry)]}']
    for node_id, node in flow.nodes.items():
        shape = ("([", "])") if KINDS[node.kind].is_end else ("[", "]")
        lines.append(f'  {numbers[str(node_id)]}{shape[0]}"{_quoted(str(node_id))}<br/>{node.kind}"{shape[1]}')
    lines += [f'  {numbers[e.origin]} -->|"{_quoted(e.label)}"| {numbers[e.target]}' for e in edges(flow)]
    if flow.head.person is not None:
        key = f"{flow.head.person.digit}: a person, from every node"
        lines.append(f'  person{{{{"{_quoted(key)}"}}}} -.-> {numbers[str(flow.head.person.to)]}')
    if flow.head.on_error is not None:
        lines.append(f'  fault{{{{"after a fault"}}}} -.-> {numbers[str(flow.head.on_error)]}')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # Mermaid's own escapes; everything else is plain inside quotes.
    return text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
