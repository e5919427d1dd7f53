"""The `recording` section of the settings."""

from __future__ import annotations

from pydantic import Field

from foundation.settings import Section


class RecordingSettings(Section):
    folder: str | None = Field(default=None, description="recordings/ in the var folder when empty")
    min_free_mb: int = Field(default=200, ge=0, description="below this nothing more is recorded, and an alert says so")
