"""Vosk: a recogniser on this machine, from a model that the operator has downloaded. Each utterance is heard with a
grammar of what is expected, which is what makes it dependable on a telephone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from foundation.errors import Invalid
from foundation.logs import get_logger
from pbx.recognition.numbers import figures
from pbx.recognition.terms import Expected, Pcm, Recognised, RecognitionFailed

log = get_logger(__name__)

_DIGIT_WORDS = {
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "en": "zero one two three four five six seven eight nine",
}
# What models call any other word; one that has neither hears one of the phrases in everything.
_UNKNOWN = ("[unk]", "<UNK>")
# Below this, vosk itself has its doubts: better asked again than misunderstood.
SURE_ENOUGH = 0.6


class VoskRecogniser:
    """`models`: a folder of a model by language (``es``). They are loaded when the platform starts: seconds, and a few
    hundred megabytes for a small model."""

    def __init__(self, models: Mapping[str, Path], *, at_once: int = 2) -> None:
        try:
            import vosk
        except ImportError as error:  # pragma: no cover - it is in the lock
            raise Invalid("speech.recogniser is vosk, and the package vosk is not installed") from error
        vosk.SetLogLevel(-1)
        self._vosk = vosk
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="vosk")
        self._models: dict[str, Any] = {}
        self._looked_up: set[str] = set()
        for language, folder in models.items():
            # vosk itself ends the whole process for a folder that is no model.
            if not (folder / "conf").is_dir() and not (folder / "am").is_dir():
                raise Invalid(f"speech.models.{language}: {folder} is no vosk model (a folder with am/ and conf/)")
            try:
                self._models[language[:2]] = vosk.Model(str(folder))
            except Exception as error:
                raise Invalid(f"speech.models.{language}: the vosk model in {folder} cannot be loaded") from error

    async def prepare(self, expected: Sequence[Expected]) -> None:
        for each in expected:
            self._tell_unknown(self._model(each), each)

    async def recognise(self, pcm: Pcm, rate: int, expected: Expected) -> Recognised | None:
        model = self._model(expected)
        loop = asyncio.get_running_loop()
        heard = await loop.run_in_executor(
            self._threads, self._hear, model, pcm, rate, _grammar(expected, _other_words(model))
        )
        return understood(heard, expected)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _model(self, expected: Expected) -> Any:
        model = self._models.get(expected.language[:2])
        if model is None:
            raise RecognitionFailed(f"there is no vosk model for {expected.language!r}")
        return model

    def _tell_unknown(self, model: Any, expected: Expected) -> None:
        """A word that the model does not have is never heard, whatever the caller says: told once."""
        words = {word for phrase in expected.phrases for word in phrase.casefold().split()} - self._looked_up
        self._looked_up |= words
        unknown = sorted(word for word in words if model.vosk_model_find_word(word) < 0)
        if unknown:
            log.warning("speech.words_unknown_to_the_model", language=expected.language, words=unknown)

    def _hear(self, model: Any, pcm: Pcm, rate: int, grammar: Sequence[str]) -> dict[str, Any]:
        recogniser = self._vosk.KaldiRecognizer(model, rate, *([_as_json(grammar)] if grammar else []))
        recogniser.SetWords(True)
        recogniser.AcceptWaveform(pcm.astype("<i2").tobytes())
        found: dict[str, Any] = json.loads(recogniser.FinalResult())
        return found


def _as_json(grammar: Sequence[str]) -> str:
    """With its letters as they are: vosk takes the escapes of JSON for words, and leaves out every accented one."""
    return json.dumps(grammar, ensure_ascii=False)


def _other_words(model: Any) -> list[str]:
    return [word for word in _UNKNOWN if model.vosk_model_find_word(word) >= 0][:1]


def _grammar(expected: Expected, other: Sequence[str]) -> list[str]:
    """The sentences that may be heard; empty: any."""
    if expected.digits:
        return [_DIGIT_WORDS.get(expected.language[:2], ""), *other]
    return [*(phrase.casefold() for phrase in expected.phrases), *other] if expected.phrases else []


def understood(heard: Mapping[str, Any], expected: Expected) -> Recognised | None:
    """A result of vosk (``{"text": ..., "result": [{"word", "conf"}]}``) as one of what was expected."""
    words = [each for each in heard.get("result", []) if each.get("word") not in _UNKNOWN]
    text = " ".join(str(each.get("word", "")) for each in words) or str(heard.get("text", ""))
    for unknown in _UNKNOWN:
        text = text.replace(unknown, " ").strip()
    sure = min((float(each.get("conf", 1.0)) for each in words), default=1.0)
    if not text or (words and sure < SURE_ENOUGH):
        return None
    return pick(text, sure, expected)


def pick(text: str, sure: float, expected: Expected) -> Recognised | None:
    """Free text as one of what was expected: the longest phrase within it, or its digits, or itself."""
    if expected.digits:
        digits = figures(text, expected.language)
        return Recognised(digits[: expected.digits], sure) if digits else None
    if not expected.phrases:
        return Recognised(text, sure)
    said = f" {' '.join(text.casefold().split())} "
    within = [phrase for phrase in expected.phrases if f" {' '.join(phrase.casefold().split())} " in said]
    return Recognised(max(within, key=len), sure) if within else None
