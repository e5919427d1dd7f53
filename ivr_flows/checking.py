"""Checking files from a command line or a page: all findings of all files, and nothing is taken up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ivr_flows.book import flow_files
from ivr_flows.entering import unknown_flows
from ivr_flows.findings import Finding, Severity, in_order
from ivr_flows.flow import Flow
from ivr_flows.loader import load, load_file
from ivr_flows.references import NOTHING_KNOWN, Known


def check(paths: Iterable[Path | str], *, known: Known = NOTHING_KNOWN) -> list[Finding]:
    """The findings of these files, and of the flow files in these folders, in order. Flows that enter others find them
    among these files and those that lie beside them."""
    found: list[Finding] = []
    owners: dict[str, Path] = {}
    flows: list[tuple[Path, Flow]] = []
    for path in _files(paths):
        loaded = load_file(path, known=known)
        found += loaded.findings
        if loaded.flow is None:
            continue
        flows.append((path, loaded.flow))
        owner = owners.setdefault(loaded.flow.id, path)
        if owner != path:
            found.append(_error(path, (1, 1), "flow.duplicate_id", f"flow {loaded.flow.id!r} is already in {owner}"))
    for path, flow in flows:
        found += unknown_flows(str(path), flow, {*owners, *_beside(path, flow)})
    return in_order(found)


def check_text(
    text: str, file: str, *, known: Known = NOTHING_KNOWN, flows: Collection[str] = ()
) -> tuple[Flow | None, list[Finding]]:
    """The same of one flow's text, which may enter these `flows` and itself."""
    loaded = load(text, file, known=known)
    if loaded.flow is None:
        return None, loaded.findings
    unknown = unknown_flows(file, loaded.flow, {*flows, loaded.flow.id})
    return loaded.flow, in_order([*loaded.findings, *unknown])


def load_all(paths: Iterable[Path | str]) -> dict[str, Flow]:
    """The valid flows of these files and folders, by id; the first of two with one id."""
    flows: dict[str, Flow] = {}
    for path in _files(paths):
        flow = load_file(path).flow
        if flow is not None:
            flows.setdefault(flow.id, flow)
    return flows


def _beside(path: Path, flow: Flow) -> set[str]:
    """Ids of the flows in the same folder, where this one names any."""
    if not flow.enters:
        return set()
    return set(load_all(each for each in flow_files(path.parent) if each != path))


def _error(file: Path | str, spot: tuple[int, int], code: str, message: str) -> Finding:
    return Finding(
        file=str(file),
        line=spot[0],
        column=spot[1],
        severity=Severity.ERROR,
        code=code,
        message=message,
    )


def _files(paths: Iterable[Path | str]) -> list[Path]:
    files: dict[Path, None] = {}
    for each in map(Path, paths):
        files |= dict.fromkeys(flow_files(each) if each.is_dir() else [each])
    return list(files)
