"""From "this agent is free" to the offer's frame on a page's wire: nothing else of the loop's work comes between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.desk_watch import DeskWatch
from app.live import BusHerald, BusLive
from app.undisposed import Undisposed
from app.web_desk import DaemonDesks
from callcontrol import inputs as inp
from callcontrol.directory import ConfiguredAgents
from callcontrol.events import InteractionEvent
from callcontrol.model import AgentId, AgentState, Interaction
from callcontrol.routing.terms import AgentChanged
from foundation.access import Principal, Role
from foundation.bus import MemoryBus
from foundation.metrics import Metrics
from pbx.events import ChannelHungUp
from pbx.terms import ChannelId, HangupCause
from softphone_web.live import Client, LiveHub
from softphone_web.ports import Topic
from softphone_web.settings import WebSettings
from tests.support.daemon import AGENTS, DaemonLab, Echo
from tests.support.desk_rig import OneCode

ANA = AgentId("ana")
OFFERED = [
    ("agents", "agent_state"),  # ready
    ("agents", "agent_state"),  # reserved
    ("interactions", "participant_joined"),
    ("interactions", "offered"),
]


class Told(Echo):
    """The platform's own herald behind the one that the lab looks at."""

    def __init__(self, herald: BusHerald) -> None:
        super().__init__()
        self.wired = herald

    def interaction(self, event: InteractionEvent, record: Interaction) -> None:
        super().interaction(event, record)
        self.wired.interaction(event, record)

    def agent(self, change: AgentChanged) -> None:
        super().agent(change)
        self.wired.agent(change)


class Page(Client):
    """A supervisor's, in which nobody writes by turns: `wire` is what was written at once."""

    def __init__(self) -> None:
        super().__init__(Principal(id="token:1", name="s", role=Role.SUPERVISOR), ANA, frozenset(Topic), 512)
        self.wire: list[bytes] = []
        self.write = self._take

    def _take(self, frame: bytes) -> bool:
        self.wire.append(frame)
        return True

    @property
    def waits(self) -> list[tuple[str, str]]:
        return _kinds(list(self._queue))


def _kinds(frames: list[bytes]) -> list[tuple[str, str]]:
    seen = [msgspec.json.decode(frame) for frame in frames]
    return [(one["topic"], one["type"]) for one in seen]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[DaemonLab]:
    lab = DaemonLab(tmp_path)
    lab.herald = Told(BusHerald(MemoryBus(), lab.clock, Metrics()))
    async with lab:
        yield lab


@pytest.fixture
async def page(lab: DaemonLab) -> AsyncIterator[Page]:
    """Open, beside all that a platform tells its pages of."""
    assert isinstance(lab.herald, Told)
    herald = lab.herald.wired
    hub = LiveHub(BusLive(herald._bus), lab.clock, WebSettings(), Metrics())
    undisposed = Undisposed(lambda _queue: False, lab.journal, lab.herald, lab.clock)
    desks = DaemonDesks(lab.daemon, ConfiguredAgents(AGENTS), OneCode(), lab.clock, str.title, undisposed)
    watch = DeskWatch(desks, lab.clock, herald.tell)
    herald.watchers.append(watch.watch)
    page = Page()
    hub.join(page)
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(watch.run())]
    await lab.go(0)
    await hub.check()
    yield page
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def waiting(lab: DaemonLab) -> None:
    await lab.to_queue(await lab.call())


async def test_who_becomes_free_is_offered_the_waiting_before_their_order_returns(lab: DaemonLab, page: Page) -> None:
    await lab.phone("1001", auto_answer=False)
    await waiting(lab)
    lab.daemon.desk.sign_in(ANA, frozenset({"contact-center"}))
    await lab.go(0)
    page._queue.clear()
    lab.ask("ana", AgentState.READY)  # the loop has no turn from here on
    assert _kinds(page.wire) == OFFERED
    assert page.waits == []
    while _kinds([await page.next() or b""]) != [("desk", "changed")]:
        pass
    assert _kinds(page.wire) == OFFERED  # the desk's own picture came afterwards, in its turn


async def test_it_goes_before_what_is_owed_to_other_calls(lab: DaemonLab, page: Page) -> None:
    await lab.phone("1001", auto_answer=False)
    for _ in range(3):
        await waiting(lab)
    first, *others = lab.daemon.sessions.values()
    lab.daemon.desk.sign_in(ANA, frozenset({"contact-center"}))
    await lab.go(0)
    page._queue.clear()
    for other in others:
        gone = ChannelId(other.channel)
        other.tell(
            ChannelHungUp(
                at=lab.clock.now(), channel=gone, cause=HangupCause.NORMAL, q850=16, by_us=False, answered=True
            )
        )
    lab.ask("ana", AgentState.READY)
    assert _kinds(page.wire) == OFFERED
    assert {msgspec.json.decode(frame)["id"] for frame in page.wire} == {"ana", first.state.id}
    await lab.go(0)
    assert ("interactions", "ended") in page.waits


async def test_a_page_that_does_not_keep_up_gets_it_in_its_order(lab: DaemonLab, page: Page) -> None:
    await lab.phone("1001", auto_answer=False)
    await waiting(lab)
    lab.daemon.desk.sign_in(ANA, frozenset({"contact-center"}))
    await lab.go(0)
    page._queue.clear()
    page.write = lambda _frame: False
    lab.ask("ana", AgentState.READY)
    assert page.waits == OFFERED
    assert page.wire == []


async def test_a_call_that_is_at_something_takes_its_offer_after_it(lab: DaemonLab, page: Page) -> None:
    await lab.phone("1001", auto_answer=False)
    await waiting(lab)
    session = next(iter(lab.daemon.sessions.values()))
    lab.daemon.desk.sign_in(ANA, frozenset({"contact-center"}))
    await lab.go(0)
    page._queue.clear()
    session.tell(inp.Classify(by=ANA, disposition=None, reason="agua"))
    lab.ask("ana", AgentState.READY)
    assert page.wire == []
    await lab.go(0)
    assert lab.facts()[-3:] == ["classified", "participant_joined", "offered"]
