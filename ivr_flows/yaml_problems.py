"""What the YAML parsers say of text that is none, in the words of somebody who writes a flow. Both parsers' sentences
are known: libyaml's, and those of the one in Python, which stands in for it."""

from __future__ import annotations

import re
from typing import Any

# What the parser's sentence holds; what we say; what was expected; whether the place is where the thing began.
_TOLD: tuple[tuple[str, str, str, bool], ...] = (
    (r"tab character|character '\\?\\t'", "a tab character", "spaces", False),
    (
        r"mapping values are not allowed",
        "a colon where none can stand",
        "a key a line, or the text in quotes",
        False,
    ),
    (r"(could|did) not find expected ':'", "a key without a value", "key: value", False),
    (r"expected ',' or '[\]}]'", "a bracket that is not closed", "its closing bracket", True),
    (r"unexpected end of stream", "quotes that are not closed", "closing quotes", True),
    (r"cannot start any token", "a character that cannot begin a value", "the value in quotes", False),
    (r"expected key|block end|'-' indicator", "a line that stands apart from its block", "the same indentation", False),
)


def in_plain_words(error: Any, text: str) -> tuple[int, int, str, str] | None:
    """Line and column (from 1), the problem, what was expected; None where we know no better than the parser."""
    said = error.problem or ""
    for pattern, problem, expected, began in _TOLD:
        if re.search(pattern, said) is None:
            continue
        mark = (error.context_mark if began else None) or error.problem_mark or error.context_mark
        if mark is None:
            return None
        if problem == _TOLD[5][1] and _is_tab(text, mark.line, mark.column):
            problem, expected = _TOLD[0][1:3]
        return mark.line + 1, mark.column + 1, problem, expected
    return None


def _is_tab(text: str, line: int, column: int) -> bool:
    lines = text.splitlines()
    return line < len(lines) and lines[line][column : column + 1] == "\t"
