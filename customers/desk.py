"""The card put together from live systems: all asked at once, none of them able to keep the others from showing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from callcontrol.model import Interaction
from customers.card import (
    CustomerCard,
    Ficha,
    Note,
    PastContact,
    SourceState,
    Sure,
    citizen_of,
    compose,
    past_contact,
)
from customers.ports import CustomerSource, NoAnswer, Notes
from foundation.clock import Clock
from foundation.errors import RimayError
from foundation.ids import new_id

# Enough to see a pattern, few enough to read while the phone rings.
CONTACTS = 10
OURS = "rimay"

History = Callable[[str, int], Awaitable[Sequence[Interaction]]]


class CustomerDesk:
    """`history(address, limit)` gives the last interactions with that address, newest first; `canonical` the one way
    in which an address is written under notes, however it came."""

    def __init__(
        self,
        sources: Sequence[CustomerSource],
        notes: Notes,
        history: History,
        clock: Clock,
        *,
        canonical: Callable[[str], str] = str,
    ) -> None:
        self._canonical = canonical
        self._sources = sources
        self._notes = notes
        self._history = history
        self._clock = clock

    async def of_interaction(self, record: Interaction) -> CustomerCard:
        address = citizen_of(record)
        if record.customer is not None:  # the agent knew whom they called; who answers may be somebody else
            card = await self._card(Sure.DOCUMENT, record.customer, address, record.from_name, record)
            known = card.identity.how_sure is not Sure.UNKNOWN
            return replace(card, identity=replace(card.identity, how_sure=Sure.PHONE)) if known else card
        return await self._card(Sure.PHONE, address, address, record.from_name, record)

    async def look_up(self, by: Sure, value: str) -> CustomerCard:
        return await self._card(by, value, value if by is Sure.PHONE else "", "", None)

    async def note(
        self, *, text: str, by: str, by_name: str, interaction: Interaction | None = None, address: str = ""
    ) -> Note:
        """Kept when this returns."""
        note = Note(
            id=new_id(),
            at=self._clock.now(),
            by=by,
            by_name=by_name,
            text=text,
            interaction=None if interaction is None else interaction.id,
            address=self._canonical(address if interaction is None else citizen_of(interaction)),
        )
        await self._notes.add(note)
        return note

    async def notes_of(self, interaction: Interaction) -> Sequence[Note]:
        """Of this contact alone."""
        return await self._notes.of(interaction=interaction.id)

    async def _card(self, by: Sure, value: str, address: str, name: str, record: Interaction | None) -> CustomerCard:
        answers, ours = await asyncio.gather(
            asyncio.gather(*(self._ask(source, by, value) for source in self._sources)), self._ours(address, record)
        )
        ficha = next((ficha for ficha, _ in answers if ficha is not None), None)
        if ficha is not None and ficha.identity is not None and not address:
            # Found by a document: what we have written of this person is under their numbers.
            address = next(iter(ficha.identity.phones), "")
            ours = await self._ours(address, record)
        contacts, notes, state = ours
        return compose(
            address=address,
            name=name,
            ficha=ficha,
            contacts=contacts,
            notes=notes,
            sources=[*(state for _, state in answers), state],
            at=self._clock.now(),
        )

    async def _ask(self, source: CustomerSource, by: Sure, value: str) -> tuple[Ficha | None, SourceState]:
        if not value:
            return None, SourceState(name=source.name, ok=True, detail="El número llegó oculto.")
        try:
            found = await source.look_up(by, value)
        except NoAnswer as why:
            return None, SourceState(name=source.name, ok=False, detail=str(why))
        return found, SourceState(name=source.name, ok=True, detail="" if found else "No consta en este sistema.")

    async def _ours(
        self, address: str, record: Interaction | None
    ) -> tuple[Sequence[PastContact], Sequence[Note], SourceState]:
        own = None if record is None else record.id
        try:
            found = await self._history(address, CONTACTS + 1) if address else []
            notes = await self._notes.of(address=self._canonical(address), interaction=own)
        except RimayError:
            return (), (), SourceState(name=OURS, ok=False, detail="La base de datos no responde.")
        contacts = [past_contact(each) for each in found if each.id != own][:CONTACTS]
        return contacts, notes, SourceState(name=OURS, ok=True)
