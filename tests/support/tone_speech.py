"""A voice for the twin, whose far ends hear tones: each text is a tone of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import soundfile

from callcontrol.listening import RATE, Ears
from pbx.recognition.terms import Recogniser
from pbx.sip.tones import sine
from pbx.sounds import SoundLibrary

OTHER_HZ = 620


class Inline(ThreadPoolExecutor):
    """No virtual time passes while sound is made."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **more))
        except BaseException as error:  # noqa: BLE001 - told by the future
            future.set_exception(error)
        return future


class ToneSpeech:
    """`pbx.speech.Speech`: a text in `tones` is heard at that Hz, any other at `OTHER_HZ`."""

    def __init__(self, tones: Mapping[str, int], seconds: float) -> None:
        self._tones, self._seconds = tones, seconds

    def voice(self, language: str) -> str:
        return f"tones {self._seconds} {sorted(self._tones.items())}"

    async def speak(self, text: str, language: str, to: Path) -> None:
        samples = sine(self._tones.get(text, OTHER_HZ), round(self._seconds * 1000), rate=RATE)
        soundfile.write(to, samples, RATE, subtype="PCM_16", format="WAV")


def ears(
    folder: Path,
    recogniser: Recogniser | None = None,
    tones: Mapping[str, int] | None = None,
    *,
    seconds: float = 1.0,
) -> Ears:
    library = SoundLibrary([], folder / "sounds", ToneSpeech(tones or {}, seconds))
    return Ears(sounds=library, recogniser=recogniser)
