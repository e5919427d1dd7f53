"""A flow as an SVG picture: layers from the entry downwards, each way an arrow with the field that names it."""

from __future__ import annotations

import html
from collections import deque

from ivr_flows.drawing_ways import arrows
from ivr_flows.flow import Flow
from ivr_flows.lint import Edge, edges
from ivr_flows.nodes import KINDS

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 170, 46, 40, 84, 40
_LABEL_Y = 12
# Colours by what a node is for the caller.
_FILL = {"end": "#d9efe2", "ask": "#fdf0d0", "system": "#e4e2f4", "other": "#eef3f8"}
_ASKS = frozenset({"menu", "collect", "identify", "survey", "record", "callback", "voicemail"})
_SYSTEMS = frozenset({"http", "announce", "bot", "subflow"})
_STYLE = (
    "text{font:12px 'Segoe UI',Roboto,sans-serif;fill:#1c2733}"
    ".k{font-size:10px;fill:#5a6b7b}.l{font-size:9px;fill:#5a6b7b;paint-order:stroke;stroke:#fff;stroke-width:3px}"
    "rect{stroke:#8395a7}path{fill:none;stroke:#8395a7}.back{stroke-dasharray:4 3}"
)

_ARROW = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:#8395a7;stroke:none"/></marker></defs>'
)


def draw_svg(flow: Flow) -> str:
    """A whole SVG document. Nothing in it comes from outside: no script, no link, no font."""
    ways = list(edges(flow))
    places = _placed(flow, ways)
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">',
        f"<title>{html.escape(flow.name)}</title>",
        f"<style>{_STYLE}</style>",
        _ARROW,
    ]
    parts += arrows(ways, places, (_WIDTH, _HEIGHT))
    parts += [_box(flow, node_id, places[node_id]) for node_id in places]
    return "\n".join([*parts, _legend(flow, height), "</svg>"]) + "\n"


def _placed(flow: Flow, ways: list[Edge]) -> dict[str, tuple[int, int]]:
    """Each node in the layer of its shortest way from the entry; those that nothing leads to come last."""
    forth: dict[str, list[str]] = {str(node): [] for node in flow.nodes}
    for edge in ways:
        forth[edge.origin].append(edge.target)
    starts = [str(flow.head.entry)]
    starts += [str(flow.head.person.to)] if flow.head.person else []
    starts += [str(flow.head.on_error)] if flow.head.on_error else []
    depth = dict.fromkeys([starts[0]], 0)
    for start in (*starts, *forth):
        # what only the key for a person, a fault or nothing leads to stands below all else
        depth.setdefault(start, max(depth.values()) + 1)
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            for target in forth[node]:
                if target not in depth:
                    depth[target] = depth[node] + 1
                    waiting.append(target)
    rows: dict[int, list[str]] = {}
    for node, level in depth.items():
        rows.setdefault(level, []).append(node)
    widest = max(len(row) for row in rows.values())
    places = {}
    top = _MARGIN
    for _, row in sorted(rows.items()):
        left = _MARGIN + (widest - len(row)) * (_WIDTH + _GAP_X) // 2
        for index, node in enumerate(row):
            places[node] = (left + index * (_WIDTH + _GAP_X), top)
        # room for what is written on the ways that lead away from this row
        top += _HEIGHT + max(_GAP_Y, _LABEL_Y * sum(edge.origin in row for edge in ways) // 2)
    return places


def _box(flow: Flow, node_id: str, place: tuple[int, int]) -> str:
    kind = flow.nodes[node_id].kind
    x, y = place
    meaning = "end" if KINDS[kind].is_end else "ask" if kind in _ASKS else "system" if kind in _SYSTEMS else "other"
    title = html.escape(flow.nodes[node_id].description or f"{node_id} ({kind})")
    radius = _HEIGHT // 2 if KINDS[kind].is_end else 6
    return (
        f'<g><title>{title}</title><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}"'
        f' fill="{_FILL[meaning]}"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + 20}" text-anchor="middle">{html.escape(_cut(node_id, 24))}</text>'
        f'<text class="k" x="{x + _WIDTH // 2}" y="{y + 36}" text-anchor="middle">{html.escape(kind)}</text></g>'
    )


def _legend(flow: Flow, height: int) -> str:
    words = []
    if flow.head.person is not None:
        words.append(f"{flow.head.person.digit} → {flow.head.person.to} (a person, from every node)")
    if flow.head.on_error is not None:
        words.append(f"fault → {flow.head.on_error}")
    return f'<text class="k" x="{_MARGIN}" y="{height - 12}">{html.escape("; ".join(words))}</text>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
