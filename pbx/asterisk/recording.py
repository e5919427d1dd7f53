"""Recordings: MixMonitor appends raw stereo behind a WAV header that we wrote first, so that finishing a recording is
putting two lengths into its header, however long it is, and a torn one is finished in the same way.

MixMonitor's option ``D`` interleaves what the channel says (left) with what it hears (right).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path

from pbx.asterisk import stereo
from pbx.asterisk.core import Core
from pbx.asterisk.legs import Leg, Track
from pbx.events import RecordingFailed, RecordingStarted, RecordingStopped
from pbx.terms import ChannelId, CommandRefused, RecordedFile, RecordingId, RecordingSpec, RoomId, SwitchError

log = logging.getLogger(__name__)

# Channel variables by which a later daemon finds a recording again: its file, and MixMonitor's own id of it.
FILE_VARIABLE = "RIMAY_REC_"
MIX_VARIABLE = "RIMAY_MIX_"
_SEPARATOR = "|"

# A recording writes 32 kB a second, in blocks of 4 kB or more. One that did not grow for this long is looked into.
_WATCH_S = 1.0
_STALLED_S = 2.5
# What hooks into a channel's audio is forgotten with the first frame after the last hook is gone; a frame is 20 ms.
_FORGOTTEN_S = 0.06


class Recordings:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._watching = False

    async def start(self, leg: Leg, spec: RecordingSpec) -> None:
        if spec.id in leg.tracks:
            raise CommandRefused("this recording runs already", recording=spec.id)
        if any(character in str(spec.path) for character in ",|\r\n"):
            raise CommandRefused("such a file name cannot be given to Asterisk", recording=spec.id)
        raw = stereo.unfinished(spec.path)
        now = self._core.clock.now()
        try:
            await asyncio.to_thread(stereo.begin, raw)
        except OSError as error:
            self._core.tell([self._failed(leg.id, spec.id, stereo.reason(error))])
            return
        leg.tracks[spec.id] = Track(spec, now, size_at=now, hears=leg.pair.other(leg.id) if leg.pair else "")
        try:
            await asyncio.gather(self._remember(leg.id, spec), self._mix(leg.id, spec, raw))
        except SwitchError:
            leg.tracks.pop(spec.id, None)
            raw.unlink(missing_ok=True)
            raise
        self._core.tell([RecordingStarted(at=now, channel=leg.id, recording=spec.id)])
        self.watch()

    async def _mix(self, channel: ChannelId, spec: RecordingSpec, raw: Path) -> None:
        options = f"aDi({MIX_VARIABLE}{_key(spec.id)})"
        await self._core.ami.action("MixMonitor", channel, File=str(raw), Options=options)

    async def _remember(self, channel: ChannelId, spec: RecordingSpec) -> None:
        value = f"{spec.id}{_SEPARATOR}{spec.path}"
        await self._core.remember(channel, FILE_VARIABLE + _key(spec.id), value)

    async def _mix_id(self, channel: ChannelId, recording: RecordingId) -> str:
        row = await self._core.ami.action("Getvar", channel, Variable=MIX_VARIABLE + _key(recording))
        return str(row.get("Value", ""))

    async def set_paused(self, leg: Leg, recording: RecordingId, paused: bool) -> None:
        track = self._track(leg, recording)
        async with track.turn:
            await self._mute(leg.id, recording, paused)
            track.paused = paused

    async def _mute(self, channel: ChannelId, recording: RecordingId, paused: bool) -> None:
        await self._core.ami.action(
            "MixMonitorMute",
            channel,
            Direction="both",
            State="1" if paused else "0",
            MixMonitorID=await self._mix_id(channel, recording),
        )

    def hears(self, leg: Leg | None, peer: str) -> None:
        """This leg is told of as talking with another than before: its recordings are taken up anew.

        Asterisk 22.10 takes the packets of the new voice for late ones of the former voice where their numbers happen
        to be lower, and hands none of them to MixMonitor: the right side stayed silent in one of four transfers. What
        it remembers of the former voice goes with the last MixMonitor of the channel; the next one appends."""
        if leg is None:
            return
        for track in leg.tracks.values():
            before, track.hears = track.hears, peer
            if before not in ("", peer):
                self._core.spawn(self._take_up_anew(leg, track), "take a recording up anew")

    def room_changed(self, room: RoomId) -> None:
        """Two who are left, or were the first, hear each other's own packets; more hear what is mixed for them."""
        members = [leg for leg in self._core.legs.all() if leg.room == room]
        if len(members) == 2:
            for leg, other in (members, reversed(members)):
                self.hears(leg, other.id)

    async def _take_up_anew(self, leg: Leg, track: Track) -> None:
        async with track.turn:
            mix = await self._mix_id(leg.id, track.spec.id)
            await self._core.ami.action("StopMixMonitor", leg.id, MixMonitorID=mix)
            await asyncio.sleep(_FORGOTTEN_S)
            if leg.tracks.get(track.spec.id) is not track or self._core.legs.find(leg.id) is not leg:
                return
            await self._mix(leg.id, track.spec, stereo.unfinished(track.spec.path))
            if track.paused:
                await self._mute(leg.id, track.spec.id, True)

    async def stop(self, leg: Leg, recording: RecordingId) -> None:
        track = self._track(leg, recording)
        async with track.turn:
            mix = await self._mix_id(leg.id, recording)
            await self._core.ami.action("StopMixMonitor", leg.id, MixMonitorID=mix)
        if leg.tracks.pop(recording, None):
            self._core.spawn(self._complete(leg.id, track), "complete a recording")

    def channel_ended(self, leg: Leg) -> None:
        """MixMonitor ends with its channel."""
        for track in leg.tracks.values():
            self._core.spawn(self._complete(leg.id, track), "complete a recording")
        leg.tracks.clear()

    async def _complete(self, channel: ChannelId, track: Track) -> None:
        """In a thread: waits until Asterisk has closed the file, which it does a moment after it says so."""
        spec = track.spec
        now = self._core.clock.now
        try:
            file = await asyncio.to_thread(stereo.finish, spec.path)
        except OSError as error:
            self._core.tell([self._failed(channel, spec.id, stereo.reason(error))])
            return
        if file is None:
            self._core.tell([self._failed(channel, spec.id, "Asterisk wrote no file")])
            return
        self._core.tell([RecordingStopped(at=now(), channel=channel, recording=spec.id, file=file)])

    async def finish(self, spec: RecordingSpec) -> RecordedFile | None:
        try:
            return await asyncio.to_thread(stereo.finish, spec.path)
        except OSError as error:
            raise CommandRefused("the recording cannot be read", reason=stereo.reason(error)) from error

    def _track(self, leg: Leg, recording: RecordingId) -> Track:
        try:
            return leg.tracks[recording]
        except KeyError:
            raise CommandRefused("no such recording on this channel", recording=recording) from None

    def _failed(
        self, channel: ChannelId, recording: RecordingId, reason: str, file: RecordedFile | None = None
    ) -> RecordingFailed:
        return RecordingFailed(
            at=self._core.clock.now(), channel=channel, recording=recording, reason=reason, file=file
        )

    # --- a recording that is not written: Asterisk only logs a full disk

    def watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._core.later(_WATCH_S, lambda: self._core.spawn(self._look(), "watch recordings"))

    async def _look(self) -> None:
        self._watching = False
        running = [(leg, track) for leg in self._core.legs.all() for track in leg.tracks.values()]
        sizes = await asyncio.to_thread(stereo.sizes, [track.spec.path for _, track in running])
        now = self._core.clock.now()
        for (leg, track), size in zip(running, sizes, strict=True):
            if size != track.size:
                track.size, track.size_at = size, now
            elif now - track.size_at >= _STALLED_S and leg.tracks.get(track.spec.id) is track:
                why = await asyncio.to_thread(stereo.why_stalled, track.spec.path)
                if why:
                    await self._give_up(leg, track, why)
        if any(leg.tracks for leg in self._core.legs.all()):
            self.watch()

    async def _give_up(self, leg: Leg, track: Track, reason: str) -> None:
        leg.tracks.pop(track.spec.id, None)
        try:
            mix = await self._mix_id(leg.id, track.spec.id)
            await self._core.ami.action("StopMixMonitor", leg.id, MixMonitorID=mix)
        except SwitchError as error:
            log.info("a stalled recording was not stopped: %s", error.message)
        kept: RecordedFile | None = None
        try:
            kept = await asyncio.to_thread(stereo.finish, track.spec.path)
        except OSError as error:
            reason = stereo.reason(error)
        self._core.tell([self._failed(leg.id, track.spec.id, reason, kept)])

    # --- after a restart of the daemon

    def adopt(self, leg: Leg, variables: dict[str, str]) -> None:
        """Recordings that run on a channel we had no knowledge of."""
        now = self._core.clock.now()
        for name, value in variables.items():
            if not name.startswith(FILE_VARIABLE):
                continue
            recording, _, path = value.partition(_SEPARATOR)
            if RecordingId(recording) not in leg.tracks and stereo.unfinished(Path(path)).exists():
                leg.tracks[RecordingId(recording)] = Track(
                    RecordingSpec(RecordingId(recording), Path(path)), now, size_at=now
                )
        if leg.tracks:
            self.watch()


def _key(recording: RecordingId) -> str:
    """Part of a variable's name: recording ids may hold what such a name may not."""
    return hashlib.sha256(recording.encode()).hexdigest()[:12]
