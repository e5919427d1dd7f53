"""What the pages need around a contact (`softphone_web.ports_around`), onto the customer's systems and our database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from sqlalchemy import or_, select, union

from app.customer_systems import HttpSystems
from app.place import CHECKOUT
from callcontrol.agent_day import AgentDay, StateChange, Window, fold_day
from callcontrol.events import InteractionEvent, decode_fact
from callcontrol.model import AgentId, AgentState, Interaction, InteractionId
from callcontrol.tables import agent_state_events as states
from callcontrol.tables import interaction_events as events
from callcontrol.tables import interactions as kept
from customers.card import Ficha, Sure, read_ficha
from customers.desk import CustomerDesk
from customers.knowledge import LibraryFile
from customers.notes_sql import SqlNotes
from customers.ports import NoAnswer
from customers.settings import CustomersSettings
from foundation.clock import Clock
from foundation.database import Database
from ivr_flows.protocol import Failure, Request
from pbx.dialing import read_number
from pbx.settings import Dialing
from pbx.terms import DialRefused
from softphone_web.deps import Around

KNOWLEDGE = CHECKOUT / "config/conocimiento.yaml"
_BY = {Sure.PHONE: "telefono", Sure.DOCUMENT: "documento", Sure.CONTRACT: "contrato"}
_WHY = {
    Failure.TIMEOUT: "No respondió a tiempo.",
    Failure.UNREACHABLE: "No hay conexión con el sistema.",
    Failure.BREAKER: "Falla de forma repetida; se intentará de nuevo en unos segundos.",
    Failure.REFUSED: "No está configurado.",
}


def around(
    settings: CustomersSettings, dialing: Dialing, database: Database, systems: HttpSystems, clock: Clock
) -> Around:
    numbers = Numbers(dialing)
    sources = [FichaSource(settings, systems, numbers)] if settings.system else []
    history = SqlHistory(database, numbers)
    return Around(
        customers=CustomerDesk(sources, SqlNotes(database), history.last, clock, canonical=numbers.canonical),
        knowledge=LibraryFile(settings.knowledge or KNOWLEDGE),
        days=SqlDays(database),
    )


class Numbers:
    """One person's number as gateways, people and systems write it."""

    def __init__(self, dialing: Dialing) -> None:
        self._dialing = dialing

    def canonical(self, number: str) -> str:
        """E.164 with +; what cannot be read stays as it is."""
        return self._read(number)[0]

    def dialled(self, number: str) -> str:
        """As people in Ecuador write it (0991234567): customers' systems keep numbers so."""
        return self._read(number)[1]

    def forms(self, number: str) -> list[str]:
        canonical, dialled = self._read(number)
        return sorted({number, canonical, dialled, canonical.removeprefix("+")})

    def _read(self, number: str) -> tuple[str, str]:
        try:
            read = read_number(number, self._dialing)
        except DialRefused:
            return number, number
        return read.text, read.as_dialled


class SqlHistory:
    def __init__(self, database: Database, numbers: Numbers) -> None:
        self._database = database
        self._numbers = numbers

    async def last(self, address: str, limit: int) -> Sequence[Interaction]:
        """The last interactions with that number, however it was written, newest first."""
        forms = self._numbers.forms(address)
        query = (
            select(kept.c.record)
            .where(or_(kept.c.from_address.in_(forms), kept.c.to_address.in_(forms)))
            .order_by(kept.c.created_at.desc(), kept.c.id.desc())
            .limit(limit)
        )
        async with self._database.begin() as session:
            return [msgspec.convert(row, Interaction, strict=False) for row in await session.scalars(query)]


class FichaSource:
    """Implements `customers.ports.CustomerSource`: the customer's own system, over HTTP (docs/customers.md)."""

    def __init__(self, settings: CustomersSettings, systems: HttpSystems, numbers: Numbers) -> None:
        self.name = settings.system or ""
        self._settings = settings
        self._systems = systems
        self._numbers = numbers

    async def look_up(self, by: Sure, value: str) -> Ficha | None:
        asked = {"por": _BY[by], "valor": self._numbers.dialled(value) if by is Sure.PHONE else value}
        answer = await self._systems.ask(
            Request(
                f"{self._settings.path}?{urlencode(asked)}",
                system=self.name,
                timeout_s=self._settings.timeout_s,
                retries=0,  # somebody is on the line
            )
        )
        if answer.failure is not None:
            raise NoAnswer(_WHY.get(answer.failure, "La respuesta no se entiende."))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise NoAnswer(f"Respondió con el error {answer.status}.")
        try:
            return read_ficha(answer.body, by)
        except msgspec.ValidationError as error:
            raise NoAnswer("La respuesta no tiene la forma acordada.") from error


class SqlDays:
    """Implements `softphone_web.ports_around.Days`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, agent: AgentId, *, since: float, until: float) -> AgentDay:
        start, end = datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
        before = (
            select(states.c.at, states.c.state, states.c.reason)
            .where(states.c.agent == agent, states.c.at < start)
            .order_by(states.c.at.desc(), states.c.id.desc())
            .limit(1)
        )
        within = (
            select(states.c.at, states.c.state, states.c.reason)
            .where(states.c.agent == agent, states.c.at >= start, states.c.at < end)
            .order_by(states.c.at, states.c.id)
        )
        # `agents` names who took part; who was only offered it stands in the facts of the offer.
        offered = select(events.c.interaction_id).where(
            events.c.type.in_(("offered", "offer_ended")), events.c.at >= start, events.c.fact["agent"].astext == agent
        )
        took_part = kept.c.agents.contains([agent])
        # However long ago it began: a promise to call back may be days old.
        goes_on = select(kept.c.id).where(took_part, kept.c.closed_at.is_(None))
        ended = (
            select(kept.c.id)
            .join(events, events.c.interaction_id == kept.c.id)
            .where(took_part, events.c.type == "closed", events.c.at >= start)
        )
        mine = union(offered, goes_on, ended)
        facts = (
            select(events.c.interaction_id, events.c.n, events.c.at, events.c.fact)
            .where(events.c.interaction_id.in_(mine))
            .order_by(events.c.interaction_id, events.c.n)
        )
        async with self._database.begin() as session:
            changes = [*(await session.execute(before)).all(), *(await session.execute(within)).all()]
            rows = (await session.execute(facts)).all()
        contacts: dict[str, list[InteractionEvent]] = defaultdict(list)
        for row in rows:
            contacts[row.interaction_id].append(_event(row))
        window = Window(since=since, until=until)
        return fold_day(agent, window, [_change(row) for row in changes], contacts.values())


def _event(row: Any) -> InteractionEvent:
    return InteractionEvent(
        interaction=InteractionId(row.interaction_id),
        n=row.n,
        at=row.at.timestamp(),
        fact=decode_fact(msgspec.json.encode(row.fact)),
    )


def _change(row: Any) -> StateChange:
    return StateChange(at=row.at.timestamp(), state=AgentState(row.state), reason=row.reason)
