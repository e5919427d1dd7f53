"""The customer card: who somebody is to us, on one page, put together from what each system told.

Pure: it takes answers, and a system that gave none is named on the card, so that nobody takes a hole for "has no debt".
Money is in dollars, times are unix seconds, days are ISO dates."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from callcontrol.model import Direction, Interaction


class Sure(StrEnum):
    """How we know who it is: each is more than the one before."""

    UNKNOWN = "unknown"
    PHONE = "phone"  # the number that calls is the customer's; whoever holds the phone may be somebody else
    CONTRACT = "contract"
    DOCUMENT = "document"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All of it is personal data."""

    name: str
    document: str = ""
    kind: str = "person"  # person, company
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    sector: str = ""
    accessibility: bool = False  # asks for special care, by law
    critical: bool = False  # a hospital, a fire station
    how_sure: Sure = Sure.UNKNOWN


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    service: str
    address: str = ""
    status: str = ""
    debt: float = 0.0
    due: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str
    status: str = ""
    opened_at: str = ""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    service: str
    sector: str
    reason: str = ""
    until: str = ""


class PastContact(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    at: float
    medium: str
    direction: str
    queue: str | None
    reason: str | None
    disposition: str | None
    agent: str | None
    seconds: float | None  # from the first contact to its end


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a colleague wrote: personal data, as text and as a fact."""

    id: str
    at: float
    by: str  # Principal.id
    by_name: str
    text: str
    interaction: str | None = None
    address: str = ""


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """`detail` is for people, without personal data."""

    name: str
    ok: bool
    detail: str = ""


class Ficha(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer's system knows of somebody. `identity` is None for nobody it knows."""

    identity: Identity | None = None
    contracts: tuple[Contract, ...] = ()
    cases: tuple[Case, ...] = ()
    outages: tuple[Outage, ...] = ()


class CustomerCard(msgspec.Struct, frozen=True, kw_only=True):
    identity: Identity
    contracts: tuple[Contract, ...]
    cases: tuple[Case, ...]
    outages: tuple[Outage, ...]
    interactions: tuple[PastContact, ...]
    notes: tuple[Note, ...]
    measured_at: float
    sources: tuple[SourceState, ...]


def citizen_of(record: Interaction) -> str:
    """The citizen's address: who called us, or whom we called."""
    return record.to_address if record.direction is Direction.OUTBOUND else record.from_address


def past_contact(record: Interaction) -> PastContact:
    return PastContact(
        id=record.id,
        at=record.created_at,
        medium=record.medium.value,
        direction=record.direction.value,
        queue=record.queue,
        reason=record.reason,
        disposition=record.disposition,
        agent=record.agent,
        seconds=None if record.ended_at is None else record.ended_at - record.created_at,
    )


def compose(
    *,
    address: str,
    name: str,
    ficha: Ficha | None,
    contacts: Sequence[PastContact],
    notes: Sequence[Note],
    sources: Sequence[SourceState],
    at: float,
) -> CustomerCard:
    """`name` is what the network said of the caller: worth showing only while nobody knows better."""
    known = ficha or Ficha()
    phones = (address,) if address else ()
    return CustomerCard(
        identity=known.identity or Identity(name=name, phones=phones),
        contracts=known.contracts,
        cases=known.cases,
        outages=known.outages,
        interactions=tuple(contacts),
        notes=tuple(sorted(notes, key=lambda note: -note.at)),
        measured_at=at,
        sources=tuple(sources),
    )


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The wire's shape: docs/integration.md. What we do not know is passed over: systems grow."""

    nombre: str
    documento: str = ""
    tipo: str = "persona"
    telefonos: tuple[str, ...] = ()
    correos: tuple[str, ...] = ()
    sector: str = ""
    accesibilidad: bool = False
    critico: bool = False
    contratos: tuple[dict[str, Any], ...] = ()
    casos: tuple[dict[str, Any], ...] = ()
    cortes: tuple[dict[str, Any], ...] = ()


_CONTRACT = {"numero": "number", "servicio": "service", "direccion": "address", "estado": "status"}
_CASE = {"id": "id", "titulo": "title", "estado": "status", "abierto": "opened_at"}
_OUTAGE = {"servicio": "service", "sector": "sector", "motivo": "reason", "hasta": "until"}


def read_ficha(document: Any, sure: Sure) -> Ficha:
    """Raises `msgspec.ValidationError` for an answer of another shape."""
    answer = msgspec.convert(document, _Answer)
    identity = Identity(
        name=answer.nombre,
        document=answer.documento,
        kind="company" if answer.tipo == "empresa" else "person",
        phones=answer.telefonos,
        emails=answer.correos,
        sector=answer.sector,
        accessibility=answer.accesibilidad,
        critical=answer.critico,
        how_sure=sure,
    )
    contracts = [
        {**_named(row, _CONTRACT), "debt": row.get("saldo", 0.0), "due": row.get("vence", "")}
        for row in answer.contratos
    ]
    return Ficha(
        identity=identity,
        contracts=msgspec.convert(contracts, tuple[Contract, ...]),
        cases=msgspec.convert([_named(row, _CASE) for row in answer.casos], tuple[Case, ...]),
        outages=msgspec.convert([_named(row, _OUTAGE) for row in answer.cortes], tuple[Outage, ...]),
    )


def _named(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {ours: row[theirs] for theirs, ours in names.items() if theirs in row}
