"""What a switch tells: one frozen class for each thing that can happen. `pbx.switch` has the theory of operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pbx.terms import (
    ChannelId,
    DigitsEnd,
    EndpointStatus,
    HangupCause,
    PlaybackId,
    RecordedFile,
    RecordingId,
    RoomId,
    TrunkStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchEvent:
    """Base of all events. `at` is unix seconds, taken when the switch noticed (else when we heard of it)."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEvent(SwitchEvent):
    channel: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelArrived(ChannelEvent):
    """An inbound call waits and is ours to ring, answer or reject; the caller is told nothing before. Only peers
    that the settings name get here: others are refused by the switch and not told."""

    trunk: str | None  # None: it came from one of our own phones
    endpoint: str | None  # the phone it came from, when it is one of ours
    from_number: str
    from_name: str
    to_number: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRinging(ChannelEvent):
    """A leg that we originated rings at the far end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAnswered(ChannelEvent):
    """The leg is up, with media. For a leg we originated: it may be bridged from now on without loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHungUp(ChannelEvent):
    """The last event of a channel (but for its recordings' ends). `by_us` when it followed our own hangup or reject:
    then `cause` is the one that we gave. An inbound caller who gives up before answer is `cancelled`."""

    cause: HangupCause
    q850: int
    by_us: bool
    answered: bool
    mos: float | None = None  # estimate of what we heard, 1 to 4.5, where the switch has one


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitReceived(ChannelEvent):
    """One DTMF key, personal data when it is part of an identity: never logged outside a marked field."""

    digit: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsCollected(ChannelEvent):
    digits: str
    end: DigitsEnd


class PlaybackEnd(StrEnum):
    DONE = "done"
    STOPPED = "stopped"  # by stop_playback, a newer play, a barge-in digit, or hang-up
    FAILED = "failed"  # a sound is missing or unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(ChannelEvent):
    playback: PlaybackId


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackFinished(ChannelEvent):
    playback: PlaybackId
    end: PlaybackEnd
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridged(ChannelEvent):
    """The two channels hear each other from now on. Told once a pair, in either order."""

    peer: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbridged(ChannelEvent):
    """The pair was taken apart: by `unbridge`, by one of them hanging up, by a newer bridge or by a transfer. Told once
    a pair, in either order."""

    peer: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEntered(ChannelEvent):
    """The channel hears all others of the room, and they it. Told once an entry."""

    room: RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLeft(ChannelEvent):
    """By `leave_room`, by a bridge or another room, or by hanging up. Told once an entry."""

    room: RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHeld(ChannelEvent):
    """The phone itself put the other party on hold (re-INVITE sendonly). The pair stays; the other party does not hear
    the phone, but music or silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerResumed(ChannelEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAsked(ChannelEvent):
    """A phone asked for a transfer (SIP REFER), which was accepted (202). The switch did nothing more: the daemon
    decides, and both legs are as they were."""

    target: str  # the user part of Refer-To: a number or an endpoint
    consult: ChannelId | None = None  # an attended one (Replaces) names the same phone's other leg, its consultation


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(ChannelEvent):
    recording: RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStopped(ChannelEvent):
    """The file is complete and readable. Told once a recording, at the latest after the channel's hang-up."""

    recording: RecordingId
    file: RecordedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailed(ChannelEvent):
    """Nothing (more) is written; the call goes on. `file` is what could be kept."""

    recording: RecordingId
    reason: str
    file: RecordedFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkChanged(SwitchEvent):
    status: TrunkStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChanged(SwitchEvent):
    status: EndpointStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchUp(SwitchEvent):
    """Connected. `same_life` is False when the switch itself (re)started since our last connection: every earlier
    channel is gone, told by `ChannelHungUp` (switch_lost) or not. The first `SwitchUp` of an adapter
    compares with nothing and says True: what an earlier daemon left, `channels()` tells."""

    same_life: bool
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchDown(SwitchEvent):
    """The connection is lost. Channels may live on: nothing is concluded until the next `SwitchUp`."""

    reason: str
