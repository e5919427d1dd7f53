"""The configuration in force, as a file of its own: applied as a whole or not at all, exported as it stands."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from callcontrol.routing.config import RoutingConfig
from foundation.settings import load

FILE = "routing.yaml"


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


def in_force(folder: Path) -> RoutingConfig:
    """What was applied last; the empty organisation before the first time."""
    path = folder / FILE
    return read(path) if path.exists() else RoutingConfig()


def apply(path: Path, folder: Path, *, dry_run: bool = False) -> list[Change]:
    """Reads and checks the file, then puts it in force. What changed, in the file's order; nothing the second time.
    A wrong file raises before anything is touched."""
    wanted = read(path)
    changes = differences(in_force(folder), wanted)
    if changes and not dry_run:
        _write(folder / FILE, export(wanted))
    return changes


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


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also when the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
