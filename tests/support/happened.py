"""What happened to interactions, written by hand: the facts, and a journal that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from callcontrol import events as ev
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import Direction, InitiationMethod, Interaction, InteractionId, Medium
from callcontrol.record import apply


def started(number: str = "0991234567", direction: Direction = Direction.INBOUND, *, name: str = "") -> ev.Started:
    """A call that begins; `number` is the citizen's, where they call."""
    return ev.Started(
        medium=Medium.VOICE,
        direction=direction,
        initiation_method=InitiationMethod.INBOUND,
        channel="c0",
        from_address=number,
        from_name=name,
        to_address="072831900",
        trunk="etapa",
    )


def happened(call: str, facts: Iterable[tuple[float, ev.AnyFact]]) -> list[ev.InteractionEvent]:
    """These facts, each at its time, as the events of one interaction."""
    return [
        ev.InteractionEvent(interaction=InteractionId(call), n=n, at=at, fact=fact)
        for n, (at, fact) in enumerate(facts, 1)
    ]


Tell = Callable[[ev.InteractionEvent, Interaction], None]


def told(events: Iterable[ev.InteractionEvent], tell: Tell) -> Interaction:
    """Of one interaction: each event with the record as it is then, as a daemon tells. The record at the end."""
    record = None
    for event in events:
        record = apply(record, event)
        tell(event, record)
    assert record is not None
    return record


async def live_through(journal: SqlJournal, events: list[ev.InteractionEvent], tell: Tell) -> None:
    """Told of, and then kept."""
    record = told(events, tell)
    await journal._store([Entry(events=tuple(events), record=record, state=CallState(id=record.id))])
