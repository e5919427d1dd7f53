"""Calling out: which endpoint, which gateways one after the other, and blind transfers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pbx.asterisk.bridges import Bridges
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Attempt, Leg
from pbx.asterisk.prompts import Prompts
from pbx.asterisk.rendering import trunk_endpoint
from pbx.asterisk.rooms import Rooms
from pbx.asterisk.translate import hung_up
from pbx.dialing import OutboundRules, may_try_next
from pbx.settings import PbxSettings
from pbx.terms import (
    ChannelId,
    CommandRefused,
    Destination,
    HangupCause,
    NumberDestination,
    SwitchError,
    TrunkStatus,
)

VARIABLE = "RIMAY_V_"  # prefix of the daemon's own variables, to find them again among Asterisk's
REMOTE = "RIMAY_REMOTE"
LOCAL = "RIMAY_LOCAL"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_HEADER = re.compile(r"[Xx]-[A-Za-z0-9-]{1,60}")
_ENDPOINT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALLER = re.compile(r"[0-9+*#A-Za-z._-]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """How an outbound call presents itself."""

    caller_number: str
    caller_name: str = ""
    timeout_s: float = 30.0
    headers: Mapping[str, str] | None = None
    variables: Mapping[str, str] | None = None


def variable_name(name: str) -> str:
    """A daemon's variable by its name at the switch; no function, no dialplan expression."""
    if not _NAME.fullmatch(name):
        raise CommandRefused("not a name of a variable", name=name[:80])
    return VARIABLE + name


def one_line(value: str) -> str:
    """A variable's value, which is kept in lists of one line each."""
    if "\n" in value or "\r" in value:
        raise CommandRefused("a variable's value is one line")
    return value


class Dialer:
    def __init__(self, core: Core, settings: PbxSettings, prompts: Prompts, rooms: Rooms, bridges: Bridges) -> None:
        self._core = core
        self._settings = settings
        self._prompts = prompts
        self._rooms = rooms
        self._bridges = bridges
        self._rules = OutboundRules(settings.dialing, settings.trunks, core.clock.now())
        self.statuses: dict[tuple[str, str], TrunkStatus] = {}

    async def originate(self, channel: ChannelId, destination: Destination, invite: Invite) -> None:
        await self._dial(self._planned(channel, destination, invite))

    def _planned(self, channel: ChannelId, destination: Destination, invite: Invite) -> Leg:
        """Everything of ours that can refuse a call has had its say; nothing was sent."""
        if channel in self._core.legs:
            raise CommandRefused("a channel of this id exists", channel=channel)
        leg = Leg(id=channel, inbound=False, created_at=self._core.clock.now())
        leg.attempt = self._attempt(leg, destination, invite, _variables(invite))
        return leg

    async def _dial(self, leg: Leg) -> None:
        self._core.legs.add(leg)
        try:
            if leg.attempt:
                await self._try(leg, leg.attempt)
        except SwitchError:
            self._core.legs.remove(leg.id)
            raise

    def _attempt(self, leg: Leg, destination: Destination, invite: Invite, variables: dict[str, str]) -> Attempt:
        now = self._core.clock.now()
        caller = invite.caller_number
        if isinstance(destination, NumberDestination):
            plan = self._rules.plan(destination, now, statuses=self.statuses.values(), active=self._active())
            caller = caller or plan.gateways[0].trunk.caller_number
            number, rest = plan.number.as_dialled, list(plan.gateways)
            leg.remote_number = number
        else:
            if not _ENDPOINT.fullmatch(destination.endpoint):
                raise CommandRefused("not a name of a phone", endpoint=destination.endpoint[:80])
            number, rest = "", []
            leg.remote_number = leg.endpoint = destination.endpoint
        if not _CALLER.fullmatch(caller):
            raise CommandRefused("not a caller's number", channel=leg.id)
        leg.local_number = caller
        variables |= {REMOTE: leg.remote_number, LOCAL: caller}
        if transfers_are_told(self._core.version):
            variables["PJSIP_TRANSFER_HANDLING()"] = "ari-only"
        params = {
            "app": self._core.app,
            "appArgs": "out",
            "callerId": f'"{_quoted(invite.caller_name)}" <{caller}>',
        }
        return Attempt(params, variables, number, rest, now + invite.timeout_s)

    def _active(self) -> Counter[str]:
        return Counter(leg.trunk for leg in self._core.legs.all() if leg.trunk)

    async def _try(self, leg: Leg, attempt: Attempt) -> None:
        """The next gateway. One that Asterisk knows to be away is passed over at once."""
        while True:
            remaining = max(1, math.ceil(attempt.until - self._core.clock.now()))
            endpoint = f"PJSIP/{leg.endpoint}"
            if attempt.number:
                choice = attempt.rest.pop(0)
                leg.trunk = choice.trunk.name
                leg.endpoint = trunk_endpoint(choice.trunk.name, choice.gateway.name)
                endpoint = f"PJSIP/{attempt.number}@{leg.endpoint}"
            params = {**attempt.params, "endpoint": endpoint, "timeout": str(remaining)}
            try:
                await self._core.ari.call("POST", f"/channels/{leg.id}", params, body={"variables": attempt.variables})
            except CommandRefused:
                if attempt.rest and leg.id in self._core.legs:
                    continue
                await self._nowhere(leg)
            return

    async def _nowhere(self, leg: Leg) -> None:
        """Asterisk says "allocation failed" for a phone that is not registered, a gateway that is down, and for a name
        it does not know: the last is a refusal, the others are a call that found nobody."""
        known = await self._core.ari.attempt("GET", f"/endpoints/PJSIP/{leg.endpoint}")
        if not known:
            raise CommandRefused("no such endpoint", endpoint=leg.endpoint)
        cause = HangupCause.UNREACHABLE
        self._core.tell(hung_up(self._core.legs, leg, self._core.clock.now(), cause.q850, cause))

    def fails_over(self, leg: Leg, q850: int) -> bool:
        """Asked before a hang-up is told: True when another gateway is being tried instead."""
        attempt = leg.attempt
        if attempt is None or leg.answered or leg.by_us or not attempt.rest:
            return False
        if not may_try_next(HangupCause.from_q850(q850)) or self._core.clock.now() >= attempt.until:
            return False
        self._core.spawn(self._try_again(leg, attempt), "try the next gateway")
        return True

    async def _try_again(self, leg: Leg, attempt: Attempt) -> None:
        try:
            await self._try(leg, attempt)
        except SwitchError:
            if leg.id in self._core.legs:
                cause = HangupCause.UNREACHABLE
                self._core.tell(hung_up(self._core.legs, leg, self._core.clock.now(), cause.q850, cause))
            raise

    # --- blind transfer

    async def transfer(self, channel: ChannelId, new_leg: ChannelId, destination: Destination, invite: Invite) -> None:
        leg = self._core.legs.answered(channel)
        planned = self._planned(new_leg, destination, invite)
        if leg.pair:
            await self._bridges.unbridge(channel)
        await self._rooms.leave(channel)
        await self._prompts.silence(leg)
        await self._prompts.start_ring_tone(leg)
        leg.transfer_to = new_leg
        try:
            await self._dial(planned)
        except SwitchError:
            leg.transfer_to = None
            await self._prompts.stop_ring_tone(leg)
            raise

    def answered(self, leg: Leg) -> None:
        """Whoever waits for this leg gets it."""
        for waiting in self._core.legs.all():
            if waiting.transfer_to == leg.id:
                waiting.transfer_to = None
                self._core.spawn(self._bridges.bridge(waiting.id, leg.id), "connect a transfer")

    def ended(self, channel: ChannelId, leg: Leg | None) -> None:
        if leg and leg.transfer_to and leg.transfer_to in self._core.legs:
            self._core.spawn(
                self._core.ari.attempt("DELETE", f"/channels/{leg.transfer_to}"), "end a transfer nobody waits for"
            )
        for waiting in self._core.legs.all():
            if waiting.transfer_to == channel:
                waiting.transfer_to = None
                self._core.spawn(self._prompts.stop_ring_tone(waiting), "end a transfer's ringing")


def _variables(invite: Invite) -> dict[str, str]:
    variables = {variable_name(name): one_line(value) for name, value in (invite.variables or {}).items()}
    for name, value in (invite.headers or {}).items():
        if not _HEADER.fullmatch(name):
            raise CommandRefused("only headers that begin with X- can be set", header=name[:60])
        if not value.isprintable():
            raise CommandRefused("a header's value is one line", header=name)
        variables[f"PJSIP_HEADER(add,{name})"] = value
    return variables


def transfers_are_told(version: str) -> bool:
    """Whether this Asterisk leaves a REFER to us when asked to."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    since = {20: 13, 21: 8, 22: 3}
    return len(numbers) == 2 and numbers[1] >= since.get(numbers[0], 0 if numbers[0] > 22 else 10**6)


def _quoted(name: str) -> str:
    """A display name inside quotes."""
    return "".join(c for c in name if c.isprintable() and c not in '"\\<>')[:60]
