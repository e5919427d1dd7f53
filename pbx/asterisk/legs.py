"""What we know of the living channels, and of which two are a pair. No I/O."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foundation.clock import Timer
from pbx import collect
from pbx.dialing import GatewayChoice
from pbx.terms import (
    ChannelGone,
    ChannelId,
    CommandRefused,
    HangupCause,
    PlaybackId,
    RecordingId,
    RecordingSpec,
    RoomId,
)

if TYPE_CHECKING:
    from pbx.asterisk.stream import WebSocketEar, WebSocketStream

# Legs that we make for our own purposes and nobody else gets to see.
OWN = "rimay-"


@dataclass(slots=True)
class Playing:
    playback: PlaybackId
    stop_asked: bool = False


@dataclass(slots=True)
class Collecting:
    state: collect.Collecting
    prompt: PlaybackId | None  # whose end starts the wait for the first digit
    timer: Timer | None = None


@dataclass(slots=True)
class Attempt:
    """An outbound call on its way: what is left to try when the network fails it."""

    params: dict[str, str]
    variables: dict[str, str]
    number: str  # empty: a phone of ours
    rest: list[GatewayChoice]
    until: float  # unix seconds; all gateways together


@dataclass(slots=True)
class Track:
    """One recording under way."""

    spec: RecordingSpec
    started_at: float
    size: int = 0
    size_at: float = 0.0
    paused: bool = False
    hears: str = ""  # the channel whose voice its right side was last made of
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # of commands to its MixMonitor


@dataclass(slots=True, eq=False)
class Pair:
    """Two legs that are, or will be in a moment, in one bridge. A held one is out of it and still of the pair."""

    bridge: str
    a: ChannelId
    b: ChannelId
    inside: set[ChannelId] = field(default_factory=set)
    held: set[ChannelId] = field(default_factory=set)
    told: bool = False

    def other(self, channel: ChannelId) -> ChannelId:
        return self.b if channel == self.a else self.a


@dataclass(slots=True, eq=False)
class Leg:
    id: ChannelId
    inbound: bool
    remote_number: str = ""
    local_number: str = ""
    created_at: float = 0.0
    endpoint: str = ""  # the switch's name of it
    answered: bool = False
    ringing_told: bool = False
    by_us: bool = False
    asked_cause: HangupCause | None = None
    in_stasis: bool = False
    ending: bool = False
    pair: Pair | None = None
    room: RoomId | None = None
    in_room: bool = False  # in the room's bridge, and told so
    room_held: bool = False  # of the room, and out of its bridge
    playing: Playing | None = None
    replaced: dict[str, Playing] = field(default_factory=dict)  # stopped playbacks whose end is still to come
    collecting: Collecting | None = None
    ahead: collect.KeysAhead = field(default_factory=collect.KeysAhead)
    music: bool = False
    ring_tone: bool = False
    tracks: dict[RecordingId, Track] = field(default_factory=dict)
    stream: WebSocketStream | None = None
    ear: WebSocketEar | None = None
    supervision: str = ""  # the bridge in which this leg, a supervisor's, listens
    transfer_to: ChannelId | None = None
    transfer_of: ChannelId | None = None
    refer_pending: bool = False
    attempt: Attempt | None = None
    trunk: str = ""
    variables: dict[str, str] = field(default_factory=dict)


class Legs:
    def __init__(self) -> None:
        self._legs: dict[str, Leg] = {}
        self.pairs: dict[str, Pair] = {}  # by bridge
        self.ended: list[Pair] = []  # by events, their bridges still to be dropped
        self.rooms: dict[RoomId, str] = {}  # the bridge of each
        # Bridges of rooms that are over, still to be dropped, and who was the last in each.
        self.emptied: list[tuple[str, ChannelId]] = []

    def __contains__(self, channel: str) -> bool:
        return channel in self._legs

    def all(self) -> list[Leg]:
        return list(self._legs.values())

    def find(self, channel: str) -> Leg | None:
        return self._legs.get(channel)

    def get(self, channel: ChannelId) -> Leg:
        leg = self._legs.get(channel)
        if leg is None:
            raise ChannelGone("no such channel, or it hung up", channel=channel)
        return leg

    def answered(self, channel: ChannelId) -> Leg:
        leg = self.get(channel)
        if not leg.answered:
            raise CommandRefused("the channel is not answered", channel=channel)
        return leg

    def lone(self, channel: ChannelId) -> Leg:
        leg = self.answered(channel)
        if leg.pair or leg.room is not None:
            raise CommandRefused("the channel is bridged", channel=channel)
        return leg

    def paired(self, channel: ChannelId) -> tuple[Leg, Pair]:
        leg = self.get(channel)
        if leg.pair is None:
            raise CommandRefused("the channel is not bridged", channel=channel)
        return leg, leg.pair

    def together(self, channel: ChannelId) -> Leg:
        """In a pair or in a room."""
        leg = self.get(channel)
        if leg.pair is None and leg.room is None:
            raise CommandRefused("the channel is not bridged", channel=channel)
        return leg

    def add(self, leg: Leg) -> Leg:
        self._legs[leg.id] = leg
        return leg

    def remove(self, channel: str) -> Leg | None:
        return self._legs.pop(channel, None)

    def join(self, bridge: str, a: Leg, b: Leg) -> Pair:
        pair = Pair(bridge, a.id, b.id)
        a.pair = b.pair = self.pairs[bridge] = pair
        return pair

    def leave(self, leg: Leg) -> None:
        """The leg is in no room any more; the last one ends it."""
        room, leg.room = leg.room, None
        leg.in_room = leg.room_held = False
        if room is not None and not any(other.room == room for other in self._legs.values()):
            bridge = self.rooms.pop(room, None)
            if bridge:
                self.emptied.append((bridge, leg.id))

    def part(self, pair: Pair) -> None:
        """The two are no pair any more; where they are in the switch is another matter."""
        self.pairs.pop(pair.bridge, None)
        for channel in (pair.a, pair.b):
            leg = self._legs.get(channel)
            if leg and leg.pair is pair:
                leg.pair = None
