"""Ports of the servers that tests start: claimed as the product claims its own, so that no two tests, platforms or runs
side by side ever choose the same."""

from __future__ import annotations

from pathlib import Path

from app.place import Place, cache_folder
from app.ports import Ports


def ports_of(folder: Path) -> Ports:
    """Of whatever lives in that folder; the claim ends with the folder."""
    return Ports(Place(var=folder, cache=cache_folder(), user=None))
