"""In-memory twins of what the pages need around a contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from app.web_around import Numbers
from callcontrol.agent_day import AgentDay, StateChange, Window, fold_day
from callcontrol.events import InteractionEvent
from callcontrol.model import AgentId, Interaction
from customers.card import Contract, Ficha, Identity, Note, Sure, citizen_of
from customers.desk import CustomerDesk
from customers.knowledge import LibraryFile
from customers.ports import NoAnswer
from foundation.clock import Clock
from pbx.settings import Dialing
from softphone_web.deps import Around

_NUMBERS = Numbers(Dialing())
KNOWLEDGE = Path(__file__).parents[2] / "config/conocimiento.yaml"
ROSA = Ficha(
    identity=Identity(name="Rosa Quito", document="0102030400", phones=("+593987654321",), how_sure=Sure.PHONE),
    contracts=(Contract(number="204510", service="Agua potable", debt=23.47),),
)


class MemoryNotes:
    """Implements `customers.ports.Notes`."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    async def add(self, note: Note) -> None:
        if note.id not in {each.id for each in self.notes}:
            self.notes.append(note)

    async def of(self, *, address: str = "", interaction: str | None = None, limit: int = 50) -> Sequence[Note]:
        def fits(note: Note) -> bool:
            about = bool(address) and note.address == address
            return about or (interaction is not None and note.interaction == interaction)

        return sorted(filter(fits, self.notes), key=lambda note: (note.at, note.id), reverse=True)[:limit]


class MemorySource:
    """Implements `customers.ports.CustomerSource`. `people` by E.164 numbers, documents and contracts."""

    def __init__(self, name: str = "clientes") -> None:
        self.name = name
        self.people: dict[tuple[Sure, str], Ficha] = {
            (Sure.PHONE, "+593987654321"): ROSA,
            (Sure.DOCUMENT, "0102030400"): ROSA,
        }
        self.fault = ""
        self.asked: list[tuple[Sure, str]] = []

    async def look_up(self, by: Sure, value: str) -> Ficha | None:
        self.asked.append((by, value))
        if self.fault:
            raise NoAnswer(self.fault)
        found = self.people.get((by, _NUMBERS.canonical(value) if by is Sure.PHONE else value))
        if found is None or found.identity is None:
            return found
        return replace(found, identity=replace(found.identity, how_sure=by))


class MemoryDays:
    """Implements `softphone_web.ports_around.Days` over the states and contacts that it was given; or tells `day`."""

    def __init__(self) -> None:
        self.day: AgentDay | None = None
        self.asked: list[tuple[AgentId, float, float]] = []
        self.states: dict[AgentId, list[StateChange]] = defaultdict(list)
        self.contacts: list[Sequence[InteractionEvent]] = []

    async def of(self, agent: AgentId, *, since: float, until: float) -> AgentDay:
        self.asked.append((agent, since, until))
        if self.day is not None:
            return self.day
        states = [change for change in self.states[agent] if change.at < until]
        return fold_day(agent, Window(since=since, until=until), states, self.contacts)


class MemoryAround:
    """All of it; `records` are the interactions that the twin of the list holds."""

    def __init__(self, records: dict[str, Interaction], clock: Clock) -> None:
        self.notes, self.source, self.days = MemoryNotes(), MemorySource(), MemoryDays()
        self._records = records
        self.around = Around(
            customers=CustomerDesk([self.source], self.notes, self._last, clock),
            knowledge=LibraryFile(KNOWLEDGE),
            days=self.days,
        )

    async def _last(self, address: str, limit: int) -> Sequence[Interaction]:
        found = [record for record in self._records.values() if citizen_of(record) == address]
        return sorted(found, key=lambda record: record.created_at, reverse=True)[:limit]
