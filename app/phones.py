"""The phones in pages: credentials minted at the switch, who holds them, the sockets that use them, and their end."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from callcontrol.model import AgentId, PhoneKind
from foundation.clock import Clock, Timer
from foundation.errors import Conflict, RimayError, Unavailable
from foundation.logs import get_logger
from pbx.switch import Switch
from pbx.terms import BrowserEndpoint, Reach, Signalling
from softphone_web.ports_phone import OTHER_TAB, OVER, Close, Minted

log = get_logger(__name__)

# A page that is loaded anew, or changes its network, is back within this; for longer nobody should hear silence.
GRACE_S = 1.5
AGENTS, CITIZENS = "web-", "visit-"  # how the names of their endpoints begin


class NoDeskPhone(Conflict):
    code = "phone.no_desk_phone"


class Owners(Protocol):
    """Whose a minted endpoint is, for the daemon to know (`callcontrol.directory`)."""

    def lend(self, endpoint: str, agent: AgentId) -> None: ...
    def take_back(self, endpoint: str) -> None: ...
    def choose_phone(self, agent: AgentId, kind: PhoneKind) -> None: ...


@dataclass(slots=True, eq=False)
class Page:
    """One minted endpoint."""

    minted: Minted
    sockets: list[Close] = field(default_factory=list)  # the newest last; older ones are on their way out
    timers: list[Timer] = field(default_factory=list)
    ended: bool = False


class Pages(ABC):
    """What agents' and citizens' phones have in common."""

    def __init__(self, switch: Switch, clock: Clock) -> None:
        self.switch, self.clock = switch, clock
        self._pages: dict[str, Page] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def upstream(self) -> str:
        return self._signalling().url

    def _signalling(self) -> Signalling:
        signalling = self.switch.signalling
        if signalling is None:
            raise Unavailable("Browsers cannot reach this switch.", engine=self.switch.engine)
        return signalling

    async def admit(self, prefix: str, reach: Reach, life_s: float) -> Page:
        domain = self._signalling().domain
        endpoint = BrowserEndpoint(prefix + secrets.token_hex(8), secrets.token_urlsafe(24), reach)
        await self.switch.admit_endpoint(endpoint)
        page = Page(
            Minted(
                endpoint=endpoint.name,
                password=endpoint.password,
                domain=domain,
                calls=reach.value,
                expires_at=self.clock.now() + life_s,
            )
        )
        self._pages[endpoint.name] = page
        return page

    def after(self, page: Page, delay_s: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        name = f"phone {page.minted.endpoint}"
        page.timers.append(self.clock.call_later(delay_s, lambda: self.spawn(work(), name)))

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("phones.task_failed", task=task.get_name(), exc_info=error)

    async def close(self) -> None:
        for page in self._pages.values():
            for timer in page.timers:
                timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- sockets

    def attach(self, endpoint: str, close: Close) -> bool:
        page = self._pages.get(endpoint)
        if page is None or page.ended:
            return False
        for older in page.sockets:
            older(OTHER_TAB, "another tab has the phone")
        page.sockets.append(close)
        return True

    def detach(self, endpoint: str, close: Close) -> None:
        page = self._pages.get(endpoint)
        if page is None:
            return
        page.sockets = [one for one in page.sockets if one != close]
        if not page.sockets and not page.ended:
            self.after(page, GRACE_S, lambda: self._look(page))

    async def _look(self, page: Page) -> None:
        if not page.sockets and not page.ended:
            await self.page_gone(page)

    @abstractmethod
    async def page_gone(self, page: Page) -> None:
        """No socket of it came back in time."""

    def call_is_over(self, endpoint: str) -> None:
        return

    # --- the end

    async def end(self, page: Page, code: int, reason: str, *, hang_up: bool) -> None:
        """Nothing of it works any more; `hang_up` ends its calls too."""
        if page.ended:
            return
        page.ended = True
        name = page.minted.endpoint
        for timer in page.timers:
            timer.cancel()
        for close in page.sockets:
            close(code, reason)
        self._pages.pop(name, None)
        try:
            await self.switch.revoke_endpoint(name)
            if hang_up:
                await self._hang_up(name)
        except RimayError as error:  # the switch is away: what is left over is taken back when we start next
            log.warning("phones.not_revoked", endpoint=name, code=error.code)

    async def _hang_up(self, endpoint: str) -> None:
        for one in await self.switch.channels():
            if one.endpoint == endpoint:
                try:
                    await self.switch.hangup(one.channel)
                except RimayError as error:
                    log.info("phones.not_hung_up", code=error.code)


async def revoke_leftovers(switch: Switch) -> None:
    """Of an earlier daemon, whose pages ask anew. Calls that they are in go on."""
    if switch.signalling is None:
        return
    for one in await switch.endpoints():
        if one.endpoint.startswith((AGENTS, CITIZENS)):
            await switch.revoke_endpoint(one.endpoint)


class PhoneDesk(Pages):
    """Phones of people who signed in: one page a user, lent to the agent that they are."""

    def __init__(
        self, switch: Switch, owners: Owners, clock: Clock, silent: Callable[[str], None], life_s: float
    ) -> None:
        super().__init__(switch, clock)
        self._owners, self._silent, self._life_s = owners, silent, life_s
        self._of: dict[str, Page] = {}  # by user

    async def mint(self, user: str, agent: AgentId) -> Minted:
        page = await self.admit(AGENTS, Reach.OPEN_LEG, self._life_s)
        self._owners.lend(page.minted.endpoint, agent)
        former, self._of[user] = self._of.get(user), page
        self.after(page, self._life_s, lambda: self._expire(user, page))
        if former is not None:
            # Its audio goes on until the new page's takes its place: a talk outlasts that the page is loaded anew.
            await self.end(former, OTHER_TAB, "another tab has the phone", hang_up=False)
        return page.minted

    async def end(self, page: Page, code: int, reason: str, *, hang_up: bool) -> None:
        # First: that its registration ends is not the agent's phone going offline.
        self._owners.take_back(page.minted.endpoint)
        await super().end(page, code, reason, hang_up=hang_up)

    async def drop(self, user: str, code: int = OVER) -> None:
        page = self._of.pop(user, None)
        if page is not None:
            await self.end(page, code, "the phone was ended", hang_up=True)

    async def _expire(self, user: str, page: Page) -> None:
        if self._of.get(user) is page:
            await self.drop(user)

    def endpoint_of(self, user: str) -> str | None:
        page = self._of.get(user)
        return None if page is None else page.minted.endpoint

    def choose_kind(self, agent: AgentId, kind: PhoneKind) -> None:
        try:
            self._owners.choose_phone(agent, kind)
        except KeyError:
            raise NoDeskPhone("The settings name no desk phone for this agent.", agent=agent) from None

    async def page_gone(self, page: Page) -> None:
        """The credentials stay good: the page may only have lost its network."""
        self._silent(page.minted.endpoint)
