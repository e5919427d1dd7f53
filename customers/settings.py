"""The section `customers` of the settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from foundation.settings import Section


class CustomersSettings(Section):
    system: str | None = Field(default=None, description="the customer system (customer_systems) that has the cards")
    path: str = Field(default="/v1/fichas", pattern=r"^/[^\s?#]*$", description="asked with ?por=...&valor=...")
    timeout_s: float = Field(default=2.0, gt=0, le=10)
    knowledge: Path | None = Field(default=None, description="articles, scripts and numbers, instead of those shipped")
