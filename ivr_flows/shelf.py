"""Flows as administrators edit them: read, check, save as a new version, go back to an older one. Files stay the
truth: saving writes the flow's own file, and the book takes it up as if somebody had edited it in place."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foundation.errors import Conflict, Invalid, NotFound, Unavailable
from ivr_flows.book import SHIPPED, FlowBook
from ivr_flows.checking import check_text
from ivr_flows.findings import Finding, has_errors
from ivr_flows.flow import Flow, version_of
from ivr_flows.history import FlowHistory, Saved, write_whole
from ivr_flows.references import NOTHING_KNOWN, Known
from ivr_flows.source import MAX_BYTES, decode


class FlowMoved(Conflict):
    """Somebody else saved meanwhile."""

    code = "flows.version_moved"


class FlowRefused(Invalid):
    """The flow has errors; `facts` list them."""

    code = "flows.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`flow` is the version that serves, None where none ever did; `problems` are of the file as it is now."""

    id: str
    flow: Flow | None
    version: str
    numbers: tuple[str, ...]
    is_default: bool
    problems: tuple[Finding, ...]
    updated_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A flow file as it is now, and every version that was saved, newest first. `active` is the version that serves."""

    id: str
    text: str
    version: str
    active: str
    versions: tuple[Saved, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    flow: Flow | None
    findings: Sequence[Finding]


class FlowShelf:
    """Not thread-safe, as the book is not. `own` is the folder of what is saved here and has no file of its own outside
    of what comes with Rimay, which is never written to."""

    def __init__(self, book: FlowBook, history: FlowHistory, own: Path, *, known: Known = NOTHING_KNOWN) -> None:
        self._book = book
        self._history = history
        self._own = own
        self._known = known

    def list(self) -> Sequence[Listed]:
        return [self._listed(flow_id) for flow_id in self._book.ids()]

    def read(self, flow_id: str) -> Draft:
        """Raises `NotFound`."""
        text = self._text(flow_id)
        if text is None:
            raise NotFound(f"There is no flow {flow_id!r}.", flow=flow_id)
        serving = self._book.find(flow_id, "")
        saved = self._history.of(flow_id)
        version = version_of(text)
        if not saved or saved[-1].version != version:
            # Edited in its folder, or shipped: its time is the file's.
            saved.append(Saved(version=version, at=self._changed_at(flow_id) or 0.0))
        return Draft(
            id=flow_id,
            text=text,
            version=version,
            active=serving.version if serving else "",
            versions=tuple(reversed(saved)),
        )

    def check(self, name: str, text: str) -> Checked:
        """All that `rimay ivr check` finds, of a text that need not be saved."""
        flow, findings = check_text(
            text, f"{name}.yaml", known=self._known, flows=[flow.id for flow in self._book.flows()]
        )
        return Checked(flow, findings)

    def save(self, flow_id: str, text: str, *, base: str, at: float, by: str, comment: str) -> str:
        """A new version, which serves new calls from now on; gives its name. `base` is the version that was edited,
        empty for a new flow. Raises `FlowMoved`, `FlowRefused`, and `Unavailable` where the disk refuses."""
        if len(text.encode("utf-8", "replace")) > MAX_BYTES:
            raise FlowRefused(f"A flow has at most {MAX_BYTES // 1000} kB.")
        before = self._text(flow_id)
        present = "" if before is None else version_of(before)
        if present != base:
            raise FlowMoved(f"Flow {flow_id} was changed meanwhile.", flow=flow_id, base=base, present=present)
        self._refuse_mistakes(flow_id, text)
        path = self._path_to_write(flow_id)
        try:
            if before is not None and not self._history.of(flow_id):
                # What served until now is worth going back to.
                self._history.add(flow_id, before, at=self._changed_at(flow_id) or at)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
            saved = self._history.add(flow_id, text, at=at, by=by, comment=comment)
        except OSError as error:
            raise Unavailable(f"The flow cannot be stored: {error.strerror}.", flow=flow_id) from error
        return saved.version

    def _refuse_mistakes(self, flow_id: str, text: str) -> None:
        checked = self.check(flow_id, text)
        if has_errors(checked.findings):
            told = [str(finding) for finding in checked.findings][:20]
            raise FlowRefused(f"Flow {flow_id} has mistakes and was not saved.", problems=told)
        if checked.flow is None or checked.flow.id != flow_id:
            named = checked.flow.id if checked.flow else ""
            raise FlowRefused(f"The file's id is {named!r}, the flow that is saved is {flow_id!r}.")

    def version(self, flow_id: str, version: str) -> str:
        """The text of a version. Raises `NotFound`."""
        text = self._history.text(flow_id, version)
        if text is None:
            present = self._text(flow_id)
            if present is not None and version_of(present) == version:
                return present
            kept = self._book.version(flow_id, version)
            text = None if kept is None else kept.text
        if text is None:
            raise NotFound(f"There is no version {version!r} of flow {flow_id!r}.", flow=flow_id, version=version)
        return text

    def difference(self, flow_id: str, version: str) -> tuple[str, ...]:
        """From that version to the present file, as lines of a unified difference."""
        old, new = self.version(flow_id, version), self.read(flow_id)
        lines = difflib.unified_diff(
            old.splitlines(), new.text.splitlines(), f"{flow_id}@{version}", f"{flow_id}@{new.version}", lineterm=""
        )
        return tuple(lines)

    def roll_back(self, flow_id: str, version: str, *, at: float, by: str) -> str:
        text, present = self.version(flow_id, version), self.read(flow_id)
        comment = f"vuelve a la versión {version}"
        return self.save(flow_id, text, base=present.version, at=at, by=by, comment=comment)

    # --- files --------------------

    def _listed(self, flow_id: str) -> Listed:
        flow, text = self._book.find(flow_id, ""), self._text(flow_id)
        path = self._book.path_of(flow_id)
        findings = () if path is None else tuple(f for f in self._book.findings() if f.file == str(path))
        numbers, is_default = self._book.numbers_of(flow_id)
        return Listed(
            id=flow_id,
            flow=flow,
            version=flow.version if flow is not None else version_of(text or ""),
            numbers=numbers,
            is_default=is_default,
            problems=tuple(replace(f, file=f"{flow_id}.yaml") for f in findings),
            updated_at=self._changed_at(flow_id),
        )

    def _text(self, flow_id: str) -> str | None:
        path = self._book.path_of(flow_id)
        if path is None:
            return None
        try:
            text, findings = decode(path.read_bytes(), str(path))
            if not findings:
                return text
        except OSError:
            text = ""  # gone, or not ours to read: what serves is all there is
        serving = self._book.find(flow_id, "")
        return text if serving is None else serving.text

    def _changed_at(self, flow_id: str) -> float | None:
        path = self._book.path_of(flow_id)
        try:
            return None if path is None else path.stat().st_mtime
        except OSError:
            return None

    def _path_to_write(self, flow_id: str) -> Path:
        path = self._book.path_of(flow_id)
        return self._own / f"{flow_id}.yaml" if path is None or path.parent == SHIPPED else path
