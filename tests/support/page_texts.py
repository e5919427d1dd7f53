"""The pages' dictionaries: each key with its Spanish and its English words, as they are written in TypeScript."""

from __future__ import annotations

import json
import re
from pathlib import Path

import softphone_web

SOURCES = Path(softphone_web.__file__).parent / "pages/src"
_WORDS = r'"((?:[^"\\]|\\.)*)"'
_ENTRY = re.compile(rf"(?:^|[{{,]|\*/)\s*(?:(\w+)|{_WORDS}):\s*\[{_WORDS},\s*{_WORDS}\]", re.M)


def read(path: Path) -> dict[str, tuple[str, str]]:
    """Key -> (Spanish, English)."""
    found = {}
    for bare, quoted, spanish, english in _ENTRY.findall(path.read_text()):
        found[bare or quoted] = (json.loads(f'"{spanish}"'), json.loads(f'"{english}"'))
    return found


def all_pairs() -> set[tuple[str, str]]:
    """All (Spanish, English) of all pages."""
    pairs: set[tuple[str, str]] = set()
    for path in SOURCES.rglob("*.ts*"):
        if "texts(" in path.read_text() and ".test." not in path.name:
            pairs.update(read(path).values())
    return pairs
