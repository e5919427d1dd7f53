"""In-memory twins of the web's ports, and an application on a real port around them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from callcontrol.events import (
    AnyFact,
    Closed,
    Connected,
    Ended,
    FlowNoted,
    InteractionEvent,
    ParticipantJoined,
    RecordingStarted,
    Started,
)
from callcontrol.model import (
    AgentId,
    Direction,
    ExitReason,
    InitiationMethod,
    Interaction,
    InteractionId,
    Medium,
    Participant,
    ParticipantId,
    Phase,
    Recording,
    Role,
)
from foundation import access
from foundation.audit import MemoryAudit, entry
from foundation.clock import Clock, SystemClock, VirtualClock
from foundation.errors import Conflict, NotFound, Unavailable
from foundation.identity.accounts import Accounts, Lives, SignedIn, Stores, Visitor
from foundation.identity.memory import MemoryRoles, MemorySessions, MemoryUsers
from foundation.identity.model import CustomRole, User
from foundation.identity.oidc import Oidc
from foundation.identity.passwords import Passwords
from foundation.identity.people import People
from foundation.identity.second_factor import Box
from foundation.identity.throttle import MemoryThrottle
from foundation.secret import Secret
from foundation.tokens import MemoryTokenStore, Tokens
from pbx.terms import TrunkState
from softphone_web.authenticate import CSRF_HEADER, cookie_name
from softphone_web.deps import Supervision
from softphone_web.downloads import LocalFile
from softphone_web.permissions import agents_in
from softphone_web.ports import (
    Found,
    GatewayView,
    HealthCheck,
    InteractionFilter,
    LiveEvent,
    Position,
    RecordingFile,
    RecordingView,
    TrunkView,
    Well,
)
from softphone_web.server import RunningServer, WebDeps, build_app, serve
from softphone_web.settings import WebSettings
from tests.support.web_around import MemoryAround
from tests.support.web_board import MemoryBoard, MemoryMessages, MemorySteering
from tests.support.web_desk import MemoryOrganisation, desks_of_ana
from tests.support.web_flows import folder_flows
from tests.support.web_organisation import MemoryOrganisationDesk
from tests.support.web_people import ANA, LUIS, NOW, MemoryAgents, MemoryQueues
from tests.support.web_phone import MemoryPhones, MemoryWebPhones

CITIZEN = "+593987654321"


def interaction(number: int, *, agent: AgentId | None = ANA, **changes: Any) -> Interaction:
    """A closed inbound call that `agent` answered."""
    at = NOW - number
    base = Interaction(
        id=InteractionId(f"i-{number:05d}"),
        medium=Medium.VOICE,
        direction=Direction.INBOUND,
        initiation_method=InitiationMethod.INBOUND,
        phase=Phase.CLOSED,
        created_at=at,
        from_address=CITIZEN,
        from_name="Rosa Quito",
        to_address="072831900",
        trunk="gateway",
        queue="averias",
        agent=agent,
        exit_reason=ExitReason.COMPLETED,
        participants=tuple(
            Participant(id=ParticipantId(f"p{n}"), role=role, address=address, channel=f"c{n}", joined_at=at, agent=who)
            for n, (role, address, who) in enumerate(
                [(Role.CUSTOMER, CITIZEN, None), *([(Role.AGENT, "robot", agent)] if agent is not None else [])]
            )
        ),
        recordings=(
            Recording(
                id=f"r-{number:05d}", path="/secret/place.wav", started_at=at, state="complete", seconds=2.0, channels=2
            ),
        ),
        events=7,
    )
    values = {name: getattr(base, name) for name in Interaction.__struct_fields__}
    return Interaction(**{**values, **changes})


def facts_of(record: Interaction) -> list[InteractionEvent]:
    customer, agent = ParticipantId("p0"), ParticipantId("p1")
    facts: list[AnyFact] = [
        Started(
            medium=record.medium,
            direction=record.direction,
            initiation_method=record.initiation_method,
            channel="c0",
            from_address=record.from_address,
            from_name=record.from_name,
            to_address=record.to_address,
            trunk=record.trunk,
        ),
        ParticipantJoined(participant=customer, role=Role.CUSTOMER, address=record.from_address, channel="c0"),
        FlowNoted(kind="menu", data={"choice": "1"}),
        FlowNoted(kind="cedula", data={"digits": "0102030405"}, private=True),
        RecordingStarted(recording="r", path="/secret/place.wav"),
        Connected(agent=record.agent or ANA, participant=agent),
        Ended(exit_reason=ExitReason.COMPLETED, cause="normal", by="customer"),
        Closed(),
    ]
    return [
        InteractionEvent(interaction=record.id, n=n, at=record.created_at + n, fact=fact)
        for n, fact in enumerate(facts, 1)
    ]


class MemoryInteractions:
    def __init__(self, records: Sequence[Interaction] = ()) -> None:
        self.records = {record.id: record for record in records}
        self.log: dict[InteractionId, list[InteractionEvent]] = {}  # instead of the made-up ones
        self.broken: Exception | None = None

    async def page(self, wanted: InteractionFilter, *, after: Position | None, limit: int) -> Sequence[Interaction]:
        self._check()
        place = (after.created_at, after.id) if after is not None else None
        found = [r for r in self.records.values() if _fits(r, wanted) and (place is None or _place(r) < place)]
        return sorted(found, key=_place, reverse=True)[:limit]

    async def get(self, interaction: InteractionId) -> Interaction:
        self._check()
        if interaction not in self.records:
            raise NotFound("no row", interaction=interaction)
        return self.records[interaction]

    async def events(self, interaction: InteractionId, *, after: int, limit: int) -> Sequence[InteractionEvent]:
        found = self.log.get(interaction) or facts_of(await self.get(interaction))
        return [event for event in found if event.n > after][:limit]

    async def active(self) -> Mapping[Medium, int]:
        self._check()
        return Counter(r.medium for r in self.records.values() if r.phase is not Phase.CLOSED)

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


def _place(record: Interaction) -> tuple[float, str]:
    return record.created_at, record.id


def _fits(record: Interaction, wanted: InteractionFilter) -> bool:
    equal = ("medium", "queue", "agent", "phase", "direction", "exit_reason")
    return (
        all(getattr(wanted, name) in (None, getattr(record, name)) for name in equal)
        and (wanted.since is None or record.created_at >= wanted.since)
        and (wanted.until is None or record.created_at < wanted.until)
        and wanted.number in (None, record.from_address, record.to_address)
        and (wanted.took_part is None or wanted.took_part in agents_in(record))
    )


class MemoryTrunks:
    """`fault` is what the switch would raise."""

    def __init__(self) -> None:
        gateways = (
            GatewayView(name="a", state=TrunkState.UP, round_trip_ms=3.0),
            GatewayView(name="b", state=TrunkState.DOWN, detail="no answer"),
        )
        self.views = [TrunkView(name="gateway", gateways=gateways, calls=1, max_calls=120)]
        self.fault: Exception | None = None

    async def list(self) -> Sequence[TrunkView]:
        if self.fault is not None:
            raise self.fault
        return self.views

    def put(self, trunk: str, *gateways: GatewayView, calls: int) -> None:
        """This trunk as it is now."""
        known = next(view for view in self.views if view.name == trunk)
        self.views[self.views.index(known)] = replace(known, gateways=gateways, calls=calls)


class FolderRecordings:
    """Real files in a folder, known through the interactions' records."""

    def __init__(self, interactions: MemoryInteractions, folder: Path) -> None:
        self._interactions = interactions
        self.folder = folder

    async def of_interaction(self, interaction: InteractionId) -> Sequence[RecordingView]:
        record = await self._interactions.get(interaction)
        return [
            RecordingView(
                id=one.id,
                interaction=record.id,
                started_at=one.started_at,
                state=one.state,
                seconds=one.seconds,
                channels=one.channels,
                bytes=self._size(one),
                detail=one.detail,
            )
            for one in record.recordings
        ]

    async def get(self, recording: str) -> RecordingView:
        for record in self._interactions.records.values():
            for view in await self.of_interaction(record.id):
                if view.id == recording:
                    return view
        raise NotFound("no row", recording=recording)

    async def open(self, recording: str) -> RecordingFile:
        if (await self.get(recording)).state != "complete":
            raise Conflict("The recording is not complete yet.")
        return await LocalFile.open(self._path(recording))

    def _path(self, recording: str) -> Path:
        return self.folder / f"{recording}.wav"

    def _size(self, recording: Recording) -> int | None:
        path = self._path(recording.id)
        return path.stat().st_size if path.is_file() else None


class MemoryLive:
    """Events that the test puts in, as plain as they come over the bus; `fail` breaks the stream under the hub."""

    def __init__(self) -> None:
        self.subscribed = asyncio.Event()
        self._ears: dict[asyncio.Future[None], Callable[[LiveEvent], None]] = {}

    async def listen(self, hear: Callable[[LiveEvent], None]) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ears[over] = hear
        self.subscribed.set()
        try:
            await over
        finally:
            del self._ears[over]

    def put(self, event: LiveEvent) -> None:
        plain = msgspec.json.decode(msgspec.json.encode(event), type=LiveEvent)
        for over, hear in list(self._ears.items()):
            if not over.done():
                try:
                    hear(plain)
                except Exception as error:  # noqa: BLE001 - raised by `listen`
                    over.set_exception(error)

    def fail(self) -> None:
        self.subscribed.clear()
        for over in self._ears:
            if not over.done():
                over.set_exception(Unavailable("the bus is gone"))


@dataclass
class Platform:
    """A whole web side on twins. `tokens` holds one token of each role, and those of the two agents by name."""

    folder: Path
    clock: Clock = field(default_factory=SystemClock)
    settings: WebSettings = field(default_factory=WebSettings)
    pages: Path | None = None

    def __post_init__(self) -> None:
        self.interactions = MemoryInteractions()
        self.agents = MemoryAgents()
        self.queues = MemoryQueues(self.agents)
        self.trunks = MemoryTrunks()
        self.recordings = FolderRecordings(self.interactions, self.folder)
        self.desks = desks_of_ana()
        self.organisation = MemoryOrganisation()
        self.live = MemoryLive()
        self.audit = MemoryAudit()
        self.board = MemoryBoard(self.agents, self.queues)
        self.steering = MemorySteering(self.agents)
        self.messages = MemoryMessages({"averias": {ANA}, "facturas": {ANA, LUIS}})
        self.organisation_desk = MemoryOrganisationDesk()
        self.token_desk = Tokens(MemoryTokenStore(self.audit), self.clock)
        passwords, users = Passwords(cheap=True), MemoryUsers(self.audit)
        roles = MemoryRoles(self.audit, users)
        sessions = MemorySessions(self.audit, users, roles)
        stores = Stores(users=users, roles=roles, sessions=sessions, throttle=MemoryThrottle(self.audit))
        self.accounts = Accounts(stores, passwords, Box(Secret("only-for-tests")), self.clock)
        self.oidc: Oidc | None = None
        self.people = People(stores, passwords, self.clock, is_agent=self.agents.views.__contains__)
        self.around = MemoryAround(self.interactions.records, self.clock)
        self.alerts: list[tuple[str, str, str]] = []
        self.tokens: dict[str, str] = {}
        self.token_ids: dict[str, str] = {}
        self.user_ids: dict[str, str] = {}  # by user name: one of each role, and those of the two agents
        self._stores = stores
        self._sessions = sessions
        self.phones_clock = VirtualClock()  # of the pages' phones: stands still until a test moves it
        self.phones, self.webphones = MemoryPhones(self.phones_clock), MemoryWebPhones(self.phones_clock)
        self.switch_error: Exception | None = None

    def add(self, *records: Interaction) -> None:
        self.interactions.records.update({record.id: record for record in records})

    async def check_switch(self) -> Found:
        if self.switch_error is not None:
            raise self.switch_error
        return Found(Well.SWITCH, {"engine": "memory", "channels": 0})

    async def mint(self) -> None:
        people = {role.value: (role.value, role) for role in access.Role}
        people |= {"ana": ("ana", access.Role.AGENT), "luis": ("luis", access.Role.AGENT)}
        for key, (name, role) in people.items():
            token, secret = await self.token_desk.create(name, role)
            self.tokens[key], self.token_ids[key] = secret.get_secret_value(), token.id

        await self.mint_people()

    async def mint_people(self) -> None:
        """The accounts and the role of the customer's own, as they are at first; again: as at first again."""
        users, at = self._stores.users, datetime.fromtimestamp(self.clock.now(), UTC)
        told = entry(access.OPERATOR, "test", "test", at=at)
        role = CustomRole(name="calidad", title="Calidad", permissions=frozenset({access.Permission.RECORDINGS_READ}))
        await self._stores.roles.put(role, told)
        people = {role.value: (role.value, None) for role in access.Role}
        people |= {"ana": ("agent", "ana"), "luis": ("agent", "luis")}
        for name, (role_name, agent) in people.items():
            user = User(
                id=f"u-{name}",
                username=name,
                name=name.title(),
                role=role_name,
                agent=agent,
                created_at=at,
                created_by="",
            )
            self.user_ids[name] = user.id
            fields = {key: getattr(user, key) for key in User.__dataclass_fields__}
            if await users.change(user.id, None, **fields) is None:
                await users.add(user, told)

    async def sign_in(self, username: str) -> tuple[SignedIn, str]:
        """A session and its cookie, without a password."""
        user = await self._stores.users.by_username(username)
        assert user is not None
        signed_in, cookie = await self.accounts.open_session(user, Visitor(origin="127.0.0.1"), how="test")
        return signed_in, cookie.get_secret_value()

    def age_sessions(self, *, idle: bool) -> None:
        """All sessions begin to be idle too long, or to have lived too long."""
        lives = Lives()
        past = datetime.fromtimestamp(self.clock.now(), UTC)
        for key, one in self._sessions.kept.items():
            aged = (
                replace(one, last_seen_at=past - lives.idle) if idle else replace(one, created_at=past - lives.absolute)
            )
            self._sessions.kept[key] = aged

    def deps(self) -> WebDeps:
        return WebDeps(
            interactions=self.interactions,
            queues=self.queues,
            agents=self.agents,
            trunks=self.trunks,
            recordings=self.recordings,
            around=self.around.around,
            desks=self.desks,
            calls=self.desks,
            organisation=self.organisation,
            flows=folder_flows(self.folder, self.clock),
            phones=self.phones,
            webphones=self.webphones,
            live=self.live,
            audit=self.audit,
            look_up_key=Secret("only-for-tests"),
            alert=lambda kind, message, about: self.alerts.append((kind, message, about)),
            tokens=self.token_desk,
            accounts=self.accounts,
            people=self.people,
            oidc=self.oidc,
            supervision=Supervision(
                board=self.board,
                steering=self.steering,
                messages=self.messages,
                organisation=self.organisation_desk,
            ),
            checks=[HealthCheck(name="switch", check=self.check_switch)],
            version="0.1.0",
            settings=self.settings,
            clock=self.clock,
            pages=self.pages,
        )


class Api:
    """A client of a running platform; `who` is a key of `Platform.tokens`."""

    def __init__(self, platform: Platform, server: RunningServer, session: aiohttp.ClientSession) -> None:
        self.platform = platform
        self.server = server
        self.session = session

    def headers(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"Authorization": f"Bearer {self.platform.tokens[who]}"}

    async def session_headers(self, username: str) -> dict[str, str]:
        """Of a page of ours in a browser where `username` has just signed in."""
        signed_in, cookie = await self.platform.sign_in(username)
        return {
            "Cookie": f"{cookie_name(self.platform.settings)}={cookie}",
            "Origin": self.server.url,
            CSRF_HEADER: signed_in.csrf,
        }

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, who: str | None = "supervisor", **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {**self.headers(who), **more.pop("headers", {})}
        async with self.session.request(method, self.server.url + path, headers=headers, **more) as response:
            yield response

    async def get(self, path: str, who: str | None = "supervisor", status: int = 200, **more: Any) -> Any:
        return await self.json("GET", path, who, status, **more)

    async def json(self, method: str, path: str, who: str | None, status: int, **more: Any) -> Any:
        async with self.ask(method, path, who, **more) as response:
            text = await response.text()
            assert response.status == status, text
            return await response.json(content_type=None)


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[Api]:
    await platform.mint()
    app = build_app(platform.deps())
    async with (
        serve(app, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=20)
        ) as session,
    ):
        yield Api(platform, server, session)
