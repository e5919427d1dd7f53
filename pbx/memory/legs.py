"""The twin's legs, and the rules of who hears whom: all audio facts are derived from here, none is stored twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foundation.clock import Timer
from pbx.collect import Collecting as CollectState
from pbx.collect import KeysAhead
from pbx.memory.audio import MUSIC_HZ, RING_HZ, SILENCE, Tones, Track
from pbx.terms import ChannelId, MuteDirection, PlaybackId, RecordingId, RoomId, Sound, Supervision

if TYPE_CHECKING:
    from pbx.memory.far import MemoryCall
    from pbx.memory.stream import MemoryEar, MemoryStream


@dataclass(slots=True)
class Playing:
    """Sounds being played to a leg, one after the other."""

    playback: PlaybackId
    rest: deque[Sound]
    tones: Tones = SILENCE
    timer: Timer | None = None


@dataclass(slots=True)
class Collecting:
    """Digits being collected; `prompt` is the playback that asks for them."""

    state: CollectState
    prompt: PlaybackId | None
    timer: Timer | None = None


@dataclass(slots=True, eq=False)
class Leg:
    """One channel as the twin's switch holds it; `far` is what stands at its other end."""

    id: ChannelId
    far: MemoryCall
    inbound: bool
    remote_number: str
    local_number: str
    created_at: float
    trunk: str | None = None
    endpoint: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answered: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    peer: Leg | None = None
    room: RoomId | None = None
    held: bool = False  # by our `hold`
    muted: set[MuteDirection] = field(default_factory=set)  # IN and OUT only
    playing: Playing | None = None
    collecting: Collecting | None = None
    ahead: KeysAhead = field(default_factory=KeysAhead)
    music: bool = False
    ring_tone: bool = False
    transfer_to: Leg | None = None  # the leg that is being dialled to take this one's place
    tracks: dict[RecordingId, Track] = field(default_factory=dict)
    supervised: Leg | None = None  # whom this leg, a supervisor's, listens to
    mode: Supervision = Supervision.LISTEN
    stream: MemoryStream | None = None
    ear: MemoryEar | None = None
    timer: Timer | None = None  # gives up ringing

    def says(self) -> Tones:
        """What gets into the switch from here and may be heard by others."""
        if not self.answered or MuteDirection.IN in self.muted:
            return SILENCE
        return self.far.voice()


def talks_with(leg: Leg, legs: Iterable[Leg]) -> list[Leg]:
    """Its peer, or all others of its room; held ones too."""
    if leg.room is not None:
        return [other for other in legs if other.room == leg.room and other is not leg]
    return [leg.peer] if leg.peer else []


def heard_by(leg: Leg, legs: Iterable[Leg], *, recorded: bool = False) -> Tones:
    """What `leg` hears; `recorded` leaves out what is whispered to it."""
    if not leg.answered or MuteDirection.OUT in leg.muted:
        return SILENCE
    everyone = list(legs)
    partners = talks_with(leg, everyone)
    heard: set[int] = set(_heard_alone(leg))
    if leg.supervised:
        heard |= _heard_by_supervisor(leg.supervised, everyone)
    if not leg.held:
        for partner in partners:
            heard |= SILENCE if partner.held else partner.says()
    for other in everyone:
        if other.supervised is None or other is leg:
            continue
        whispers = other.supervised is leg and other.mode is Supervision.WHISPER and not recorded
        barges = (other.supervised is leg or other.supervised in partners) and other.mode is Supervision.BARGE
        if whispers or barges:
            heard |= other.says()
    return frozenset(heard)


def _heard_alone(leg: Leg) -> Tones:
    """What the switch itself plays to it."""
    heard: set[int] = set(leg.playing.tones if leg.playing else SILENCE)
    if leg.music or leg.held:
        heard.add(MUSIC_HZ)
    if leg.ring_tone:
        heard.add(RING_HZ)
    if leg.stream:
        heard |= leg.stream.speaking
    return frozenset(heard)


def _heard_by_supervisor(target: Leg, everyone: list[Leg]) -> Tones:
    """Both directions of the supervised leg, without what supervisors say."""
    heard = target.says()
    if MuteDirection.OUT in target.muted:
        return heard
    heard |= _heard_alone(target)
    if not target.held:
        for partner in talks_with(target, everyone):
            heard |= SILENCE if partner.held else partner.says()
    return heard
