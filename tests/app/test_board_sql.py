"""What the board keeps in PostgreSQL: the event log read again, and messages; the twin is held to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from analytics.queue_figures import QueueFigures
from app.figures import SqlLog
from app.last_agents import LastAgents
from app.messages import SqlMessages
from app.organisation import Organisation
from app.settings import Settings
from app.undisposed import Undisposed
from callcontrol import events as ev
from callcontrol.call_state import CallState
from callcontrol.journal import Entry
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import AgentId, InteractionId, ParticipantId, Role
from callcontrol.record import apply
from callcontrol.routing import config_store
from callcontrol.settings import Agent, Queue
from foundation.clock import VirtualClock
from foundation.database import Database
from foundation.errors import NotFound
from foundation.metrics import Metrics
from softphone_web.ports import LiveEvent
from softphone_web.ports_board import Messages
from tests.support.daemon import Echo
from tests.support.happened import happened, live_through, started
from tests.support.web_board import MemoryMessages

ANA, LUIS = AgentId("ana"), AgentId("luis")
AT = 1_795_000_000.5
STARTED = started("099")


async def test_the_log_is_read_as_it_was_written_without_what_does_not_count(
    database: Database, tmp_path: Path
) -> None:
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    call = InteractionId("i-1")
    facts = [STARTED, ev.Queued(queue="agua", priority=0, skills={}, reason="x"), ev.FlowNoted(kind="a", data={})]
    facts.append(ev.Dequeued(queue="agua", how="abandoned", waited_s=3.0))
    record, events = None, []
    for n, fact in enumerate(facts, 1):
        event = ev.InteractionEvent(interaction=call, n=n, at=AT + n, fact=fact)
        record = apply(record, event)
        events.append(event)
    assert record is not None
    await journal._store([Entry(events=tuple(events), record=record, state=CallState(id=call))])
    assert await SqlLog(database)(AT) == [events[1], events[3]]
    assert await SqlLog(database)(AT + 3) == [events[3]]
    figures = QueueFigures({})
    for event in await SqlLog(database)(0):
        figures.tell(event)
    assert figures.total("agua", 0, AT * 2).abandoned == 1


@pytest.fixture(params=["memory", "postgres"])
def post(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Messages, list[LiveEvent]]]:
    live: list[LiveEvent] = []
    if request.param == "memory":
        yield MemoryMessages({"agua": {ANA}, "luz": {ANA, LUIS}}, live), live
        return
    settings = Settings(
        queues=[Queue(name="agua"), Queue(name="luz")],
        agents=[Agent(id="ana", name="Ana", queues=["agua", "luz"]), Agent(id="luis", name="Luis", queues=["luz"])],
    )
    clock = VirtualClock(AT)
    database: Database = request.getfixturevalue("database")
    organisation = Organisation(tmp_path, settings)
    yield SqlMessages(database, organisation, clock, lambda now: now - 3600, live.append), live


async def test_a_message_reaches_whom_it_is_for_and_is_told_live(post: tuple[Messages, list[LiveEvent]]) -> None:
    messages, live = post
    for kind, to in (("all", ""), ("queue", "agua"), ("agent", "luis")):
        await messages.send(sender="user:s", sender_name="Sonia", kind=kind, to=to, text=f"a {kind}")  # type: ignore[arg-type]
    assert [m.text for m in await messages.of(agent=ANA, sender="user:ana")] == ["a all", "a queue"]
    assert [m.text for m in await messages.of(agent=LUIS, sender="user:luis")] == ["a all", "a agent"]
    mine = await messages.of(agent=None, sender="user:s")
    assert [(m.kind, m.to, m.agents) for m in mine] == [
        ("all", "", {ANA, LUIS}),
        ("queue", "agua", {ANA}),
        ("agent", "luis", {LUIS}),
    ]
    assert await messages.of(agent=None, sender="user:x") == []
    assert [event.agents for event in live] == [m.agents for m in mine]


async def test_a_message_to_nobody_is_not_kept(post: tuple[Messages, list[LiveEvent]]) -> None:
    messages, live = post
    for kind, to in (("agent", "nadie"), ("queue", "nada"), ("agent", "agua"), ("queue", "ana")):
        with pytest.raises(NotFound):
            await messages.send(sender="user:s", sender_name="Sonia", kind=kind, to=to, text="?")  # type: ignore[arg-type]
    assert (await messages.of(agent=None, sender="user:s"), live) == ([], [])


async def test_who_talked_with_a_number_last_is_known_after_a_restart_where_a_queue_wants_it(
    database: Database, tmp_path: Path
) -> None:
    text = "queues: [{name: agua, prefer_last_agent: true}, {name: luz}]\n"
    config_store.put(text, tmp_path, config_store.revision_of(""))
    organisation, clock = Organisation(tmp_path, Settings()), VirtualClock(AT + 10)
    before, after = LastAgents(organisation, clock), LastAgents(organisation, clock)
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    for n, agent in enumerate((ANA, LUIS)):
        facts = (STARTED, ev.Connected(agent=agent, participant=ParticipantId("p")))
        await live_through(journal, happened(f"i-{n}", [(AT + n, fact) for fact in facts]), before.tell)
    await after.load(database)
    for known in (before, after):
        assert known.of("099", "agua") == LUIS
        assert known.of("099", "luz") is None  # that queue does not want it
        assert known.of("098", "agua") is None
    await clock.advance(31 * 86400)
    assert after.of("099", "agua") is None


async def test_contacts_that_lack_how_they_ended_are_known_after_a_restart(database: Database, tmp_path: Path) -> None:
    clock, herald = VirtualClock(AT + 100), Echo()
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    before, after = (Undisposed(lambda queue: queue == "agua", journal, herald, clock) for _ in range(2))
    for call, disposition in (("i-said", "resuelto"), ("i-owed", None)):
        record, events = None, []
        facts = (
            msgspec.structs.replace(STARTED, queue="agua"),
            ev.ParticipantJoined(
                participant=ParticipantId("p"), role=Role.AGENT, address="ana", channel=None, agent=ANA
            ),
            ev.Connected(agent=ANA, participant=ParticipantId("p")),
            ev.WrapUpStarted(agent=ANA, until=AT + 9),
            ev.WrapUpEnded(agent=ANA, how="timer", disposition=disposition),
        )
        for number, fact in enumerate(facts, 1):
            event = ev.InteractionEvent(interaction=InteractionId(call), n=number, at=AT + number, fact=fact)
            record = apply(record, event)
            events.append(event)
            before.tell(event, record)
        assert record is not None
        await journal._store([Entry(events=tuple(events), record=record, state=CallState(id=record.id))])
    await after.load(database)
    for known in (before, after):
        assert [owed.record.id for owed in known.of(ANA)] == ["i-owed"]
        assert known.of(LUIS) == []
