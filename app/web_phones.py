"""Citizens' phones: one call each, so many at once, an address and in all."""

from __future__ import annotations

import math
import secrets

from app.phones import CITIZENS, Page, Pages
from foundation.clock import Clock
from foundation.errors import Unauthenticated
from pbx.dialing import TokenBucket, TokenBuckets
from pbx.switch import Switch
from pbx.terms import Reach
from softphone_web.ports_phone import OVER, CitizensLine, LinesBusy, NotOffered, TooManyCalls
from softphone_web.settings import WebPhoneSettings

# A page that has its credentials opens its socket at once.
TICKET_S = 60.0
# From the end of its call until its socket is closed: the last messages pass.
_LAST_WORDS_S = 1.0
_BUSY_S = 30  # until one asks again for a line; when one is free nobody knows


def _wait(bucket: TokenBucket) -> int:
    return math.ceil(bucket.wait_s or 60)


class WebPhoneDesk(Pages):
    def __init__(self, switch: Switch, clock: Clock, settings: WebPhoneSettings) -> None:
        super().__init__(switch, clock)
        self._settings = settings
        self._tickets: dict[str, str] = {}
        self._all = TokenBucket.full(settings.per_minute, clock.now())
        self._addresses = TokenBuckets(settings.per_minute_each)

    def may_call(self, address: str) -> None:
        self._room(address)
        self._signalling()

    async def mint(self, address: str) -> CitizensLine:
        self._take(address)
        page = await self.admit(CITIZENS, Reach.IVR, self._settings.max_s)
        ticket = secrets.token_hex(32)
        self._tickets[ticket] = page.minted.endpoint
        self.after(page, TICKET_S, lambda: self._unused(page, ticket))
        self.after(page, self._settings.max_s, lambda: self._over(page))
        return CitizensLine(minted=page.minted, ticket=ticket, max_s=self._settings.max_s)

    def _room(self, address: str) -> TokenBucket:
        """The bucket of everyone; there is a token in it, and in that of this address."""
        if self._settings.at_once == 0:
            raise NotOffered("Calls from web pages are not offered here.")
        if len(self._pages) >= self._settings.at_once:
            raise LinesBusy("All lines for calls from web pages are taken.", retry_after_s=_BUSY_S)
        now = self.clock.now()
        one, everyone = self._addresses.of(address, now), self._all.filled(now)
        if not one.has_token:
            raise TooManyCalls("Too many calls were begun from this address.", retry_after_s=_wait(one))
        if not everyone.has_token:
            raise LinesBusy("Too many calls were begun from web pages in all.", retry_after_s=_wait(everyone))
        return everyone

    def _take(self, address: str) -> None:
        """A refused one costs neither bucket anything."""
        self._all = self._room(address).taken()
        self._addresses.take(address, self.clock.now())

    def redeem(self, ticket: str) -> str:
        endpoint = self._tickets.pop(ticket, None)
        if endpoint is None:
            raise Unauthenticated("This ticket is not valid (any more). Ask for a new phone.")
        return endpoint

    async def _unused(self, page: Page, ticket: str) -> None:
        if self._tickets.pop(ticket, None) is not None:
            await self._over(page)

    def call_is_over(self, endpoint: str) -> None:
        page = self._pages.get(endpoint)
        if page is not None:
            self.after(page, _LAST_WORDS_S, lambda: self._over(page))

    async def page_gone(self, page: Page) -> None:
        await self._over(page)

    async def _over(self, page: Page) -> None:
        await self.end(page, OVER, "this call is over", hang_up=True)
