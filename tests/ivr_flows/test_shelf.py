"""Saving flows: versions, who and why; what somebody else saved meanwhile; going back; what a disk refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.errors import NotFound, Unavailable
from ivr_flows.book import SHIPPED, FlowBook
from ivr_flows.flow import version_of
from ivr_flows.history import FlowHistory
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import FlowSettings
from ivr_flows.shelf import FlowMoved, FlowRefused, FlowShelf
from tests.ivr_flows.test_book import TEXT


class Desk:
    """A shelf over a folder with flow `a`, and the book that serves calls from it."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "flows"
        self.folder.mkdir()
        self.own = path / "own"
        self.write("a", "Hola")
        self.book = FlowBook(FlowSettings(folders=[str(self.folder)], default="a"), own=self.own)
        self.book.refresh()
        self.shelf = FlowShelf(
            self.book, FlowHistory(path / "history"), self.own, known=Known({QueueName: ["contact-center"]})
        )

    def write(self, name: str, says: str) -> None:
        (self.folder / f"{name}.yaml").write_text(self.text(name, says), encoding="utf-8")

    @staticmethod
    def text(name: str, says: str) -> str:
        return TEXT.format(id=name, says=says, to="fin")

    def save(self, name: str, text: str, base: str, by: str = "Rosa", at: float = 1000.0) -> str:
        saved = self.shelf.save(name, text, base=base, at=at, by=by, comment="más corto")
        self.book.refresh()
        return saved


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_saved_flow_is_its_file_and_serves_new_calls(desk: Desk) -> None:
    first = desk.shelf.read("a").version
    saved = desk.save("a", desk.text("a", "Buenos días"), first)
    assert (desk.folder / "a.yaml").read_text(encoding="utf-8") == desk.text("a", "Buenos días")
    assert desk.book.choose("1").version == saved == version_of(desk.text("a", "Buenos días"))
    draft = desk.shelf.read("a")
    assert [(v.version, v.by, v.comment) for v in draft.versions] == [(saved, "Rosa", "más corto"), (first, "", "")]
    assert draft.active == saved


def test_who_edits_an_old_version_is_told_and_nothing_is_lost(desk: Desk) -> None:
    first = desk.shelf.read("a").version
    desk.save("a", desk.text("a", "De Rosa"), first)
    with pytest.raises(FlowMoved) as told:
        desk.save("a", desk.text("a", "De Luis"), first, by="Luis")
    assert told.value.facts["present"] == desk.shelf.read("a").version
    desk.write("a", "Editado en la carpeta")  # by an editor, not yet looked at by the book
    with pytest.raises(FlowMoved):
        desk.save("a", desk.text("a", "De Luis"), version_of(desk.text("a", "De Rosa")))
    assert "Editado" in desk.shelf.read("a").text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id: a",
        ": : :",
        "id: otro\nentry: x\nnodes: {x: {kind: hangup}}",
        "x" * 300_000,
        "id: a\nentry: nada\nnodes:",
    ],
)
def test_a_flow_with_mistakes_is_not_saved(desk: Desk, text: str) -> None:
    before = desk.shelf.read("a")
    with pytest.raises(FlowRefused):
        desk.save("a", text, before.version)
    assert desk.shelf.read("a") == before


def test_one_may_go_back_and_forth(desk: Desk) -> None:
    first = desk.shelf.read("a").version
    second = desk.save("a", desk.text("a", "Dos"), first)
    assert any("+" in line and "Dos" in line for line in desk.shelf.difference("a", first))
    assert desk.shelf.roll_back("a", first, at=2000.0, by="Rosa") == first
    desk.book.refresh()
    assert desk.book.choose("1").version == first
    assert desk.shelf.roll_back("a", second, at=3000.0, by="Rosa") == second
    assert [v.version for v in desk.shelf.read("a").versions] == [second, first, second, first]


def test_what_comes_with_rimay_is_never_written_to(desk: Desk) -> None:
    shipped = desk.shelf.read("encuesta")
    desk.save("encuesta", shipped.text + "\n# nuestro\n", shipped.version)
    assert (desk.own / "encuesta.yaml").exists()
    assert (SHIPPED / "encuesta.yaml").read_text(encoding="utf-8") == shipped.text
    assert desk.book.version("encuesta", desk.shelf.read("encuesta").version) is not None
    assert desk.book.path_of("encuesta") == desk.own / "encuesta.yaml"


def test_a_new_flow(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.shelf.read("nuevo")
    saved = desk.save("nuevo", desk.text("nuevo", "Hola"), "")
    assert desk.shelf.read("nuevo").active == saved
    with pytest.raises(FlowMoved):
        desk.save("nuevo", desk.text("nuevo", "Otra vez"), "")


def test_a_broken_file_is_shown_with_its_mistakes_while_the_last_good_version_serves(desk: Desk) -> None:
    good = desk.shelf.read("a").version
    (desk.folder / "a.yaml").write_text("id: a\nentry: nada\n", encoding="utf-8")
    desk.book.refresh()
    listed = next(each for each in desk.shelf.list() if each.id == "a")
    assert listed.version == good
    assert {finding.file for finding in listed.problems} == {"a.yaml"}
    draft = desk.shelf.read("a")
    assert draft.text.startswith("id: a\nentry: nada")
    assert desk.save("a", desk.text("a", "Reparado"), draft.version) == desk.book.choose("1").version


def test_a_disk_that_refuses_is_told_and_the_old_version_serves_on(desk: Desk) -> None:
    before = desk.shelf.read("a")
    (desk.folder.parent / "history").write_text("no folder", encoding="utf-8")
    with pytest.raises(Unavailable):
        desk.save("a", desk.text("a", "Nuevo"), before.version)
    assert desk.shelf.read("a").active == before.version


@pytest.mark.parametrize("version", ["../../etc/pass", "x" * 12, "", "0" * 12])
def test_a_version_that_never_was(desk: Desk, version: str) -> None:
    with pytest.raises(NotFound):
        desk.shelf.version("a", version)
