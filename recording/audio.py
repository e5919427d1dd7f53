"""What a recording holds, measured: length, level and the strongest tone of each side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

# Below this (relative to full scale) a side counts as silent: line noise of a G.711 call is about 0.0005.
SILENCE = 0.003


@dataclass(frozen=True, slots=True)
class Side:
    """One channel of a recording. `hz` is its strongest tone over the whole of `seconds`, None when it is silent."""

    hz: float | None
    rms: float  # relative to full scale
    tone_share: float  # of the side's energy within 20 Hz around `hz`; a pure tone is near 1


@dataclass(frozen=True, slots=True)
class Analysis:
    channels: int
    rate: int
    seconds: float
    sides: tuple[Side, ...]


def analyse(path: Path, *, last_s: float | None = None) -> Analysis:
    """`last_s` looks at the end only. Raises soundfile.LibsndfileError for what is no audio. Blocking: for a thread."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if last_s is not None:
        samples = samples[-int(last_s * rate) :]
    return Analysis(
        channels=samples.shape[1],
        rate=rate,
        seconds=samples.shape[0] / rate,
        sides=tuple(_side(samples[:, i], rate) for i in range(samples.shape[1])),
    )


def _side(samples: np.ndarray, rate: int) -> Side:
    rms = float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
    if rms < SILENCE or samples.size < rate // 10:
        return Side(hz=None, rms=rms, tone_share=0.0)
    power = np.square(np.abs(np.fft.rfft(samples * np.hanning(samples.size))))
    power[: max(1, int(30 * samples.size / rate))] = 0  # hum and offset below 30 Hz are no voice
    hz = np.fft.rfftfreq(samples.size, 1 / rate)
    peak = float(hz[int(np.argmax(power))])
    near = float(power[np.abs(hz - peak) <= 20].sum() / power.sum())
    return Side(hz=round(peak, 1), rms=rms, tone_share=near)
