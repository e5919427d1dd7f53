"""Recordings over HTTP: whole, in ranges, resumed, refused, and always in the audit trail first."""

from __future__ import annotations

import io
import os
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from foundation.audit import AuditEntry
from foundation.errors import Unavailable
from softphone_web.downloads import PIECE_BYTES, RangeUnsatisfiable, parse_range
from tests.support.web import Api, interaction

URL = "/api/v1/recordings/r-00001/audio"


@pytest.fixture
def audio(tmp_path: Path) -> bytes:
    """Forty seconds of stereo: more than one piece."""
    time = np.arange(8000 * 40) / 8000
    both = np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)], axis=1) * 0.5
    path = tmp_path / "r-00001.wav"
    soundfile.write(path, both, 8000, subtype="PCM_16")
    assert path.stat().st_size > 2 * PIECE_BYTES
    return path.read_bytes()


async def test_whole_file_plays(api: Api, audio: bytes) -> None:
    async with api.ask("GET", URL) as response:
        assert (response.status, response.content_type) == (200, "audio/wav")
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Content-Disposition"] == 'attachment; filename="r-00001.wav"'
        got = await response.read()
    assert got == audio
    samples, rate = soundfile.read(io.BytesIO(got))
    assert (samples.shape, rate) == ((320_000, 2), 8000)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-43", 0, 43),
        ("bytes=44-", 44, None),
        ("bytes=-100", -100, None),
        ("bytes=300000-99999999", 300_000, None),
    ],
)
async def test_range(api: Api, audio: bytes, asked: str, start: int, end: int | None) -> None:
    async with api.ask("GET", URL, headers={"Range": asked}) as response:
        expected = audio[start : None if end is None else end + 1]
        first = len(audio) + start if start < 0 else start
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(audio)}"
        assert await response.read() == expected


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
async def test_range_behind_the_end(api: Api, audio: bytes, asked: str) -> None:
    async with api.ask("GET", URL, headers={"Range": asked}) as response:
        assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{len(audio)}")
        assert response.content_type == "application/problem+json"
    assert await api.platform.audit.entries(target="recording:r-00001") == []


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=" + "9" * 40 + "-"]
)
async def test_ranges_that_are_ignored(api: Api, audio: bytes, asked: str) -> None:
    async with api.ask("GET", URL, headers={"Range": asked}) as response:
        assert response.status == 200
        assert len(await response.read()) == len(audio)


async def test_resuming_needs_the_same_file(api: Api, audio: bytes) -> None:
    async with api.ask("HEAD", URL) as response:
        tag = response.headers["ETag"]
        assert int(response.headers["Content-Length"]) == len(audio)
    for given_tag, status in ((tag, 206), ('"other"', 200)):
        async with api.ask("GET", URL, headers={"Range": "bytes=0-9", "If-Range": given_tag}) as response:
            assert response.status == status
    async with api.ask("GET", URL, headers={"If-None-Match": tag}) as response:
        assert response.status == 304


async def test_every_download_is_audited_and_a_look_is_not(api: Api, audio: bytes) -> None:
    async with api.ask("HEAD", URL) as response:
        assert response.status == 200
    assert await api.platform.audit.entries(target="recording:r-00001") == []
    async with api.ask("GET", URL, "service", headers={"Range": "bytes=0-9"}) as response:
        await response.read()
    (entry,) = await api.platform.audit.entries(target="recording:r-00001")
    assert (entry.action, entry.actor_name, entry.origin) == ("recording.downloaded", "service", "127.0.0.1")
    assert entry.after is not None
    assert (entry.after["bytes"], entry.after["interaction"]) == (10, "i-00001")


async def test_without_audit_no_audio(api: Api, audio: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(entry: AuditEntry) -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(api.platform.audit, "write", refuse)
    problem = await api.get(URL, status=503)
    assert problem["code"] == "unavailable"


async def test_missing_incomplete_and_shrinking_files(api: Api, audio: bytes) -> None:
    await api.get("/api/v1/recordings/r-00002/audio", status=404)
    record = interaction(3)
    (recording,) = record.recordings
    fields = {name: getattr(recording, name) for name in recording.__struct_fields__}
    api.platform.add(interaction(3, recordings=(type(recording)(**{**fields, "state": "recording"}),)))
    await api.get("/api/v1/recordings/r-00003/audio", status=409)
    (listed,) = (await api.get("/api/v1/recordings?interaction=i-00003"))["items"]
    assert (listed["state"], listed["audio"]) == ("recording", None)


async def test_a_file_that_shrinks_cuts_the_connection(api: Api, audio: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = api.platform.folder / "r-00001.wav"
    real = os.pread

    def shrink(descriptor: int, length: int, offset: int) -> bytes:
        if offset > 0:
            os.truncate(path, 100)
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", shrink)
    async with api.ask("GET", URL) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    await api.get("/health/live", None)


@given(st.integers(0, 1000), st.integers(0, 1200), st.integers(0, 1200))
def test_a_span_lies_inside_the_file(size: int, first: int, last: int) -> None:
    for header in (f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{last}"):
        try:
            span = parse_range(header, size)
        except RangeUnsatisfiable:
            assert first >= size or last == 0 or size == 0
            continue
        if span is not None:
            assert 0 <= span.start < size
            assert 0 < span.length <= size - span.start
