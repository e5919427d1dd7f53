"""YAML text to plain data with the place of every value; hostile or broken text gives findings, never an exception.

We read the parser's events and build the data ourselves. Scalars stay the text that was written and become numbers or
booleans only where a field asks for one, so that a digit ``0``, a number ``0987`` or the word ``no`` are what the
author typed. Anchors, aliases, tags and second documents are refused: flows need none, bombs need all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml import events
from yaml.error import MarkedYAMLError, YAMLError

from ivr_flows.findings import Finding, Severity
from ivr_flows.templates import UNPRINTABLE
from ivr_flows.yaml_problems import in_plain_words

# A flow of 50 nodes has about 10 kB. These stop a hostile file in well under a second.
MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 12
# The scanner looks ahead quadratically in brackets that were opened and not closed.
MAX_OPEN_BRACKETS = 64

Data: TypeAlias = "dict[str, Any] | list[Any] | str | None"
Path: TypeAlias = tuple[str | int, ...]
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# libyaml is some twenty times as fast as the parser in Python, which stands in where it was not built.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What the parser raises on text that is not YAML, beside its own errors (found by fuzzing it).
_PARSER_FAULTS = (
    YAMLError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
)


@dataclass(slots=True)
class Source:
    """A parsed file: its data, where each key and value stands (line, column from 1), and what was wrong with it."""

    file: str
    data: Data = None
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Where `path` is written; for one that is not, where its nearest parent is."""
        known: list[Path] = [()] if () in self.values else []
        here: Path = ()
        for part in path:
            if (*here, part) in self.values:
                here = (*here, part)
                known.append(here)
        if not known:
            return (1, 1)
        return self.keys.get(here, self.values[here]) if key else self.values[here]

    def add(
        self,
        path: Path,
        code: str,
        message: str,
        *,
        expected: str = "",
        suggestion: str = "",
        key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> None:
        line, column = self.place(path, key=key)
        self._found(line, column, code, message, expected, suggestion, severity)

    def _found(
        self,
        line: int,
        column: int,
        code: str,
        message: str,
        expected: str = "",
        suggestion: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(
            Finding(
                file=self.file,
                line=line,
                column=column,
                severity=severity,
                code=code,
                message=message,
                expected=expected,
                suggestion=suggestion,
            )
        )


def parse(text: str, file: str) -> Source:
    """Read one YAML document. With findings, `data` is what could be read before, or None."""
    source = Source(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        source._found(1, 1, "yaml.too_large", "the file is too large", f"at most {MAX_BYTES // 1024} kB")
        return source
    if line := _too_many_brackets(text):
        source._found(line, 1, "yaml.too_deep", "too many open brackets", f"at most {MAX_DEPTH} levels")
        return source
    try:
        suspect = "\\" in text or UNPRINTABLE.search(text) is not None
        _Builder(source, suspect=suspect).build(yaml.parse(text, Loader=_LOADER))
    except _Stop:
        pass
    except MarkedYAMLError as error:
        if told := in_plain_words(error, text):
            source._found(told[0], told[1], "yaml.syntax", told[2], told[3])
            source.data = None
            return source
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source._found(line, column, "yaml.syntax", _one_line(error.problem or error.context or "not YAML"))
        source.data = None
    except _PARSER_FAULTS as error:
        source._found(1, 1, "yaml.syntax", f"not YAML: {_one_line(str(error)) or type(error).__name__}")
        source.data = None
    return source


def decode(raw: bytes, file: str) -> tuple[str, list[Finding]]:
    """UTF-8 bytes to text; a byte that is none is a finding with its line."""
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        source = Source(file)
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        source._found(line, column, "yaml.encoding", f"byte 0x{raw[error.start]:02x} is not UTF-8", "UTF-8 text")
        return "", source.findings


def _too_many_brackets(text: str) -> int:
    """The line at which brackets are nested beyond reason; 0 for none. Brackets in quoted text count too: the limit
    leaves them room, and a closing one takes it back."""
    level = 0
    for number, line in enumerate(text.split("\n"), 1):
        for character in line:
            if character in "[{":
                level += 1
                if level > MAX_OPEN_BRACKETS:
                    return number
            elif character in "]}":
                level = max(0, level - 1)
    return 0


def _one_line(text: str) -> str:
    # The first line is the problem; the rest repeats the stream's name and position.
    return text.strip().split("\n")[0].strip()[:200]


class _Stop(Exception):
    """Enough is known: reading on would help nobody."""


@dataclass(slots=True)
class _Open:
    """A mapping or sequence being filled."""

    path: Path
    data: dict[str, Any] | list[Any]
    key: str | None = None  # of a mapping: its key has been read, its value comes next
    skip: bool = False  # the value that comes next belongs to a refused key


class _Builder:
    def __init__(self, source: Source, *, suspect: bool) -> None:
        self._source = source
        self._suspect = suspect  # there may be characters that nobody wants
        self._stack: list[_Open] = []
        self._values = 0
        self._documents = 0

    def build(self, stream: Iterator[Any]) -> None:
        for event in stream:
            # by far most of them, hence first
            if type(event) is events.ScalarEvent:
                if self._suspect or event.anchor is not None or event.tag is not None:
                    self._plain_only(event)
                self._scalar(event)
                continue
            match event:
                case events.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        self._refuse(event, "yaml.documents", "a second document", "one flow a file")
                        raise _Stop
                case events.AliasEvent():
                    self._refuse(event, "yaml.alias", f"alias *{event.anchor}", "the value itself")
                    self._value(event, None)
                case events.MappingStartEvent():
                    self._plain_only(event)
                    self._open(event, {})
                case events.SequenceStartEvent():
                    self._plain_only(event)
                    self._open(event, [])
                case events.MappingEndEvent() | events.SequenceEndEvent():
                    self._stack.pop()

    def _plain_only(self, event: Any) -> None:
        if UNPRINTABLE.search(getattr(event, "value", "")):
            self._refuse(event, "yaml.character", "a control character or half a surrogate pair", "printable text")
        if event.anchor is not None:
            self._refuse(event, "yaml.anchor", f"anchor &{event.anchor}", "no anchors")
        if event.tag is not None:
            self._refuse(event, "yaml.tag", f"tag {event.tag}"[:80], "no tags")

    def _scalar(self, event: Any) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.data, dict) and top.key is None:
            self._key(top, event)
            return
        is_null = not event.style and event.value in _NULLS
        self._value(event, None if is_null else event.value)

    def _key(self, top: _Open, event: Any) -> None:
        assert isinstance(top.data, dict)  # noqa: S101 - for the type checker; the caller looked
        top.key, path = event.value, (*top.path, event.value)
        top.skip = event.value in top.data
        if top.skip:
            line = self._source.keys[path][0]
            self._refuse(event, "yaml.duplicate_key", f"{event.value[:64]!r} is already given in line {line}")
        else:
            self._source.keys[path] = _place(event)

    def _open(self, event: Any, data: dict[str, Any] | list[Any]) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.data, dict) and top.key is None:
            self._refuse(event, "yaml.key", "a list or mapping as a key", "a word")
            raise _Stop
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, "yaml.too_deep", "nested too deeply", f"at most {MAX_DEPTH} levels")
            raise _Stop
        path = self._value(event, data)
        self._stack.append(_Open(path, data))

    def _value(self, event: Any, value: Data) -> Path:
        self._values += 1
        if self._values > MAX_VALUES:
            self._refuse(event, "yaml.too_large", "too many values", f"at most {MAX_VALUES}")
            raise _Stop
        if not self._stack:
            self._source.data = value
            self._source.values[()] = _place(event)
            return ()
        top = self._stack[-1]
        if isinstance(top.data, list):
            path: Path = (*top.path, len(top.data))
            top.data.append(value)
        else:
            assert top.key is not None  # noqa: S101 - a value follows its key
            path = (*top.path, top.key)
            skip, top.key, top.skip = top.skip, None, False
            if skip:  # the first of two equal keys stands; the second is read into nowhere
                return (*path, "(duplicate)")
            top.data[str(path[-1])] = value
        # What is left empty is at its key: the parser tells the place of whatever comes next.
        is_empty = value is None and path in self._source.keys
        self._source.values[path] = self._source.keys[path] if is_empty else _place(event)
        return path

    def _refuse(self, event: Any, code: str, message: str, expected: str = "") -> None:
        self._source._found(*_place(event), code, message, expected)


def _place(event: Any) -> tuple[int, int]:
    return (event.start_mark.line + 1, event.start_mark.column + 1)
