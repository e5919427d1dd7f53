"""The versions of each flow that were saved: who, when, why, and the text. A folder of plain files, never pruned: a
version is a few kilobytes, and years later somebody asks what callers heard then."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ivr_flows.flow import version_of

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}@[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One saving. `at` is unix seconds; `by` names who did it, empty for a file that was edited in its folder."""

    version: str
    at: float
    by: str = ""
    comment: str = ""


class FlowHistory:
    """`<flow>.jsonl` has one line a saving, `<flow>@<version>.yaml` the text of each version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, flow: str, text: str, *, at: float, by: str = "", comment: str = "") -> Saved:
        """Keep a version that is put into force. Raises OSError."""
        saved = Saved(version=version_of(text), at=at, by=by, comment=comment)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(flow, saved.version)
        if path is None:
            raise ValueError(f"no flow's name: {flow!r}")
        if not path.exists():
            write_whole(path, text)
        with (self._folder / f"{flow}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(saved), ensure_ascii=False) + "\n")
        return saved

    def of(self, flow: str) -> list[Saved]:
        """Oldest first. A line that a full disk cut short is passed over, and an unreadable history is none: the
        flow itself is to be seen all the same."""
        try:
            lines = (self._folder / f"{flow}.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                found.append(Saved(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found

    def text(self, flow: str, version: str) -> str | None:
        path = self._path(flow, version)
        if path is None or not path.is_file():
            return None
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()

    def _path(self, flow: str, version: str) -> Path | None:
        # Both words may come from a page: they name a file only when they look like ours.
        name = f"{flow}@{version}"
        return self._folder / f"{name}.yaml" if _KEY.fullmatch(name) else None


def write_whole(path: Path, text: str) -> None:
    """The text under its name, whole or not at all. Raises OSError."""
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
