"""What the adapter remembers of each channel, and what its parts share: the connection, the clock, the way to tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foundation.clock import Clock, Timer
from pbx.collect import Collecting, KeysAhead
from pbx.events import SwitchEvent
from pbx.freeswitch.client import EslClient
from pbx.freeswitch.codec import Event
from pbx.freeswitch.rendering import IDLE_SILENCE
from pbx.freeswitch.stream import UnicastStream
from pbx.terms import (
    ChannelGone,
    ChannelId,
    CommandRefused,
    HangupCause,
    MuteDirection,
    PlaybackId,
    RecordingId,
    RecordingSpec,
    RoomId,
    Supervision,
)

if TYPE_CHECKING:
    from pbx.freeswitch.ear import PipeEar

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Pair:
    """Two legs that belong together, whether or not the switch has them bridged at this moment (hold, REFER)."""

    a: ChannelId
    b: ChannelId
    told: bool = False  # `Bridged` was
    held: set[ChannelId] = field(default_factory=set)

    def other(self, channel: ChannelId) -> ChannelId:
        return self.b if channel == self.a else self.a


@dataclass(slots=True, eq=False)
class Sounding:
    """One application that a parked leg runs for us: a playback, music, a ring tone, an eavesdropping."""

    token: str  # empty: an earlier daemon's, by a name that is not known any more
    application: str
    argument: str
    playback: PlaybackId | None = None  # only these are told of
    sent: bool = False
    started: bool = False  # it runs, and can be broken off
    stopped: bool = False
    broken: bool = False  # the break is sent
    told_started: bool = False
    taken: asyncio.Future[None] | None = None

    def is_of(self, event: Event) -> bool:
        if self.token:
            return event.get("Application-UUID") == self.token
        return event.get("Application") == self.application


@dataclass(slots=True, eq=False)
class Collection:
    state: Collecting
    prompt: PlaybackId | None
    timer: Timer | None = None


@dataclass(slots=True, eq=False)
class RunningRecording:
    spec: RecordingSpec
    path: str  # as the switch knows it
    announced: bool = False
    finishing: bool = False
    size: int = -1  # of the file when we last looked
    finished: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Attempt:
    """One try of an outbound call over one way."""

    created: bool = False
    cause: HangupCause | None = None
    destroyed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Leg:
    id: ChannelId
    inbound: bool
    created_at: float = 0.0
    trunk: str | None = None  # of both directions, for counting lines
    endpoint: str | None = None
    answered: bool = False
    told_answered: bool = False
    told_ringing: bool = False
    ended: bool = False
    parked: asyncio.Event = field(default_factory=asyncio.Event)
    rate: int = 8000
    by_us: HangupCause | None = None
    attempt: Attempt | None = None  # while we are still trying to reach it
    pair: Pair | None = None
    room: RoomId | None = None
    in_room: bool = False  # told so
    room_held: bool = False  # of the room, and parked
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    now: Sounding | None = None
    next: Sounding | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    collection: Collection | None = None
    ahead: KeysAhead = field(default_factory=KeysAhead)
    recordings: dict[RecordingId, RunningRecording] = field(default_factory=dict)
    supervising: ChannelId | None = None
    mode: Supervision | None = None
    muted: set[MuteDirection] = field(default_factory=set)
    stream: UnicastStream | None = None
    ear: PipeEar | None = None
    transfer_to: ChannelId | None = None

    def __post_init__(self) -> None:
        self.idle.set()

    def end_audio(self) -> None:
        """Nothing more comes over the streams of what it says."""
        for audio in (self.stream, self.ear):
            if audio is not None:
                audio.end()


class Board:
    """All legs, and what every part of the adapter needs."""

    # In transit between park and bridge for longer than this, a leg is lost to us.
    SETTLE_S = 5.0

    def __init__(self, clock: Clock, tell: Callable[[SwitchEvent], None]) -> None:
        self.clock = clock
        self.tell = tell
        self.legs: dict[ChannelId, Leg] = {}
        self.client: EslClient  # set by the owner, who also gives us to it
        self._tasks: set[asyncio.Task[None]] = set()

    def leg(self, channel: ChannelId) -> Leg:
        leg = self.legs.get(channel)
        if leg is None or leg.ended:
            raise ChannelGone("no such channel, or it hung up", channel=channel)
        return leg

    def answered_leg(self, channel: ChannelId) -> Leg:
        leg = self.leg(channel)
        if not leg.answered:
            raise CommandRefused("the channel is not answered", channel=channel)
        return leg

    def lone_leg(self, channel: ChannelId) -> Leg:
        leg = self.answered_leg(channel)
        if leg.pair or leg.room is not None:
            raise CommandRefused("the channel is bridged", channel=channel)
        return leg

    async def settle(self, leg: Leg) -> None:
        """Wait until the leg is parked: between a bridge's end and that it hears no command."""
        try:
            async with asyncio.timeout(self.SETTLE_S):
                await leg.parked.wait()
        except TimeoutError:
            raise CommandRefused("the channel is in no state to take this", channel=leg.id) from None
        if leg.ended:
            raise ChannelGone("no such channel, or it hung up", channel=leg.id)

    async def repark(self, leg: Leg, *, silence: bool) -> None:
        """Leave the park loop and begin it anew, with or without silence being sent."""
        leg.parked.clear()
        await self.client.api(f"uuid_setvar {leg.id} {IDLE_SILENCE} {-1 if silence else 0}")
        await self.client.api(f"uuid_transfer {leg.id} park inline")
        await self.settle(leg)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """A task of our own, kept until it ends; a failure is logged, for nobody waits for it."""
        task = asyncio.get_running_loop().create_task(work, name=f"freeswitch {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
