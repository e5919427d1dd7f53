"""Sheets edit a document, people read YAML: what did not change stays as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcontrol.routing.config_edit import NotADocument, document_of, render
from callcontrol.routing.config_store import RevisionMoved, in_force, put, read, read_text, revision_of, text_in_force
from foundation.settings import SettingsError

ETAPA = (Path(__file__).resolve().parents[3] / "config/etapa.yaml").read_text()


def test_a_changed_value_changes_its_line_only() -> None:
    document = document_of(ETAPA)
    water = next(q for q in document["queues"] if q["name"] == "agua-potable")
    water["max_wait_s"] = 600
    document["agents"][0]["name"] = "Rosa Quito"
    changed = render(ETAPA, document)
    assert read_text(changed).queues[0].max_wait_s == 600
    before, after = ETAPA.splitlines(), changed.splitlines()
    gone = [line for line in before if line not in after]
    assert [line.strip() for line in gone if "max_wait_s" in line or "cc-01" in line] == [
        "- {id: cc-01, name: Contact Center 01, team: contact-center, skills: {internet: 3, english: 3}}"
    ]
    assert [line for line in before if line.lstrip().startswith("#")] == [
        line for line in after if line.lstrip().startswith("#")
    ]


def test_entries_come_go_and_move() -> None:
    document = document_of(ETAPA)
    document["teams"].reverse()
    document["agents"] = [a for a in document["agents"] if a["id"] != "cc-02"]
    document["agents"].append({"id": "nueva", "name": "Nueva", "team": "monitoreo"})
    document["dispositions"]["nueva"] = "Nueva"
    document["calendars"]["extendido"]["special"]["2027-12-24"] = ["07:00-12:00"]
    del document["reasons"]["bano"]
    changed = render(ETAPA, document)
    assert document_of(changed) == document
    config = read_text(changed)
    assert [team.name for team in config.teams] == ["centro-de-gestion", "monitoreo", "contact-center"]
    assert "cc-02" not in {a.id for a in config.agents}


def test_from_nothing_and_of_nothing() -> None:
    assert document_of("") == {}
    assert document_of(render("", {"skills": {"agua": "Agua"}})) == {"skills": {"agua": "Agua"}}
    for text in ("- a\n", "a: [", "solo texto"):
        with pytest.raises(NotADocument):
            document_of(text)


_LEAF = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["x", "no", "8:00", "2026-01-01", ""])
_TREE: Any = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name", "id"]), inner, max_size=3)
    ),
    max_leaves=12,
)
_DOCUMENT = st.dictionaries(st.sampled_from(["a", "b", "c"]), _TREE, max_size=3)


@given(_DOCUMENT, _DOCUMENT)
def test_whatever_changes_the_text_says_the_document(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = render(render("", before), after)
    assert document_of(text) == after


def test_put_in_force_once_and_not_over_anothers_change(tmp_path: Path) -> None:
    text = "skills: {agua: Agua}  # por ahora\n"
    assert [str(c) for c in put(text, tmp_path, revision_of(""))] == ["+ skills.agua: Agua"]
    assert text_in_force(tmp_path) == text
    with pytest.raises(RevisionMoved):
        put("skills: {luz: Luz}\n", tmp_path, revision_of(""))
    with pytest.raises(SettingsError) as caught:
        put("skills: {agua: Agua}\nqueues: [{nombre: x}]\n", tmp_path, revision_of(text))
    assert [(m.place.line, m.place.column) for m in caught.value.mistakes if m.place] == [(2, 10), (2, 11)]
    assert in_force(tmp_path) == read(tmp_path / "routing.yaml")
    assert put(text, tmp_path, revision_of(text)) == []
