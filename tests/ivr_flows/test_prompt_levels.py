"""What callers hear is equally loud, whoever says it: every prompt of the flows that come with Rimay, as the speech
program speaks it, as somebody records it, at both rates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.provision import find_speech
from ivr_flows.book import SHIPPED
from ivr_flows.checking import load_all
from ivr_flows.prompt_list import prompts_of
from pbx.sounds import CommandSpeech, SoundLibrary
from pbx.terms import FileSound, TextSound
from tests.support.voices import needs_voices, say

WANTED_DB, WITHIN_DB = -20.0, 1.0
MOST_DB = -0.9  # of a peak: nothing is clipped


def texts() -> list[str]:
    """All that is said without values: those with values are of the same voice."""
    flows = load_all([SHIPPED]).values()
    found = {spec.text for flow in flows for _, spec in prompts_of(flow) if spec.text and "{" not in spec.text}
    return sorted(" ".join(text.split()) for text in found)


def loudness_db(path: Path) -> float:
    """RMS of the louder half of 20 ms frames: how loud the words are, pauses left out."""
    samples, rate = soundfile.read(path, dtype="float64")
    frame = rate // 50
    frames = np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)).mean(axis=1)
    return float(10 * np.log10(np.sort(frames)[len(frames) // 2 :].mean()))


def peak_db(path: Path) -> float:
    return float(20 * np.log10(np.abs(soundfile.read(path, dtype="float64")[0]).max()))


@pytest.fixture
async def library(tmp_path: Path) -> SoundLibrary:
    speech = await find_speech()
    return SoundLibrary([tmp_path], tmp_path / "cache", CommandSpeech(speech.name, [str(speech.binary)]))


@pytest.mark.parametrize("rate", [8000, 16_000])
async def test_all_that_is_spoken_is_equally_loud(library: SoundLibrary, rate: int) -> None:
    spoken = texts()
    assert len(spoken) > 30
    paths = await asyncio.gather(*[library.resolve(TextSound(text, "es"), rate) for text in spoken])
    off = {
        text: (round(loudness_db(path), 2), round(peak_db(path), 2))
        for text, path in zip(spoken, paths, strict=True)
        if abs(loudness_db(path) - WANTED_DB) > WITHIN_DB or peak_db(path) > MOST_DB
    }
    assert not off


@needs_voices
@pytest.mark.parametrize("gain_db", [-15, -6, 6])
async def test_so_is_what_somebody_recorded(library: SoundLibrary, tmp_path: Path, gain_db: int) -> None:
    pcm = say("Bienvenido a la línea de atención de la empresa") * 10 ** (gain_db / 20)
    name = f"grabada{gain_db}"
    soundfile.write(tmp_path / f"{name}.wav", pcm.astype(np.int16), 8000, subtype="PCM_16")
    (tmp_path / f"{name}.wav").chmod(0o644)
    path = await library.resolve(FileSound(name))
    assert abs(loudness_db(path) - WANTED_DB) <= WITHIN_DB
    assert peak_db(path) <= MOST_DB
