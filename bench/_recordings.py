"""Whether recordings are what they must be: there, readable, stereo, a voice on each side, as long as the talk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

_SAMPLE = 20  # this many are opened and listened to; all are counted and measured
# How much shorter than the caller's talk: the agent's phone has to answer first.
_SHORTER_S = 1.0
_LOUD = 0.02  # of full scale; the callers' tone is 0.24


def look_at(folder: Path, *, since: float, calls: int, seconds: float) -> list[str]:
    """What is wrong with those begun `since`, one line a recording."""
    files = sorted(path for path in folder.rglob("*.wav") if path.stat().st_mtime >= since)
    wrong = ["a recording is missing"] * max(0, calls - len(files))
    step = max(1, len(files) // _SAMPLE)
    for number, path in enumerate(files):
        problem = _problem(path, seconds, listen=number % step == 0)
        if problem:
            wrong.append(problem)
    return wrong


def _problem(path: Path, seconds: float, *, listen: bool) -> str:
    try:
        info = soundfile.info(path)
        if info.channels != 2:
            return f"{info.channels} channels"
        if not seconds - _SHORTER_S <= info.duration <= seconds + _SHORTER_S:
            return f"{info.duration:.2f} s instead of {seconds:.2f} s"
        if listen:
            audio, _ = soundfile.read(path, dtype="float32")
            loud = np.sqrt(np.mean(np.square(audio), axis=0))
            if loud.min() < _LOUD:
                return f"a silent side: {loud[0]:.3f} left, {loud[1]:.3f} right"
    except soundfile.LibsndfileError as error:
        return f"not readable: {error}"
    return ""
