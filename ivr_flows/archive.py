"""Every version that has served, in a folder: for calls that outlive the daemon, and for a start where a file has
mistakes that its last good version had not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ivr_flows.flow import Flow
from ivr_flows.loader import load_file
from ivr_flows.terms import NAME

# Of one flow: far more than are edited within the longest call.
KEPT_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class FlowArchive:
    """One file a version, ``<id>@<version>.yaml``; its time is when it began to serve."""

    folder: Path

    def keep(self, flow: Flow, *, anew: bool) -> None:
        """Once a version; whole or not at all. `anew`: it has just begun to serve, perhaps not for the first time.
        Raises OSError."""
        path = self._path(flow.id, flow.version)
        if path.exists():
            if anew:
                os.utime(path)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(flow.text, encoding="utf-8", newline="")
        draft.replace(path)
        for old in self._kept(flow.id)[KEPT_VERSIONS:]:
            old.unlink(missing_ok=True)

    def version(self, flow_id: str, version: str) -> Flow | None:
        # Both words come from a stored state: they name a file only when they look like ours.
        if not (re.fullmatch(NAME, flow_id) and re.fullmatch(r"[0-9a-f]{12}", version)):
            return None
        flow = load_file(self._path(flow_id, version)).flow
        return flow if flow is not None and flow.version == version else None

    def newest(self, flow_id: str) -> Flow | None:
        """The version that served last and can still be read."""
        if not re.fullmatch(NAME, flow_id):
            return None
        versions = (self.version(flow_id, path.stem.rpartition("@")[2]) for path in self._kept(flow_id))
        return next((flow for flow in versions if flow is not None and flow.id == flow_id), None)

    def _path(self, flow_id: str, version: str) -> Path:
        return self.folder / f"{flow_id}@{version}.yaml"

    def _kept(self, flow_id: str) -> list[Path]:
        """Newest first; none where the folder cannot be read."""
        found = []
        for path in self.folder.glob(f"{flow_id}@*.yaml"):
            try:
                found.append((path.stat().st_mtime_ns, path))
            except OSError:
                continue  # gone between the two looks
        return [path for _, path in sorted(found, reverse=True)]
