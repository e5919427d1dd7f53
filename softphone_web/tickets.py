"""Tickets for the live socket: a browser can send no Authorization header there, and a token never goes into a URL."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from foundation.access import Principal
from foundation.clock import Clock
from foundation.errors import Unauthenticated

EACH = 20  # open tickets of one identity; a page needs one
ALL = 10_000


@dataclass(frozen=True, slots=True)
class _Issued:
    principal: str
    token: str
    expires_at: float


class BadTicket(Unauthenticated):
    """Unknown, used and expired are one answer."""

    code = "live.bad_ticket"


class Tickets:
    """Kept in this process: whoever issued a ticket redeems it. They open nothing but one live socket each."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._issued: dict[str, _Issued] = {}  # oldest first

    def issue(self, principal: Principal, token: str) -> tuple[str, float]:
        """(the ticket, when it expires). The oldest of an identity with too many is taken back."""
        now = self._clock.now()
        self._issued = {key: one for key, one in self._issued.items() if one.expires_at > now}
        mine = [key for key, one in self._issued.items() if one.principal == principal.id]
        for key in mine[: max(0, len(mine) - EACH + 1)]:
            del self._issued[key]
        while len(self._issued) >= ALL:
            del self._issued[next(iter(self._issued))]
        ticket = secrets.token_hex(32)
        self._issued[ticket] = _Issued(principal.id, token, now + self._seconds)
        return ticket, now + self._seconds

    def redeem(self, ticket: str) -> str:
        """The token that asked for it, once; raises `BadTicket`."""
        issued = self._issued.pop(ticket, None)
        if issued is None or issued.expires_at <= self._clock.now():
            raise BadTicket("This ticket is not valid (any more). Ask for a new one.")
        return issued.token
