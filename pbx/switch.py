"""The one port to a switch: the commands we give and the events we get.

Three implementations stand behind it: ``pbx.memory`` (the twin), ``pbx.asterisk`` and ``pbx.freeswitch``. One contract
suite (``tests/contract/``) holds all three to what is written here; where a docstring and a switch disagree, the
adapter adapts.

Theory of operation
-------------------
A *channel* is one leg: a caller on a trunk, an agent's phone, a number we dialled. Its id is a string that is unique
for ever. For a leg that we originate **we** choose the id before the command is sent, so that an event which
overtakes the command's reply still finds its owner. An inbound leg gets its id from the switch and is announced by
`ChannelArrived`.

Every command returns when the switch has taken it, not when it is done; what became of it arrives as an event. A
command on a channel that is gone raises `ChannelGone`; one that the switch cannot do now raises `CommandRefused`;
when nothing is known of its fate (connection lost under it) it raises `SwitchUnreachable` and **is not sent again**:
the caller reconciles from `channels()` instead. Where a command could fail for several reasons, `ChannelGone` is
told first. A command that was cancelled while it waited spoils no later one.

The end of a channel ends what hangs on it: `PlaybackFinished`, `DigitsCollected` (both *stopped*), `Unbridged` and
`RoomLeft` come before its `ChannelHungUp`; only `RecordingStopped` or `RecordingFailed` may follow it.

What happened while the connection was down may be told late or not at all: after `SwitchUp` the truth is in
`channels()`.

When two channels are bridged and one hangs up, the other stays up, alone, and `Unbridged` says so: what happens next
(survey, requeue, hang-up) is the daemon's decision, never the switch's.

Three and more talk in a *room*. A channel is in a pair, or in a room, or alone; what the port calls *bridged* is in
either. A room is no thing of its own: it begins with its first channel and ends with its last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from pbx.events import SwitchEvent
from pbx.terms import (
    BrowserEndpoint,
    ChannelId,
    ChannelSnapshot,
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
    TrunkStatus,
)


class AudioStream(Protocol):
    """Two-way audio with one channel: 16 bit mono little-endian PCM at `rate`, frames of 20 ms."""

    rate: int

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Frames of what the channel says, until the stream is closed or the channel hangs up."""
        ...

    async def send(self, pcm: bytes) -> None:
        """Queue audio for the channel to hear; any length. Raises `ChannelGone` after the end."""
        ...

    async def flush(self) -> None:
        """Forget what was queued and not yet played (barge-in)."""
        ...

    async def close(self) -> None: ...


class AudioEar(Protocol):
    """One-way audio from one channel, as in `AudioStream`."""

    rate: int

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Frames of what the channel says, until the ear is closed or the channel hangs up."""
        ...

    async def close(self) -> None: ...


class Switch(Protocol):
    """What the daemon needs of a switch; `tests/contract/` says it by example. Implementations are async context
    managers: entering connects and keeps reconnecting in the background; leaving disconnects and touches no call."""

    engine: str  # "memory", "asterisk" or "freeswitch"

    async def __aenter__(self) -> Switch: ...
    async def __aexit__(self, *exc: object) -> None: ...

    def events(self) -> AsyncIterator[SwitchEvent]:
        """All events, in order, to one consumer. Begins with `SwitchUp`."""
        ...

    # one leg
    async def answer(self, channel: ChannelId) -> None: ...
    async def ring(self, channel: ChannelId) -> None:
        """Tell the caller that it rings (180), without answering."""
        ...

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        """Refuse an unanswered inbound leg with the SIP status that fits the cause: busy 486, no_answer 480, rejected
        403 or 603, unallocated 404, congestion 503, normal 603 or 480. Its `ChannelHungUp` has the cause given here."""
        ...

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        """In any state. Its `ChannelHungUp` has `by_us` and the cause given here."""
        ...

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        """Kept by the switch, so that a daemon that comes back finds it. Any text, also empty; no line breaks."""
        ...

    async def get_variable(self, channel: ChannelId, name: str) -> str | None: ...
    async def mute(self, channel: ChannelId, direction: MuteDirection) -> None:
        """Holds through bridging and unbridging, until `unmute`, which takes the directions one by one."""
        ...

    async def unmute(self, channel: ChannelId, direction: MuteDirection) -> None: ...

    # Sounds and digits, for an answered channel that is not bridged: `CommandRefused` otherwise. Of play, collect and
    # start_music on a channel a newer one ends the older, which is told as stopped. Stopping what does not run is no
    # error.
    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        """One after the other. A sound that is missing ends it as `failed`, by event, with its name in the detail;
        whether a `PlaybackStarted` comes before is not promised."""
        ...

    async def stop_playback(self, channel: ChannelId) -> None: ...
    async def collect(
        self,
        channel: ChannelId,
        rules: DigitRules,
        playback: PlaybackId | None = None,
        sounds: Sequence[Sound] = (),
    ) -> None:
        """Collect digits, with an optional prompt; ends with one `DigitsCollected`, without the terminator. A prompt
        that fails counts as ended: the caller may still press keys."""
        ...

    async def stop_collecting(self, channel: ChannelId) -> None:
        """Its prompt is stopped too."""
        ...

    async def send_digits(self, channel: ChannelId, digits: str) -> None:
        """DTMF to the far end of an answered channel, bridged or not."""
        ...

    async def start_music(self, channel: ChannelId, music: str = "default") -> None:
        """Music on hold, or `terms.RING_TONE`, to a channel that is not bridged; ends with stop_music, play or
        bridge."""
        ...

    async def stop_music(self, channel: ChannelId) -> None: ...

    # two legs
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
        """Call out. Then come `ChannelRinging`, `ChannelAnswered`, or `ChannelHungUp` with the cause (`no_answer` at
        the timeout). Headers are extra SIP headers of the INVITE; other names than ``X-...`` and values with line
        breaks are refused. `variables` count as set by `set_variable`.

        A number that our rules forbid raises `DialRefused`, an endpoint that no setting names `CommandRefused`: then
        no event comes. A phone that is not registered is `unreachable`, by event. A gateway that fails (503, no route,
        down) is followed by the next one, unseen but for its delay; busy, rejected, no answer and unallocated are the
        called party's word and final."""
        ...

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        """Connect two answered channels. Music and playback on either stop. Either may be in an older pair, which is
        taken apart first (told by `Unbridged`), or in a room, which it leaves; collecting and an audio stream on either
        end. Bridging a pair again
        changes nothing and is not told. An unanswered channel, or one with itself, is refused. DTMF of the one reaches
        the other, and is told."""
        ...

    async def unbridge(self, channel: ChannelId) -> None:
        """Take its pair apart; both stay up, in silence. Nothing to do where there is none. (Who is in a room leaves
        it by `leave_room`.)"""
        ...

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        """The bridged channel is set aside with music; its peer hears silence. The pair stays a pair: no `Unbridged`,
        and `unhold` is not told as `Bridged`. Refused where there is no pair. A hold ends with its pair: who is left
        alone hears silence. In a room likewise: the others talk on without it, and no `RoomLeft` is told."""
        ...

    async def unhold(self, channel: ChannelId) -> None: ...
    async def transfer(
        self,
        channel: ChannelId,
        new_leg: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        timeout_s: float,
    ) -> None:
        """Blind: the pair is taken apart, `channel` hears ringing while `new_leg` is originated, and is bridged when it
        answers. When it does not, its `ChannelHungUp` comes and `channel` stays up, in silence. The former peer stays
        up, alone. When `channel` hangs up meanwhile, `new_leg` is given up. A destination that is refused (see
        `originate`) leaves the pair as it is."""
        ...

    async def transfer_attended(self, channel: ChannelId, consult: ChannelId) -> None:
        """`channel` (held by an agent) is bridged with `consult` (whom that agent asked); the agent's leg stays up,
        alone."""
        ...

    # three and more
    async def enter_room(self, channel: ChannelId, room: RoomId) -> None:
        """An answered channel joins the room: all in it hear one another. Its music, playback, collecting and audio
        stream end; a pair is taken apart first (`Unbridged`), another room left (`RoomLeft`). To enter again changes
        nothing and is not told. Recordings of the channel go on, and mute holds. DTMF of one who is in it is told."""
        ...

    async def leave_room(self, channel: ChannelId) -> None:
        """It stays up, in silence; the others talk on. Nothing to do where it is in none."""
        ...

    # recording and supervision
    async def record(self, channel: ChannelId, spec: RecordingSpec) -> None:
        """Record an answered channel, through all its pairs, until stopped or hung up. The customer's is the one to
        record: of a supervised channel's own recording nothing is promised about whispers."""
        ...

    async def pause_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        """From now on silence is written on both sides, so that the file's time stays the call's time."""
        ...

    async def resume_recording(self, channel: ChannelId, recording: RecordingId) -> None: ...
    async def stop_recording(self, channel: ChannelId, recording: RecordingId) -> None: ...
    async def finish_recording(self, spec: RecordingSpec) -> RecordedFile | None:
        """Make the file of a recording whose switch or daemon died readable, and measure it; None when there is none.
        Idempotent."""
        ...

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        """Connect an answered supervisor's leg to a bridged channel (the agent's). Calling again changes the mode. What
        the supervisor whispers is in no recording of the customer. Ends with the target's hang-up, when the
        supervisor's leg is bridged or enters a room, or by `stop_supervising`; the leg stays up, in silence. A target
        that is not bridged is refused."""
        ...

    async def stop_supervising(self, supervisor: ChannelId) -> None: ...
    async def open_stream(self, channel: ChannelId, rate: int = 8000) -> AudioStream:
        """Tap a channel's audio and speak back to it. The channel must be answered and not bridged. The stream ends
        with `close`, the channel's hang-up, or a bridge: the iterator ends, `send` raises `ChannelGone`."""
        ...

    async def open_ear(self, channel: ChannelId, rate: int = 8000) -> AudioEar:
        """Only listen to an answered channel, beside all that goes on there: what it hears (music, playbacks), digits,
        recordings and its pair are left as they are. One at a time: a newer ear ends the older one. It ends with
        `close` or the channel's hang-up."""
        ...

    # browsers
    @property
    def signalling(self) -> Signalling | None:
        """None: no browser can reach this switch."""
        ...

    async def admit_endpoint(self, endpoint: BrowserEndpoint) -> None:
        """From now on a page with these credentials may register (one contact; a later one replaces it) and call what
        its `reach` says, by WebRTC; anything else it calls is refused by the switch. Its calls arrive with its name
        in `ChannelArrived.endpoint`; `originate` can call it as a `PhoneDestination`. Admitting a name again replaces
        its password. Kept while the switch lives; to a new life of it the adapter tells them again by itself, before
        `SwitchUp`. A name that a phone of the settings has is refused."""
        ...

    async def revoke_endpoint(self, name: str) -> None:
        """Its registration is gone at once and it can neither register nor call any more. Calls that it is in go on:
        who revokes hangs them up. No error where there is none of that name."""
        ...

    # truth: asked of the switch itself, whatever our memory says
    async def channels(self) -> Sequence[ChannelSnapshot]: ...
    async def trunks(self) -> Sequence[TrunkStatus]: ...
    async def endpoints(self) -> Sequence[EndpointStatus]: ...
