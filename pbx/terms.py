"""The words that commands and events share: causes, sounds, digits, destinations, states, a switch's errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NewType, TypeAlias

from foundation.errors import RimayError

ChannelId = NewType("ChannelId", str)
PlaybackId = NewType("PlaybackId", str)
RecordingId = NewType("RecordingId", str)
RoomId = NewType("RoomId", str)

DIGITS = "0123456789*#ABCD"


# --- errors --------------------


class SwitchError(RimayError):
    """Anything that a switch did not do."""

    code = "switch.error"


class ChannelGone(SwitchError):
    """The channel does not exist, or no longer."""

    code = "switch.channel_gone"


class CommandRefused(SwitchError):
    """The switch answered no: wrong state, unknown sound, no such endpoint."""

    code = "switch.command_refused"
    is_permanent = True


class DialRefused(CommandRefused):
    """Our own rules refused an outbound call (allow-list, rate limit, no gateway up); nothing was sent."""

    code = "switch.dial_refused"


class SwitchUnreachable(SwitchError):
    """No connection, or it broke before the reply: the command may or may not have been carried out."""

    code = "switch.unreachable"


# --- vocabulary of commands --------------------


class HangupCause(StrEnum):
    """Why a leg ended or was refused; values are ours, `q850` is the number on the wire (ITU-T Q.850)."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    CANCELLED = "cancelled"  # the caller gave up before answer
    TIMEOUT = "timeout"  # media or session timer ran out
    SWITCH_LOST = "switch_lost"  # the switch died under the call
    OTHER = "other"

    @property
    def q850(self) -> int:
        return _Q850[self]

    @classmethod
    def from_q850(cls, number: int) -> HangupCause:
        """The nearest of ours for a Q.850 number; unknown numbers become OTHER."""
        return _FROM_Q850.get(number, cls.OTHER)


_Q850: dict[HangupCause, int] = {
    HangupCause.NORMAL: 16,
    HangupCause.BUSY: 17,
    HangupCause.NO_ANSWER: 19,
    HangupCause.REJECTED: 21,
    HangupCause.UNALLOCATED: 1,
    HangupCause.UNREACHABLE: 20,
    HangupCause.CONGESTION: 34,
    HangupCause.CANCELLED: 16,
    HangupCause.TIMEOUT: 102,
    HangupCause.SWITCH_LOST: 41,
    HangupCause.OTHER: 31,
}
_FROM_Q850: dict[int, HangupCause] = {
    1: HangupCause.UNALLOCATED,
    3: HangupCause.UNREACHABLE,
    16: HangupCause.NORMAL,
    17: HangupCause.BUSY,
    18: HangupCause.NO_ANSWER,
    19: HangupCause.NO_ANSWER,
    20: HangupCause.UNREACHABLE,
    21: HangupCause.REJECTED,
    27: HangupCause.UNREACHABLE,
    28: HangupCause.UNALLOCATED,
    31: HangupCause.NORMAL,
    34: HangupCause.CONGESTION,
    38: HangupCause.CONGESTION,
    41: HangupCause.CONGESTION,
    42: HangupCause.CONGESTION,
    102: HangupCause.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class TextSound:
    """Text to be spoken; the sound library synthesises and caches it."""

    text: str
    language: str = "es"


@dataclass(frozen=True, slots=True)
class FileSound:
    """A prompt by name in the sound library (``es/bienvenida``) or by absolute path; with or without extension.
    `fallback` is spoken where the file is not recorded yet; without it a missing file fails the playback."""

    name: str
    fallback: TextSound | None = None


# The name of music that is the country's ring tone: for who waits until somebody answers.
RING_TONE = "ring-tone"


@dataclass(frozen=True, slots=True)
class ToneSound:
    """A sine of `hz` for `ms` milliseconds (beeps, and tests)."""

    hz: int
    ms: int


Sound: TypeAlias = FileSound | ToneSound | TextSound


@dataclass(frozen=True, slots=True)
class DigitRules:
    """How to collect DTMF.

    Collecting ends with `max_digits` digits, with the terminator, `between_s` after the last digit, or `first_s` after
    the prompt ended (or at once, where there is no prompt) with no digit at all. The first digit stops the prompt when
    `barge_in`, otherwise digits before the prompt's end are dropped.

    With `since` (unix seconds) those that were pressed after that time, and that no other collecting took, are the
    first ones: whoever knows the way need not wait for the question. Then its prompt is not played.
    """

    max_digits: int = 1
    terminator: str = "#"
    first_s: float = 5.0
    between_s: float = 3.0
    barge_in: bool = True
    since: float | None = None


class DigitsEnd(StrEnum):
    COMPLETE = "complete"  # max_digits reached
    TERMINATOR = "terminator"
    TIMEOUT = "timeout"  # with the digits so far, possibly none
    STOPPED = "stopped"  # by stop_collecting, another collect, or hang-up


@dataclass(frozen=True, slots=True)
class PhoneDestination:
    """A SIP endpoint registered at the switch, by its name in the settings (an agent's phone)."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class NumberDestination:
    """A telephone number, dialled through the trunks in their order of priority, subject to the allow-list."""

    number: str
    trunk: str | None = None  # None: any trunk that is allowed and up


Destination: TypeAlias = PhoneDestination | NumberDestination


class Reach(StrEnum):
    """What a browser's endpoint may call, and nothing else: the user part of the address that it dials."""

    OPEN_LEG = "open-leg"  # an agent's or supervisor's page
    IVR = "ivr"  # a citizen's


@dataclass(frozen=True, slots=True)
class BrowserEndpoint:
    """Credentials of one browser page, minted while the switch runs. `name` is its SIP user and its authentication
    user too: letters, digits and hyphens, at most 40, and none of the settings' phones."""

    name: str
    password: str = field(repr=False)
    reach: Reach


_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


def check_endpoint_name(name: str) -> None:
    """Of a browser's endpoint: fit for a SIP address, a file's name and every switch's own lists."""
    if not _ENDPOINT_NAME.fullmatch(name):
        raise CommandRefused("a browser's endpoint has letters, digits and hyphens", endpoint=repr(name)[:80])


_ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_room(room: RoomId) -> None:
    """A name that every switch takes."""
    if not _ROOM.fullmatch(room):
        raise CommandRefused("a room's name has letters, digits, hyphens and underscores", room=repr(room)[:80])


# The domain of browsers' addresses; no name that anybody looks up.
DOMAIN = "rimay.local"


@dataclass(frozen=True, slots=True)
class Signalling:
    """Where a browser's SIP goes: the switch's own web socket, on this machine, and the domain of its addresses."""

    url: str  # ws://127.0.0.1:port/path
    domain: str = DOMAIN


class MuteDirection(StrEnum):
    IN = "in"  # what the channel says is heard by nobody
    OUT = "out"  # the channel hears nothing
    BOTH = "both"


class Supervision(StrEnum):
    LISTEN = "listen"  # hears both, is heard by none
    WHISPER = "whisper"  # hears both, is heard by the supervised channel only
    BARGE = "barge"  # all hear all


@dataclass(frozen=True, slots=True)
class RecordingSpec:
    """A stereo recording: left is what the channel says, right what it hears. 8 kHz, 16 bit, WAV when finished."""

    id: RecordingId
    path: Path  # of the finished file; the adapter may write elsewhere beside it first


@dataclass(frozen=True, slots=True)
class RecordedFile:
    path: Path
    channels: int
    seconds: float


# --- what a switch tells of itself --------------------


class TrunkState(StrEnum):
    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  # no keepalive asked for, or none answered yet


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    trunk: str
    gateway: str
    state: TrunkState
    detail: str = ""
    round_trip_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    endpoint: str
    online: bool
    channels: int = 0


@dataclass(frozen=True, slots=True)
class ChannelSnapshot:
    """One living channel as the switch knows it: what reconciliation reads."""

    channel: ChannelId
    answered: bool
    inbound: bool
    remote_number: str
    local_number: str
    created_at: float
    bridged_to: ChannelId | None
    variables: Mapping[str, str]  # those set by `set_variable`
    trunk: str | None = None  # of an inbound one
    room: RoomId | None = None
    endpoint: str | None = None  # the phone or browser at the other end, where it is one of ours
