"""The configuration in force, as a file of its own: applied as a whole or not at all, exported as it stands.

The file holds the very text that was applied, comments and all: YAML is the truth, and who reads it again finds what
they wrote. Its revision is a digest of that text."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import io
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ruamel.yaml import YAML

from callcontrol.routing.config import RoutingConfig
from callcontrol.routing.config_doubts import doubts_of
from foundation.errors import Conflict
from foundation.settings import Mistake, Place, SettingsError, load_text, text_of
from foundation.settings_yaml import dotted, parse

FILE = "routing.yaml"
LAST_GOOD = "routing.last-good.yaml"


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


@dataclass(frozen=True, slots=True)
class Applied:
    """`written`: the text differs from what was in force, if only in comments or order (`changes` is then empty)."""

    changes: list[Change]
    written: bool


def read(path: Path) -> RoutingConfig:
    """Raises `SettingsError` with every mistake, its line and column."""
    return read_text(text_of(path), str(path))


def read_text(text: str, name: str = "organisation") -> RoutingConfig:
    config = load_text(RoutingConfig, text, name)
    if not config.model_fields_set:
        # What a full disk or a slip leaves of a file. A centre without queues is one that says `queues: []`.
        raise SettingsError(name, [Mistake(Place(1, 1), "", "the document is empty; nothing is changed by it")])
    return config


def in_force(folder: Path) -> RoutingConfig:
    """What was applied last; the empty organisation before the first time."""
    path = folder / FILE
    return read(path) if path.exists() else RoutingConfig()


def last_good(folder: Path) -> RoutingConfig:
    """The one that was put in force last, by `apply` or `put`: for when somebody spoiled the file by hand."""
    path = folder / LAST_GOOD
    return read(path) if path.exists() else RoutingConfig()


def _before(folder: Path) -> RoutingConfig:
    """What serves now: a file that was spoilt by hand must not keep a good one out."""
    try:
        return in_force(folder)
    except SettingsError:
        return last_good(folder)


def text_in_force(folder: Path) -> str:
    """As it was written; empty before the first time."""
    path = folder / FILE
    return path.read_bytes().decode() if path.exists() else ""


def revision_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def apply(path: Path, folder: Path, *, dry_run: bool = False, empty: bool = False) -> Applied:
    """Reads and checks the file, then puts it in force, word for word. What changed, in the file's order; nothing the
    second time. A wrong file raises before anything is touched; so does one that leaves no queue or no agent of those
    there are, unless `empty`."""
    text = text_of(path)
    wanted = read_text(text, str(path))
    if dry_run:
        return _would(text, wanted, folder, str(path), empty=empty)
    with _alone(folder):
        return _put(text, wanted, folder, str(path), empty=empty)


def put(text: str, folder: Path, base: str) -> list[Change]:
    """Puts the text in force where `base` is still the revision there; else raises `RevisionMoved`."""
    wanted = read_text(text)
    with _alone(folder):
        check_revision(text_in_force(folder), base)
        return _put(text, wanted, folder).changes


def _would(text: str, wanted: RoutingConfig, folder: Path, name: str, *, empty: bool) -> Applied:
    before = _before(folder)
    if not empty:
        check_not_emptied(before, wanted, name)
    return Applied(differences(before, wanted), text != text_in_force(folder))


def _put(text: str, wanted: RoutingConfig, folder: Path, name: str = "organisation", *, empty: bool = False) -> Applied:
    done = _would(text, wanted, folder, name, empty=empty)
    if done.written:
        _write(folder / FILE, text)
        _write(folder / LAST_GOOD, text)
    return done


def check_not_emptied(before: RoutingConfig, wanted: RoutingConfig, name: str = "organisation") -> None:
    """Raises `SettingsError` where all queues or all agents would go: more often a slip than meant."""
    gone = [what for what in ("queues", "agents") if getattr(before, what) and not getattr(wanted, what)]
    if gone:
        message = "this would remove all of them; `rimay apply --empty` does, if it is meant"
        raise SettingsError(name, [Mistake(Place(1, 1), what, message) for what in gone])


def doubts(path: Path, today: dt.date, phones: Collection[str] | None = None) -> list[Mistake]:
    """Of a file without mistakes: what is hardly meant, each with its place."""
    text = text_of(path)
    document = parse(text)
    found = [
        Mistake(document.place(doubt.path), dotted(doubt.path), doubt.message)
        for doubt in doubts_of(read_text(text, str(path)), today, phones)
    ]
    return sorted(found, key=lambda one: one.place or Place(1, 1))


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
    old, new = _leaves(before), _leaves(after)
    paths = [*new, *(path for path in old if path not in new)]
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _leaves(config: RoutingConfig) -> dict[str, Any]:
    """An empty value is told where somebody wrote it (a special day without hours is a closed one), not where it is
    only the default."""
    said = _flat(config.model_dump(mode="json", exclude_defaults=True))
    return {path: v for path, v in _flat(config.model_dump(mode="json")).items() if v not in _EMPTY or path in said}


_EMPTY: tuple[object, ...] = ({}, [], None, "")


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
    return {path: value}


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
    with new.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
