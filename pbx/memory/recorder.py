"""The twin's recordings: real stereo files of the tones that a leg said and heard, also after a kill or a full disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable

from foundation.clock import Clock
from pbx.events import RecordingFailed, RecordingStarted, RecordingStopped, SwitchEvent
from pbx.memory.audio import Track, cut_off, measure, repair, unfinished
from pbx.memory.legs import Leg, heard_by
from pbx.terms import CommandRefused, RecordedFile, RecordingId, RecordingSpec


class Recorder:
    def __init__(self, clock: Clock, tell: Callable[[SwitchEvent], None]) -> None:
        self.disk_full = False
        self._clock = clock
        self._tell = tell

    def start(self, leg: Leg, spec: RecordingSpec) -> None:
        if spec.id in leg.tracks:
            raise CommandRefused("this recording runs already", recording=spec.id)
        now = self._clock.now()
        leg.tracks[spec.id] = Track(spec, now)
        if self.disk_full:
            self.fail(leg, spec.id)
            return
        self._tell(RecordingStarted(at=now, channel=leg.id, recording=spec.id))

    def changed(self, legs: Iterable[Leg]) -> None:
        """Audio may have changed: note what each recorded leg says and hears from now on."""
        everyone = list(legs)
        for leg in everyone:
            heard = heard_by(leg, everyone, recorded=True) if leg.tracks else frozenset()
            for track in leg.tracks.values():
                track.turn(self._clock.now(), leg.says(), heard)

    def set_paused(self, leg: Leg, recording: RecordingId, paused: bool) -> None:
        self._track(leg, recording).paused = paused

    def stop(self, leg: Leg, recording: RecordingId) -> None:
        track = self._track(leg, recording)
        del leg.tracks[recording]
        now = self._clock.now()
        try:
            track.write(track.spec.path, now)
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO)
            self._tell(RecordingFailed(at=now, channel=leg.id, recording=recording, reason=reason))
            return
        self._tell(RecordingStopped(at=now, channel=leg.id, recording=recording, file=measure(track.spec.path)))

    def stop_all(self, leg: Leg) -> None:
        for recording in list(leg.tracks):
            self.stop(leg, recording)

    def fail(self, leg: Leg, recording: RecordingId) -> None:
        """The disk is full: what was written up to now is kept."""
        track = leg.tracks.pop(recording)
        now = self._clock.now()
        kept: RecordedFile | None = None
        if now > track.started_at:
            track.write(track.spec.path, now)
            kept = measure(track.spec.path)
        reason = os.strerror(errno.ENOSPC)
        self._tell(RecordingFailed(at=now, channel=leg.id, recording=recording, reason=reason, file=kept))

    def abandon(self, leg: Leg) -> None:
        """The switch dies: its files stay behind, torn."""
        for track in leg.tracks.values():
            torn = unfinished(track.spec.path)
            track.write(torn, self._clock.now())
            cut_off(torn)
        leg.tracks.clear()

    def finish(self, spec: RecordingSpec) -> RecordedFile | None:
        torn = unfinished(spec.path)
        if torn.exists():
            repair(torn)
            torn.replace(spec.path)
        return measure(spec.path) if spec.path.exists() else None

    def _track(self, leg: Leg, recording: RecordingId) -> Track:
        try:
            return leg.tracks[recording]
        except KeyError:
            raise CommandRefused("no such recording on this channel", recording=recording) from None
