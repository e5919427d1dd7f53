"""In-memory twins of the phones' ports (`softphone_web.ports_phone`): no switch, and time as the clock says."""

from __future__ import annotations

import itertools
from collections import Counter

from callcontrol.model import AgentId, PhoneKind
from foundation.clock import Clock
from foundation.errors import Conflict, Unauthenticated, Unavailable
from softphone_web.ports_phone import (
    OTHER_TAB,
    OVER,
    CitizensLine,
    Close,
    LinesBusy,
    Minted,
    NotOffered,
    TooManyCalls,
)

LIFE_S = 3600.0
_LAST_WORDS_S, _AWAY_S, _TICKET_S = 1.0, 2.0, 60.0


class _Pages:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = "ws://127.0.0.1:9/ws"  # of what stands for the switch; none: browsers cannot reach it
        self.over: list[str] = []  # endpoints whose call was seen to end
        self._sockets: dict[str, Close | None] = {}  # of the endpoints that are good
        self._numbers = itertools.count(1)

    def upstream(self) -> str:
        if not self.url:
            raise Unavailable("no switch in this test")
        return self.url

    def attach(self, endpoint: str, close: Close) -> bool:
        if endpoint not in self._sockets:
            return False
        older = self._sockets[endpoint]
        if older is not None:
            older(OTHER_TAB, "another tab has the phone")
        self._sockets[endpoint] = close
        return True

    def detach(self, endpoint: str, close: Close) -> None:
        if self._sockets.get(endpoint) == close:
            self._sockets[endpoint] = None

    def call_is_over(self, endpoint: str) -> None:
        self.over.append(endpoint)

    def admit(self, calls: str, life_s: float) -> Minted:
        self.upstream()
        endpoint = f"web-{next(self._numbers)}"
        self._sockets[endpoint] = None
        self.clock.call_later(life_s, lambda: self.end(endpoint, OVER))
        expires_at = self.clock.now() + life_s
        return Minted(
            endpoint=endpoint, password=f"clave-{endpoint}", domain="rimay.local", calls=calls, expires_at=expires_at
        )

    def end(self, endpoint: str, code: int) -> None:
        close = self._sockets.pop(endpoint, None)
        if close is not None:
            close(code, "over")


class MemoryPhones(_Pages):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.kinds: dict[AgentId, PhoneKind] = {}
        self.desk_phones = {"luis"}
        self._of: dict[str, str] = {}  # endpoints by user

    async def mint(self, user: str, agent: AgentId) -> Minted:
        minted = self.admit("open-leg", LIFE_S)
        former, self._of[user] = self._of.get(user), minted.endpoint
        if former is not None:
            self.end(former, OTHER_TAB)
        return minted

    async def drop(self, user: str, code: int = OVER) -> None:
        endpoint = self._of.pop(user, None)
        if endpoint is not None:
            self.end(endpoint, code)

    def endpoint_of(self, user: str) -> str | None:
        endpoint = self._of.get(user)
        return endpoint if endpoint in self._sockets else None

    def choose_kind(self, agent: AgentId, kind: PhoneKind) -> None:
        if kind is PhoneKind.DESK and agent not in self.desk_phones:
            raise Conflict("no desk phone")
        self.kinds[agent] = kind


class MemoryWebPhones(_Pages):
    def __init__(self, clock: Clock, lines: int = 2, each: int = 3) -> None:
        super().__init__(clock)
        self.lines, self.each = lines, each  # at once; begun by an address a minute
        self._begun: Counter[str] = Counter()
        self._tickets: dict[str, str] = {}

    def may_call(self, address: str) -> None:
        if self.lines == 0:
            raise NotOffered("not offered")
        if len(self._sockets) >= self.lines:
            raise LinesBusy("all lines are taken", retry_after_s=30)
        if self._begun[address] >= self.each:
            raise TooManyCalls("too many of this address", retry_after_s=60)
        self.upstream()

    async def mint(self, address: str) -> CitizensLine:
        self.may_call(address)
        minted = self.admit("ivr", LIFE_S)
        self._begun[address] += 1
        self.clock.call_later(60, lambda: self._begun.subtract([address]))
        ticket = f"boleto{minted.endpoint}"
        self._tickets[ticket] = minted.endpoint
        self.clock.call_later(_TICKET_S, lambda: self._unused(ticket))
        return CitizensLine(minted=minted, ticket=ticket, max_s=LIFE_S)

    def redeem(self, ticket: str) -> str:
        endpoint = self._tickets.pop(ticket, None)
        if endpoint is None:
            raise Unauthenticated("not valid")
        return endpoint

    def _unused(self, ticket: str) -> None:
        endpoint = self._tickets.pop(ticket, None)
        if endpoint is not None:
            self.end(endpoint, OVER)

    def call_is_over(self, endpoint: str) -> None:
        super().call_is_over(endpoint)
        self.clock.call_later(_LAST_WORDS_S, lambda: self.end(endpoint, OVER))

    def detach(self, endpoint: str, close: Close) -> None:
        super().detach(endpoint, close)
        self.clock.call_later(_AWAY_S, lambda: self._look(endpoint))

    def _look(self, endpoint: str) -> None:
        if self._sockets.get(endpoint) is None:
            self.end(endpoint, OVER)
