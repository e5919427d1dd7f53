"""Which flow a number begins, taking up changed files, and versions that outlive their file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from ivr_flows.archive import KEPT_VERSIONS
from ivr_flows.book import FlowBook
from ivr_flows.faults import NoFlow
from ivr_flows.findings import Severity, has_errors
from ivr_flows.protocol import Answered, Begin, Collected, CollectEnd, Note
from ivr_flows.settings import Entry, FlowSettings
from ivr_flows.state import FlowState
from tests.support.flows import through_json

TEXT = """\
id: {id}
entry: uno
person: {{to: cola}}
on_error: fin
nodes:
  uno: {{kind: menu, prompts: {says}, options: {{"1": {to}, "2": dos}}}}
  dos: {{kind: hangup, cause: busy}}
  cola: {{kind: queue, name: x, then: {{talked: fin, timeout: fin}}}}
  fin: {{kind: hangup}}
"""


class Folder:
    """A folder of flows whose every write is a change, whatever the file system's clock resolves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._time = 1_700_000_000
        path.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        self._time += 1
        os.utime(path, (self._time, self._time))
        return path

    def flow(self, flow_id: str, says: str = "Hola", to: str = "fin") -> Path:
        return self.write(f"{flow_id}.yaml", TEXT.format(id=flow_id, says=says, to=to))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "flows")


def book_of(folder: Folder, *, archive: Path | None = None, **settings: object) -> FlowBook:
    words = {"folders": [str(folder.path)], "shipped": False, "default": "a", **settings}
    return FlowBook(FlowSettings.model_validate(words), archive=archive)


def test_the_shipped_flows_are_there_by_default() -> None:
    book = FlowBook(FlowSettings())
    assert "principal" in [flow.id for flow in book.refresh().taken]
    assert book.findings() == []
    assert book.choose("072862000").id == "principal"


@pytest.mark.parametrize(
    ("number", "flow"),
    [("072862000", "b"), ("072862001", "c"), ("0728620011", "a"), ("1800382720", "c"), ("", "a"), ("[", "a")],
)
def test_the_first_entry_that_fits_wins(folder: Folder, number: str, flow: str) -> None:
    for name in "abc":
        folder.flow(name)
    entries = [
        Entry(number="072862000", flow="b"),
        Entry(number="07286200?", flow="c"),
        Entry(number="1800*", flow="c"),
    ]
    book = book_of(folder, entries=entries)
    book.refresh()
    assert book.choose(number).id == flow


def test_patterns_are_numbers() -> None:
    with pytest.raises(ValidationError):
        Entry(number="[0-9]", flow="a")


def test_a_number_whose_flow_is_missing_gets_the_default(folder: Folder) -> None:
    folder.flow("a")
    book = book_of(folder, entries=[Entry(number="1*", flow="gone")])
    book.refresh()
    assert book.choose("1800").id == "a"
    assert [f.code for f in book.findings()] == ["flow.none"]


def test_no_flow_at_all_is_a_named_error(folder: Folder) -> None:
    book = book_of(folder)
    book.refresh()
    with pytest.raises(NoFlow):
        book.choose("1800")


def test_nothing_changed_is_nothing_done(folder: Folder) -> None:
    path = folder.flow("a")
    book = book_of(folder)
    assert book.refresh().changed
    flow = book.choose("")
    assert not book.refresh().changed
    folder.write(path.name, path.read_text("utf-8"))  # touched
    assert not book.refresh().changed
    assert book.choose("") is flow


def test_a_changed_file_serves_new_calls_and_calls_in_progress_keep_theirs(folder: Folder) -> None:
    folder.flow("a", to="fin")
    book = book_of(folder)
    book.refresh()
    state = book.begin("")
    state, _ = book.step(state, Begin({}))
    state, _ = book.step(state, Answered())
    folder.flow("a", to="dos")
    (taken,) = book.refresh().taken
    assert book.choose("").version == taken.version != state.version
    state, _ = book.step(state, Collected("1", CollectEnd.COMPLETE))
    assert state.node == "fin"


def test_a_bad_file_leaves_the_last_good_one_serving_and_says_why(folder: Folder) -> None:
    good = folder.flow("a")
    book = book_of(folder)
    book.refresh()
    flow = book.choose("")
    folder.flow("a", to="finn")
    refreshed = book.refresh()
    assert refreshed.refused == (str(good),)
    assert refreshed.taken == ()
    assert refreshed.findings[0].suggestion == "fin"
    assert book.choose("") is flow
    assert [f.code for f in book.findings()] == ["node.unknown_target"]
    assert not book.refresh().changed
    folder.flow("a", says="Adiós")
    assert book.refresh().taken[0] is book.choose("")
    assert book.findings() == []


def test_a_deleted_flow_is_withdrawn_unless_a_number_leads_to_it(folder: Folder) -> None:
    named, other = folder.flow("a"), folder.flow("b")
    book = book_of(folder)
    book.refresh()
    named.unlink()
    other.unlink()
    assert book.refresh().withdrawn == ("b",)
    assert book.choose("").id == "a"
    assert [f.code for f in book.findings()] == ["file.gone"]
    assert not book.refresh().changed
    folder.flow("a", says="Otra")
    assert [flow.id for flow in book.refresh().taken] == ["a"]
    assert book.findings() == []


def test_a_renamed_file_goes_on(folder: Folder) -> None:
    path = folder.flow("a")
    book = book_of(folder)
    book.refresh()
    path.rename(path.with_name("z.yaml"))
    assert book.refresh().withdrawn == ()
    assert book.findings() == []


def test_two_files_with_one_id_are_a_mistake_and_the_first_serves(folder: Folder) -> None:
    first = folder.write("1.yaml", TEXT.format(id="a", says="Uno", to="fin"))
    folder.write("2.yaml", TEXT.format(id="a", says="Dos", to="fin"))
    book = book_of(folder)
    book.refresh()
    assert book.choose("").text == first.read_text("utf-8")
    assert [f.code for f in book.findings()] == ["flow.duplicate_id"]
    first.unlink()
    book.refresh()
    assert "Dos" in book.choose("").text
    assert book.findings() == []


def test_an_earlier_folder_replaces_a_shipped_flow(folder: Folder) -> None:
    folder.flow("principal", says="Nuestra")
    book = book_of(folder, shipped=True, default="principal")
    book.refresh()
    assert "Nuestra" in book.choose("").text
    assert book.findings() == []


CALLING = """\
id: a
entry: uno
person: {{to: fin}}
on_error: fin
nodes:
  uno: {{kind: menu, prompts: Hola, options: {{"1": parte}}}}
  parte: {{kind: subflow, flow: b, with: {{{name}: x}}, next: fin}}
  fin: {{kind: hangup}}
"""
CALLED = """\
id: b
entry: uno
variables: {{{name}: text}}
nodes:
  uno: {{kind: goto, to: dos}}
  dos: {{kind: menu, prompts: "{{{{ {name} }}}}", options: {{"1": tres}}}}
  tres: {{kind: subflow, flow: c, with: {{{name}: "{{{{ {name} }}}}"}}, next: vuelve}}
  vuelve: {{kind: return}}
"""
LAST = """\
id: c
entry: uno
variables: {{{name}: text}}
nodes:
  uno: {{kind: menu, prompts: "{{{{ {name} }}}}", options: {{"1": vuelve}}}}
  vuelve: {{kind: return}}
"""


def three_flows(folder: Folder, name: str) -> None:
    """Saved together; they fit together only where they name their variable alike."""
    for flow_id, text in {"a": CALLING, "b": CALLED, "c": LAST}.items():
        folder.write(f"{flow_id}.yaml", text.format(name=name))


def at_the_menu(book: FlowBook) -> FlowState:
    state, _ = book.step(book.begin(""), Begin({}))
    return book.step(state, Answered()).state


ONE = Collected("1", CollectEnd.COMPLETE)


@pytest.mark.parametrize("restart", [False, True])
def test_a_call_enters_other_flows_in_the_versions_of_its_beginning(
    folder: Folder, tmp_path: Path, restart: bool
) -> None:
    three_flows(folder, "antes")
    book = book_of(folder, archive=tmp_path / "archive")
    book.refresh()
    state = at_the_menu(book)
    three_flows(folder, "ahora")
    if restart:
        book = book_of(folder, archive=tmp_path / "archive")
    assert {flow.id for flow in book.refresh().taken} == {"a", "b", "c"}
    for node in ("b.dos", "c.uno", "fin"):
        state, actions = book.step(through_json(state), ONE)
        assert not [a for a in actions if isinstance(a, Note) and a.kind in ("flow.error", "flow.version_lost")]
        assert state.path[-1] == node
    assert set(at_the_menu(book).versions.values()) == {flow.version for flow in book.flows()}


def test_a_flow_that_came_after_the_call_is_entered_in_the_version_that_is_there_then(folder: Folder) -> None:
    three_flows(folder, "antes")
    gone = folder.path / "c.yaml"
    gone.unlink()
    book = book_of(folder)
    book.refresh()
    state = at_the_menu(book)
    assert set(state.versions) == {"a", "b"}
    folder.write(gone.name, LAST.format(name="antes"))
    book.refresh()
    for _ in range(2):
        state, _ = book.step(state, ONE)
    assert state.flow == "c"
    assert state.versions["c"] == state.version


def test_where_a_version_is_lost_the_present_one_is_entered_and_the_record_says_so(folder: Folder) -> None:
    three_flows(folder, "antes")
    book = book_of(folder)
    book.refresh()
    state = at_the_menu(book)
    folder.write("b.yaml", CALLED.format(name="antes") + "description: otra\n")
    book = book_of(folder)  # and no archive
    book.refresh()
    state, actions = book.step(state, ONE)
    (lost,) = [action for action in actions if isinstance(action, Note) and action.kind == "flow.version_lost"]
    assert lost.data["entered"] == "b"
    assert (state.flow, state.version) == ("b", state.versions["b"])


# --- flows that enter others are checked together --------------------


def test_a_file_that_enters_a_flow_that_there_is_not_is_refused_until_there_is(folder: Folder) -> None:
    three_flows(folder, "antes")
    book = book_of(folder)
    book.refresh()
    served = book.choose("").version
    wrong = folder.write("a.yaml", CALLING.format(name="antes").replace("flow: b", "flow: bb"))
    found = book.refresh()
    assert found.refused == (str(wrong),)
    assert [f.code for f in found.findings if f.severity is Severity.ERROR] == ["flow.unknown"]
    assert book.choose("").version == served
    folder.write("bb.yaml", CALLED.format(name="antes").replace("id: b", "id: bb"))
    assert {flow.id for flow in book.refresh().taken} == {"a", "bb"}
    assert not has_errors(book.findings())


def test_it_is_refused_with_all_that_enter_it(folder: Folder) -> None:
    folder.flow("z")
    book = book_of(folder, default="z")
    book.refresh()
    three_flows(folder, "antes")
    (folder.path / "c.yaml").unlink()
    assert book.refresh().taken == ()
    assert sorted(f.code for f in book.findings() if f.severity is Severity.ERROR) == ["flow.unknown", "flow.unknown"]
    folder.write("c.yaml", LAST.format(name="antes"))
    assert {flow.id for flow in book.refresh().taken} == {"a", "b", "c"}


def test_a_deleted_flow_that_another_one_enters_serves_on(folder: Folder) -> None:
    three_flows(folder, "antes")
    book = book_of(folder)
    book.refresh()
    (folder.path / "b.yaml").unlink()
    assert book.refresh().withdrawn == ()
    assert [f.code for f in book.findings() if f.severity is Severity.ERROR] == ["file.gone"]


def test_at_the_start_what_has_no_other_version_serves_and_is_told_of(folder: Folder) -> None:
    three_flows(folder, "antes")
    (folder.path / "c.yaml").unlink()
    book = book_of(folder)
    book.refresh()
    assert book.serves
    assert [f.code for f in book.findings() if f.severity is Severity.ERROR] == ["flow.unknown"]


# --- after a restart --------------------


def test_a_call_finds_its_version_in_the_archive(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    folder.flow("a", to="fin")
    before = book_of(folder, archive=archive)
    before.refresh()
    state, _ = before.step(before.begin(""), Begin({}))
    state, _ = before.step(state, Answered())
    folder.flow("a", to="dos")
    after = book_of(folder, archive=archive)
    after.refresh()
    state, _ = after.step(state, Collected("1", CollectEnd.COMPLETE))
    assert state.node == "fin"


def test_a_call_whose_version_is_lost_goes_on_with_the_present_one(folder: Folder) -> None:
    folder.flow("a", to="fin")
    before = book_of(folder)
    before.refresh()
    state, _ = before.step(before.begin(""), Begin({}))
    state, _ = before.step(state, Answered())
    folder.flow("a", to="dos")
    after = book_of(folder)
    after.refresh()
    moved, actions = after.step(state, Collected("1", CollectEnd.COMPLETE))
    assert isinstance(actions[0], Note)
    assert actions[0].kind == "flow.version_lost"
    assert (moved.node, moved.version) == ("dos", after.choose("").version)


def test_a_bad_file_at_the_start_leaves_the_version_serving_that_served_last(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    before = book_of(folder, archive=archive)
    for says in ("Uno", "Dos", "Uno"):  # back to the first one: it served last
        folder.flow("a", says=says)
        before.refresh()
    last = before.choose("").version
    bad = folder.flow("a", to="finn")
    after = book_of(folder, archive=archive)
    found = after.refresh()
    assert found.refused == (str(bad),)
    assert after.serves
    assert after.choose("").version == last
    assert [f.code for f in after.findings()] == ["node.unknown_target"]
    assert after.path_of("a") == bad  # where an admin mends it
    folder.flow("a", says="Tres")
    after.refresh()
    assert "Tres" in after.choose("").text
    assert after.findings() == []


def test_a_bad_file_of_any_name_is_known_by_the_id_that_it_writes(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    folder.write("menu.yaml", TEXT.format(id="a", says="Uno", to="fin"))
    book_of(folder, archive=archive).refresh()
    folder.write("menu.yaml", TEXT.format(id="a", says="Uno", to="fin") + "  : [")
    after = book_of(folder, archive=archive)
    after.refresh()
    assert after.choose("").id == "a"


def test_a_file_that_is_gone_at_the_start_is_served_from_the_archive_where_a_number_leads_to_it(
    folder: Folder, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    paths = [folder.flow("a"), folder.flow("b")]
    book_of(folder, archive=archive).refresh()
    for path in paths:
        path.unlink()
    after = book_of(folder, archive=archive)
    after.refresh()
    assert [flow.id for flow in after.flows()] == ["a"]
    assert [f.code for f in after.findings()] == ["file.gone"]
    assert not after.refresh().changed
    folder.flow("a", says="Otra")
    after.refresh()
    assert "Otra" in after.choose("").text
    assert after.findings() == []


def test_without_any_version_nothing_serves(folder: Folder, tmp_path: Path) -> None:
    folder.flow("a", to="finn")
    book = book_of(folder, archive=tmp_path / "archive")
    book.refresh()
    assert not book.serves


def test_a_damaged_archive_is_not_believed(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    folder.flow("a")
    book = book_of(folder, archive=archive)
    book.refresh()
    (path,) = archive.iterdir()
    version = book.choose("").version
    path.write_text(path.read_text("utf-8").replace("fin", "dos"), encoding="utf-8")
    assert book_of(folder, archive=archive).version("a", version) is None


@pytest.mark.parametrize("flow_id", ["../flows/a", "a/../a", "", "A"])
def test_a_stored_state_cannot_name_other_files(folder: Folder, tmp_path: Path, flow_id: str) -> None:
    book = book_of(folder, archive=tmp_path)
    assert book.version(flow_id, "0" * 12) is None
    assert book.version("a", "../../x") is None


def test_the_archive_does_not_grow_without_end(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    book = book_of(folder, archive=archive)
    for index in range(KEPT_VERSIONS + 3):
        folder.flow("a", says=f"Hola {index}")
        book.refresh()
    assert len(list(archive.iterdir())) == KEPT_VERSIONS
    present = book.choose("")
    assert book.version(present.id, present.version) is present
    assert (archive / f"a@{present.version}.yaml").exists()


def test_an_archive_that_cannot_be_written_is_told_and_the_flow_serves(folder: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_text("in the way", encoding="utf-8")
    folder.flow("a")
    book = book_of(folder, archive=archive)
    refreshed = book.refresh()
    assert [(f.code, f.severity) for f in refreshed.findings] == [("archive.unwritable", Severity.WARNING)]
    assert book.choose("").id == "a"
    archive.unlink()
    assert book.refresh().findings == ()
    assert book.findings() == []
    assert len(list(archive.iterdir())) == 1
