"""A YAML text as plain values, with the place of every key and value, and every mistake of form found on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

# A settings file has hundreds of values; more means aliases that multiply ("billion laughs").
_MAX_VALUES = 100_000

Path: TypeAlias = tuple[str | int, ...]


class Place(NamedTuple):
    """One-based line and column; `None` for what came from the command line."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mistake:
    place: Place | None
    key: str  # dotted; empty for the file as a whole
    message: str


@dataclass(slots=True)
class Document:
    """`places` has each mapping entry at its key and each list item at its value."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Place | None] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def place(self, path: Path) -> Place | None:
        """Of the nearest ancestor that stands in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(1, 1)

    def override(self, dotted: str, value: object) -> None:
        """Set one value from outside; its mistakes are told without a line."""
        here: Any = self.values
        path: list[str | int] = []
        *parents, last = dotted.split(".")
        for name in parents:
            path.append(_index(here, name))
            if isinstance(here, dict):
                here = here.setdefault(name, {})
            elif isinstance(here, list) and isinstance(path[-1], int) and path[-1] < len(here):
                here = here[path[-1]]
            else:
                break
        key = _index(here, last)
        if len(path) == len(parents) and isinstance(here, dict):
            here[last] = value
        elif len(path) == len(parents) and isinstance(here, list) and isinstance(key, int) and key < len(here):
            here[key] = value
        else:
            self.mistakes.append(Mistake(None, dotted, "there is no such place in the settings"))
            return
        self.places[(*path, key)] = None


def _index(parent: object, name: str) -> str | int:
    return int(name) if isinstance(parent, Sequence) and name.isdecimal() else name


def parse(text: str) -> Document:
    document = Document()
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        document.mistakes.append(_syntax(error))
        return document
    except (YAMLError, ValueError) as error:
        # Unprintable characters. The error's own text would show the line, and a secret with it.
        position = getattr(error, "position", None)
        place = None if position is None else _count(text, position)
        document.mistakes.append(Mistake(place or Place(1, 1), "", "YAML: a character that is not allowed in text"))
        return document
    if root is None or (isinstance(root, ScalarNode) and _tag(root) == "null"):
        return document
    if not isinstance(root, MappingNode):
        document.mistakes.append(Mistake(_place(root), "", "expected 'key: value' lines at the top"))
        return document
    document.values = _Reader(document, yaml).mapping(root, ())
    return document


class _Reader:
    def __init__(self, document: Document, yaml: YAML) -> None:
        self.document = document
        self.yaml = yaml
        self.open: set[int] = set()  # nodes we are inside of: an alias to one of them would never end
        self.count = 0

    def value(self, node: Any, path: Path) -> Any:
        self.count += 1
        if id(node) in self.open:
            return self.wrong(node, path, "this alias contains itself")
        if self.count > _MAX_VALUES:
            if self.count == _MAX_VALUES + 1:
                self.wrong(node, path, f"more than {_MAX_VALUES} values; do aliases multiply?")
            return None
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if _tag(node) not in {"map", "seq"}:
            return self.wrong(node, path, "a tag that settings do not know")
        return self.mapping(node, path) if isinstance(node, MappingNode) else self.sequence(node, path)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        self.open.add(id(node))
        result: dict[str, Any] = {}
        first: dict[str, Place] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.wrong(key_node, path, "a key must be one word")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in result:
                self.wrong(key_node, here, f"duplicate key, first set in line {first[key].line}")
                continue
            first[key] = _place(key_node)
            self.document.places[here] = first[key]
            result[key] = self.value(value_node, here)
        self.open.discard(id(node))
        return result

    def sequence(self, node: SequenceNode, path: Path) -> list[Any]:
        self.open.add(id(node))
        result = []
        for index, item in enumerate(node.value):
            self.document.places[(*path, index)] = _place(item)
            result.append(self.value(item, (*path, index)))
        self.open.discard(id(node))
        return result

    def scalar(self, node: ScalarNode, path: Path) -> Any:
        match _tag(node):
            case "str" | "timestamp":  # a date stays text, its field's type reads it
                return node.value
            case "int" | "float" | "bool" | "null":
                try:
                    return self.yaml.constructor.construct_object(node)
                except (YAMLError, ValueError, KeyError):
                    return self.wrong(node, path, "a value that does not fit its tag")
            case _:
                return self.wrong(node, path, "a tag that settings do not know")

    def wrong(self, node: Any, path: Path, message: str) -> None:
        self.document.mistakes.append(Mistake(_place(node), dotted(path), message))


def dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)


def _syntax(error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    what = " ".join(part for part in (error.problem, error.context) if part)
    if "but found another document" in what:
        what = "a second document begins here (---); a file is one document"
    return Mistake(Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1), "", f"YAML: {what}")


def _place(node: Any) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _count(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def _tag(node: Any) -> str:
    return str(node.tag).rsplit(":", 1)[-1]
