"""Voices by setting: piper, a service behind HTTP, and the embedded one that stands in for both."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from aiohttp import web

from app.speaking import open_sounds
from foundation.errors import Invalid
from pbx.sip import tones
from pbx.speech import CommandSpeech, SpeechFailed
from pbx.terms import TextSound
from pbx.voice_settings import VoiceSettings
from tests.app.test_customer_systems import serving

HELLO = TextSound("Bienvenido, su saldo es de doce dólares.", "es")
PIPER_HZ, EMBEDDED_HZ, SERVICE_HZ = 500, 900, 700
# A program that speaks a tone, checks that it was asked rightly, and says so beside it.
_PROGRAM = """#!/usr/bin/env python3
import sys, math, struct, wave
text = sys.stdin.read()
if "falla" in text or {fails}: sys.exit("no voice")
to = sys.argv[sys.argv.index({option!r}) + 1]
with wave.open(to, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(22050)
    samples = [int(9000 * math.sin(6.283185 * {hz} * n / 22050)) for n in range(22050)]
    file.writeframes(struct.pack("<22050h", *samples))
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    def make(name: str, hz: int, option: str, *, fails: bool = False) -> str:
        file = tmp_path / name
        file.write_text(_PROGRAM.format(hz=hz, option=option, fails=fails), encoding="utf-8")
        file.chmod(0o755)
        return str(file)

    return make


def hz_of(path: Path) -> float:
    return tones.dominant_hz(soundfile.read(path, dtype="int16")[0]) or 0.0


def embedded(program: Callable[..., str]) -> CommandSpeech:
    return CommandSpeech("espeak-ng", [program("espeak", EMBEDDED_HZ, "-w")])


def piper(program: Callable[..., str], tmp_path: Path) -> VoiceSettings:
    (tmp_path / "voz.onnx").touch()
    return VoiceSettings.model_validate(
        {
            "engine": "piper",
            "program": program("piper", PIPER_HZ, "--output_file"),
            "models": {"es": str(tmp_path / "voz.onnx")},
        }
    )


@pytest.mark.parametrize("rate", [8000, 16_000])
async def test_piper_speaks(tmp_path: Path, program: Callable[..., str], rate: int) -> None:
    library = open_sounds(piper(program, tmp_path), tmp_path / "sounds", embedded(program))
    path = await library.resolve(HELLO, rate)
    assert soundfile.info(path).samplerate == rate
    assert hz_of(path) == pytest.approx(PIPER_HZ * 8000 / rate, abs=5)


async def test_the_embedded_voice_stands_in_and_is_not_kept_as_the_other(
    tmp_path: Path, program: Callable[..., str]
) -> None:
    library = open_sounds(piper(program, tmp_path), tmp_path / "sounds", embedded(program))
    working = (tmp_path / "piper").read_text(encoding="utf-8")
    (tmp_path / "piper").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    assert hz_of(await library.resolve(HELLO)) == pytest.approx(EMBEDDED_HZ, abs=5)
    (tmp_path / "piper").write_text(working, encoding="utf-8")
    assert hz_of(await library.resolve(HELLO)) == pytest.approx(PIPER_HZ, abs=5)
    english = await library.resolve(TextSound("Welcome", "en"))  # which this piper does not speak
    assert hz_of(english) == pytest.approx(EMBEDDED_HZ, abs=5)


async def test_where_both_fail_it_is_said(tmp_path: Path, program: Callable[..., str]) -> None:
    library = open_sounds(piper(program, tmp_path), tmp_path / "sounds", embedded(program))
    with pytest.raises(SpeechFailed, match="no voice"):
        await library.resolve(TextSound("falla", "es"))


@asynccontextmanager
async def service(status: int = 200, body: bytes | None = None) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    asked: list[dict[str, str]] = []
    sound = io.BytesIO()
    soundfile.write(sound, tones.sine(SERVICE_HZ, 1000, rate=24_000), 24_000, format="FLAC")

    async def speak(request: web.Request) -> web.Response:
        asked.append({**await request.json(), "token": request.headers.get("Authorization", "")})
        return web.Response(body=sound.getvalue() if body is None else body, status=status)

    app = web.Application()
    app.router.add_post("/hablar", speak)
    async with serving(app) as url:
        yield f"{url}/hablar", asked


async def test_a_service_speaks_once(tmp_path: Path, program: Callable[..., str]) -> None:
    async with service() as (url, asked):
        settings = VoiceSettings.model_validate({"engine": "http", "url": url, "token": "clave"})
        library = open_sounds(settings, tmp_path / "sounds", embedded(program))
        for _ in range(2):
            assert hz_of(await library.resolve(HELLO)) == pytest.approx(SERVICE_HZ, abs=5)
    assert asked == [{"text": HELLO.text, "language": "es", "token": "Bearer clave"}]


@pytest.mark.parametrize(("status", "body"), [(500, b"x"), (200, b""), (200, b"<html>"), (302, b"")])
async def test_a_service_that_is_wrong_is_stood_in_for(
    tmp_path: Path, program: Callable[..., str], status: int, body: bytes
) -> None:
    async with service(status, body) as (url, _asked):
        settings = VoiceSettings.model_validate({"engine": "http", "url": url})
        library = open_sounds(settings, tmp_path / "sounds", embedded(program))
        assert hz_of(await library.resolve(HELLO)) == pytest.approx(EMBEDDED_HZ, abs=5)


async def test_a_service_that_is_gone_is_stood_in_for(tmp_path: Path, program: Callable[..., str]) -> None:
    async with service() as (url, _asked):
        pass
    settings = VoiceSettings.model_validate({"engine": "http", "url": url})
    library = open_sounds(settings, tmp_path / "sounds", embedded(program))
    samples = soundfile.read(await library.resolve(HELLO), dtype="int16")[0]
    assert np.abs(samples).max() > 1000


@pytest.mark.parametrize("given", [{"engine": "piper"}, {"engine": "http"}, {"url": "ftp://x"}])
def test_settings_that_lack_something_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"voice|pattern"):
        VoiceSettings.model_validate(given)


def test_what_is_not_there_is_said_so(tmp_path: Path, program: Callable[..., str]) -> None:
    for given, told in (
        ({"program": "no-such-program"}, "voice.program"),
        ({"models": {"es": str(tmp_path / "no.onnx")}}, "voice.models.es"),
    ):
        settings = piper(program, tmp_path).model_copy(update=given)
        with pytest.raises(Invalid, match=told):
            open_sounds(settings, tmp_path / "sounds", embedded(program))
