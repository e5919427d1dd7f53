"""Listening to a channel beside all that it hears: FreeSWITCH's recording of what it says, into a named pipe.

A recording is the one thing that FreeSWITCH does beside a playback. It writes from a thread of its own, so that a
reader who hangs makes no caller's audio wait. The pipe's name is the channel's own: what a daemon that died left
writing is ended by the next daemon when it has come up, or by the next ear's first command.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from pbx.freeswitch.commands import path_argument
from pbx.freeswitch.heard import Heard
from pbx.freeswitch.legs import Board, Leg
from pbx.terms import ChannelGone, CommandRefused, SwitchError

_MAX_HEARD_S = 5.0
_FOLDER = ".ears"
_HOW = (
    "RECORD_READ_ONLY=true",
    "RECORD_STEREO=false",
    "enable_file_write_buffering=false",
    "RECORD_PRE_BUFFER_FRAMES=1",
    "RECORD_MIN_SEC=0",
    "RECORD_HANGUP_ON_ERROR=false",
)


class PipeEar(asyncio.Protocol):
    """Implements `AudioEar`."""

    def __init__(self, board: Board, leg: Leg, rate: int, path: Path) -> None:
        self.rate = rate
        self._board, self._leg, self._path = board, leg, path
        self._heard = Heard(rate, _MAX_HEARD_S)
        self._ended = False
        self._transport: asyncio.BaseTransport | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._heard

    async def start(self) -> None:
        """The reader first: the switch waits for one when it opens the pipe."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        # Keys of one call of `uuid_record`: the channel's other recordings are none of ours.
        how = f"record_sample_rate={self.rate}," + ",".join(_HOW)
        try:
            await self._command("start", f" 0 {{{how}}}")
            self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self, pipe)
        except BaseException:
            pipe.close()
            raise

    async def forget_older(self) -> None:
        await self._command("stop")

    async def _command(self, verb: str, more: str = "") -> None:
        await self._board.client.api(f"uuid_record {self._leg.id} {verb} {path_argument(str(self._path))}{more}")

    async def close(self) -> None:
        was_open = not self._ended
        self.end()
        if was_open and not self._leg.ended:
            with contextlib.suppress(SwitchError):
                await self._command("stop")

    def end(self) -> None:
        """The channel is gone, or nobody listens any more."""
        if self._ended:
            return
        self._ended = True
        self._heard.end()
        if self._leg.ear is self:
            self._leg.ear = None
        if self._transport is not None:
            self._transport.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    # --- what the pipe brings

    def data_received(self, data: bytes) -> None:
        self._heard.put(data)

    def eof_received(self) -> None:
        self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()


async def open_ear(board: Board, leg: Leg, rate: int, recordings: Path) -> PipeEar:
    """In the folder that the switch writes to anyway."""
    if leg.ear is not None:
        await leg.ear.close()
    path = _pipe_of(leg, recordings)
    ear = leg.ear = PipeEar(board, leg, rate, path)
    try:
        with contextlib.suppress(CommandRefused):  # of an earlier daemon; mostly there is none
            await ear.forget_older()
        await asyncio.to_thread(_make, path, recordings)
        await ear.start()
    except OSError as error:
        ear.end()
        raise CommandRefused("no pipe for what a channel says", reason=error.strerror or "") from error
    except BaseException:
        await ear.close()  # the switch may have begun
        raise
    if leg.ended:
        ear.end()
        raise ChannelGone("no such channel, or it hung up", channel=leg.id)
    return ear


async def end_older(board: Board, recordings: Path) -> None:
    """What an earlier daemon left writing, on channels that live, and the pipes of those that do not."""
    pipes = await asyncio.to_thread(lambda: set((recordings.absolute() / _FOLDER).glob("*.r8")))
    for leg in list(board.legs.values()):
        if leg.ear is None and _pipe_of(leg, recordings) in pipes:
            older = PipeEar(board, leg, 8000, _pipe_of(leg, recordings))
            with contextlib.suppress(SwitchError):  # it wrote no more
                await older.forget_older()
    reading = {_pipe_of(leg, recordings) for leg in board.legs.values() if leg.ear is not None}
    for pipe in pipes - reading:
        pipe.unlink(missing_ok=True)


def _pipe_of(leg: Leg, recordings: Path) -> Path:
    name = hashlib.sha256(leg.id.encode()).hexdigest()[:32]
    return recordings.absolute() / _FOLDER / f"{name}.r8"


def _make(path: Path, owned_like: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)
    owner = owned_like.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for made in (path.parent, path):
            os.chown(made, owner.st_uid, owner.st_gid)
