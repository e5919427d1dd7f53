"""The contract of the organisation behind the administration's page, for the twin and for the file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.organisation import Organisation
from app.settings import Settings
from app.web_board import FileOrganisation
from callcontrol.routing import config_store
from foundation.errors import Conflict, Invalid
from softphone_web.ports_board import OrganisationDesk
from tests.support.web_organisation import MemoryOrganisationDesk

FIRST = "# de la empresa\nskills: {agua: Agua}  # la primera\nqueues:\n  - {name: averias, requires: agua}\n"
SECOND = FIRST.replace("{agua: Agua}", "{agua: Agua, internet: Internet}")
BAD = FIRST.replace("requires: agua", "requires: aqua")


def file_desk(folder: Path) -> FileOrganisation:
    ours = Organisation(folder, Settings())

    def taken() -> None:
        ours.config = config_store.in_force(folder)

    return FileOrganisation(ours, taken)


@pytest.fixture(params=["memory", "file"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> OrganisationDesk:
    return MemoryOrganisationDesk() if request.param == "memory" else file_desk(tmp_path / "var")


async def in_force(desk: OrganisationDesk, text: str = FIRST) -> str:
    """Its revision."""
    revision, _ = await desk.put(text, (await desk.get()).revision)
    return revision


async def test_before_the_first_there_is_an_empty_one(desk: OrganisationDesk) -> None:
    found = await desk.get()
    assert (found.yaml, found.document) == ("", {})
    assert found.revision


async def test_what_was_put_is_in_force_word_by_word(desk: OrganisationDesk) -> None:
    empty = await desk.get()
    revision, changes = await desk.put(FIRST, empty.revision)
    found = await desk.get()
    assert (found.yaml, found.revision) == (FIRST, revision)
    assert revision != empty.revision
    assert found.document == {"skills": {"agua": "Agua"}, "queues": [{"name": "averias", "requires": "agua"}]}
    assert "+ skills.agua: Agua" in changes


async def test_the_same_again_changes_nothing(desk: OrganisationDesk) -> None:
    revision = await in_force(desk)
    assert await desk.put(FIRST, revision) == (revision, [])


async def test_another_comment_is_another_revision_and_no_change(desk: OrganisationDesk) -> None:
    revision = await in_force(desk)
    other, changes = await desk.put(FIRST.replace("la primera", "la única"), revision)
    assert (list(changes), other == revision) == ([], False)
    assert "la única" in (await desk.get()).yaml


async def test_who_read_an_older_one_is_refused_and_nothing_is_lost(desk: OrganisationDesk) -> None:
    read = (await desk.get()).revision
    await in_force(desk)
    with pytest.raises(Conflict) as caught:
        await desk.put(SECOND, read)
    assert caught.value.code == "organisation.revision_moved"
    assert (await desk.get()).yaml == FIRST


async def test_of_two_at_once_one_is_refused(desk: OrganisationDesk) -> None:
    read = (await desk.get()).revision
    done = await asyncio.gather(*(desk.put(text, read) for text in (FIRST, SECOND) * 4), return_exceptions=True)
    won = [one for one in done if not isinstance(one, BaseException)]
    assert all(isinstance(one, Conflict) for one in done if isinstance(one, BaseException))
    assert [revision for revision, _ in won] == [(await desk.get()).revision]


async def test_one_with_mistakes_is_refused_and_the_one_in_force_stays(desk: OrganisationDesk) -> None:
    revision = await in_force(desk)
    with pytest.raises(Invalid):
        await desk.put(BAD, revision)
    found = await desk.get()
    assert (found.yaml, found.revision) == (FIRST, revision)


async def test_a_mistake_has_its_place_and_a_hint(desk: OrganisationDesk) -> None:
    (mistake,), changes = await desk.check(BAD)
    assert (mistake.line, mistake.column, mistake.hint) == (4, 21, "agua")
    assert "requires" in mistake.key
    assert list(changes) == []


@pytest.mark.parametrize("text", ["skills: [", "- una lista\n", "skills: {agua: Agua}\nskills: {}\n", "\tx: 1\n"])
async def test_what_is_no_organisation_is_a_mistake_with_a_place(desk: OrganisationDesk, text: str) -> None:
    mistakes, changes = await desk.check(text)
    assert mistakes
    assert all(one.line >= 1 and one.column >= 1 and one.message for one in mistakes)
    assert list(changes) == []


async def test_a_check_tells_what_would_change_and_changes_nothing(desk: OrganisationDesk) -> None:
    await in_force(desk)
    assert await desk.check(SECOND) == ([], ["+ skills.internet: Internet"])
    assert await desk.check(FIRST) == ([], [])
    mistakes, changes = await desk.check(SECOND.replace(", requires: agua", ""))
    assert list(mistakes) == []
    assert set(changes) == {"- queues[averias].requires: agua", "+ skills.internet: Internet"}
    assert (await desk.get()).yaml == FIRST


@pytest.mark.parametrize("text", ["", "# nada\n", "{}\n", "skills: {agua: Agua}\n"])
async def test_what_would_empty_the_centre_is_refused(desk: OrganisationDesk, text: str) -> None:
    revision = await in_force(desk)
    mistakes, changes = await desk.check(text)
    assert (len(mistakes), list(changes)) == (1, [])
    with pytest.raises(Invalid):
        await desk.put(text, revision)
    assert (await desk.get()).yaml == FIRST


async def test_a_document_is_written_into_the_text_and_not_yet_in_force(desk: OrganisationDesk) -> None:
    revision = await in_force(desk)
    document = dict((await desk.get()).document)
    text = await desk.render({**document, "skills": {"agua": "Agua", "internet": "Internet"}})
    assert "# de la empresa" in text
    assert "# la primera" in text
    assert (await desk.get()).yaml == FIRST
    _, changes = await desk.put(text, revision)
    assert list(changes) == ["+ skills.internet: Internet"]


@pytest.mark.parametrize("text", ["queues: [", "- una lista\n", "", "queues: [{name: MAL}]\n"])
async def test_a_file_that_was_spoilt_by_hand_can_be_mended_there(tmp_path: Path, text: str) -> None:
    desk = file_desk(tmp_path)
    await in_force(desk)
    (tmp_path / config_store.FILE).write_text(text)
    found = await desk.get()
    assert found.yaml == text
    _, changes = await desk.put(SECOND, found.revision)
    assert list(changes) == ["+ skills.internet: Internet"]  # held against the last good one
    assert (await desk.get()).yaml == SECOND
