"""Why a number called last: kept by what happens, read again after a restart, known to a flow from its first step."""

from __future__ import annotations

from pathlib import Path

from app.last_reasons import LastReasons
from callcontrol import events as ev
from callcontrol.call_state import FlowRef
from callcontrol.flows import BookFlows
from callcontrol.journal_sql import SqlJournal
from callcontrol.model import Direction
from foundation.clock import VirtualClock
from foundation.database import Database
from foundation.metrics import Metrics
from ivr_flows.book import FlowBook
from ivr_flows.settings import FlowSettings
from tests.support.happened import happened, live_through, started, told

AT = 1_772_463_600.0
TAG = ev.FlowNoted(kind="tag", data={"tag": "consulta_de_factura"})
QUEUED = ev.Queued(queue="agua", priority=0, skills={}, reason="fuga")


async def test_why_a_number_called_last_is_known_after_a_restart(database: Database, tmp_path: Path) -> None:
    clock = VirtualClock(AT + 10)
    before, after = LastReasons(clock), LastReasons(clock)
    journal = SqlJournal(database, Metrics(), tmp_path / "refused.jsonl")
    calls: list[tuple[ev.AnyFact, ...]] = [
        (started("0991234567"), QUEUED),
        (started("+593991234567"), TAG),  # the same number, as another gateway writes it
        (started("072831900"), TAG, QUEUED),
        (started("0981111111"), ev.FlowNoted(kind="node", data={})),
        (started("0972222222", Direction.OUTBOUND), QUEUED),
        (started("anonymous"), QUEUED),
    ]
    for n, facts in enumerate(calls):
        await live_through(journal, happened(f"r-{n}", [(AT + n, fact) for fact in facts]), before.tell)
    await after.load(database)
    for known in (before, after):
        assert known.of("099 123 4567", AT + 3) == {"last_reason": "consulta_de_factura", "last_at": 0}
        assert known.of("+593 7 283 1900", AT + 3 * 86400) == {"last_reason": "fuga", "last_at": 2}
        for nobody in ("0981111111", "0972222222", "anonymous", ""):
            assert known.of(nobody, AT + 5) == {}
        assert known.of("0991234567", AT + 91 * 86400) == {}


def test_a_flow_is_told_of_the_last_reason() -> None:
    clock = VirtualClock(AT)
    reasons = LastReasons(clock)
    told(happened("r", [(AT, started("0991234567")), (AT, TAG)]), reasons.tell)
    book = FlowBook(FlowSettings())
    assert book.refresh().taken
    flows = BookFlows(book, reasons.of)
    ref = flows.choose("072862000")
    assert isinstance(ref, FlowRef)
    for number, known in (("0991234567", ("consulta_de_factura", 2)), ("0987654321", (None, None))):
        cursor, _ = flows.begin(ref, {"from": number, "to": "072862000"}, AT + 2.5 * 86400)
        assert (cursor["facts"].get("last_reason"), cursor["facts"].get("last_at")) == known
        assert cursor["facts"]["from"] == number
