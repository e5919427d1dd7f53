"""Articles and scripts: found as people search, ordered for the queue, and a file with mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from customers.knowledge import Library, LibraryFile, excerpt, read_library
from foundation.errors import Invalid
from tests.support.web_around import KNOWLEDGE


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(KNOWLEDGE.read_text(), KNOWLEDGE.name)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("fuga", "fuga-en-la-via"),
        ("INTERNET lento", "internet-lento"),
        ("contraseña wifi", "cambio-clave-wifi"),
        ("contrasena", "cambio-clave-wifi"),
        ("cómo pedir un convenio de pago por la deuda", None),
        ("convenio de pago", "convenio-de-pago"),
        ("discapac", "tercera-edad-discapacidad"),
        ("zzz", None),
    ],
)
def test_found_by_the_words_people_use(library: Library, words: str, first: str | None) -> None:
    found = library.search(words)
    assert (found[0].id if found else None) == first


def test_ones_own_queue_comes_first_when_nothing_is_asked(library: Library) -> None:
    found = library.search("", "internet")
    assert len(found) == len(library.articles)
    assert {article.id for article in found[:2]} == {"internet-lento", "cambio-clave-wifi"}


def test_an_excerpt_shows_the_word_in_its_place(library: Library) -> None:
    article = library.article("sin-agua")
    assert article is not None
    text = excerpt(article, "reconecta")
    assert "reconecta en 24 horas" in text
    assert text.startswith("…")
    assert len(text) < 170
    assert excerpt(article, "").startswith("Revise en la ficha si hay un corte en el sector y comunique")


def test_the_script_that_fits_best_is_first(library: Library) -> None:
    assert [s.id for s in library.scripts_for("agua-potable", "fuga")] == ["fuga", "saludo"]
    assert [s.id for s in library.scripts_for("agua-potable", None)] == ["saludo"]
    assert [s.id for s in library.scripts_for(None, "planilla")] == ["reclamo-planilla", "saludo"]


def test_what_is_shipped_names_queues_and_reasons_that_exist(library: Library) -> None:
    organisation = yaml.safe_load((KNOWLEDGE.parent / "etapa.yaml").read_text())
    queues = {queue["name"] for queue in organisation["queues"]}
    parts = [*library.articles, *library.scripts]
    assert {queue for part in parts for queue in part.queues} <= queues
    assert {reason for script in library.scripts for reason in script.reasons} <= set(organisation["contact_reasons"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("articles: [{id: a, title: A, body: B}]", "articles.0.updated_at: Field required"),
        ("articles: [{id: a b, title: A, body: B, updated_at: 2026-01-01}]", "articles.0.id"),
        ("scripts: [{id: a, title: A, steps: [x]}, {id: a, title: B, steps: [x]}]", "given twice: a"),
        ("algo: 1", "algo"),
        ("articles: [", "line 1"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_library(text, "conocimiento.yaml")


def test_a_changed_file_is_read_anew_and_a_wrong_one_leaves_the_former(tmp_path: Path) -> None:
    path = tmp_path / "conocimiento.yaml"
    file = LibraryFile(path)
    assert file.library() == Library()
    assert file.mistake
    for number, (text, scripts, wrong) in enumerate(
        [
            ("scripts: [{id: a, title: A, steps: [x]}]", ["a"], False),
            ("scripts: [{id: b", ["a"], True),
            ("scripts: [{id: b, title: B, steps: [x]}]", ["b"], False),
        ]
    ):
        path.write_text(text)
        os.utime(path, ns=(number, number))
        assert [script.id for script in file.library().scripts] == scripts
        assert bool(file.mistake) is wrong
