"""What is wrong with a flow file, said so that its author can mend it: where, what, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # the flow is not taken
    WARNING = "warning"  # it runs, and somebody should look at it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake or doubt. Lines and columns count from 1. `code` is stable (``node.unknown_target``)."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    expected: str = ""
    suggestion: str = ""  # the word that was probably meant

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.suggestion:
            text += f"; did you mean {self.suggestion!r}?"
        return f"{text} [{self.code}]"


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(f.severity is Severity.ERROR for f in findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(set(findings), key=lambda f: (f.file, f.line, f.column, f.severity, f.code, f.message))


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ``""``."""
    # difflib is quadratic in the word's length; nobody's slip is longer than this.
    matches = difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""
