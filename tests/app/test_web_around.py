"""The adapters around a contact: the customer's system over HTTP, and figures and history from PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.demo_customer_system import CustomerSystem
from app.web_around import FichaSource, Numbers, SqlDays, SqlHistory
from callcontrol import events as ev
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import (
    AgentId,
    AgentState,
    OfferEnd,
    OfferId,
    ParticipantId,
    Role,
)
from callcontrol.record import fold
from callcontrol.routing.terms import AgentChanged
from customers.card import Sure
from customers.ports import NoAnswer
from customers.settings import CustomersSettings
from foundation.database import Database
from foundation.metrics import Metrics
from pbx.settings import Dialing
from tests.app.test_customer_systems import serving, systems
from tests.support.happened import happened, started

ANA = AgentId("ana")
SETTINGS = CustomersSettings(system="clientes", timeout_s=0.5)
NUMBERS = Numbers(Dialing())


@pytest.fixture
async def demo() -> CustomerSystem:
    return CustomerSystem(token="t0ken")


@pytest.fixture
async def source(demo: CustomerSystem) -> AsyncIterator[FichaSource]:
    async with serving(demo.app()) as url, systems(url) as asked:
        yield FichaSource(SETTINGS, asked, NUMBERS)


async def test_the_demos_clients_have_whole_cards(source: FichaSource) -> None:
    by_number = await source.look_up(Sure.PHONE, "+593991234567")
    by_document = await source.look_up(Sure.DOCUMENT, "0102030400")
    by_contract = await source.look_up(Sure.CONTRACT, "204510")
    for found in (by_number, by_document, by_contract):
        assert found is not None
        assert found.identity is not None
        assert found.identity.name == "Ana Lucía Cordero"
        assert [contract.number for contract in found.contracts] == ["204510", "I-88120", "072861450"]
        assert [(case.id, case.status) for case in found.cases] == [("R-2231", "programado")]
        assert [outage.sector for outage in found.outages] == ["Totoracocha"]
    assert await source.look_up(Sure.PHONE, "+593999999999") is None


async def test_what_goes_wrong_is_told_in_words(demo: CustomerSystem, source: FichaSource) -> None:
    demo.faults.status = 503
    with pytest.raises(NoAnswer, match="error 503"):
        await source.look_up(Sure.PHONE, "0991234567")
    demo.faults.status, demo.faults.garbage = None, True
    with pytest.raises(NoAnswer, match="no se entiende"):
        await source.look_up(Sure.PHONE, "0991234567")
    demo.faults.garbage, demo.faults.delay_s = False, 5.0
    with pytest.raises(NoAnswer, match="No respondió a tiempo"):
        await source.look_up(Sure.PHONE, "0991234567")


@pytest.mark.parametrize("given", ["0991234567", "+593991234567", "593991234567"])
def test_a_number_is_one_person_however_it_is_written(given: str) -> None:
    assert (NUMBERS.canonical(given), NUMBERS.dialled(given)) == ("+593991234567", "0991234567")
    assert NUMBERS.forms(given) == sorted({"+593991234567", "0991234567", "593991234567"})
    assert (NUMBERS.canonical("anonymous"), NUMBERS.dialled("")) == ("anonymous", "")


def contact(name: str, number: str, at: float) -> list[ev.InteractionEvent]:
    """A call that Ana misses once and then takes: 60 s of talk, 20 s of wrap-up."""
    leg = ParticipantId("p1")
    facts: list[tuple[float, ev.AnyFact]] = [
        (0, started(number)),
        (1, ev.Offered(offer=OfferId("o1"), agent=ANA, participant=leg, expires_at=at + 20)),
        (5, ev.OfferEnded(offer=OfferId("o1"), agent=ANA, how=OfferEnd.EXPIRED)),
        (6, ev.Offered(offer=OfferId("o2"), agent=ANA, participant=leg, expires_at=at + 26)),
        (7, ev.OfferEnded(offer=OfferId("o2"), agent=ANA, how=OfferEnd.ACCEPTED)),
        (7, ev.ParticipantJoined(participant=leg, role=Role.AGENT, address="1001", channel="c1", agent=ANA)),
        (8, ev.Connected(agent=ANA, participant=leg)),
        (68, ev.Disconnected(agent=ANA, participant=leg, by="customer")),
        (68, ev.WrapUpStarted(agent=ANA, until=None)),
        (88, ev.WrapUpEnded(agent=ANA, how="finished")),
    ]
    return happened(name, [(at + after, fact) for after, fact in facts])


async def _keep(database: Database, folder: Path, *contacts: list[ev.InteractionEvent]) -> None:
    journal = SqlJournal(database, Metrics(), folder / "refused.jsonl")
    for events in contacts:
        journal.append(Entry(record=fold(events), state=CallState(id=events[0].interaction), events=tuple(events)))
    for at, state, reason in ((900.0, AgentState.READY, ""), (1500.0, AgentState.NOT_READY, "almuerzo")):
        journal.append_agent(AgentChanged(agent=ANA, state=state, since=at, reason=reason, item=None))
    await journal.store_rest()


async def test_the_day_comes_from_the_events(database: Database, tmp_path: Path) -> None:
    await _keep(database, tmp_path, contact("i-1", "0991234567", 1000.0), contact("i-2", "0991234567", 1200.0))
    days = SqlDays(database)
    day = await days.of(ANA, since=1000.0, until=2000.0)
    assert (day.handled, day.offered, day.missed) == (2, 4, 2)
    assert (day.talk_s, day.wrap_up_s, day.aht_s) == (120, 40, 80)
    assert (day.ready_s, day.not_ready_s) == (500, {"almuerzo": 500})
    assert (await days.of(AgentId("luis"), since=1000.0, until=2000.0)).offered == 0
    # the same events, another window: the figures follow
    assert (await days.of(ANA, since=1100.0, until=2000.0)).handled == 1


async def test_history_finds_a_number_however_it_was_written(database: Database, tmp_path: Path) -> None:
    await _keep(
        database,
        tmp_path,
        contact("i-1", "0991234567", 1000.0),
        contact("i-2", "+593991234567", 1200.0),
        contact("i-3", "0999999999", 1300.0),
    )
    history = SqlHistory(database, NUMBERS)
    assert [record.id for record in await history.last("593991234567", 5)] == ["i-2", "i-1"]
    assert [record.id for record in await history.last("0991234567", 1)] == ["i-2"]
