"""Checking files from a command line or a page: all findings of all files, and nothing is taken up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ivr_flows.book import flow_files
from ivr_flows.findings import Finding, Severity, in_order
from ivr_flows.loader import load_file


def check(paths: Iterable[Path | str], *, queues: Collection[str] | None = None) -> list[Finding]:
    """The findings of these files, and of the flow files in these folders, in order."""
    found: list[Finding] = []
    owners: dict[str, Path] = {}
    for path in _files(paths):
        loaded = load_file(path, queues=queues)
        found += loaded.findings
        if loaded.flow is None:
            continue
        owner = owners.setdefault(loaded.flow.id, path)
        if owner != path:
            message = f"flow {loaded.flow.id!r} is already in {owner}"
            found.append(
                Finding(
                    file=str(path),
                    line=1,
                    column=1,
                    severity=Severity.ERROR,
                    code="flow.duplicate_id",
                    message=message,
                )
            )
    return in_order(found)


def _files(paths: Iterable[Path | str]) -> list[Path]:
    files: dict[Path, None] = {}
    for each in map(Path, paths):
        files |= dict.fromkeys(flow_files(each) if each.is_dir() else [each])
    return list(files)
