"""The daemon on the in-memory twin: a virtual clock, a journal in memory, the flow that the product comes with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from callcontrol.bot_dialogue import Bots
from callcontrol.daemon import Daemon
from callcontrol.directory import ConfiguredAgents
from callcontrol.events import InteractionEvent, fact_type
from callcontrol.flows import BookFlows
from callcontrol.journal import MemoryJournal
from callcontrol.listening import Ears
from callcontrol.model import AgentId, AgentState, Interaction, OfferId, SegmentKind
from callcontrol.open_leg import NUMBER as OPEN_LEG
from callcontrol.orders import Orders
from callcontrol.ports import CustomerSystems
from callcontrol.record import fold
from callcontrol.routing import terms as routing
from callcontrol.settings import Agent, Queue
from foundation.clock import VirtualClock
from foundation.metrics import Metrics
from ivr_flows.book import FlowBook
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import FlowSettings
from pbx.events import EndpointChanged, TrunkChanged
from pbx.memory import MemoryCall, MemoryPhone, MemorySwitch, MemoryWorld
from pbx.settings import PbxSettings
from recording.place import RecordingFolder

T = TypeVar("T")

SETTINGS = PbxSettings.model_validate(
    {
        "engine": "memory",
        "trunks": [{"name": "etapa", "gateways": [{"name": "gw1", "host": "127.0.0.2"}], "keepalive_s": 0}],
        "phones": [{"name": "1001", "password": "x"}, {"name": "1002", "password": "x"}],
    }
)
AGENTS = [
    Agent(id="ana", name="Ana Cordero", phone="1001", queues=["contact-center"]),
    Agent(id="luis", name="Luis Vintimilla", phone="1002", queues=["contact-center"]),
]
PHONES = {agent.id: str(agent.phone) for agent in AGENTS}
# How a call comes to the queue below by the shipped flow: first to the line of its service, which is not here.
TO_QUEUE = (SegmentKind.IVR, SegmentKind.QUEUE, SegmentKind.IVR, SegmentKind.QUEUE)
QUEUES = [Queue(name="contact-center", title="Contact Center", offer_s=10, wrap_up_s=20)]


class Echo:
    """A herald that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[InteractionEvent] = []
        self.agents: list[routing.AgentChanged] = []
        self.phones: list[tuple[str, bool]] = []
        self.alerts: list[tuple[str, str]] = []
        self.record_folds: list[Callable[[InteractionEvent, Interaction], None]] = []

    def interaction(self, event: InteractionEvent, record: Interaction) -> None:
        self.events.append(event)
        for look in self.record_folds:
            look(event, record)

    def agent(self, change: routing.AgentChanged) -> None:
        self.agents.append(change)

    def trunk(self, change: TrunkChanged) -> None: ...

    def phone(self, at: float, agent: AgentId, *, up: bool) -> None:
        self.phones.append((agent, up))

    def endpoint(self, change: EndpointChanged) -> None: ...

    def alert(self, at: float, kind: str, message: str, key: str = "") -> None:
        self.alerts.append((kind, message))


class DaemonLab:
    """One twin world and one journal; `start` and `kill` a daemon on them as often as the test needs."""

    def __init__(
        self,
        folder: Path,
        *,
        flows: FlowSettings | None = None,
        systems: CustomerSystems | None = None,
        ears: Ears | None = None,
        bots: Bots | None = None,
        queues: Sequence[Queue] = QUEUES,
    ) -> None:
        self.flows = flows or FlowSettings()
        self.systems = systems
        self.ears = ears
        self.bots = bots
        self.queues = queues
        self.clock = VirtualClock()
        self.world = MemoryWorld(self.clock, SETTINGS)
        self.journal = MemoryJournal()
        self.herald = Echo()
        self.folder = folder
        self._stack = AsyncExitStack()
        self.daemon: Daemon
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> DaemonLab:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()

    async def start(self) -> None:
        switch = MemorySwitch(self.clock, SETTINGS, self.world)
        await self._stack.enter_async_context(switch)
        book = FlowBook(self.flows, known=Known({QueueName: [q.name for q in self.queues]}))
        assert not book.refresh().refused
        self.daemon = Daemon(
            switch=switch,
            journal=self.journal,
            flows=BookFlows(book),
            agents=ConfiguredAgents(AGENTS),
            herald=self.herald,
            recordings=RecordingFolder(self.folder, min_free_bytes=0),
            rules=[q.rules for q in self.queues],
            clock=self.clock,
            metrics=Metrics(),
            systems=self.systems,
            ears=self.ears,
            bots=self.bots,
        )
        self._task = asyncio.create_task(self.daemon.run(), name="daemon")
        await self.go(0)

    async def kill(self) -> None:
        """Without goodbye: what the journal and the switch hold is all that is left."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def go(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the virtual time pass until that is done."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await self.go(0.05)
        return task.result()

    async def hears(self, call: MemoryCall, hz: int) -> bool:
        return await self.during(call.hears(hz))

    # --- people --------------------

    async def phone(self, name: str, *, auto_answer: bool = True, tone_hz: int = 1000) -> MemoryPhone:
        phone = self.world.phones[name]
        phone.auto_answer = auto_answer
        phone.tone_hz = tone_hz
        await phone.register()
        await self.go(0)
        return phone

    async def open_leg(self, agent: str, *, tone_hz: int = 1000) -> MemoryCall:
        """The agent's page sets up its audio leg, from the phone of theirs."""
        phone = self.world.phones[PHONES[agent]]
        phone.tone_hz = tone_hz
        await phone.register()
        leg = await phone.call(OPEN_LEG, wait=False)
        await self.go(0)
        assert leg.answered.is_set()
        return leg

    def offer_to(self, agent: str) -> OfferId:
        offer = self.daemon.desk.router.agents[AgentId(agent)].offer
        assert offer is not None, self.state(agent)
        return offer

    @property
    def orders(self) -> Orders:
        return Orders(self.daemon, self.clock)

    async def ready(self, *agents: str) -> None:
        for agent in agents:
            if AgentId(agent) not in self.daemon.desk.router.agents:
                self.daemon.desk.sign_in(AgentId(agent), frozenset({"contact-center"}))
            self.ask(agent, AgentState.READY)
        await self.go(0)

    def ask(self, agent: str, state: AgentState, reason: str = "") -> None:
        self.daemon.desk.tell(routing.AgentAsked(at=self.clock.now(), agent=AgentId(agent), state=state, reason=reason))

    async def call(self, number: str = "072831900", *, tone_hz: int = 440) -> MemoryCall:
        gateway = self.world.gateway("gw1")
        gateway.tone_hz = tone_hz
        call = await gateway.call(number, wait=False)
        await self.go(0)
        return call

    async def to_queue(self, call: MemoryCall, option: str = "1") -> None:
        """Through the menu: the greeting is cut short by the key."""
        await self.go(1)
        await self.during(call.send_digits(option))
        await self.go(2)

    # --- what was written --------------------

    def record(self, index: int = -1) -> Interaction:
        """The record of the call that came index-th, checked to be the fold of its events."""
        records = sorted(self.journal.records.values(), key=lambda r: r.created_at)
        record = records[index]
        assert fold(self.journal.events[record.id]) == record
        return record

    def facts(self, index: int = -1) -> list[str]:
        return [fact_type(e.fact) for e in self.journal.events[self.record(index).id]]

    def state(self, agent: str) -> tuple[AgentState, str]:
        view = self.daemon.desk.router.agents[AgentId(agent)]
        return view.state, view.reason
