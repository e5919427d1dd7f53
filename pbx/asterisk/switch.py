"""Asterisk behind the port: ARI for calls, AMI for recordings and lists. See `pbx.switch` for what is promised.

What Asterisk tells is in `watching`. Commands go out in parallel on their own connections; whatever they cause is known
before they are sent, because an event may overtake the reply to its command.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from foundation.clock import Clock
from pbx.asterisk.dialer import Invite, one_line, variable_name
from pbx.asterisk.instance import AsteriskLink
from pbx.asterisk.translate import answered
from pbx.asterisk.watching import Watcher
from pbx.events import SwitchEvent
from pbx.settings import PbxSettings
from pbx.sounds import SoundLibrary
from pbx.switch import AudioEar, AudioStream
from pbx.terms import (
    BrowserEndpoint,
    ChannelGone,
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
    TrunkStatus,
)

_DIGITS = frozenset("0123456789*#ABCDabcdwW")


class AsteriskSwitch:
    engine = "asterisk"

    def __init__(self, link: AsteriskLink, settings: PbxSettings, sounds: SoundLibrary, clock: Clock) -> None:
        self._watch = watch = Watcher(link, settings, sounds, clock)
        self._ari = watch.ari
        self._core = watch.core
        self._legs = watch.legs
        self._prompts = watch.prompts
        self._bridges = watch.bridges
        self._rooms = watch.rooms
        self._dialer = watch.dialer
        self._recordings = watch.recordings
        self._supervisors = watch.supervisors
        self._streams = watch.streams
        self._browsers = watch.browsers
        self._truth = watch.truth
        self._arrivals = watch.arrivals

    async def __aenter__(self) -> AsteriskSwitch:
        await self._watch.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._watch.stop()

    def events(self) -> AsyncIterator[SwitchEvent]:
        return self._watch.events()

    # --- one leg

    async def _on_channel(self, method: str, channel: ChannelId, action: str, **params: str) -> None:
        self._legs.get(channel)
        await self._ari.call(method, f"/channels/{channel}{action}", params, channel=channel)

    async def answer(self, channel: ChannelId) -> None:
        """Told with the reply already, so that whoever answered may bridge at once."""
        leg = self._legs.get(channel)
        try:
            await self._on_channel("POST", channel, "/answer")
        except CommandRefused as refused:
            if await self._core.goes_away(leg):
                raise ChannelGone("the caller gave up in that instant", channel=channel) from refused
            raise
        if self._legs.find(channel) is leg and leg.inbound:
            self._watch.follow_all(answered(leg, self._core.clock.now()), leg)

    async def ring(self, channel: ChannelId) -> None:
        await self._on_channel("POST", channel, "/ring")

    async def reject(self, channel: ChannelId, cause: HangupCause) -> None:
        leg = self._legs.get(channel)
        if leg.answered or not leg.inbound:
            raise CommandRefused("only an unanswered inbound call can be rejected", channel=channel)
        await self.hangup(channel, cause)

    async def hangup(self, channel: ChannelId, cause: HangupCause = HangupCause.NORMAL) -> None:
        leg = self._legs.get(channel)
        leg.by_us, leg.asked_cause = True, cause
        await self._on_channel("DELETE", channel, "", reason_code=str(cause.q850))

    async def set_variable(self, channel: ChannelId, name: str, value: str) -> None:
        self._legs.get(channel)
        await self._core.remember(channel, variable_name(name), one_line(value))

    async def get_variable(self, channel: ChannelId, name: str) -> str | None:
        self._legs.get(channel)
        return await self._arrivals.variable(channel, variable_name(name))

    async def mute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._on_channel("POST", channel, "/mute", direction=direction.value)

    async def unmute(self, channel: ChannelId, direction: MuteDirection) -> None:
        await self._on_channel("DELETE", channel, "/mute", direction=direction.value)

    # --- sounds and digits

    async def play(self, channel: ChannelId, playback: PlaybackId, sounds: Sequence[Sound]) -> None:
        self._prompts.end_collecting(self._legs.lone(channel))
        await self._prompts.play(channel, playback, sounds)

    async def stop_playback(self, channel: ChannelId) -> None:
        await self._prompts.stop_playback(channel)

    async def collect(
        self,
        channel: ChannelId,
        rules: DigitRules,
        playback: PlaybackId | None = None,
        sounds: Sequence[Sound] = (),
    ) -> None:
        self._legs.lone(channel)
        await self._prompts.collect(channel, rules, playback, sounds)

    async def stop_collecting(self, channel: ChannelId) -> None:
        await self._prompts.stop_collecting(channel)

    async def send_digits(self, channel: ChannelId, digits: str) -> None:
        if not digits or not set(digits) <= _DIGITS:
            raise CommandRefused("not digits", channel=channel)
        await self._on_channel("POST", channel, "/dtmf", dtmf=digits)

    async def start_music(self, channel: ChannelId, music: str = "default") -> None:
        self._prompts.end_collecting(self._legs.lone(channel))
        await self._prompts.start_music(channel, music)

    async def stop_music(self, channel: ChannelId) -> None:
        await self._prompts.stop_music(channel)

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
        invite = Invite(
            caller_number=caller_number,
            caller_name=caller_name,
            timeout_s=timeout_s,
            headers=headers,
            variables=variables,
        )
        await self._dialer.originate(channel, destination, invite)

    async def bridge(self, a: ChannelId, b: ChannelId) -> None:
        self._legs.answered(a), self._legs.answered(b)
        for channel in (a, b):
            await self._supervisors.release(channel)
        await self._bridges.bridge(a, b)

    async def unbridge(self, channel: ChannelId) -> None:
        await self._bridges.unbridge(channel)

    async def hold(self, channel: ChannelId, music: str = "default") -> None:
        leg = self._legs.together(channel)
        if leg.room is not None:
            await self._rooms.hold(leg, leg.room, music)
        else:
            await self._bridges.hold(channel, music)

    async def unhold(self, channel: ChannelId) -> None:
        leg = self._legs.together(channel)
        if leg.room is not None:
            await self._rooms.unhold(leg, leg.room)
        else:
            await self._bridges.unhold(channel)

    async def transfer(
        self,
        channel: ChannelId,
        new_leg: ChannelId,
        destination: Destination,
        *,
        caller_number: str,
        timeout_s: float,
    ) -> None:
        invite = Invite(caller_number=caller_number, timeout_s=timeout_s)
        await self._dialer.transfer(channel, new_leg, destination, invite)

    async def transfer_attended(self, channel: ChannelId, consult: ChannelId) -> None:
        await self.bridge(channel, consult)

    # --- three and more

    async def enter_room(self, channel: ChannelId, room: RoomId) -> None:
        self._legs.answered(channel)
        await self._supervisors.release(channel)
        await self._rooms.enter(channel, room)

    async def leave_room(self, channel: ChannelId) -> None:
        await self._rooms.leave(channel)

    # --- recording and supervision

    async def record(self, channel: ChannelId, spec: RecordingSpec) -> None:
        await self._recordings.start(self._legs.answered(channel), spec)

    async def pause_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.set_paused(self._legs.get(channel), recording, True)

    async def resume_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.set_paused(self._legs.get(channel), recording, False)

    async def stop_recording(self, channel: ChannelId, recording: RecordingId) -> None:
        await self._recordings.stop(self._legs.get(channel), recording)

    async def finish_recording(self, spec: RecordingSpec) -> RecordedFile | None:
        return await self._recordings.finish(spec)

    async def supervise(self, supervisor: ChannelId, target: ChannelId, mode: Supervision) -> None:
        await self._supervisors.supervise(supervisor, target, mode)

    async def stop_supervising(self, supervisor: ChannelId) -> None:
        await self._supervisors.stop(supervisor)

    async def open_stream(self, channel: ChannelId, rate: int = 8000) -> AudioStream:
        return await self._streams.open(self._legs.lone(channel), rate)

    async def open_ear(self, channel: ChannelId, rate: int = 8000) -> AudioEar:
        return await self._streams.open_ear(self._legs.answered(channel), rate)

    # --- browsers

    @property
    def signalling(self) -> Signalling | None:
        return self._browsers.signalling

    async def admit_endpoint(self, endpoint: BrowserEndpoint) -> None:
        await self._browsers.admit(endpoint)

    async def revoke_endpoint(self, name: str) -> None:
        await self._browsers.revoke(name)
        self._watch.follow_all(self._watch.contacts.revoked(name, self._legs, self._core.clock.now()))

    # --- truth

    async def channels(self) -> Sequence[ChannelSnapshot]:
        return await self._truth.channels()

    async def trunks(self) -> Sequence[TrunkStatus]:
        return await self._truth.trunks()

    async def endpoints(self) -> Sequence[EndpointStatus]:
        return await self._truth.endpoints()
