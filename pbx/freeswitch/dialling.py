"""Calling out: to a phone, or to a number over each gateway in turn, under one channel id throughout."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pbx.dialing import OutboundRules, may_try_next
from pbx.events import ChannelHungUp
from pbx.freeswitch import commands
from pbx.freeswitch.browsers import WEBRTC_CODECS
from pbx.freeswitch.legs import Attempt, Board, Leg
from pbx.freeswitch.rendering import CHANNEL_VARIABLES, codec_string, dtmf_type, gateway_name
from pbx.freeswitch.translate import cause_of, originate_failure
from pbx.settings import Codec, PbxSettings, Srtp, Trunk
from pbx.terms import (
    DOMAIN,
    ChannelId,
    CommandRefused,
    Destination,
    HangupCause,
    PhoneDestination,
    SwitchError,
    SwitchUnreachable,
    TrunkStatus,
)

# A leg that failed is gone from the switch a moment after its cause is told; only then is its id free for the next try.
_DESTROY_S = 5.0
_SECURE = {Srtp.OFF: "forbidden", Srtp.OPTIONAL: "optional", Srtp.REQUIRED: "mandatory"}


@dataclass(frozen=True, slots=True)
class Way:
    """One address to try, and what of the call depends on it."""

    address: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that our own rules allow."""

    channel: ChannelId
    called: str
    ways: Sequence[Way]
    trunk: str | None
    endpoint: str | None
    headers: Mapping[str, str]
    caller_number: str


class Dialler:
    def __init__(
        self,
        board: Board,
        settings: PbxSettings,
        statuses: Callable[[], Sequence[TrunkStatus]],
        gone: Callable[[Leg], None],
        browsers: Callable[[], set[str]],
    ) -> None:
        self._board = board
        self._settings = settings
        self._statuses = statuses
        self._gone = gone
        self._browsers = browsers
        self._rules = OutboundRules(settings.dialing, settings.trunks, board.clock.now())

    def plan(
        self, channel: ChannelId, destination: Destination, headers: Mapping[str, str], caller_number: str
    ) -> Plan:
        """Refuses what may not or cannot be; nothing is sent."""
        commands.word(channel)
        if not commands.can_originate_with(channel) or channel in self._board.legs:
            raise CommandRefused("this channel id cannot be used, or is in use", channel=repr(channel)[:80])
        _check_headers(headers)
        if isinstance(destination, PhoneDestination):
            phone = next((p for p in self._settings.phones if p.name == destination.endpoint), None)
            if phone is None and destination.endpoint in self._browsers():
                name = destination.endpoint
                page = Way(f"user/{name}@{DOMAIN}", {"media_webrtc": "true", "absolute_codec_string": WEBRTC_CODECS})
                return Plan(channel, name, [page], None, name, headers, caller_number)
            if phone is None:
                raise CommandRefused("no such phone in the settings", endpoint=repr(destination.endpoint)[:80])
            way = Way(f"user/{phone.name}@{DOMAIN}", _media(phone.codecs, Srtp.OFF, "rfc2833"))
            return Plan(channel, phone.name, [way], None, phone.name, headers, caller_number)
        plan = self._rules.plan(destination, self._board.clock.now(), statuses=self._statuses(), active=self._active())
        number = plan.number.as_dialled
        ways = [
            Way(
                f"sofia/gateway/{gateway_name(choice.trunk.name, choice.gateway.name)}/{number}",
                {**_of_trunk(choice.trunk)},
            )
            for choice in plan.gateways
        ]
        first = plan.gateways[0].trunk
        return Plan(channel, number, ways, first.name, None, headers, caller_number or first.caller_number)

    def _active(self) -> dict[str, int]:
        active: dict[str, int] = {}
        for leg in self._board.legs.values():
            if leg.trunk and not leg.ended:
                active[leg.trunk] = active.get(leg.trunk, 0) + 1
        return active

    async def dial(self, plan: Plan, *, caller_name: str, timeout_s: float, variables: Mapping[str, str]) -> None:
        """Returns when the switch has taken the first try."""
        now = self._board.clock.now()
        leg = Leg(plan.channel, inbound=False, created_at=now, trunk=plan.trunk, endpoint=plan.endpoint)
        common = _common(plan, caller_name, variables)
        self._board.legs[plan.channel] = leg
        leg.attempt = Attempt()
        try:
            job = await self._send(leg, plan.ways[0], common, timeout_s)
        except SwitchUnreachable:
            # Perhaps it lives: reconciliation finds it, or the daemon does.
            self._board.legs.pop(plan.channel, None)
            raise
        except BaseException:
            self._board.legs.pop(plan.channel, None)
            raise
        self._board.spawn(self._follow(leg, plan, common, now + timeout_s, job), f"dial {plan.channel}")

    async def _send(self, leg: Leg, way: Way, common: Mapping[str, str], timeout_s: float) -> asyncio.Future[str]:
        # Whole seconds are all it knows; at least one.
        seconds = str(max(1, math.ceil(timeout_s)))
        variables = {**common, **way.variables, "originate_timeout": seconds, "leg_timeout": seconds}
        text = f"originate {commands.originate_variables(variables)}{way.address} &park()"
        return await self._board.client.bgapi(text)

    async def _follow(
        self, leg: Leg, plan: Plan, common: Mapping[str, str], until: float, job: asyncio.Future[str]
    ) -> None:
        """Try each way until one is answered, or the failure is one that no other way can mend."""
        cause = HangupCause.OTHER
        try:
            for number, _ in enumerate(plan.ways):
                name = originate_failure(await job)
                if not name:
                    leg.attempt = None
                    return
                attempt = leg.attempt or Attempt()
                if attempt.created:
                    async with asyncio.timeout(_DESTROY_S):
                        await attempt.destroyed.wait()
                if leg.ended:  # answered, and hung up before the switch took note of the answer
                    break
                cause = attempt.cause or cause_of(name, answered=False)
                rest = until - self._board.clock.now()
                if leg.by_us or not may_try_next(cause) or number + 1 == len(plan.ways) or rest <= 0:
                    break
                leg.attempt = Attempt()
                leg.told_ringing = False
                job = await self._send(leg, plan.ways[number + 1], common, rest)
        except SwitchUnreachable:
            leg.attempt = None
            return  # what became of it is found out when we are back
        except (TimeoutError, SwitchError):
            cause = HangupCause.CONGESTION
        leg.attempt = None
        self._fail(leg, cause)

    def _fail(self, leg: Leg, cause: HangupCause) -> None:
        if leg.ended:
            return
        leg.ended = True
        self._gone(leg)
        by_us = leg.by_us is not None
        cause = leg.by_us or cause
        self._board.tell(
            ChannelHungUp(
                at=self._board.clock.now(), channel=leg.id, cause=cause, q850=cause.q850, by_us=by_us, answered=False
            )
        )


def _common(plan: Plan, caller_name: str, variables: Mapping[str, str]) -> dict[str, str]:
    number = "".join(c for c in plan.caller_number if c.isalnum() or c in "+*#._-")
    name = "".join(c for c in caller_name if c.isprintable() and c not in "{}$<>\"'\\").strip()
    values = {
        **CHANNEL_VARIABLES,
        "origination_uuid": plan.channel,
        "origination_caller_id_number": number or "anonymous",
        "origination_caller_id_name": name or number or "anonymous",
        "ignore_early_media": "true",
        "rimay_called": plan.called,
        **{f"sip_h_{header}": value for header, value in plan.headers.items()},
        **{commands.variable_name(key): commands.encode_value(value) for key, value in variables.items()},
    }
    return {key: value for key, value in values.items() if value}


def _media(codecs: Sequence[Codec], srtp: Srtp, dtmf: str) -> dict[str, str]:
    return {"absolute_codec_string": codec_string(codecs), "rtp_secure_media": _SECURE[srtp], "dtmf_type": dtmf}


def _of_trunk(trunk: Trunk) -> dict[str, str]:
    values = _media(trunk.codecs, trunk.srtp, dtmf_type(trunk.dtmf))
    if trunk.dtmf.value == "inband":
        values["execute_on_answer"] = "start_dtmf"
    return values


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        named = name[:2].upper() == "X-" and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not named or len(name) > 64:
            raise CommandRefused("only headers whose names begin with X- may be set", header=repr(name)[:80])
        if not value.isprintable() or not commands.can_originate_with(value):
            raise CommandRefused("a header's value that cannot be sent", header=name)
