"""A flow on a real switch: a daemon, a robot that calls over the trunk, an agent's telephone, the customer's system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from app.customer_systems import HttpSystems
from app.demo_customer_system import CustomerSystem
from callcontrol.bot_dialogue import Bots
from callcontrol.daemon import Daemon
from callcontrol.directory import ConfiguredAgents
from callcontrol.events import FlowNoted
from callcontrol.flows import BookFlows
from callcontrol.journal import MemoryJournal
from callcontrol.listening import Ears
from callcontrol.model import AgentId, AgentState, Interaction, Phase
from callcontrol.routing import terms as routing
from callcontrol.settings import Agent, CustomerSystemSettings, Queue
from foundation.clock import SystemClock
from foundation.metrics import Metrics
from ivr_flows.book import FlowBook
from ivr_flows.references import Known, QueueName
from ivr_flows.settings import FlowSettings
from pbx.sip.agent import SipPhone
from recording.place import RecordingFolder
from tests.app.test_customer_systems import serving
from tests.support.daemon import Echo
from tests.support.engines import Engine
from tests.support.flow_kinds import PART
from tests.support.flows import HEAD
from tests.support.lab import AGENT_HZ, CALLER, CALLER_HZ, GATEWAY_HOSTS, PASSWORD, PHONES_HOST
from tests.support.stage import until

SERVICE = "072831900"
# Far from one another, from the far ends' tones and from DTMF.
FIRST_HZ, SECOND_HZ = 450, 800
FIRST = f"{{tone: {{hz: {FIRST_HZ}, ms: 6000}}}}"
SECOND = f"{{tone: {{hz: {SECOND_HZ}, ms: 6000}}}}"
FLOW = (
    HEAD
    + """\
calendars: {siempre: {weekly: {mon-sun: "00:00-24:00"}, holidays: none}}
variables: {t: text, n: number}
nodes:
"""
)
REST = """
  cola: {kind: queue, name: contact-center, then: {talked: fin, timeout: fin}}
  bien: {kind: play, barge_in: false, prompts: SECOND, next: fin}
  fin: {kind: hangup}
"""


class Stage:
    """A daemon on the switch, the trunk's robot, an agent's telephone, the customer's system."""

    def __init__(self, engine: Engine, daemon: Daemon, journal: MemoryJournal, gateway: SipPhone) -> None:
        self.engine, self.daemon, self.journal, self.gateway = engine, daemon, journal, gateway
        self.system = CustomerSystem()
        self.stack = AsyncExitStack()

    async def call(self) -> Any:
        return await self.gateway.call(SERVICE, (self.engine.settings.bind, self.engine.ports.sip))

    async def phone(self, name: str = "agente1") -> SipPhone:
        phone = SipPhone(name, host=PHONES_HOST, password=PASSWORD, tone_hz=AGENT_HZ)
        await self.stack.enter_async_context(phone)
        assert await phone.register((self.engine.settings.bind, self.engine.ports.sip)) == 200
        phone.auto_answer = True
        return phone

    def ready(self) -> None:
        self.daemon.desk.sign_in(AgentId("ana"), frozenset({"contact-center"}))
        now = SystemClock().now()
        self.daemon.desk.tell(routing.AgentAsked(at=now, agent=AgentId("ana"), state=AgentState.READY))

    def notes(self, kind: str) -> list[dict[str, Any]]:
        events = next(iter(self.journal.events.values()))  # the caller's: a callback has a record of its own
        return [e.fact.data for e in events if isinstance(e.fact, FlowNoted) and e.fact.kind == kind]

    async def until(self, holds: Callable[[Interaction], bool], what: str) -> None:
        """Until that holds for the record of the call."""

        async def look() -> bool:
            return any(holds(record) for record in self.journal.records.values())

        await until(look, what, 10.0)

    async def closed(self) -> None:
        async with asyncio.timeout(20):
            await self.daemon.drained()
        record = next(iter(self.journal.records.values()))
        assert record.phase is Phase.CLOSED


@asynccontextmanager
async def staged(
    engine: Engine,
    tmp_path: Path,
    nodes: str,
    *,
    tone_hz: int = CALLER_HZ,
    ears: Ears | None = None,
    bots: Bots | None = None,
    first: str = FIRST,
    second: str = SECOND,
    system_url: str = "",
) -> AsyncIterator[Stage]:
    folder = tmp_path / "flows"
    folder.mkdir()
    for name, text in (("prueba", FLOW + nodes + REST), ("parte", PART)):
        plain = text.replace("FIRST", first).replace("SECOND", second)
        (folder / f"{name}.yaml").write_text(plain, encoding="utf-8")
    book = FlowBook(
        FlowSettings(folders=[str(folder)], shipped=False, default="prueba"),
        known=Known({QueueName: ["contact-center"]}),
    )
    assert not book.refresh().refused, book.findings()
    owner = (engine.user.uid, engine.user.gid) if engine.user else None
    journal, metrics, clock = MemoryJournal(), Metrics(), SystemClock()
    gateways = {g.name: g.port for trunk in engine.settings.trunks for g in trunk.gateways}
    async with AsyncExitStack() as stack:
        gateway = SipPhone(CALLER, host=GATEWAY_HOSTS["gw1"], port=gateways["gw1"], tone_hz=tone_hz)
        await stack.enter_async_context(gateway)
        switch = engine.make_switch(engine.ports.control, engine.ports.manager)
        await stack.enter_async_context(switch)  # type: ignore[arg-type]
        system = CustomerSystem()
        url = system_url or await stack.enter_async_context(serving(system.app()))
        settings = CustomerSystemSettings.model_validate({"systems": [{"name": "clientes", "url": url}]})
        systems = await stack.enter_async_context(HttpSystems(settings, clock, metrics))
        daemon = Daemon(
            switch=switch,
            journal=journal,
            flows=BookFlows(book),
            agents=ConfiguredAgents([Agent(id="ana", name="Ana", phone="agente1", queues=["contact-center"])]),
            herald=Echo(),
            recordings=RecordingFolder(engine.folders.recordings, min_free_bytes=0, owner=owner),
            rules=[Queue(name="contact-center", wrap_up_s=0).rules],
            clock=clock,
            metrics=metrics,
            systems=systems,
            ears=ears,
            bots=bots,
        )
        task = asyncio.create_task(daemon.run(), name="daemon")
        try:
            async with asyncio.timeout(15):
                await daemon.ready.wait()
            stage = Stage(engine, daemon, journal, gateway)
            stage.system = system
            async with stage.stack:
                yield stage
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def hears(call: Any, hz: int) -> None:
    assert await call.hears(hz, 8.0), f"{hz} Hz is not heard"
