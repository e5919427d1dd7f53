"""The contract of live events (`softphone_web.ports.Live`), for the twin and for the bus: both ends of the wire, with
`BusHerald.tell` at the other. That the bus is the same in memory and over Redis has its own contract (test_bus)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from app.live import BusHerald, BusLive
from callcontrol.model import AgentId, AgentState
from foundation.bus import MemoryBus
from foundation.clock import VirtualClock, settle
from foundation.errors import Conflict, Unavailable
from foundation.metrics import Metrics
from softphone_web.ports import Live, LiveEvent, Topic
from tests.support.web import MemoryLive

EVENT = LiveEvent(
    topic=Topic.INTERACTIONS,
    type="offered",
    at=1_795_000_000.123457,
    key="i-1",
    data={"queue": "averias", "board": {"waited_s": 1 / 3, "path": ["1", None, True]}},
    private={"from": "+593987654321"},
    agents=frozenset({AgentId("ana"), AgentId("luis")}),
)


@dataclass
class Rig:
    live: Live
    put: Callable[[LiveEvent], None]
    lose: Callable[[], None]


@pytest.fixture(params=["memory", "bus"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        twin = MemoryLive()
        return Rig(twin, twin.put, twin.fail)
    bus = MemoryBus()
    herald = BusHerald(bus, VirtualClock(), Metrics())
    return Rig(BusLive(bus), herald.tell, lambda: bus._local.mark_lost(None))


@asynccontextmanager
async def listening(rig: Rig, hear: Callable[[LiveEvent], None]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(rig.live.listen(hear))
    await settle()
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def about(key: str, topic: Topic = Topic.INTERACTIONS) -> LiveEvent:
    return replace(EVENT, key=key, topic=topic)


async def test_an_event_comes_whole(rig: Rig) -> None:
    heard: list[LiveEvent] = []
    async with listening(rig, heard.append):
        for topic in Topic:
            rig.put(replace(EVENT, topic=topic))
            assert heard.pop() == replace(EVENT, topic=topic)  # before `put` returned


async def test_what_comes_is_plain_and_nobodys_to_change(rig: Rig) -> None:
    heard: list[LiveEvent] = []
    data = {"state": AgentState.READY, "path": ("1", "2")}
    async with listening(rig, heard.append):
        rig.put(replace(EVENT, data=data))
        data["state"] = AgentState.SIGNED_OUT
        assert heard[0].data == {"state": "ready", "path": ["1", "2"]}
        assert type(heard[0].data["state"]) is str


async def test_from_now_on_in_order_until_it_is_over(rig: Rig) -> None:
    heard: list[str] = []
    rig.put(about("before"))
    async with listening(rig, lambda event: heard.append(event.key)):
        topics = list(Topic) * 3
        for number, topic in enumerate(topics):
            rig.put(about(str(number), topic))
    rig.put(about("after"))
    await settle()
    assert heard == [str(number) for number in range(len(topics))]


async def test_who_cannot_bear_an_event_hears_no_more_and_nobody_else_notices(rig: Rig) -> None:
    well: list[str] = []
    tries = 0

    def bad(event: LiveEvent) -> None:
        nonlocal tries
        tries += 1
        raise Conflict("too much")

    async with listening(rig, bad) as task, listening(rig, lambda event: well.append(event.key)):
        rig.put(about("one"))
        rig.put(about("two"))
        with pytest.raises(Conflict):
            await task
        assert (tries, well) == (1, ["one", "two"])


async def test_when_events_are_lost_all_are_told_and_may_listen_again(rig: Rig) -> None:
    heard: list[str] = []

    def hear(event: LiveEvent) -> None:
        heard.append(event.key)

    async with listening(rig, hear) as one, listening(rig, hear) as other:
        rig.put(about("first"))
        rig.lose()
        rig.put(about("unheard"))
        for task in (one, other):
            with pytest.raises(Unavailable):
                await task
        async with listening(rig, hear):
            rig.put(about("again"))
    assert heard == ["first", "first", "again"]
