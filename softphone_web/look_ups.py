"""Looking a citizen up: how often one person may, and what the audit trail keeps of whom they looked up.

The trail's readers are no readers of customers: no number and no cédula stands in it. A keyed hash does, so that who
looked at a certain citizen can be found by whoever knows that number, and nobody can turn the hash back into one."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Iterable

from aiohttp import web

from foundation.errors import TooMany
from foundation.logs import get_logger
from foundation.privacy import private
from foundation.secret import Secret
from pbx.dialing import TokenBuckets
from softphone_web.call import Call

log = get_logger(__name__)
ALERT = "look_ups"  # the kind of the alert
_BETWEEN = re.compile(r"[\s().-]")  # how people part the digits of a number or a document


class TooManyLookUps(TooMany):
    code = "customers.too_many_look_ups"


class LookUps:
    """`canonical` writes a number in one way, however it came. Buckets are of this daemon: several on one database
    allow as much each."""

    def __init__(self, key: Secret, per_minute: int, canonical: Callable[[str], str]) -> None:
        self._key = key.get_secret_value().encode()
        self._per_minute = per_minute
        self._canonical = canonical
        self._people = TokenBuckets(per_minute, tidy_above=1000)
        self._told: set[str] = set()  # whose limit was told of since they last had a look-up left

    def mark(self, value: str) -> str:
        """What stands in the trail for a number, a document or a contract."""
        told = self._canonical(_BETWEEN.sub("", value).upper())
        return hmac.new(self._key, f"citizen {told}".encode(), hashlib.sha256).hexdigest()[:32]

    async def take(self, call: Call, value: str) -> None:
        """One look-up of whoever asks; raises `TooManyLookUps`. Programs have tokens of their own and are not counted.

        The first refusal in a row is kept in the trail, and supervisors are alerted."""
        who, now = call.who, call.deps.clock.now()
        if not who.id.startswith("user:"):
            return
        bucket = self._people.of(who.id, now)
        if bucket.has_token:
            self._people.take(who.id, now)
            self._told.discard(who.id)
            return
        if who.id not in self._told:
            self._told.add(who.id)
            await call.audit("customer.look_ups_limited", target_of(value), per_minute=self._per_minute)
            call.deps.alert(ALERT, f"{who.name}: más de {self._per_minute} consultas de clientes en un minuto", who.id)
        wait = math.ceil(bucket.wait_s or 60)
        raise TooManyLookUps("Too many customers were looked up. Wait a moment.", retry_after_s=wait)

    async def tell(self, call: Call, value: str, by: str, known: Iterable[str] = ()) -> None:
        """Keep who was looked up, before it is shown; `known`: all by which that citizen can be asked for later."""
        marks = sorted({self.mark(one) for one in (value, *known) if one})
        await call.audit("customer.looked_up", target_of(value), by=by, citizen=marks)


def target_of(value: str) -> str:
    """Masked: who reads the audit trail is no reader of customers."""
    return f"customer:{private(value, 'phone')}"


LOOK_UPS: web.AppKey[LookUps] = web.AppKey("look_ups", LookUps)


def look_ups_of(call: Call) -> LookUps:
    return call.request.app[LOOK_UPS]
