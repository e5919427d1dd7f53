"""The twin's world: its trunks, phones and strangers, the calls between them and the switch, and the faults that can be
injected. It outlives a `MemorySwitch`, as a real switch outlives the daemon."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundation.clock import Clock
from pbx.events import (
    ChannelArrived,
    ChannelRinging,
    EndpointChanged,
    PeerHeld,
    PeerResumed,
    SwitchDown,
    SwitchEvent,
    SwitchUp,
    TransferAsked,
    TrunkChanged,
)
from pbx.memory.audio import Clip, Tones
from pbx.memory.exchange import Exchange
from pbx.memory.far import STATUS_OF_CAUSE, MemoryCall, MemoryPhone
from pbx.memory.legs import Leg
from pbx.settings import Gateway, PbxSettings, Trunk
from pbx.terms import (
    BrowserEndpoint,
    ChannelId,
    CommandRefused,
    EndpointStatus,
    HangupCause,
    Signalling,
    TrunkState,
    TrunkStatus,
    check_endpoint_name,
)

VERSION = "memory 1"


@dataclass(slots=True)
class Line:
    """One gateway of a trunk."""

    trunk: Trunk
    gateway: Gateway
    phone: MemoryPhone
    up: bool = True

    @property
    def status(self) -> TrunkStatus:
        known = TrunkState.UP if self.up else TrunkState.DOWN
        state = known if self.trunk.keepalive_s else TrunkState.UNKNOWN
        return TrunkStatus(trunk=self.trunk.name, gateway=self.gateway.name, state=state)


class MemoryWorld:
    def __init__(self, clock: Clock, settings: PbxSettings) -> None:
        self.clock = clock
        self.settings = settings
        self.exchange = Exchange(clock, self._tell, self._notice)
        self.connected = True
        self.lines = {
            gateway.name: Line(trunk, gateway, MemoryPhone(self, gateway.name))
            for trunk in settings.trunks
            for gateway in trunk.gateways
        }
        self.phones = {phone.name: MemoryPhone(self, phone.name) for phone in settings.phones}
        self.registered: set[str] = set()
        self.signalling: Signalling | None = None
        self.browsers: dict[str, BrowserEndpoint] = {}  # admitted; each has its phone among `phones`
        self._listeners: list[Callable[[SwitchEvent], None]] = []
        self._held: list[SwitchEvent] | None = None
        self._change = asyncio.Event()
        self._numbers = itertools.count(1)

    # --- those who look in from the test's side

    def gateway(self, name: str) -> MemoryPhone:
        return self.lines[name].phone

    def stranger(self, name: str = "desconocido") -> MemoryPhone:
        """One whom no setting names."""
        return MemoryPhone(self, name)

    def add_sound(self, name: str, hz: int, seconds: float) -> None:
        """A prompt by name; files by absolute path need no adding."""
        self.exchange.library[name] = Clip(frozenset({hz}), seconds)

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for it on the world's clock; False when the time is over."""
        over = asyncio.Event()

        def expire() -> None:
            over.set()
            self._notice()

        timer = self.clock.call_later(timeout_s, expire)
        try:
            while not condition():
                if over.is_set():
                    return False
                await self._change.wait()
            return True
        finally:
            timer.cancel()

    async def pause(self, seconds: float) -> None:
        await self.until(lambda: False, seconds)

    def heard(self, leg: Leg) -> Tones:
        return self.exchange.heard(leg)

    def audio_changed(self) -> None:
        self.exchange.changed()

    # --- faults

    def lose_connection(self, reason: str = "connection cut") -> None:
        """The daemon's connection breaks; calls go on."""
        if self.connected:
            self._tell(SwitchDown(at=self.clock.now(), reason=reason))
            self.connected = False

    def restore(self, *, same_life: bool = True) -> None:
        """The connection is back; with `same_life` False the switch died meanwhile, and every call with it."""
        if not same_life:
            self.kill()
        if not self.connected:
            self.connected = True
            self._tell(SwitchUp(at=self.clock.now(), same_life=same_life, version=VERSION))

    def kill(self, reason: str = "switch died") -> None:
        """The switch dies as by SIGKILL: far ends lose their calls, recordings stay torn."""
        self.lose_connection(reason)
        self.registered.clear()
        for leg in list(self.exchange.legs.values()):
            self.exchange.recorder.abandon(leg)
            self.exchange.end(leg, HangupCause.SWITCH_LOST, by_us=False)
            leg.far.ended_by_switch(HangupCause.SWITCH_LOST, 503)
        self._notice()

    def hold_events(self) -> None:
        """What happens is told late, in its order, with `release_events`; commands find it done."""
        self._held = []

    def release_events(self) -> None:
        held, self._held = self._held or [], None
        for event in held:
            self._tell(event)

    def fill_disk(self) -> None:
        """Recordings that run fail now, new ones at once."""
        recorder = self.exchange.recorder
        recorder.disk_full = True
        for leg in self.exchange.legs.values():
            for recording in list(leg.tracks):
                recorder.fail(leg, recording)

    def free_disk(self) -> None:
        self.exchange.recorder.disk_full = False

    def set_gateway_up(self, name: str, up: bool) -> None:
        line = self.lines[name]
        if line.up != up:
            line.up = up
            if line.trunk.keepalive_s:
                self._tell(TrunkChanged(at=self.clock.now(), status=line.status))

    def set_registered(self, phone: MemoryPhone, online: bool) -> bool:
        """False for one who may not."""
        name = phone.name
        if self.phones.get(name) is not phone:
            return False
        if (name in self.registered) != online:
            (self.registered.add if online else self.registered.discard)(name)
            self._tell(EndpointChanged(at=self.clock.now(), status=self.endpoint_status(name)))
        return True

    def endpoint_status(self, name: str) -> EndpointStatus:
        used = sum(1 for leg in self.exchange.legs.values() if leg.endpoint == name)
        return EndpointStatus(endpoint=name, online=name in self.registered, channels=used)

    # --- browsers

    def admit(self, endpoint: BrowserEndpoint) -> None:
        check_endpoint_name(endpoint.name)
        if endpoint.name in self.phones and endpoint.name not in self.browsers:
            raise CommandRefused("a phone of the settings has this name", endpoint=endpoint.name)
        self.browsers[endpoint.name] = endpoint
        self.phones.setdefault(endpoint.name, MemoryPhone(self, endpoint.name))

    def revoke(self, name: str) -> None:
        check_endpoint_name(name)
        if name in self.phones and name not in self.browsers:
            raise CommandRefused("a phone of the settings has this name", endpoint=name)
        if self.browsers.pop(name, None) is None:
            return
        self.set_registered(self.phones[name], False)
        del self.phones[name]

    # --- what far ends do

    def far_calls(self, call: MemoryCall, headers: Mapping[str, str]) -> None:
        """A far end calls in: a gateway, one of our phones, or somebody unknown, who is refused."""
        line = next((line for line in self.lines.values() if line.phone is call.phone), None)
        endpoint = call.phone.name if self.phones.get(call.phone.name) is call.phone else None
        if line is None and endpoint is None:
            call.ended_by_switch(HangupCause.REJECTED, 403)
            return
        browser = self.browsers.get(endpoint or "")
        if browser and call.to_number != browser.reach.value:
            call.ended_by_switch(HangupCause.UNALLOCATED, 404)
            return
        if not self.connected or not self._listeners:
            call.ended_by_switch(HangupCause.CONGESTION, 503)
            return
        leg = Leg(
            id=ChannelId(f"memory-{next(self._numbers)}"),
            far=call,
            inbound=True,
            remote_number=call.phone.user,
            local_number=call.to_number,
            created_at=self.clock.now(),
            trunk=line.trunk.name if line else None,
            endpoint=endpoint,
            headers=dict(headers),
        )
        call.leg = leg
        self.exchange.legs[leg.id] = leg
        self._tell(
            ChannelArrived(
                at=self.clock.now(),
                channel=leg.id,
                trunk=leg.trunk,
                endpoint=endpoint,
                from_number=leg.remote_number,
                from_name=call.name,
                to_number=call.to_number,
                headers=leg.headers,
            )
        )

    def far_rings(self, call: MemoryCall) -> None:
        if call.leg and not call.ended.is_set():
            call.ringing.set()
            self._tell(ChannelRinging(at=self.clock.now(), channel=call.leg.id))

    def far_answers(self, call: MemoryCall) -> None:
        if call.leg and not call.ended.is_set():
            self.take_answer(call.leg)

    def far_leaves(self, call: MemoryCall, cause: HangupCause) -> None:
        if call.ended.is_set():
            return
        call.ended_by_switch(cause, 200)
        if call.leg and call.refused and not call.leg.answered:
            call.refused(cause)
        elif call.leg:
            self.leg_left(call.leg, cause)
        self._notice()

    def far_digit(self, call: MemoryCall, digit: str, duration_ms: int) -> None:
        if call.leg and not call.ended.is_set():
            self.exchange.digit(call.leg, digit, duration_ms)

    def far_holds(self, call: MemoryCall, holds: bool) -> None:
        if call.leg and not call.ended.is_set():
            self._tell((PeerHeld if holds else PeerResumed)(at=self.clock.now(), channel=call.leg.id))
            self.exchange.changed()

    def far_refers(self, call: MemoryCall, target: str, consult: MemoryCall | None) -> None:
        if call.leg and not call.ended.is_set():
            self._tell(
                TransferAsked(
                    at=self.clock.now(),
                    channel=call.leg.id,
                    target=target,
                    consult=consult.leg.id if consult and consult.leg else None,
                )
            )

    # --- what becomes of legs

    def take_answer(self, leg: Leg) -> None:
        """By us for an inbound leg, by the far end for one we originated."""
        if leg.answered:
            return
        leg.far.status = 200
        leg.far.answered.set()
        self.exchange.answered(leg)
        waiting = next((other for other in self.exchange.legs.values() if other.transfer_to is leg), None)
        if waiting:
            waiting.transfer_to = None
            self.exchange.bridge(waiting, leg)

    def leg_left(self, leg: Leg, cause: HangupCause, *, by_us: bool = False) -> None:
        """The leg is over, whoever ended it."""
        self.exchange.end(leg, cause, by_us=by_us)
        for other in list(self.exchange.legs.values()):
            if other.transfer_to is leg:
                other.transfer_to = None
                self.exchange.set_ring_tone(other, False)
        if leg.transfer_to and leg.transfer_to.id in self.exchange.legs:
            self.hang_up(leg.transfer_to, HangupCause.CANCELLED)

    def hang_up(self, leg: Leg, cause: HangupCause) -> None:
        status = 200 if leg.answered else STATUS_OF_CAUSE.get(cause, 603) if leg.inbound else 487
        leg.far.ended_by_switch(cause, status)
        self.leg_left(leg, cause, by_us=True)

    # --- listeners

    def listen(self, listener: Callable[[SwitchEvent], None]) -> None:
        self._listeners.append(listener)
        if self.connected:
            listener(SwitchUp(at=self.clock.now(), same_life=True, version=VERSION))

    def unlisten(self, listener: Callable[[SwitchEvent], None]) -> None:
        self._listeners.remove(listener)

    def _tell(self, event: SwitchEvent) -> None:
        if self._held is not None:
            self._held.append(event)
        elif self.connected:
            for listener in list(self._listeners):
                listener(event)
        self._notice()

    def _notice(self) -> None:
        """Wake everyone who waits for a change."""
        change, self._change = self._change, asyncio.Event()
        change.set()
