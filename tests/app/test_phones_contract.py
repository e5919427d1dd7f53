"""The contract of the pages' phones (`softphone_web.ports_phone`), for the twins and for the desks on a switch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from app.phones import PhoneDesk
from app.web_phones import WebPhoneDesk
from callcontrol.directory import ConfiguredAgents
from callcontrol.model import AgentId, PhoneKind
from callcontrol.settings import Agent
from foundation.clock import VirtualClock
from foundation.errors import Conflict, Unauthenticated, Unavailable
from pbx.memory import MemorySwitch, MemoryWorld
from pbx.terms import Signalling
from softphone_web.ports_phone import (
    OTHER_TAB,
    OVER,
    SIGNED_OUT,
    LinesBusy,
    NotOffered,
    Phones,
    TooManyCalls,
    WebPhones,
)
from softphone_web.settings import WebPhoneSettings
from tests.support.lab import GATEWAY_HOSTS, lab_settings
from tests.support.web_phone import LIFE_S, MemoryPhones, MemoryWebPhones

ANA, LUIS = AgentId("ana"), AgentId("luis")
URL = "ws://127.0.0.1:1/ws"
HERE, THERE = "192.0.2.1", "192.0.2.2"
SOON_S = 5.0  # within it a page that is gone, or whose call is over, has lost its phone


@dataclass
class Rig:
    """`citizens` has two lines; of `limited` an address begins one a minute."""

    clock: VirtualClock
    phones: Phones
    citizens: WebPhones
    nothing_offered: WebPhones
    limited: WebPhones
    lose_browsers: Callable[[], None]


@dataclass(eq=False)
class Socket:
    """A page's; what it was closed with."""

    codes: list[int] = field(default_factory=list)

    def close(self, code: int, reason: str) -> None:
        assert reason
        self.codes.append(code)


def _memory() -> Rig:
    clock = VirtualClock()
    phones, citizens, none = MemoryPhones(clock), MemoryWebPhones(clock), MemoryWebPhones(clock, lines=0)
    limited = MemoryWebPhones(clock, lines=10, each=1)
    parts = (phones, citizens)
    for part in parts:
        part.url = URL

    def lose() -> None:
        for part in parts:
            part.url = ""

    return Rig(clock, phones, citizens, none, limited, lose)


@pytest.fixture(params=["memory", "desks"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield _memory()
        return
    clock = VirtualClock()
    settings = lab_settings(dict.fromkeys(GATEWAY_HOSTS, 5060), "memory")
    world = MemoryWorld(clock, settings)
    world.signalling = Signalling(URL)
    phone = settings.phones[0].name
    queues = ["averias"]
    agents = [Agent(id="ana", name="Ana", queues=queues), Agent(id="luis", name="Luis", queues=queues, phone=phone)]

    def lose() -> None:
        world.signalling = None

    async with MemorySwitch(clock, settings, world) as switch:
        desk = PhoneDesk(switch, ConfiguredAgents(agents), clock, lambda _endpoint: None, LIFE_S)
        citizens, none = (
            WebPhoneDesk(switch, clock, WebPhoneSettings(at_once=lines, max_s=LIFE_S)) for lines in (2, 0)
        )
        limited = WebPhoneDesk(switch, clock, WebPhoneSettings(at_once=10, per_minute_each=1))
        yield Rig(clock, desk, citizens, none, limited, lose)
        for part in (desk, citizens, none, limited):
            await part.close()


# --- of people who signed in --------------------


async def test_credentials_are_ones_own_and_not_shown(rig: Rig) -> None:
    ana, luis = await rig.phones.mint("u-ana", ANA), await rig.phones.mint("u-luis", LUIS)
    assert rig.phones.endpoint_of("u-ana") == ana.endpoint
    assert rig.phones.endpoint_of("u-luis") == luis.endpoint
    assert ana.endpoint != luis.endpoint
    assert ana.password != luis.password
    assert ana.password not in repr(ana)
    assert (ana.calls, ana.expires_at) == ("open-leg", rig.clock.now() + LIFE_S)
    assert rig.phones.endpoint_of("u-nadie") is None
    assert rig.phones.upstream() == URL


async def test_the_next_page_has_the_phone_and_the_former_is_told(rig: Rig) -> None:
    former = await rig.phones.mint("u-ana", ANA)
    socket = Socket()
    assert rig.phones.attach(former.endpoint, socket.close)
    present = await rig.phones.mint("u-ana", ANA)
    assert socket.codes == [OTHER_TAB]
    assert rig.phones.endpoint_of("u-ana") == present.endpoint
    assert not rig.phones.attach(former.endpoint, socket.close)
    assert rig.phones.attach(present.endpoint, socket.close)


async def test_of_two_sockets_the_newer_stays(rig: Rig) -> None:
    name = (await rig.phones.mint("u-ana", ANA)).endpoint
    older, newer = Socket(), Socket()
    for socket in (older, newer):
        assert rig.phones.attach(name, socket.close)
    rig.phones.detach(name, older.close)
    assert (older.codes, newer.codes) == ([OTHER_TAB], [])
    await rig.phones.drop("u-ana", SIGNED_OUT)
    assert newer.codes == [SIGNED_OUT]


async def test_dropped_it_is_over_and_dropping_again_is_nothing(rig: Rig) -> None:
    name = (await rig.phones.mint("u-ana", ANA)).endpoint
    socket = Socket()
    rig.phones.attach(name, socket.close)
    for _ in range(2):
        await rig.phones.drop("u-ana")
    await rig.phones.drop("u-nadie")
    assert socket.codes == [OVER]
    assert rig.phones.endpoint_of("u-ana") is None
    assert not rig.phones.attach(name, socket.close)
    rig.phones.detach(name, socket.close)


async def test_a_page_that_is_away_for_long_may_come_back(rig: Rig) -> None:
    name = (await rig.phones.mint("u-ana", ANA)).endpoint
    socket = Socket()
    rig.phones.attach(name, socket.close)
    rig.phones.call_is_over(name)
    rig.phones.detach(name, socket.close)
    await rig.clock.advance(LIFE_S / 2)
    assert rig.phones.attach(name, socket.close)
    assert socket.codes == []


async def test_an_agents_phone_expires(rig: Rig) -> None:
    name = (await rig.phones.mint("u-ana", ANA)).endpoint
    socket = Socket()
    rig.phones.attach(name, socket.close)
    await rig.clock.advance(LIFE_S - 1)
    assert socket.codes == []
    await rig.clock.advance(2)
    assert socket.codes == [OVER]
    assert rig.phones.endpoint_of("u-ana") is None
    assert not rig.phones.attach(name, socket.close)


async def test_what_expired_long_ago_ends_no_later_phone(rig: Rig) -> None:
    await rig.phones.mint("u-ana", ANA)
    await rig.clock.advance(LIFE_S / 2)
    later = await rig.phones.mint("u-ana", ANA)
    await rig.clock.advance(LIFE_S / 2 + 1)
    assert rig.phones.endpoint_of("u-ana") == later.endpoint


async def test_a_desk_phone_is_chosen_by_who_has_one(rig: Rig) -> None:
    rig.phones.choose_kind(ANA, PhoneKind.WEB)
    rig.phones.choose_kind(LUIS, PhoneKind.DESK)
    with pytest.raises(Conflict):
        rig.phones.choose_kind(ANA, PhoneKind.DESK)


async def test_where_browsers_cannot_reach_the_switch_nobody_gets_a_phone(rig: Rig) -> None:
    rig.lose_browsers()
    with pytest.raises(Unavailable):
        rig.phones.upstream()
    with pytest.raises(Unavailable):
        await rig.phones.mint("u-ana", ANA)
    with pytest.raises(Unavailable):
        rig.citizens.may_call(HERE)
    with pytest.raises(Unavailable):
        await rig.citizens.mint(HERE)
    assert rig.phones.endpoint_of("u-ana") is None


# --- of citizens --------------------


async def test_a_ticket_opens_its_line_once(rig: Rig) -> None:
    line = await rig.citizens.mint(HERE)
    assert line.minted.calls == "ivr"
    assert line.ticket not in repr(line)
    assert rig.citizens.redeem(line.ticket) == line.minted.endpoint
    for ticket in (line.ticket, "", "otro"):
        with pytest.raises(Unauthenticated):
            rig.citizens.redeem(ticket)


async def taken(rig: Rig) -> tuple[str, Socket]:
    """A citizen's page with its socket open."""
    line, socket = await rig.citizens.mint(HERE), Socket()
    name = rig.citizens.redeem(line.ticket)
    assert rig.citizens.attach(name, socket.close)
    return name, socket


async def is_free_again(rig: Rig, name: str) -> None:
    assert not rig.citizens.attach(name, Socket().close)
    await two_are_free(rig)


async def two_are_free(rig: Rig) -> None:
    for _ in range(2):
        rig.citizens.may_call(THERE)
        await rig.citizens.mint(THERE)
    with pytest.raises(LinesBusy) as caught:
        await rig.citizens.mint(THERE)
    assert caught.value.retry_after_s > 0
    with pytest.raises(LinesBusy):
        rig.citizens.may_call(HERE)


async def test_its_line_is_over_with_its_call(rig: Rig) -> None:
    name, socket = await taken(rig)
    rig.citizens.call_is_over(name)
    assert socket.codes == []  # the last words pass
    await rig.clock.advance(SOON_S)
    assert socket.codes == [OVER]
    await is_free_again(rig, name)


async def test_its_line_is_over_with_its_page(rig: Rig) -> None:
    name, socket = await taken(rig)
    rig.citizens.detach(name, socket.close)
    assert rig.citizens.attach(name, socket.close)  # back at once
    await rig.clock.advance(SOON_S)
    rig.citizens.detach(name, socket.close)
    await rig.clock.advance(SOON_S)
    await is_free_again(rig, name)


async def test_its_line_is_over_after_its_time(rig: Rig) -> None:
    name, socket = await taken(rig)
    await rig.clock.advance(LIFE_S + SOON_S)
    assert socket.codes == [OVER]
    await is_free_again(rig, name)


async def test_a_line_that_nobody_opens_is_free_again_in_a_minute(rig: Rig) -> None:
    line = await rig.citizens.mint(HERE)
    await rig.clock.advance(60 + SOON_S)
    with pytest.raises(Unauthenticated):
        rig.citizens.redeem(line.ticket)
    await is_free_again(rig, line.minted.endpoint)


async def test_there_are_so_many_lines_or_none(rig: Rig) -> None:
    with pytest.raises(NotOffered):
        rig.nothing_offered.may_call(HERE)
    with pytest.raises(NotOffered):
        await rig.nothing_offered.mint(HERE)
    await two_are_free(rig)


async def test_an_address_that_called_too_often_is_told_so_and_nobody_else(rig: Rig) -> None:
    for _ in range(5):
        rig.limited.may_call(HERE)  # to ask is free
    await rig.limited.mint(HERE)
    with pytest.raises(TooManyCalls) as asked:
        rig.limited.may_call(HERE)
    with pytest.raises(TooManyCalls) as called:
        await rig.limited.mint(HERE)
    assert 0 < asked.value.retry_after_s == called.value.retry_after_s <= 60
    rig.limited.may_call(THERE)
    await rig.clock.advance(61)
    rig.limited.may_call(HERE)
    await rig.limited.mint(HERE)
