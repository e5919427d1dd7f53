"""The customer card: what it is put together from, and what it says when a system is silent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from callcontrol.model import Direction, Interaction
from customers.card import Sure, citizen_of, read_ficha
from customers.desk import CONTACTS, CustomerDesk
from foundation.clock import VirtualClock
from foundation.errors import Unavailable
from tests.support.web import CITIZEN, NOW, interaction
from tests.support.web_around import MemoryNotes, MemorySource

FICHA = {
    "nombre": "Ana Lucía Cordero",
    "documento": "0102030400",
    "telefonos": ["0991234567"],
    "contratos": [{"numero": "204510", "servicio": "Agua potable", "saldo": 23.47, "vence": "2026-11-20"}],
    "casos": [{"id": "R-2231", "titulo": "Cambio de medidor", "estado": "programado", "abierto": "2026-11-01"}],
    "cortes": [{"sector": "Totoracocha", "servicio": "agua", "motivo": "mantenimiento", "hasta": "2026-11-25T18:00"}],
    "algo_nuevo": True,
}


class Lab:
    def __init__(self) -> None:
        self.source, self.notes, self.past = MemorySource(), MemoryNotes(), list[Interaction]()
        self.fault: Exception | None = None
        self.desk = CustomerDesk([self.source], self.notes, self._last, VirtualClock(NOW), canonical=_e164)

    async def _last(self, address: str, limit: int) -> Sequence[Interaction]:
        if self.fault is not None:
            raise self.fault
        return [record for record in self.past if citizen_of(record) == address][:limit]


def _e164(number: str) -> str:
    return f"+593{number[1:]}" if number.startswith("0") else number


async def test_the_card_holds_what_each_system_knows_and_not_the_contact_itself() -> None:
    lab = Lab()
    lab.past = [interaction(n, disposition="resuelta") for n in range(1, CONTACTS + 5)]
    card = await lab.desk.of_interaction(lab.past[0])
    assert (card.identity.name, card.identity.how_sure) == ("Rosa Quito", Sure.PHONE)
    assert [contract.debt for contract in card.contracts] == [23.47]
    assert [contact.id for contact in card.interactions] == [r.id for r in lab.past[1 : CONTACTS + 1]]
    assert card.interactions[0].disposition == "resuelta"
    assert [(s.name, s.ok) for s in card.sources] == [("clientes", True), ("rimay", True)]
    assert card.measured_at == NOW


async def test_a_call_out_shows_whom_it_is_for_whatever_number_was_called() -> None:
    lab = Lab()
    out = {"direction": Direction.OUTBOUND, "to_address": "072831900", "from_name": ""}
    card = await lab.desk.of_interaction(interaction(1, **out, customer="0102030400"))
    assert card.identity.name == "Rosa Quito"
    assert card.identity.how_sure is Sure.PHONE  # who answers may be somebody else
    nobody = await lab.desk.of_interaction(interaction(1, **out))
    assert nobody.identity.how_sure is Sure.UNKNOWN


async def test_whom_nobody_knows_keeps_the_name_of_the_network() -> None:
    lab = Lab()
    lab.source.people.clear()
    card = await lab.desk.of_interaction(interaction(1))
    assert (card.identity.name, card.identity.phones, card.identity.how_sure) == ("Rosa Quito", (CITIZEN,), "unknown")
    assert card.sources[0].detail == "No consta en este sistema."


async def test_a_silent_system_is_named_and_the_rest_is_shown() -> None:
    lab = Lab()
    lab.past = [interaction(1), interaction(2)]
    lab.source.fault = "No respondió a tiempo."
    card = await lab.desk.of_interaction(lab.past[0])
    assert (card.sources[0].ok, card.sources[0].detail) == (False, "No respondió a tiempo.")
    assert (card.contracts, len(card.interactions)) == ((), 1)
    lab.source.fault, lab.fault = "", Unavailable("the database is away")
    card = await lab.desk.of_interaction(lab.past[0])
    assert [(s.name, s.ok) for s in card.sources] == [("clientes", True), ("rimay", False)]
    assert card.contracts


async def test_a_hidden_number_asks_nobody() -> None:
    lab = Lab()
    lab.past = [interaction(2, from_address="")]
    card = await lab.desk.of_interaction(interaction(1, from_address="", from_name=""))
    assert (lab.source.asked, card.interactions, card.sources[0].detail) == ([], (), "El número llegó oculto.")


async def test_the_card_of_a_call_we_placed_is_of_whom_we_called() -> None:
    lab = Lab()
    record = interaction(1, direction=Direction.OUTBOUND, from_address="072831900", to_address=CITIZEN)
    await lab.desk.of_interaction(record)
    assert lab.source.asked == [(Sure.PHONE, CITIZEN)]


async def test_notes_follow_the_person_however_their_number_is_written() -> None:
    lab = Lab()
    first, second = interaction(1), interaction(2)
    mine = await lab.desk.note(text="Pide visita por la tarde", by="user:1", by_name="Ana", interaction=first)
    await lab.desk.note(text="Llama su hija", by="user:2", by_name="Luis", address="0987654321")
    await lab.desk.note(text="De otra persona", by="user:2", by_name="Luis", address="0999999999")
    card = await lab.desk.of_interaction(second)
    assert {note.text for note in card.notes} == {"Pide visita por la tarde", "Llama su hija"}
    assert [note.id for note in await lab.desk.notes_of(first)] == [mine.id]
    assert await lab.desk.notes_of(second) == []
    by_document = await lab.desk.look_up(Sure.DOCUMENT, "0102030400")
    assert len(by_document.notes) == 2


async def test_a_note_of_a_hidden_number_is_nobody_elses() -> None:
    lab = Lab()
    hidden = interaction(1, from_address="")
    await lab.desk.note(text="No quiso decir su nombre", by="user:1", by_name="Ana", interaction=hidden)
    card = await lab.desk.of_interaction(interaction(2, from_address=""))
    assert card.notes == ()
    assert len((await lab.desk.of_interaction(hidden)).notes) == 1


def test_an_answer_is_read_and_what_is_new_in_it_passed_over() -> None:
    ficha = read_ficha(FICHA, Sure.DOCUMENT)
    assert ficha.identity is not None
    assert (ficha.identity.name, ficha.identity.how_sure) == ("Ana Lucía Cordero", Sure.DOCUMENT)
    assert (ficha.contracts[0].number, ficha.contracts[0].debt) == ("204510", 23.47)
    assert (ficha.cases[0].title, ficha.outages[0].until) == ("Cambio de medidor", "2026-11-25T18:00")


@pytest.mark.parametrize("answer", [None, [], {}, {"nombre": 7}, {**FICHA, "contratos": [{"saldo": "mucho"}]}])
def test_an_answer_of_another_shape_is_an_error(answer: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_ficha(answer, Sure.PHONE)
