"""One contract for the notes in memory and those in PostgreSQL."""

from __future__ import annotations

import pytest

from customers.card import Note
from customers.notes_sql import SqlNotes
from customers.ports import Notes
from foundation.ids import new_id
from tests.support.web_around import MemoryNotes


@pytest.fixture(params=["memory", "postgres"])
def notes(request: pytest.FixtureRequest) -> Notes:
    return MemoryNotes() if request.param == "memory" else SqlNotes(request.getfixturevalue("database"))


def note(at: float, text: str, **more: str) -> Note:
    return Note(id=new_id(), at=at, by="user:1", by_name="Ana", text=text, **more)


async def test_newest_first_by_address_or_interaction(notes: Notes) -> None:
    written = [
        note(1.0, "uno", address="+593987654321", interaction="i-1"),
        note(3.0, "tres", address="+593987654321"),
        note(2.0, "dos", interaction="i-2"),
        note(4.0, "de otra persona", address="+593999999999"),
    ]
    for each in written:
        await notes.add(each)
    assert [n.text for n in await notes.of(address="+593987654321")] == ["tres", "uno"]
    assert [n.text for n in await notes.of(address="+593987654321", interaction="i-2")] == ["tres", "dos", "uno"]
    assert [n.text for n in await notes.of(interaction="i-1")] == ["uno"]
    assert [n.text for n in await notes.of(address="+593987654321", limit=1)] == ["tres"]
    assert list(await notes.of()) == []
    assert (await notes.of(interaction="i-1"))[0] == written[0]


async def test_the_same_note_twice_is_one(notes: Notes) -> None:
    again = note(1.0, "uno", address="+593987654321")
    await notes.add(again)
    await notes.add(again)
    assert list(await notes.of(address="+593987654321")) == [again]
