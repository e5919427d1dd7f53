"""New rules in a running router, without losing anybody's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callcontrol.routing.board import Board
from callcontrol.routing.items import points_changed, replace_in_line
from callcontrol.routing.line import Line, personal_agent
from callcontrol.routing.rules import QueueRules


def renew(board: Board, queues: Iterable[QueueRules], criticality: Mapping[str, int] | None) -> list[str]:
    """The queues that are gone from the rules but still have somebody waiting: they stay as they were."""
    rules = {q.name: q for q in queues}
    if criticality is not None and dict(criticality) != dict(board.criticality):
        board.criticality = criticality
        for w in list(board.waiting.values()):
            points_changed(board, w)
    kept = []
    for name, line in list(board.lines.items()):
        if name in rules:
            _change(board, line, rules[name])
        elif personal_agent(name) is None:
            if line.waiting:
                kept.append(name)
            else:
                _forget(board, line)
    for name in rules.keys() - board.lines.keys():
        line = board.lines[name] = Line(rules[name])
        for agent in board.agents.values():
            if name in agent.queues:
                line.agents[agent.id] = agent
                board.recount(line, agent)
    board.blends = any(line.rules.keep_free for line in board.lines.values())
    return sorted(kept)


def _change(board: Board, line: Line, rules: QueueRules) -> None:
    if rules == line.rules:
        return
    here = [w for w in board.waiting.values() if w.item.queue == rules.name]
    for w in here:
        board.unplace(w)
    board.close_all(line)
    line.rules, line.closes = rules, 0
    for w in here:
        replace_in_line(board, line, w)


def _forget(board: Board, line: Line) -> None:
    board.close_all(line)
    del board.lines[line.rules.name]
