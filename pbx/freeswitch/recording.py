"""Recordings: started, paused, stopped, and made into their finished files."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from pathlib import Path

from pbx.events import RecordingFailed, RecordingStarted, RecordingStopped
from pbx.freeswitch import wav
from pbx.freeswitch.codec import Event
from pbx.freeswitch.commands import path_argument
from pbx.freeswitch.legs import Board, Leg, RunningRecording
from pbx.freeswitch.translate import at
from pbx.terms import CommandRefused, RecordedFile, RecordingId, RecordingSpec, SwitchError

log = logging.getLogger(__name__)

# FreeSWITCH goes on "recording" to a disk that is full and tells nobody: we look ourselves.
_LOOK_EVERY_S = 2.0
_FULL_BELOW_BYTES = 64 * 1024


class Recorder:
    def __init__(self, board: Board, folder: Path) -> None:
        self._board = board
        self._folder = folder  # the owner of what is made in it is the switch
        self._watching = False

    async def record(self, leg: Leg, spec: RecordingSpec) -> None:
        if spec.id in leg.recordings:
            raise CommandRefused("this recording runs already", recording=spec.id)
        path = wav.unfinished(spec.path.absolute())
        running = RunningRecording(spec, str(path))
        leg.recordings[spec.id] = running
        try:
            await asyncio.to_thread(_make_parent, path.parent, self._folder)
            await self._board.client.api(f"uuid_record {leg.id} start {path_argument(str(path))}")
            self._watch()
        except CommandRefused as error:
            # Not raised: a disk that is full or a folder that is gone is news, and the call goes on.
            self._forget(leg, running)
            now = self._board.clock.now()
            self._board.tell(RecordingFailed(at=now, channel=leg.id, recording=spec.id, reason=error.message))
        except OSError as error:
            self._forget(leg, running)
            now = self._board.clock.now()
            reason = error.strerror or type(error).__name__
            self._board.tell(RecordingFailed(at=now, channel=leg.id, recording=spec.id, reason=reason))
        except BaseException:
            self._forget(leg, running)
            raise

    async def mask(self, leg: Leg, recording: RecordingId, on: bool) -> None:
        running = self._running(leg, recording)
        verb = "mask" if on else "unmask"
        await self._board.client.api(f"uuid_record {leg.id} {verb} {path_argument(running.path)}")

    async def stop(self, leg: Leg, recording: RecordingId) -> None:
        running = self._running(leg, recording)
        await self._board.client.api(f"uuid_record {leg.id} stop {path_argument(running.path)}")

    async def finish(self, spec: RecordingSpec) -> RecordedFile | None:
        return await asyncio.to_thread(wav.finish, spec.path)

    def _running(self, leg: Leg, recording: RecordingId) -> RunningRecording:
        running = leg.recordings.get(recording)
        if running is None or running.finishing:
            raise CommandRefused("no such recording runs on this channel", recording=recording)
        return running

    # --- what the switch tells

    def on_start(self, leg: Leg, event: Event) -> None:
        running = self._by_path(leg, event)
        if running is not None and not running.announced:
            running.announced = True
            when = at(event, self._board.clock.now())
            self._board.tell(RecordingStarted(at=when, channel=leg.id, recording=running.spec.id))

    def on_stop(self, leg: Leg, event: Event) -> None:
        """The file is closed before this event, but for a disk that is full: then its header may be wrong for good."""
        running = self._by_path(leg, event)
        if running is not None:
            failed = event.get("Record-Completion-Cause") == "uri-failure"
            self._board.spawn(self._complete(leg, running, failed), f"recording of {leg.id}")

    async def complete_all(self, leg: Leg) -> None:
        """The channel has ended: whatever still runs is complete, told of or not."""
        for running in list(leg.recordings.values()):
            await self._complete(leg, running, failed=False)

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._board.spawn(self._look(), "look at recordings")

    async def _look(self) -> None:
        """Until nothing is recorded any more: a file that grew no further on a full disk has failed."""
        try:
            while running := [(leg, one) for leg in self._board.legs.values() for one in leg.recordings.values()]:
                await asyncio.sleep(_LOOK_EVERY_S)
                for leg, one in running:
                    size, free = await asyncio.to_thread(_size_and_space, Path(one.path))
                    stuck, one.size = size == one.size, size
                    if stuck and free < _FULL_BELOW_BYTES and not one.finishing:
                        await self._give_up(leg, one)
        finally:
            self._watching = False

    async def _give_up(self, leg: Leg, running: RunningRecording) -> None:
        log.error("the disk of the recordings is full: %s", running.path)
        with contextlib.suppress(SwitchError):
            await self._board.client.api(f"uuid_record {leg.id} stop {path_argument(running.path)}")
        await self._complete(leg, running, failed=True, reason=os.strerror(errno.ENOSPC))

    async def _complete(
        self, leg: Leg, running: RunningRecording, failed: bool, reason: str = "the switch could not write on"
    ) -> None:
        if running.finishing:
            await running.finished.wait()
            return
        running.finishing = True
        reason = reason if failed else "nothing was written"
        file: RecordedFile | None = None
        try:
            file = await asyncio.to_thread(wav.finish, running.spec.path)
        except OSError as error:
            failed, reason = True, error.strerror or type(error).__name__
        now = self._board.clock.now()
        if file is None or failed:
            self._board.tell(
                RecordingFailed(at=now, channel=leg.id, recording=running.spec.id, reason=reason, file=file)
            )
        else:
            self._board.tell(RecordingStopped(at=now, channel=leg.id, recording=running.spec.id, file=file))
        self._forget(leg, running)

    def _by_path(self, leg: Leg, event: Event) -> RunningRecording | None:
        path = event.get("Record-File-Path")
        return next((one for one in leg.recordings.values() if one.path == path and not one.finishing), None)

    def _forget(self, leg: Leg, running: RunningRecording) -> None:
        if leg.recordings.get(running.spec.id) is running:
            del leg.recordings[running.spec.id]
        running.finished.set()


def _size_and_space(path: Path) -> tuple[int, int]:
    """What the file holds, and what the disk has left for us."""
    try:
        space = os.statvfs(path.parent)
        return path.stat().st_size, space.f_bavail * space.f_frsize
    except OSError:
        return -1, _FULL_BELOW_BYTES  # not to be seen from here: nothing is concluded


def _make_parent(parent: Path, root: Path) -> None:
    """A folder for it, which the switch's user can write where we are root."""
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    if missing and os.geteuid() == 0 and root.exists():
        owner = root.stat()
        for folder in missing:
            os.chown(folder, owner.st_uid, owner.st_gid)
