"""The manual in Spanish names things as the pages do: what is bold in it is a text of the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.place import CHECKOUT
from tests.support.page_texts import all_pairs

MANUAL = sorted((CHECKOUT / "docs/manual").glob("*.md"))


@pytest.mark.parametrize("path", MANUAL, ids=lambda path: path.stem)
def test_what_the_manual_names_is_there(path: Path) -> None:
    shown = {spanish for spanish, _ in all_pairs()} | {"negrita", "?"}
    named = re.findall(r"\*\*(.+?)\*\*", re.sub(r"\s+", " ", path.read_text()))
    assert named
    assert [one for one in named if one not in shown] == []


@pytest.mark.parametrize("path", MANUAL, ids=lambda path: path.stem)
def test_its_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_there_is_one_for_each_of_those_who_work_in_the_pages() -> None:
    assert {path.stem for path in MANUAL} == {"README", "agentes", "supervision", "administracion"}
