"""The in-memory twin of a switch: the whole port over a virtual clock, with far ends that say and hear tones.

`MemoryWorld` (``world.py``) is the switch and everything beyond it, and may outlive this object, which stands
for one daemon's connection to it. The contract suite holds it to the same words as the real switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from foundation.clock import Clock
from pbx.events import SwitchEvent
from pbx.memory.far import MemoryCall, MemoryPhone
from pbx.memory.legs import Leg
from pbx.memory.outbound import Outbound
from pbx.memory.world import MemoryWorld
from pbx.settings import PbxSettings
from pbx.switch import AudioEar, AudioStream
from pbx.terms import (
    DIGITS,
    RING_TONE,
    BrowserEndpoint,
    ChannelId,
    ChannelSnapshot,
    CommandRefused,
    Destination,
    DigitRules,
    EndpointStatus,
    HangupCause,
    MuteDirection,
    PlaybackId,
    RecordedFile,
    RecordingId,
    RecordingSpec,
    RoomId,
    Signalling,
    Sound,
    Supervision,
    SwitchUnreachable,
    TrunkStatus,
)

__all__ = ["MemoryCall", "MemoryPhone", "MemorySwitch", "MemoryWorld"]


def _directions(direction: MuteDirection) -> set[MuteDirection]:
    return {MuteDirection.IN, MuteDirection.OUT} if direction is MuteDirection.BOTH else {direction}


class MemorySwitch:
    """Implements `Switch`. Give it the `world` of an earlier one to be the daemon that comes back."""

    engine = "memory"

    def __init__(self, clock: Clock, settings: PbxSettings, world: MemoryWorld | None = None) -> None:
        self.world = world or MemoryWorld(clock, settings)
        self._exchange = self.world.exchange
        self._outbound = Outbound(self.world, settings)
        self._queue: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self._entered = False

    async def __aenter__(self) -> MemorySwitch:
        self._entered = True
        self.world.listen(self._queue.put_nowait)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._entered = False
        self.world.unlisten(self._queue.put_nowait)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._queue.get()

    async def _reach(self) -> None:
        """Every command starts here: one turn of the loop, as a reply never comes in no time."""
        await asyncio.sleep(0)
        if not self._entered or not self.world.connected:
            raise SwitchUnreachable("no connection to the switch")

    async def _leg(self, channel: ChannelId) -> Leg:
        await self._reach()
        return self._exchange.leg(channel)

    async def _answered(self, channel: ChannelId) -> Leg:
        await self._reach()
        return self._exchange.answered_leg(channel)

    async def _lone(self, channel: ChannelId) -> Leg:
        await self._reach()
        return self._exchange.lone_leg(channel)

    async def _unanswered_inbound(self, channel: ChannelId) -> Leg:
        leg = await self._leg(channel)
        if leg.answered or not leg.inbound:
            raise CommandRefused("only for an inbound call that is not answered", channel=channel)
        return leg

    # --- one leg

    async def answer(self, channel: ChannelId) -> None:
        leg = await self._leg(channel)
        if not leg.inbound:
            raise CommandRefused("only the far end can answer this leg", channel=channel)
        self.world.take_answer(leg)

    async def ring(self, channel: ChannelId) -> None:
        leg = await self._unanswered_inbound(channel)
        leg.far.ringing.set()
        self.world.audio_changed()

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        self.world.hang_up(await self._unanswered_inbound(channel), cause)

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        self.world.hang_up(await self._leg(channel), cause)

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        (await self._leg(channel)).variables[name] = value

    async def get_variable(self, channel: ChannelId, name: str) -> str | None:
        return (await self._leg(channel)).variables.get(name)

    async def mute(self, channel: ChannelId, direction: MuteDirection) -> None:
        (await self._answered(channel)).muted |= _directions(direction)
        self.world.audio_changed()

    async def unmute(self, channel: ChannelId, direction: MuteDirection) -> None:
        (await self._answered(channel)).muted -= _directions(direction)
        self.world.audio_changed()

    # --- sounds and digits

    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        leg = await self._lone(channel)
        self._exchange.play(leg, playback, sounds)

    async def stop_playback(self, channel: ChannelId) -> None:
        self._exchange.stop_playing(await self._leg(channel))

    async def collect(
        self,
        channel: ChannelId,
        rules: DigitRules,
        playback: PlaybackId | None = None,
        sounds: Sequence[Sound] = (),
    ) -> None:
        leg = await self._lone(channel)
        self._exchange.collect(leg, rules, playback, sounds)

    async def stop_collecting(self, channel: ChannelId) -> None:
        self._exchange.stop_collecting(await self._leg(channel))

    async def send_digits(self, channel: ChannelId, digits: str) -> None:
        leg = await self._answered(channel)
        if not digits or any(digit not in DIGITS for digit in digits):
            raise CommandRefused("not DTMF digits", channel=channel)
        leg.far.receive_digits(digits)

    async def start_music(self, channel: ChannelId, music: str = "default") -> None:
        leg = await self._lone(channel)
        self._exchange.set_music(leg, music != RING_TONE)
        self._exchange.set_ring_tone(leg, music == RING_TONE)

    async def stop_music(self, channel: ChannelId) -> None:
        leg = await self._answered(channel)
        self._exchange.set_music(leg, False)
        if leg.transfer_to is None:
            self._exchange.set_ring_tone(leg, False)

    # --- two legs

    async def originate(
        self,
        channel: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        caller_name: str = "",
        timeout_s: float = 30.0,
        headers: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        await self._reach()
        plan = self._outbound.plan(channel, destination, headers or {})
        self._outbound.dial(plan, caller_number, caller_name, timeout_s, variables or {})

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        first = await self._answered(a)
        self._exchange.bridge(first, self._exchange.answered_leg(b))

    async def unbridge(self, channel: ChannelId) -> None:
        self._exchange.unbridge(await self._leg(channel))

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        self._exchange.set_held(await self._answered(channel), True)

    async def unhold(self, channel: ChannelId) -> None:
        self._exchange.set_held(await self._answered(channel), False)

    async def transfer(
        self,
        channel: ChannelId,
        new_leg: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        timeout_s: float,
    ) -> None:
        leg = await self._answered(channel)
        plan = self._outbound.plan(new_leg, destination, {})
        self._exchange.unbridge(leg)
        self._exchange.leave_room(leg)
        self._exchange.stop_playing(leg)
        leg.music = False
        self._exchange.set_ring_tone(leg, True)
        leg.transfer_to = self._outbound.dial(plan, caller_number, "", timeout_s, {})

    async def transfer_attended(self, channel: ChannelId, consult: ChannelId) -> None:
        await self.bridge(channel, consult)

    # --- three and more

    async def enter_room(self, channel: ChannelId, room: RoomId) -> None:
        self._exchange.enter_room(await self._answered(channel), room)

    async def leave_room(self, channel: ChannelId) -> None:
        self._exchange.leave_room(await self._leg(channel))

    # --- recording and supervision

    async def record(self, channel: ChannelId, spec: RecordingSpec) -> None:
        leg = await self._answered(channel)
        self._exchange.recorder.start(leg, spec)
        self.world.audio_changed()

    async def pause_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        self._exchange.recorder.set_paused(await self._leg(channel), recording, True)
        self.world.audio_changed()

    async def resume_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        self._exchange.recorder.set_paused(await self._leg(channel), recording, False)
        self.world.audio_changed()

    async def stop_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        self._exchange.recorder.stop(await self._leg(channel), recording)

    async def finish_recording(self, spec: RecordingSpec) -> RecordedFile | None:
        return self._exchange.recorder.finish(spec)

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        leg = await self._answered(supervisor)
        self._exchange.supervise(leg, self._exchange.answered_leg(target), mode)

    async def stop_supervising(self, supervisor: ChannelId) -> None:
        self._exchange.stop_supervising(await self._leg(supervisor))

    async def open_stream(self, channel: ChannelId, rate: int = 8000) -> AudioStream:
        return self._exchange.open_stream(await self._lone(channel), rate)

    async def open_ear(self, channel: ChannelId, rate: int = 8000) -> AudioEar:
        return self._exchange.open_ear(await self._answered(channel), rate)

    # --- browsers

    @property
    def signalling(self) -> Signalling | None:
        """None, for its far ends need no wire; tests of who uses it set one."""
        return self.world.signalling

    async def admit_endpoint(self, endpoint: BrowserEndpoint) -> None:
        await self._reach()
        self.world.admit(endpoint)

    async def revoke_endpoint(self, name: str) -> None:
        await self._reach()
        self.world.revoke(name)

    # --- truth

    async def channels(self) -> Sequence[ChannelSnapshot]:
        await self._reach()
        return [
            ChannelSnapshot(
                channel=leg.id,
                answered=leg.answered,
                inbound=leg.inbound,
                remote_number=leg.remote_number,
                local_number=leg.local_number,
                created_at=leg.created_at,
                bridged_to=leg.peer.id if leg.peer else None,
                variables=dict(leg.variables),
                trunk=leg.trunk if leg.inbound else None,
                room=leg.room,
                endpoint=leg.endpoint,
            )
            for leg in self._exchange.legs.values()
        ]

    async def trunks(self) -> Sequence[TrunkStatus]:
        await self._reach()
        return [line.status for line in self.world.lines.values()]

    async def endpoints(self) -> Sequence[EndpointStatus]:
        await self._reach()
        return [self.world.endpoint_status(name) for name in self.world.phones]
