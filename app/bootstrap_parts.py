"""Our own parts, made and joined."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap_board import BoardParts
from app.bots import HttpBots
from app.customer_systems import HttpSystems
from app.desk_watch import DeskWatch
from app.flow_names import FlowNames
from app.flow_watch import FlowWatch
from app.hearing import open_ears
from app.identity import keep_tidy, open_accounts
from app.last_agents import LastAgents
from app.last_reasons import LastReasons
from app.live import BusHerald
from app.organisation import Organisation
from app.phone_choices import PhoneChoices
from app.phones import PhoneDesk, revoke_leftovers
from app.place import Place
from app.provision import Tool
from app.servers import Stores
from app.settings import Settings
from app.speaking import open_sounds
from app.switches import SwitchPlan, recordings_folder
from app.undisposed import Undisposed
from app.web_data import DeskAgents, SqlInteractions
from app.web_desk import DaemonDesks, OrganisationCodes
from app.web_flows import ShelfFlows
from app.web_phones import WebPhoneDesk
from callcontrol.daemon import Daemon
from callcontrol.directory import ConfiguredAgents
from callcontrol.flows import BookFlows
from callcontrol.journal_sql import SqlJournal
from callcontrol.listening import Ears
from foundation.bus_redis import RedisBus
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.errors import Unavailable
from foundation.identity.accounts import Accounts
from foundation.identity.people import People
from foundation.identity.standings import Standings, watch
from foundation.metrics import Metrics
from foundation.tasks import Supervisor
from foundation.tokens import PostgresTokenStore, Tokens
from ivr_flows.book import FlowBook
from ivr_flows.history import FlowHistory
from ivr_flows.shelf import FlowShelf
from pbx.sounds import SoundLibrary
from pbx.speech import CommandSpeech
from pbx.switch import Switch
from recording.place import RecordingFolder

# A switch answers within a second or two of its start; a slow machine gets more.
SWITCH_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
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
    last_reasons: LastReasons
    undisposed: Undisposed
    phones: PhoneDesk
    webphones: WebPhoneDesk
    tokens: Tokens
    accounts: Accounts
    standings: Standings
    people: People
    directory: ConfiguredAgents
    metrics: Metrics
    clock: SystemClock

    @classmethod
    async def make(cls, settings: Settings, place: Place, found: Stores, plan: SwitchPlan, speech: Tool) -> Parts:
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
        names = FlowNames(settings, organisation.config, place.sounds)
        organisation.followers.append(lambda: names.follow(organisation.config))
        book = FlowBook(settings.ivr_flows, archive=place.var / "flows", known=names.known, own=own)
        shelf = FlowShelf(book, FlowHistory(place.var / "flows-history"), own, known=names.known)
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
        last_reasons = LastReasons(clock)
        herald.record_folds += [last_agents.tell, last_reasons.tell]
        codes = OrganisationCodes(organisation)
        undisposed = Undisposed(lambda queue: codes.codes(queue).required, journal, herald, clock)
        herald.record_folds.append(undisposed.tell)
        daemon = Daemon(
            switch=switch,
            journal=journal,
            flows=BookFlows(book, last_reasons.of),
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
        accounts, standings = open_accounts(database, settings, place, clock)
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
            flows=ShelfFlows(book, shelf, clock, watch.look, bots),
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
            last_reasons=last_reasons,
            undisposed=undisposed,
            phones=PhoneDesk(switch, directory, clock, daemon.phone_silent, settings.web.session_life_s),
            webphones=WebPhoneDesk(switch, clock, settings.web.webphone),
            tokens=Tokens(PostgresTokenStore(database), clock),
            accounts=accounts,
            standings=standings,
            people=People(accounts.stores, accounts.passwords, clock, is_agent=organisation.has_agent),
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
        await self.last_reasons.load(self.database)
        await self.undisposed.load(self.database)
        await self.board.start(supervisor)
        supervisor.start("daemon", self.daemon.run())
        supervisor.start("accounts", keep_tidy(self.accounts))
        supervisor.start("standings", watch(self.standings, self.database))

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
