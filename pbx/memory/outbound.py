"""The twin's calls out: the shared dial rules, then each gateway in turn as a real adapter does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pbx.dialing import GatewayChoice, OutboundRules, may_try_next
from pbx.memory.far import MemoryCall, MemoryPhone
from pbx.memory.legs import Leg
from pbx.memory.world import MemoryWorld
from pbx.settings import PbxSettings
from pbx.terms import ChannelId, CommandRefused, Destination, HangupCause, PhoneDestination

_HEADER = re.compile(r"X-[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that may be placed: nothing refuses it any more."""

    channel: ChannelId
    number: str  # as dialled, or the phone's name
    endpoint: str | None
    gateways: Sequence[GatewayChoice]
    headers: Mapping[str, str]


@dataclass(slots=True)
class Dialling:
    """One leg on its way out."""

    leg: Leg
    plan: Plan
    caller_number: str
    caller_name: str
    tried: int = 0


class Outbound:
    def __init__(self, world: MemoryWorld, settings: PbxSettings) -> None:
        self._world = world
        self._rules = OutboundRules(settings.dialing, settings.trunks, world.clock.now())

    def plan(self, channel: ChannelId, destination: Destination, headers: Mapping[str, str]) -> Plan:
        """Raises `CommandRefused` (also `DialRefused`): then nothing was sent and no event will come."""
        if channel in self._world.exchange.legs:
            raise CommandRefused("a channel of this id exists", channel=channel)
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or not value.isprintable():
                raise CommandRefused("only X- headers of printable text are taken")
        if isinstance(destination, PhoneDestination):
            if destination.endpoint not in self._world.phones:
                raise CommandRefused("no such endpoint", endpoint=destination.endpoint)
            return Plan(channel, destination.endpoint, destination.endpoint, (), headers)
        active = Counter(leg.trunk for leg in self._world.exchange.legs.values() if leg.trunk)
        statuses = [line.status for line in self._world.lines.values()]
        found = self._rules.plan(destination, self._world.clock.now(), statuses=statuses, active=active)
        return Plan(channel, found.number.as_dialled, None, found.gateways, headers)

    def dial(
        self, plan: Plan, caller_number: str, caller_name: str, timeout_s: float, variables: Mapping[str, str]
    ) -> Leg:
        """Send it out; what becomes of it is told by events."""
        phone = self._world.phones[plan.endpoint] if plan.endpoint else self._gateway(plan.gateways[0])
        number = caller_number or (plan.gateways[0].trunk.caller_number if plan.gateways else "")
        leg = Leg(
            id=plan.channel,
            far=self._far(phone, plan, number, caller_name),
            inbound=False,
            remote_number=plan.number,
            local_number=number,
            created_at=self._world.clock.now(),
            trunk=plan.gateways[0].trunk.name if plan.gateways else None,
            endpoint=plan.endpoint,
            variables=dict(variables),
        )
        self._world.exchange.legs[leg.id] = leg
        leg.timer = self._world.clock.call_later(timeout_s, lambda: self._no_answer(leg))
        dialling = Dialling(leg, plan, number, caller_name)
        # At the next moment, so that whoever asked has the leg before its first event.
        self._world.clock.call_later(0, lambda: self._try(dialling))
        return leg

    def _gateway(self, choice: GatewayChoice) -> MemoryPhone:
        return self._world.lines[choice.gateway.name].phone

    def _far(self, phone: MemoryPhone, plan: Plan, number: str, name: str) -> MemoryCall:
        call = MemoryCall(self._world, phone, inbound=True, number=number, to_number=plan.number, name=name)
        call.headers = dict(plan.headers)
        return call

    def _no_answer(self, leg: Leg) -> None:
        leg.far.ended_by_switch(HangupCause.NO_ANSWER, 487)
        self._world.leg_left(leg, HangupCause.NO_ANSWER)

    def _try(self, dialling: Dialling) -> None:
        """Phone or next gateway; one that is not there fails at once."""
        leg, plan = dialling.leg, dialling.plan
        if leg.id not in self._world.exchange.legs:
            return
        if plan.endpoint:
            if plan.endpoint not in self._world.registered:
                self._world.leg_left(leg, HangupCause.UNREACHABLE)
                return
            self._connect(dialling, leg.far)
            return
        choice = plan.gateways[dialling.tried]
        dialling.tried += 1
        leg.trunk = choice.trunk.name
        if not self._world.lines[choice.gateway.name].up:
            self._failed(dialling, HangupCause.UNREACHABLE)
            return
        self._connect(dialling, self._far(self._gateway(choice), plan, dialling.caller_number, dialling.caller_name))

    def _connect(self, dialling: Dialling, far: MemoryCall) -> None:
        dialling.leg.far = far
        far.leg = dialling.leg
        far.refused = lambda cause: self._failed(dialling, cause)
        far.phone.called(far)

    def _failed(self, dialling: Dialling, cause: HangupCause) -> None:
        if may_try_next(cause) and dialling.tried < len(dialling.plan.gateways):
            self._try(dialling)
        else:
            self._world.leg_left(dialling.leg, cause)
