"""In-memory twins of the phones' ports (`softphone_web.ports_phone`)."""

from __future__ import annotations

import itertools

from callcontrol.model import AgentId, PhoneKind
from foundation.errors import Conflict, NotFound, TooMany, Unauthenticated, Unavailable
from softphone_web.ports_phone import OTHER_TAB, OVER, CitizensLine, Close, Minted

AT = 1_795_000_000.0


class _Pages:
    def __init__(self) -> None:
        self.url = ""  # of what stands for the switch; none: browsers cannot reach it
        self.open: dict[str, Close] = {}  # by endpoint
        self.living: set[str] = set()
        self.over: list[str] = []  # endpoints whose call was seen to end
        self._numbers = itertools.count(1)

    def upstream(self) -> str:
        if not self.url:
            raise Unavailable("no switch in this test")
        return self.url

    def attach(self, endpoint: str, close: Close) -> bool:
        if endpoint not in self.living:
            return False
        older = self.open.get(endpoint)
        if older is not None:
            older(OTHER_TAB, "another tab has the phone")
        self.open[endpoint] = close
        return True

    def detach(self, endpoint: str, close: Close) -> None:
        if self.open.get(endpoint) == close:
            del self.open[endpoint]

    def call_is_over(self, endpoint: str) -> None:
        self.over.append(endpoint)

    def minted(self, calls: str) -> Minted:
        endpoint = f"web-{next(self._numbers)}"
        self.living.add(endpoint)
        return Minted(endpoint=endpoint, password="una-clave", domain="rimay.local", calls=calls, expires_at=AT)

    def end(self, endpoint: str, code: int) -> None:
        self.living.discard(endpoint)
        close = self.open.get(endpoint)
        if close is not None:
            close(code, "over")


class MemoryPhones(_Pages):
    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, str] = {}
        self.kinds: dict[AgentId, PhoneKind] = {}
        self.desk_phones = {"luis"}

    async def mint(self, user: str, agent: AgentId) -> Minted:
        minted = self.minted("open-leg")
        former, self.of[user] = self.of.get(user), minted.endpoint
        if former is not None:
            self.end(former, OTHER_TAB)
        return minted

    async def drop(self, user: str, code: int = OVER) -> None:
        endpoint = self.of.pop(user, None)
        if endpoint is not None:
            self.end(endpoint, code)

    def endpoint_of(self, user: str) -> str | None:
        return self.of.get(user)

    def choose_kind(self, agent: AgentId, kind: PhoneKind) -> None:
        if kind is PhoneKind.DESK and agent not in self.desk_phones:
            raise Conflict("no desk phone")
        self.kinds[agent] = kind


class MemoryWebPhones(_Pages):
    def __init__(self, lines: int = 2) -> None:
        super().__init__()
        self.lines = lines
        self.tickets: dict[str, str] = {}

    async def mint(self, address: str) -> CitizensLine:
        if self.lines == 0:
            raise NotFound("not offered")
        if len(self.living) >= self.lines:
            raise TooMany("all lines are taken", retry_after_s=30)
        minted = self.minted("ivr")
        ticket = f"boleto{minted.endpoint}"
        self.tickets[ticket] = minted.endpoint
        return CitizensLine(minted=minted, ticket=ticket, max_s=600)

    def redeem(self, ticket: str) -> str:
        endpoint = self.tickets.pop(ticket, None)
        if endpoint is None:
            raise Unauthenticated("not valid")
        return endpoint
