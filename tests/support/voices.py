"""Voices that no recogniser of ours has heard: espeak-ng's variants, at 8000 samples a second, as a telephone hears
them."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from pbx.sounds import SoundLibrary
from pbx.speech import CommandSpeech
from tests.support.tools import tool

# (voice, words a minute, pitch): two women, two men.
STRANGERS = (("es+f4", 155, 60), ("es-419+f5", 140, 50), ("es-419+m7", 150, 45), ("es+m1", 165, 50))
needs_voices = pytest.mark.usefixtures("voices")


@pytest.fixture(scope="session")
def voices() -> str:
    """espeak-ng, which speaks for the callers."""
    return tool("espeak-ng")


def espeak_library(folder: Path) -> SoundLibrary:
    """Examples for a recogniser, in espeak-ng's own voice."""
    return SoundLibrary([folder], folder / "espeak", CommandSpeech("espeak-ng", [tool("espeak-ng")]))


def say(text: str, voice: tuple[str, int, int] = STRANGERS[2]) -> NDArray[np.int16]:
    name, speed, pitch = voice
    argv = [tool("espeak-ng"), "-v", name, "-s", str(speed), "-p", str(pitch), "--stdout"]
    spoken = subprocess.run(argv, input=text.encode(), capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
    samples = soxr.resample(samples, rate, 8000)
    return np.asarray(samples / np.abs(samples).max() * 12_000, np.int16)


def on_the_line(pcm: NDArray[np.int16], *, snr_db: float = 30.0, seed: int = 1) -> NDArray[np.int16]:
    """With silence around it and a line's noise."""
    numbers = np.random.default_rng(seed)
    padded = np.concatenate([np.zeros(4000), pcm.astype(np.float64), np.zeros(8000)])
    level = np.sqrt(np.mean(pcm.astype(np.float64) ** 2)) * 10 ** (-snr_db / 20)
    return np.clip(padded + numbers.normal(0, level, len(padded)), -32_768, 32_767).astype(np.int16)
