"""What an item asks of an agent's skills: ``internet >= 3 and (english or kichwa)``, parsed, checked, loosened.

A need is a tree of plain tuples, so that equal needs are equal and hashable:
``("cmp", skill, op, level)``, ``("not", need)``, ``("and", need, ...)``, ``("or", need, ...)``; `ANY` asks for nothing.
A bare name means level 1 at least; a skill that an agent does not have is level 0.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from foundation.errors import Invalid

Need: TypeAlias = tuple[Any, ...]

ANY: Need = ("and",)
MAX_TEXT = 300
MAX_DEPTH = 20

_OPS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}
_TOKEN = re.compile(r"\s*(?:(?P<op>>=|<=|==|>|<)|(?P<paren>[()])|(?P<level>\d{1,3})(?!\w)|(?P<name>[a-z][a-z0-9_-]*))")


class BadNeed(Invalid):
    """`column` is one-based."""

    code: ClassVar[str] = "routing.bad_expression"

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column} of the expression)")
        self.column = column


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    @property
    def next(self) -> tuple[str, str, int]:
        return self.tokens[self.at]

    def take(self, word: str) -> bool:
        if self.next[1] == word and self.next[0] != "end":
            self.at += 1
            return True
        return False

    def joined(self, word: str, part: Callable[[int], Need], depth: int) -> Need:
        parts = [part(depth)]
        while self.take(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else (word, *parts)

    def either(self, depth: int) -> Need:
        if depth > MAX_DEPTH:
            raise BadNeed("too many brackets", self.next[2])
        return self.joined("or", lambda d: self.joined("and", self.one, d), depth)

    def one(self, depth: int) -> Need:
        if self.take("not"):
            if depth > MAX_DEPTH:
                raise BadNeed("too many 'not'", self.next[2])
            return ("not", self.one(depth + 1))
        if self.take("("):
            inner = self.either(depth + 1)
            if not self.take(")"):
                raise BadNeed("a bracket is not closed", self.next[2])
            return inner
        kind, word, column = self.next
        if kind != "name" or word in {"and", "or"}:
            raise BadNeed("a skill is expected" + (f", not {word!r}" if word else ""), column)
        self.at += 1
        return self.compared(word)

    def compared(self, skill: str) -> Need:
        if self.next[0] != "op":
            return ("cmp", skill, ">=", 1)
        op = self.next[1]
        self.at += 1
        kind, word, column = self.next
        if kind != "level":
            raise BadNeed("a level (a whole number) is expected", column)
        self.at += 1
        return ("cmp", skill, op, int(word))


def _tokens(text: str) -> Iterable[tuple[str, str, int]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise BadNeed(_not_understood(text[column - 1]), column)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind) + 1
        at = found.end()
    yield "end", "", end + 1


def _not_understood(sign: str) -> str:
    if sign == "=":
        return "'=' compares nothing here: write >= for this level or more, == for exactly this one"
    if sign.isupper():
        return f"{sign!r} is not understood here: skills and words are written in lower case"
    return f"{sign!r} is not understood here"


@lru_cache(maxsize=4096)
def parse(text: str) -> Need:
    """Raises `BadNeed`. Empty text asks for nothing."""
    if len(text) > MAX_TEXT:
        raise BadNeed(f"longer than {MAX_TEXT} characters", MAX_TEXT)
    if not text.strip():
        return ANY
    parser = _Parser(text)
    need = parser.either(0)
    if parser.next[0] != "end":
        raise BadNeed(f"'and' or 'or' is expected before {parser.next[1]!r}", parser.next[2])
    return need


def all_of(*needs: Need) -> Need:
    parts: list[Need] = []
    for need in needs:
        parts += need[1:] if need[0] == "and" else [need]
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else ("and", *distinct)


def at_least(levels: Mapping[str, int]) -> Need:
    return all_of(*(("cmp", skill, ">=", level) for skill, level in sorted(levels.items())))


def satisfied(need: Need, levels: Mapping[str, int]) -> bool:
    match need[0]:
        case "cmp":
            return _OPS[need[2]](levels.get(need[1], 0), need[3])
        case "and":
            return all(satisfied(part, levels) for part in need[1:])
        case "or":
            return any(satisfied(part, levels) for part in need[1:])
        case _:
            return not satisfied(need[1], levels)


def names(need: Need) -> frozenset[str]:
    if need[0] == "cmp":
        return frozenset({need[1]})
    return frozenset().union(*(names(part) for part in need[1:]))


def missing(need: Need, levels: Mapping[str, int]) -> str:
    """The first part that is not there, as text; empty when nothing is missing."""
    if satisfied(need, levels):
        return ""
    if need[0] == "and":
        return next(missing(part, levels) for part in need[1:] if not satisfied(part, levels))
    return text_of(need)


def text_of(need: Need) -> str:
    """The canonical text; parses back to an equal need."""
    return _text(need, inside="")


def _text(need: Need, inside: str) -> str:
    match need[0]:
        case "cmp":
            return str(need[1]) if need[2:] == (">=", 1) else f"{need[1]} {need[2]} {need[3]}"
        case "not":
            return f"not {_text(need[1], 'not')}"
        case word:
            text = f" {word} ".join(_text(part, word) for part in need[1:])
            return f"({text})" if inside else text


def relaxed(need: Need, loosen: Mapping[str, int], drop: frozenset[str], *, drop_all: bool = False) -> Need:
    """With so many levels less asked for, and what is dropped taken as there. Only what an agent must have is relaxed:
    an upper bound or a `not` is a choice of people, not a level, and falls only with the skill itself."""
    if drop_all:
        return ANY
    return _relaxed(need, loosen, drop) or ANY


def _relaxed(need: Need, loosen: Mapping[str, int], drop: frozenset[str]) -> Need | None:
    """None: always true."""
    match need[0]:
        case "cmp":
            if need[1] in drop:
                return None
            if need[1] in loosen and need[2] in {">=", ">", "=="}:
                level = need[3] - loosen[need[1]] + (need[2] == ">")
                return ("cmp", need[1], ">=", level) if level > 0 else None
            return need
        case "not":
            return None if names(need) & drop else need
        case "and":
            kept = [part for part in (_relaxed(p, loosen, drop) for p in need[1:]) if part is not None]
            return all_of(*kept) if kept else None
        case _:
            either = [_relaxed(part, loosen, drop) for part in need[1:]]
            known = [part for part in either if part is not None]
            return None if len(known) < len(either) else ("or", *known)
