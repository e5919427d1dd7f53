"""Sending an opened file: whole or one byte range (RFC 9110), with validators so that a player may resume."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

from foundation.errors import NotFound
from softphone_web.ports import RecordingFile
from softphone_web.problems import problem_response

PIECE_BYTES = 256 * 1024  # large enough that threads cost little, small enough for many listeners at once
STALLED_S = 30.0  # a player that takes nothing for so long is gone
_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*")


class RangeUnsatisfiable(Exception):
    """The range begins behind the end."""


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    length: int


def parse_range(header: str | None, size: int) -> Span | None:
    """The span asked for; None for no range, or one that we ignore as the RFC allows (malformed, several)."""
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(0) == "" or (not match[1] and not match[2]):
        return None
    if not match[1]:  # the last so many bytes
        length = min(int(match[2]), size)
        if length == 0:
            raise RangeUnsatisfiable
        return Span(size - length, length)
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise RangeUnsatisfiable
    return Span(start, end - start + 1)


class LocalFile:
    """A recording on a disk of ours, read in threads."""

    media_type = "audio/wav"

    def __init__(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self._descriptor = descriptor
        self.size = status.st_size
        self.modified_at = status.st_mtime

    @classmethod
    async def open(cls, path: Path) -> LocalFile:
        try:
            return cls(await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError as error:
            raise NotFound("The recording's file is not there any more.") from error

    async def chunks(self, start: int, length: int) -> AsyncIterator[bytes]:
        while length > 0:
            piece = await asyncio.to_thread(os.pread, self._descriptor, min(length, PIECE_BYTES), start)
            if not piece:
                raise EOFError("the file became shorter while it was sent")
            start += len(piece)
            length -= len(piece)
            yield piece

    async def close(self) -> None:
        await asyncio.to_thread(os.close, self._descriptor)


async def send_file(
    request: web.Request, file: RecordingFile, *, name: str, before: Callable[[int], Awaitable[None]]
) -> web.StreamResponse:
    """`before` is awaited with the number of bytes about to be sent, ahead of the first; when it raises, none is."""
    tag = f'"{file.size:x}-{int(file.modified_at * 1000):x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": formatdate(file.modified_at, usegmt=True),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    fresh = request.headers.get("If-Range", tag) == tag  # else what the player has is of another file: send all
    try:
        span = parse_range(request.headers.get("Range") if fresh else None, file.size)
    except RangeUnsatisfiable:
        unsatisfiable = {"Content-Range": f"bytes */{file.size}"}
        detail = "The range begins behind the end of the file."
        return problem_response(request, 416, "request.range", detail, permanent=True, headers=unsatisfiable)
    status = 200
    if span is not None:
        status = 206
        headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{file.size}"
    span = span or Span(0, file.size)
    response = web.StreamResponse(status=status, headers=headers)
    response.content_type = file.media_type
    response.content_length = span.length
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    await before(span.length)
    await response.prepare(request)
    try:
        async for piece in file.chunks(span.start, span.length):
            async with asyncio.timeout(STALLED_S):
                await response.write(piece)
    except TimeoutError as error:
        _cut(request)
        raise ConnectionResetError("the player stopped taking bytes") from error
    except (OSError, EOFError):
        _cut(request)  # the status is sent: a cut connection is the only way left to say that this is not all
        raise
    await response.write_eof()
    return response


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
