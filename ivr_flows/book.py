"""The flows in use: which one a number begins, taking up changed files, and the versions that calls still run."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivr_flows import engine
from ivr_flows.archive import KEPT_VERSIONS, FlowArchive
from ivr_flows.entering import CODE, unknown_flows
from ivr_flows.faults import NoFlow
from ivr_flows.findings import Finding, Severity, has_errors, in_order
from ivr_flows.flow import Flow
from ivr_flows.loader import Loaded, load_file
from ivr_flows.protocol import Input, Note
from ivr_flows.references import NOTHING_KNOWN, Known
from ivr_flows.settings import FlowSettings
from ivr_flows.state import FlowState

SHIPPED = Path(__file__).parent / "flows"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a look at the files found. `taken` serves new calls from now on; the files in `refused` have errors, and the
    last good version of each, where there was one, goes on serving."""

    taken: tuple[Flow, ...] = ()
    withdrawn: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()  # of all files that were read now

    @property
    def changed(self) -> bool:
        return bool(self.taken or self.withdrawn or self.refused)


@dataclass(slots=True)
class _File:
    stamp: tuple[int, int]
    flow: Flow | None  # the last good one
    findings: list[Finding] = field(default_factory=list)


class FlowBook:
    """Calls read it, the daemon refreshes it; both from one thread. It reads files, small and local, and nothing else.

    `archive` is a folder where each version is kept that has served, so that a call which outlives the daemon finds its
    own again; a flow whose file has mistakes, or is gone, when the daemon starts serves in its last version from there.
    `own` is the folder of flows that are saved from pages; it goes before all others."""

    def __init__(
        self,
        settings: FlowSettings,
        *,
        archive: Path | None = None,
        known: Known = NOTHING_KNOWN,
        own: Path | None = None,
    ) -> None:
        self._settings = settings
        self._archive = None if archive is None else FlowArchive(archive)
        self._known = known
        self._files: dict[Path, _File] = {}
        self._current: dict[str, Flow] = {}
        self._versions: dict[tuple[str, str], Flow] = {}
        self._unkept: list[Finding] = []  # of the archive
        self._owners: dict[str, Path] = {}  # whose file each flow is
        folders = [*([own] if own is not None else []), *(Path(folder) for folder in settings.folders)]
        self._folders = [*folders, SHIPPED] if settings.shipped else folders

    # --- for calls --------------------

    def choose(self, number: str) -> Flow:
        """The flow that a call to this number begins. Raises `NoFlow`."""
        wanted = next((e.flow for e in self._settings.entries if _fits(e.number, number)), self._settings.default)
        flow = self._current.get(wanted) or self._current.get(self._settings.default)
        if flow is None:
            raise NoFlow(f"flow {wanted!r} is not loaded", flow=wanted)
        return flow

    def begin(self, number: str) -> FlowState:
        """The first state of a call to this number; its first input is `Begin`."""
        return engine.begin(self.choose(number))

    def find(self, flow_id: str, version: str) -> Flow | None:
        """That version, or the present one (``""``), for flows that enter others."""
        return self.version(flow_id, version) if version else self._current.get(flow_id)

    def step(self, state: FlowState, heard: Input, at: float | None = None) -> engine.Step:
        """One step of a call in its own version. Where that is lost, the flow's present version takes over."""
        flow = self.version(state.flow, state.version)
        if flow is not None:
            return engine.step(flow, state, heard, at=at, find=self.find)
        flow = self._current.get(state.flow) or self._current.get(self._settings.default)
        if flow is None:
            raise NoFlow(f"flow {state.flow!r} is not loaded", flow=state.flow, version=state.version)
        after, actions = engine.step(flow, engine.moved(flow, state), heard, at=at, find=self.find)
        lost = {"flow": state.flow, "version": state.version, "node": state.node, "now": flow.version}
        return engine.Step(after, (Note("flow.version_lost", lost), *actions))

    def version(self, flow_id: str, version: str) -> Flow | None:
        """That version, from memory or from the archive."""
        return self._versions.get((flow_id, version)) or self._from_archive(flow_id, version)

    # --- for the daemon and for admins --------------------

    def flows(self) -> list[Flow]:
        return sorted(self._current.values(), key=lambda flow: flow.id)

    def ids(self) -> list[str]:
        """Of all flows, and of files that were never good, whose name stands in."""
        return sorted({*self._current, *(path.stem for path, file in self._files.items() if file.flow is None)})

    def path_of(self, flow_id: str) -> Path | None:
        """The file that the flow comes from, or would, were it without mistakes."""
        broken = (path for path, file in self._files.items() if file.flow is None and path.stem == flow_id)
        return self._owners.get(flow_id) or next(broken, None)

    @property
    def serves(self) -> bool:
        """Whether every call finds a flow: the default one, in any version."""
        return self._settings.default in self._current

    def served_from(self, path: str) -> Flow | None:
        """What serves in the name of this file: the flow that is in it, or its last good version."""
        file = self._files.get(Path(path))
        return None if file is None else file.flow

    def numbers_of(self, flow_id: str) -> tuple[tuple[str, ...], bool]:
        """The patterns of the numbers that begin it, and whether all other numbers do, too."""
        numbers = tuple(entry.number for entry in self._settings.entries if entry.flow == flow_id)
        return numbers, flow_id == self._settings.default

    def findings(self) -> list[Finding]:
        """What is wrong now, with the files and with the settings' references to flows."""
        found = [*(finding for file in self._files.values() for finding in file.findings), *self._unkept]
        missing = [flow_id for flow_id in self._named() if flow_id not in self._current]
        return found + [_error("settings", "flow.none", f"flow {flow_id!r} is not loaded") for flow_id in missing]

    def refresh(self) -> Refreshed:
        """Look at the folders: take up what is new or changed and valid, keep the last good one of what is not."""
        paths = self._paths()
        before = dict(self._current)
        fresh = [path for path, stamp in paths.items() if self._is_new(path, stamp)]
        self._read({path: paths[path] for path in fresh})
        self._forget(set(self._files) - set(paths))
        fresh += self._read_again(paths) if fresh else []
        self._current = self._by_id()
        if self._stand_in_for_missing():
            self._current = self._by_id()
        for flow in self._current.values():
            self._keep(flow)
        self._archive_current(before)
        return Refreshed(
            taken=tuple(f for f in self.flows() if before.get(f.id) is not f and not _same(before.get(f.id), f)),
            withdrawn=tuple(sorted(set(before) - set(self._current))),
            refused=tuple(str(path) for path in fresh if has_errors(self._files[path].findings)),
            findings=(*(finding for path in fresh for finding in self._files[path].findings), *self._unkept),
        )

    def _paths(self) -> dict[Path, tuple[int, int]]:
        """The files there are, in order of precedence, with what tells a changed one."""
        found: dict[Path, tuple[int, int]] = {}
        for folder in self._folders:
            for path in flow_files(folder):
                try:
                    stat = path.stat()
                except OSError:
                    continue  # gone between the two looks
                found.setdefault(path, (stat.st_mtime_ns, stat.st_size))
        return found

    def _is_new(self, path: Path, stamp: tuple[int, int]) -> bool:
        known = self._files.get(path)
        return known is None or known.stamp != stamp

    def _read(self, stamps: Mapping[Path, tuple[int, int]]) -> None:
        """These files together, as they were saved together. What enters a flow that there is not is refused like any
        other mistake; only at the start it serves where nothing better is to be had, as its other ways lead on."""
        loaded = {path: load_file(path, known=self._known) for path in stamps}
        former = {path: self._former(path) for path, each in loaded.items() if each.flow is None}
        valid = {path: each.flow for path, each in loaded.items()}
        while wrong := self._unknown(loaded, former, valid):
            for path, found in wrong.items():
                loaded[path] = Loaded(None, in_order([*loaded[path].findings, *found]))
                former[path] = self._former(path)
        for path, each in loaded.items():
            flow, last = each.flow or former.get(path), self._files.get(path)
            if flow is None and not self._current:
                flow = valid[path]
            if flow is not None and last is not None and last.flow is not None and _same(flow, last.flow):
                flow = last.flow  # touched, not changed
            self._files[path] = _File(stamps[path], flow, each.findings)

    def _unknown(
        self,
        loaded: Mapping[Path, Loaded],
        former: Mapping[Path, Flow | None],
        valid: Mapping[Path, Flow | None],
    ) -> dict[Path, list[Finding]]:
        """Which of the loaded flows enter flows that there are not."""
        others = (file.flow for path, file in self._files.items() if path not in loaded)
        serving = [*others, *(each.flow for each in loaded.values()), *former.values()]
        known = {flow.id for flow in [*serving, *(() if self._current else valid.values())] if flow is not None}
        flows = {path: each.flow for path, each in loaded.items() if each.flow is not None}
        found = {path: unknown_flows(str(path), flow, known) for path, flow in flows.items()}
        return {path: findings for path, findings in found.items() if findings}

    def _read_again(self, paths: Mapping[Path, tuple[int, int]]) -> list[Path]:
        """What was refused for a flow that was not there, after others have changed; those where that changed
        something."""
        refused = {path: file for path, file in self._files.items() if any(f.code == CODE for f in file.findings)}
        self._read({path: paths[path] for path in refused if path in paths})
        return [path for path, file in refused.items() if self._files[path].findings != file.findings]

    def _former(self, path: Path) -> Flow | None:
        """What served from this file until now."""
        known = self._files.get(path)
        return (known.flow if known is not None else None) or self._last_served(path)

    def _last_served(self, path: Path) -> Flow | None:
        """Of a file that has mistakes when the daemon starts: its flow's last version in the archive."""
        return None if self._archive is None else self._archive.newest(_id_written(path))

    def _stand_in_for_missing(self) -> bool:
        """A flow that a number leads to and whose file is gone serves in its last version as well."""
        before = len(self._files)
        for flow_id in self._named() if self._archive is not None and self._folders else ():
            flow = None if flow_id in self._current else self._last_served(Path(f"{flow_id}.yaml"))
            if flow is not None:
                path = self._folders[0] / f"{flow_id}.yaml"
                self._files.setdefault(path, _File((0, 0), flow, [_gone(path, flow)]))
        return len(self._files) > before

    def _named(self) -> list[str]:
        """The flows that numbers lead to."""
        return list(dict.fromkeys([*(entry.flow for entry in self._settings.entries), self._settings.default]))

    def _forget(self, gone: Collection[Path]) -> None:
        """A deleted file's flow is withdrawn, unless a number or another flow leads to it: then its last version serves
        on."""
        there = [file.flow for path, file in self._files.items() if path not in gone and file.flow is not None]
        named = {*self._named(), *(name for flow in there for name in flow.enters)}
        for path in sorted(gone):
            flow = self._files[path].flow
            if flow is None or flow.id not in named or any(flow.id == f.id for f in self._others(path)):
                del self._files[path]
            else:
                self._files[path] = _File((0, 0), flow, [_gone(path, flow)])

    def _others(self, path: Path) -> list[Flow]:
        return [file.flow for other, file in self._files.items() if other != path and file.flow is not None]

    def _by_id(self) -> dict[str, Flow]:
        """The flows by id. A folder that is named earlier wins; two files of one folder are a mistake."""
        order = {folder: index for index, folder in enumerate(self._folders)}
        owners: dict[str, Path] = {}
        current: dict[str, Flow] = {}
        for path in sorted(self._files, key=lambda p: (order.get(p.parent, len(order)), p.name)):
            file = self._files[path]
            file.findings = [finding for finding in file.findings if finding.code != "flow.duplicate_id"]
            if file.flow is None:
                continue
            owner = owners.setdefault(file.flow.id, path)
            if owner == path:
                current[file.flow.id] = file.flow
            elif owner.parent == path.parent:
                text = f"flow {file.flow.id!r} is already in {owner.name}"
                file.findings.append(_error(str(path), "flow.duplicate_id", text))
        self._owners = owners
        return current

    def _keep(self, flow: Flow) -> None:
        if (flow.id, flow.version) in self._versions:
            return
        mine = [key for key in self._versions if key[0] == flow.id]
        for key in mine[: max(0, len(mine) - KEPT_VERSIONS + 1)]:
            del self._versions[key]
        self._versions[flow.id, flow.version] = flow

    def _archive_current(self, before: Mapping[str, Flow]) -> None:
        """A full disk must not keep a flow from serving; it is told, and tried again at the next look."""
        self._unkept = []
        for flow in self.flows() if self._archive is not None else ():
            assert self._archive is not None  # noqa: S101 - for the type checker
            try:
                self._archive.keep(flow, anew=not _same(before.get(flow.id), flow))
            except OSError as error:
                text = f"{flow} cannot be kept for calls that outlive the daemon: {error.strerror or error}"
                # A warning: calls are served as well as ever, as long as the daemon lives.
                problem = _error(str(self._archive.folder), "archive.unwritable", text)
                self._unkept.append(replace(problem, severity=Severity.WARNING))

    def _from_archive(self, flow_id: str, version: str) -> Flow | None:
        flow = None if self._archive is None else self._archive.version(flow_id, version)
        if flow is not None:
            self._versions[flow_id, version] = flow
        return flow


def flow_files(folder: Path) -> list[Path]:
    """The flow files of a folder, by name; none of a folder that is not there."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith("."))


def _id_written(path: Path) -> str:
    """The id that a file with mistakes has written, else the file's name."""
    try:
        written = re.search(rb"^id:[ \t]*[\"']?([a-z0-9][a-z0-9_-]{0,63})", path.read_bytes(), re.MULTILINE)
    except OSError:
        written = None
    return path.stem if written is None else written[1].decode()


def _gone(path: Path, flow: Flow) -> Finding:
    return _error(str(path), "file.gone", f"the file is gone; version {flow.version} of flow {flow.id!r} serves on")


def _fits(pattern: str, number: str) -> bool:
    return fnmatch.fnmatchcase(number, pattern)


def _same(one: Flow | None, other: Flow) -> bool:
    return one is not None and (one.id, one.version) == (other.id, other.version)


def _error(file: str, code: str, message: str) -> Finding:
    return Finding(file=file, line=1, column=1, severity=Severity.ERROR, code=code, message=message)
