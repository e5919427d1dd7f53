"""What the pages' phones need: credentials, the switch's own web socket, and who hears when a page is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from callcontrol.model import AgentId, PhoneKind
from foundation.errors import NotFound, TooMany

# Close codes of a phone's socket. The page that is told the first has a newer tab; the second: sign in again.
OTHER_TAB = 4409
SIGNED_OUT = 4401
OVER = 4410  # the credentials are over: expired, taken back, or their one call has been made


class NotOffered(NotFound):
    """The operator offers no calls from web pages."""

    code = "webphone.not_offered"


class LinesBusy(TooMany):
    """There is no room for anybody's call now."""

    code = "webphone.lines_busy"


class TooManyCalls(TooMany):
    """This address began as many calls as one may."""

    code = "webphone.too_many_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """Credentials of one page: good for one thing to call, `calls`, and no longer than `expires_at` (unix seconds)."""

    endpoint: str
    password: str = field(repr=False)
    domain: str
    calls: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizensLine:
    """One call of a citizen. `ticket` opens its socket, once."""

    minted: Minted
    ticket: str = field(repr=False)
    max_s: float


Close = Callable[[int, str], None]


class SipPages(Protocol):
    """Those who hold endpoints of pages, as their sockets see them."""

    def upstream(self) -> str:
        """The address of the switch's web socket. Raises `Unavailable` where browsers cannot reach it."""
        ...

    def attach(self, endpoint: str, close: Close) -> bool:
        """A page's socket is open; an older one of the same endpoint is closed with `OTHER_TAB`. False: the endpoint
        is no more."""
        ...

    def detach(self, endpoint: str, close: Close) -> None: ...
    def call_is_over(self, endpoint: str) -> None:
        """Its socket saw the end of a call."""
        ...


class Phones(SipPages, Protocol):
    """Phones of people who signed in; one page a user."""

    async def mint(self, user: str, agent: AgentId) -> Minted:
        """The former credentials of this user are over, their socket closed with `OTHER_TAB`. Raises `Unavailable`."""
        ...

    async def drop(self, user: str, code: int = OVER) -> None:
        """Credentials, socket and calls of this user's page end. Nothing to do where there are none."""
        ...

    def endpoint_of(self, user: str) -> str | None: ...
    def choose_kind(self, agent: AgentId, kind: PhoneKind) -> None:
        """Where offers ring. Raises `Conflict` for a desk phone where there is none."""
        ...


class WebPhones(SipPages, Protocol):
    """Phones of citizens, who sign in nowhere."""

    def may_call(self, address: str) -> None:
        """Raises what `mint` would now; takes nothing and counts for nothing."""
        ...

    async def mint(self, address: str) -> CitizensLine:
        """Raises `NotOffered`, `LinesBusy`, `TooManyCalls`, or `Unavailable`."""
        ...

    def redeem(self, ticket: str) -> str:
        """The endpoint of a ticket, once; raises `Unauthenticated`."""
        ...
