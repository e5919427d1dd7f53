"""The configuration in force, as a file of its own: applied as a whole or not at all, exported as it stands.

The file holds the very text that was applied, comments and all: YAML is the truth, and who reads it again finds what
they wrote. Its revision is a digest of that text."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ruamel.yaml import YAML

from callcontrol.routing.config import RoutingConfig
from foundation.errors import Conflict
from foundation.settings import load, load_text

FILE = "routing.yaml"


class RevisionMoved(Conflict):
    """Somebody else put another configuration in force since this one was read."""

    code: ClassVar[str] = "organisation.revision_moved"


@dataclass(frozen=True, slots=True)
class Change:
    """`before` or `after` is None where there was, or is, nothing."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {_short(self.after)}"
        if self.after is None:
            return f"- {self.path}: {_short(self.before)}"
        return f"~ {self.path}: {_short(self.before)} -> {_short(self.after)}"


def read(path: Path) -> RoutingConfig:
    """Raises `SettingsError` with every mistake, its line and column."""
    return load(RoutingConfig, path)


def read_text(text: str, name: str = "organisation") -> RoutingConfig:
    return load_text(RoutingConfig, text, name)


def in_force(folder: Path) -> RoutingConfig:
    """What was applied last; the empty organisation before the first time."""
    path = folder / FILE
    return read(path) if path.exists() else RoutingConfig()


def text_in_force(folder: Path) -> str:
    """As it was written; empty before the first time."""
    path = folder / FILE
    return path.read_text(encoding="utf-8") if path.exists() else ""


def revision_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apply(path: Path, folder: Path, *, dry_run: bool = False) -> list[Change]:
    """Reads and checks the file, then puts it in force. What changed, in the file's order; nothing the second time.
    A wrong file raises before anything is touched."""
    wanted = read(path)
    if dry_run:
        return differences(in_force(folder), wanted)
    with _alone(folder):
        changes = differences(in_force(folder), wanted)
        if changes:
            _write(folder / FILE, path.read_text(encoding="utf-8"))
    return changes


def put(text: str, folder: Path, base: str) -> list[Change]:
    """Puts the text in force where `base` is still the revision there; else raises `RevisionMoved`."""
    wanted = read_text(text)
    with _alone(folder):
        before = text_in_force(folder)
        check_revision(before, base)
        changes = differences(in_force(folder), wanted)
        if text != before:
            _write(folder / FILE, text)
    return changes


def check_revision(before: str, base: str) -> None:
    """Raises `RevisionMoved` where the text in force is not the one that was read."""
    if revision_of(before) != base:
        raise RevisionMoved("The organisation was changed by somebody else meanwhile.", revision=revision_of(before))


def export(config: RoutingConfig) -> str:
    """As YAML, without what is the default: applying it changes nothing."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    out = io.StringIO()
    yaml.dump(config.model_dump(mode="json", exclude_defaults=True), out)
    return out.getvalue()


def differences(before: RoutingConfig, after: RoutingConfig) -> list[Change]:
    old, new = _flat(before.model_dump(mode="json")), _flat(after.model_dump(mode="json"))
    paths = [*new, *(path for path in old if path not in new)]
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _flat(value: object, path: str = "") -> dict[str, Any]:
    """Leaves by their path; entries of a list by their name, so that moving one is no change of all."""
    if isinstance(value, Mapping) and value:
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{path}.{key}".lstrip(".")).items()}
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        flat: dict[str, Any] = {}
        for n, entry in enumerate(value):
            name = entry.get("name") if "id" not in entry else entry["id"]
            flat |= _flat({k: v for k, v in entry.items() if k not in ("id",)}, f"{path}[{name or n}]")
        return flat
    return {} if value in ({}, [], None, "") else {path: value}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of two who put something in force at once, pages or commands, the second sees what the first did. The lock is on
    the folder itself and goes with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also when the power fails."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
