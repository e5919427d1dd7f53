"""The only wiring: makes every part, hands each what it needs, starts and stops them in order."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app import __version__
from app.bootstrap_board import BoardParts
from app.bots import HttpBots
from app.customer_systems import HttpSystems
from app.desk_watch import DeskWatch
from app.flow_watch import FlowWatch
from app.hearing import open_ears
from app.identity import keep_tidy, open_accounts, single_sign_on
from app.last_agents import LastAgents
from app.live import BusHerald, BusLive
from app.organisation import Organisation
from app.pages_build import BuiltPages, pages_or_reason
from app.phone_choices import PhoneChoices
from app.phones import PhoneDesk, revoke_leftovers
from app.place import Place
from app.ports import Ports
from app.provision import Progress, Tool, find_speech, silent
from app.servers import Stores, stores
from app.settings import Settings
from app.shown_settings import show_settings
from app.speaking import open_sounds
from app.switches import SwitchPlan, plan_switch, recordings_folder
from app.undisposed import Undisposed
from app.web_around import around
from app.web_data import DeskAgents, DeskQueues, KeptRecordings, SqlInteractions, SwitchTrunks
from app.web_desk import DaemonDesks, OrganisationCodes
from app.web_flows import ShelfFlows
from app.web_phones import WebPhoneDesk
from callcontrol.daemon import Daemon
from callcontrol.directory import ConfiguredAgents
from callcontrol.flows import BookFlows
from callcontrol.journal_sql import SqlJournal
from callcontrol.listening import Ears
from foundation import migrations
from foundation.audit import PostgresAudit
from foundation.bus_redis import RedisBus
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.errors import Unavailable
from foundation.identity.accounts import Accounts
from foundation.identity.oidc import Oidc
from foundation.identity.people import People
from foundation.logs import get_logger
from foundation.metrics import Metrics
from foundation.pid_files import stop_leftovers
from foundation.processes import RestartPolicy, ServerDeath
from foundation.servers import Servers
from foundation.tasks import Supervisor
from foundation.together import three_together
from foundation.tokens import PostgresTokenStore, Tokens
from ivr_flows.book import FlowBook
from ivr_flows.history import FlowHistory
from ivr_flows.shelf import FlowShelf
from pbx.sounds import SoundLibrary
from pbx.speech import CommandSpeech
from pbx.switch import Switch
from recording.place import RecordingFolder
from softphone_web.deps import WebDeps
from softphone_web.ports import HealthCheck
from softphone_web.server import RunningServer, build_app, serve
from softphone_web.tls import Certificate, open_certificate

log = get_logger(__name__)

# How long calls may go on after the first Ctrl-C. The second ends them.
DRAIN_S = 30.0
# A switch answers within a second or two of its start; a slow machine gets more.
SWITCH_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """All that runs, for those who look at it from within: the demo and the tests."""

    settings: Settings
    place: Place
    engine: str
    sip_port: int | None
    url: str
    servers: Servers
    supervisor: Supervisor
    parts: _Parts


async def run_platform(settings: Settings, place: Place, *, stop: asyncio.Event) -> None:
    """`rimay up`: until `stop`, or until a part of it dies."""
    async with platform(settings, place, _log_progress) as running:
        _spare_the_collector()
        log.info("audit.head", head=str(await PostgresAudit(running.parts.database).head()))
        if not await running.parts.people.users():
            log.warning("platform.nobody_can_sign_in", make_the_first="rimay user add NAME --role admin")
        log.info("platform.up", url=running.url, engine=running.engine, sip_port=running.sip_port)
        running.supervisor.spawn("stop", _stop_when(stop, running.supervisor))
        await running.supervisor.wait()


def _spare_the_collector() -> None:
    """What was made by now lives as long as the process. Looking through it again and again for garbage stops every
    call for 50 ms, and for more on a busy machine; frozen, it is never looked at."""
    gc.collect()
    gc.freeze()


async def _stop_when(stop: asyncio.Event, supervisor: Supervisor) -> None:
    await stop.wait()
    supervisor.stop("asked to stop")


def _log_progress(text: str) -> None:
    log.info("platform.progress", step=text)


@asynccontextmanager
async def platform(
    settings: Settings, place: Place, progress: Progress = silent, *, drain_s: float = DRAIN_S
) -> AsyncIterator[Platform]:
    """Everything, up and ready; on the way out calls are given `drain_s` to end, then all is stopped in reverse."""
    certificate = open_certificate(settings.web)
    # The pages may take a minute of npm at the first run: begun with all else, waited for last.
    pages = asyncio.create_task(pages_or_reason(progress), name="pages")
    try:
        found, plan, speech = await three_together(
            stores(settings, place, progress), plan_switch(settings, place, progress), find_speech(progress)
        )
        built = await pages
    finally:
        pages.cancel()
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(
            Servers(user=place.user, restart=RestartPolicy(), on_death=_tell_death)
        )
        specs = [*found.specs, *([plan.spec] if plan.spec else [])]
        # A killed run of other settings (another engine, say) may have left servers that nobody would adopt.
        await stop_leftovers(place.servers, keep={spec.name for spec in specs})
        progress("starting " + ", ".join(spec.name for spec in specs))
        await servers.start(*specs)
        progress("bringing the database up to date")
        await asyncio.to_thread(migrations.upgrade, found.database_url)
        parts = await _Parts.make(settings, place, found, plan, speech)
        stack.push_async_callback(parts.database.dispose)
        stack.callback(parts.accounts.passwords.close)
        await stack.enter_async_context(parts.switch)
        await stack.enter_async_context(parts.systems)
        stack.push_async_callback(parts.ears.close)
        await stack.enter_async_context(parts.bots)
        oidc = await stack.enter_async_context(single_sign_on(settings.web, parts.clock))
        web = await stack.enter_async_context(_web(settings, place, parts, built, certificate, oidc))
        supervisor = await stack.enter_async_context(Supervisor(drain_timeout_s=drain_s))
        progress("preparing flows and prompts")
        await parts.start(supervisor)
        if certificate is not None:
            supervisor.start("certificate", certificate.watch())
        progress("waiting for the switch")
        await parts.ready(supervisor)
        yield Platform(
            settings=settings,
            place=place,
            engine=plan.engine,
            sip_port=plan.sip_port,
            url=web.url,
            servers=servers,
            supervisor=supervisor,
            parts=parts,
        )


def _tell_death(death: ServerDeath) -> None:
    log.error("server.died", server=death.name, exit_code=death.exit_code, restart_in_s=death.restart_in_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Our own parts, made and joined. What they do begins with `start`."""

    database: Database
    bus: RedisBus
    journal: SqlJournal
    herald: BusHerald
    switch: Switch
    systems: HttpSystems
    ears: Ears
    bots: HttpBots
    sounds: SoundLibrary
    watch: FlowWatch
    flows: ShelfFlows
    daemon: Daemon
    interactions: SqlInteractions
    recordings: RecordingFolder
    agents: DeskAgents
    organisation: Organisation
    desks: DaemonDesks
    board: BoardParts
    last_agents: LastAgents
    undisposed: Undisposed
    phones: PhoneDesk
    webphones: WebPhoneDesk
    tokens: Tokens
    accounts: Accounts
    people: People
    directory: ConfiguredAgents
    metrics: Metrics
    clock: SystemClock

    @classmethod
    async def make(cls, settings: Settings, place: Place, found: Stores, plan: SwitchPlan, speech: Tool) -> _Parts:
        clock, metrics = SystemClock(), Metrics()
        database = Database(found.database_url, pool_size=settings.database.pool_size, wait_s=settings.database.wait_s)
        await database.connect()
        bus = RedisBus(found.redis_url, password=found.redis_password)
        journal = SqlJournal(database, metrics, place.log / "journal-refused.jsonl")
        herald = BusHerald(bus, clock, metrics)
        voice = CommandSpeech(speech.name, [str(speech.binary)])
        sounds = open_sounds(settings.voice, place.sounds, voice)
        switch = plan.connect(sounds, clock)
        organisation = Organisation(place.var, settings)
        own = Path(settings.ivr_flows.own) if settings.ivr_flows.own else place.var / "flows-own"
        book = FlowBook(settings.ivr_flows, archive=place.var / "flows", queues=organisation.queue_names, own=own)
        shelf = FlowShelf(book, FlowHistory(place.var / "flows-history"), own, queues=organisation.queue_names)
        watch = FlowWatch(book, sounds, herald, clock)
        choices = PhoneChoices(place.var / "phones.json")
        directory = ConfiguredAgents(organisation.agents, choices.load(), choices.keep)
        organisation.followers.append(lambda: directory.replace(organisation.agents))
        recordings = RecordingFolder(
            recordings_folder(settings, place),
            min_free_bytes=settings.recording.min_free_mb * 1_000_000,
            owner=(place.user.uid, place.user.gid) if place.user else None,
        )
        systems = HttpSystems(settings.customer_systems, clock, metrics)
        bots = HttpBots(settings.bots)
        ears = await asyncio.to_thread(open_ears, settings.speech, sounds, place.sounds / "cache")
        last_agents = LastAgents(organisation, clock)
        herald.record_folds.append(last_agents.tell)
        codes = OrganisationCodes(organisation)
        undisposed = Undisposed(lambda queue: codes.codes(queue).required, journal, herald, clock)
        herald.record_folds.append(undisposed.tell)
        daemon = Daemon(
            switch=switch,
            journal=journal,
            flows=BookFlows(book),
            agents=directory,
            herald=herald,
            recordings=recordings,
            rules=[],  # the organisation's, which takes itself up below
            max_calls={trunk.name: trunk.max_calls for trunk in settings.pbx.trunks},
            clock=clock,
            metrics=metrics,
            systems=systems,
            acquaintances=last_agents,
            ears=ears,
            bots=bots,
            grace_s=settings.calls.grace_s,
        )
        agents = DeskAgents(daemon, directory, switch, clock, journal.stored)
        herald.endpoint_folds.append(agents.endpoint_changed)
        board = BoardParts.make(
            herald=herald,
            daemon=daemon,
            organisation=organisation,
            database=database,
            agents=agents,
            clock=clock,
            stored=journal.stored,
        )
        organisation.take_up(daemon.desk)
        accounts = open_accounts(database, settings, place, clock)
        return cls(
            database=database,
            bus=bus,
            journal=journal,
            herald=herald,
            switch=switch,
            systems=systems,
            ears=ears,
            bots=bots,
            sounds=sounds,
            watch=watch,
            flows=ShelfFlows(book, shelf, clock, watch.look),
            daemon=daemon,
            interactions=SqlInteractions(database, journal.stored),
            recordings=recordings,
            agents=agents,
            organisation=organisation,
            desks=DaemonDesks(
                daemon,
                directory,
                codes,
                clock,
                organisation.title,
                undisposed,
            ),
            board=board,
            last_agents=last_agents,
            undisposed=undisposed,
            phones=PhoneDesk(switch, directory, clock, daemon.phone_silent, settings.web.session_life_s),
            webphones=WebPhoneDesk(switch, clock, settings.web.webphone),
            tokens=Tokens(PostgresTokenStore(database), clock),
            accounts=accounts,
            people=People(accounts.stores, accounts.passwords, clock),
            directory=directory,
            metrics=metrics,
            clock=clock,
        )

    async def start(self, supervisor: Supervisor) -> None:
        supervisor.start("bus", self.bus.run())
        await self.journal.take_back()
        supervisor.start("journal", self.journal.run())
        # After the calls have ended and every task is gone: what they wrote last is stored too.
        supervisor.part("journal", close=self.journal.store_rest)
        supervisor.start("flows", await self.watch.begin())
        supervisor.start("organisation", self.organisation.watch(self.daemon.desk))
        desks = DeskWatch(self.desks, self.clock, self.herald.tell)
        self.herald.watchers.append(desks.watch)
        supervisor.start("desks", desks.run())
        await self.last_agents.load(self.database)
        await self.undisposed.load(self.database)
        await self.board.start(supervisor)
        supervisor.start("daemon", self.daemon.run())
        supervisor.start("accounts", keep_tidy(self.accounts))

        async def stop_intake() -> None:
            self.daemon.stop_accepting()

        supervisor.part("phones", close=self.phones.close)
        supervisor.part("webphones", close=self.webphones.close)
        supervisor.part(
            "calls",
            stop_intake=stop_intake,
            drain=self.daemon.drained,
            pending=lambda: [f"call {call}" for call in self.daemon.sessions],
        )

    async def ready(self, supervisor: Supervisor) -> None:
        """Until the daemon has reconciled with the switch."""
        stopped = asyncio.ensure_future(supervisor.wait())
        ready = asyncio.ensure_future(self.daemon.ready.wait())
        try:
            await asyncio.wait({stopped, ready}, timeout=SWITCH_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() and not stopped.done():
                raise Unavailable(f"the switch did not answer within {SWITCH_WAIT_S:g} s")
            if ready.done():
                await revoke_leftovers(self.switch)
        finally:
            stopped.cancel()
            ready.cancel()


def _web(
    settings: Settings,
    place: Place,
    parts: _Parts,
    pages: BuiltPages,
    certificate: Certificate | None,
    oidc: Oidc | None,
) -> AbstractAsyncContextManager[RunningServer]:
    deps = WebDeps(
        interactions=parts.interactions,
        queues=DeskQueues(parts.daemon, parts.organisation, parts.clock),
        agents=parts.agents,
        trunks=SwitchTrunks(parts.daemon, parts.switch, settings.pbx.trunks),
        recordings=KeptRecordings(parts.interactions, parts.recordings),
        flows=parts.flows,
        around=around(settings.customers, settings.pbx.dialing, parts.database, parts.systems, parts.clock),
        desks=parts.desks,
        phones=parts.phones,
        webphones=parts.webphones,
        calls=parts.desks,
        organisation=OrganisationCodes(parts.organisation),
        live=BusLive(parts.bus),
        audit=PostgresAudit(parts.database),
        tokens=parts.tokens,
        accounts=parts.accounts,
        people=parts.people,
        oidc=oidc,
        supervision=parts.board.supervision,
        checks=_checks(parts),
        shown_settings=show_settings(settings),
        version=__version__,
        metrics=parts.metrics,
        settings=settings.web,
        clock=parts.clock,
        pages=pages.folder,
        pages_missing=pages.missing,
    )
    port = Ports(place).choose("web", fixed=settings.web.port, why_fixed="web.port")
    context = None if certificate is None else certificate.context
    return serve(build_app(deps), settings.web.host, port, ssl_context=context)


def _checks(parts: _Parts) -> list[HealthCheck]:
    async def database() -> str:
        return f"{await parts.database.ping() * 1000:.1f} ms"

    async def bus() -> str:
        if not parts.bus.connected:
            raise Unavailable("no connection to Redis")
        return "connected"

    async def switch() -> str:
        if not parts.daemon.ready.is_set():
            raise Unavailable("not yet reconciled with the switch")
        return f"{parts.switch.engine}, {len(await parts.switch.channels())} channels"

    async def recordings() -> str:
        free = await asyncio.to_thread(parts.recordings.check_room)
        return f"{free // 1_000_000} MB free"

    return [
        HealthCheck(name="switch", check=switch),
        HealthCheck(name="database", check=database),
        # Without Redis calls go on and pages of this daemon too: degraded, not down.
        HealthCheck(name="redis", check=bus, critical=False),
        HealthCheck(name="recordings", check=recordings, critical=False),
    ]
