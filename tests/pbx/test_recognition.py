"""Recognisers: where speech begins and ends, which phrase it was, figures out of words, services that are wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import Invalid
from foundation.secret import Secret
from pbx.recognition.endpointing import Endpointer, SpeechBegan, SpeechEnded
from pbx.recognition.http_service import HttpRecogniser
from pbx.recognition.likeness import LikenessRecogniser
from pbx.recognition.numbers import figures
from pbx.recognition.settings import SpeechSettings
from pbx.recognition.terms import Expected, Pcm, RecognitionFailed
from pbx.recognition.vosk_models import VoskRecogniser, _as_json, understood
from pbx.sounds import SoundLibrary
from softphone_web.server import serve
from tests.support.voices import STRANGERS, espeak_library, needs_voices, on_the_line, say

PHRASES = ("internet", "agua potable", "telefonía", "planillas", "llamadas internacionales", "asesor", "persona")
MENU = Expected(phrases=PHRASES)
OTHER_WORDS = ("buenos días", "no sé qué decir", "el gato come pescado", "fútbol", "hola", "gracias")


def marks(pcm: Pcm) -> list[Any]:
    ear = Endpointer(8000)
    frames = [pcm[n : n + 160].astype("<i2").tobytes() for n in range(0, len(pcm) - 159, 160)]
    return [mark for frame in frames if (mark := ear.feed(frame)) is not None]


@needs_voices
@pytest.mark.parametrize("voice", STRANGERS)
def test_speech_is_cut_out_of_the_line(voice: tuple[str, int, int]) -> None:
    spoken = say("quiero hablar con una persona", voice)
    began, ended = marks(on_the_line(spoken))
    assert isinstance(began, SpeechBegan)
    assert isinstance(ended, SpeechEnded)
    assert ended.pcm is not None
    assert len(spoken) <= len(ended.pcm) + 1600 <= len(spoken) + 10_000


def test_silence_clicks_and_quiet_noise_are_no_speech() -> None:
    numbers = np.random.default_rng(3)
    click = np.zeros(16_000, np.int16)
    click[8000:8400] = 12_000
    for pcm in (np.zeros(16_000, np.int16), numbers.normal(0, 30, 16_000).astype(np.int16), click):
        assert [mark for mark in marks(pcm) if not isinstance(mark, SpeechEnded) or mark.pcm is not None] == []


def test_who_never_stops_is_cut_short() -> None:
    numbers = np.random.default_rng(3)
    found = marks(numbers.normal(0, 6000, 8000 * 25).astype(np.int16))
    assert all(len(mark.pcm) <= 8000 * 10 for mark in found if isinstance(mark, SpeechEnded) and mark.pcm is not None)


@pytest.fixture(scope="module")
def likeness(tmp_path_factory: pytest.TempPathFactory) -> LikenessRecogniser:
    folder = tmp_path_factory.mktemp("sounds")
    return LikenessRecogniser([espeak_library(folder)])


@needs_voices
@pytest.mark.parametrize("voice", STRANGERS)
async def test_a_phrase_is_known_in_voices_never_heard_before(
    likeness: LikenessRecogniser, voice: tuple[str, int, int]
) -> None:
    for phrase in PHRASES:
        heard = await likeness.recognise(on_the_line(say(phrase, voice)), 8000, MENU)
        assert heard is not None, phrase
        assert heard.text == phrase


@needs_voices
async def test_a_noisy_line_costs_a_question_and_never_a_wrong_choice(likeness: LikenessRecogniser) -> None:
    """At 15 dB above the noise, where speech sounds rough."""
    right = 0
    for voice in STRANGERS:
        for phrase in PHRASES:
            heard = await likeness.recognise(on_the_line(say(phrase, voice), snr_db=15.0), 8000, MENU)
            assert heard is None or heard.text == phrase
            right += heard is not None
    assert right >= 0.85 * len(STRANGERS) * len(PHRASES)


@needs_voices
async def test_a_phrase_is_found_in_a_sentence(likeness: LikenessRecogniser) -> None:
    for sentence, phrase in (
        ("quiero hablar con una persona", "persona"),
        ("necesito el servicio de internet", "internet"),
    ):
        found = [await likeness.recognise(on_the_line(say(sentence, v)), 8000, MENU) for v in STRANGERS]
        assert sum(heard is not None and heard.text == phrase for heard in found) >= 3, (sentence, found)


@needs_voices
async def test_other_words_and_noise_are_no_phrase(likeness: LikenessRecogniser) -> None:
    wrong = [
        (words, voice)
        for words in OTHER_WORDS
        for voice in STRANGERS
        if await likeness.recognise(on_the_line(say(words, voice)), 8000, MENU) is not None
    ]
    assert len(wrong) <= 1, wrong  # of 24
    numbers = np.random.default_rng(5)
    hum = (8000 * np.sin(np.arange(12_000) * 0.4)).astype(np.int16)
    for noise in (numbers.normal(0, 3000, 12_000).astype(np.int16), hum, np.zeros(8000, np.int16), hum[:100]):
        assert await likeness.recognise(noise, 8000, MENU) is None


@needs_voices
async def test_a_wideband_line_is_heard_as_well(likeness: LikenessRecogniser) -> None:
    wide = np.repeat(on_the_line(say("internet")), 2)
    heard = await likeness.recognise(wide, 16_000, MENU)
    assert heard is not None
    assert heard.text == "internet"


async def test_examples_need_a_voice(tmp_path: Path) -> None:
    mute = LikenessRecogniser([SoundLibrary([tmp_path], tmp_path / "cache", None)])
    with pytest.raises(RecognitionFailed, match="cannot be spoken"):
        await mute.prepare([MENU])


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("cero uno cero dos", "0102"),
        ("veintitrés cuarenta y cinco", "2345"),
        ("dieciséis treinta", "1630"),
        ("noventa y ocho setenta uno", "9871"),
        ("99 12", "9912"),
        ("uno persona", ""),
        ("", ""),
        ("y", ""),
    ],
)
def test_figures(text: str, digits: str) -> None:
    assert figures(text) == digits


@given(st.text(max_size=60))
def test_figures_of_anything_are_digits(text: str) -> None:
    assert all(c.isdigit() for c in figures(text))


# --- vosk: its words, without a model

DIGITS = Expected(digits=4)


@pytest.mark.parametrize(
    ("text", "conf", "expected", "heard"),
    [
        ("agua potable", 0.98, MENU, "agua potable"),
        ("quiero hablar con una persona", 0.9, MENU, "persona"),
        ("agua potable", 0.31, MENU, None),
        ("[unk]", 1.0, MENU, None),
        ("", 1.0, MENU, None),
        ("cero uno dos tres cuatro", 0.9, DIGITS, "0123"),
        ("no tengo", 0.9, DIGITS, None),
        ("se fue el agua en Monay", 0.9, Expected(), "se fue el agua en Monay"),
    ],
)
def test_what_vosk_says_is_understood(text: str, conf: float, expected: Expected, heard: str | None) -> None:
    told = {"text": text, "result": [{"word": word, "conf": conf} for word in text.split()]}
    found = understood(told, expected)
    assert (None if found is None else found.text) == heard


def test_what_is_expected_of_vosk_keeps_its_accents() -> None:
    """It takes JSON's escapes for words that it does not know, and then never hears a "sí"."""
    assert _as_json(["sí", "telefonía"]) == '["sí", "telefonía"]'


def test_a_folder_that_is_no_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no vosk model"):
        VoskRecogniser({"es": tmp_path})
    (tmp_path / "am").mkdir()
    with pytest.raises(Invalid, match="cannot be loaded"):
        VoskRecogniser({"es": tmp_path})


@pytest.mark.parametrize("given", [{"recogniser": "vosk"}, {"recogniser": "http"}, {"url": "ftp://x"}])
def test_settings_that_lack_something_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"speech|pattern"):
        SpeechSettings.model_validate(given)


# --- a service behind HTTP


@asynccontextmanager
async def service(body: bytes, status: int = 200) -> AsyncIterator[tuple[str, list[web.Request]]]:
    asked: list[web.Request] = []

    async def hear(request: web.Request) -> web.Response:
        asked.append(request)
        assert (await request.read())[:4] == b"RIFF"
        return web.Response(body=body, status=status)

    app = web.Application()
    app.router.add_post("/oir", hear)
    async with serve(app, "127.0.0.1", 0) as server:
        yield f"{server.url}/oir", asked


SOME = np.zeros(1600, np.int16)


@pytest.mark.parametrize(
    ("answer", "expected", "heard"),
    [
        ({"text": "Internet", "sure": 0.9}, MENU, "internet"),
        ({"text": "quiero una persona por favor"}, MENU, "persona"),
        ({"text": "otra cosa"}, MENU, None),
        ({"text": ""}, MENU, None),
        ({"text": "uno dos tres"}, DIGITS, "123"),
    ],
)
async def test_a_service_is_asked_and_understood(answer: Any, expected: Expected, heard: str | None) -> None:
    async with service(json.dumps(answer).encode()) as (url, asked):
        recogniser = HttpRecogniser(url, Secret("clave"))
        found = await recogniser.recognise(SOME, 8000, expected)
        await recogniser.close()
    assert (None if found is None else found.text) == heard
    assert asked[0].headers["Authorization"] == "Bearer clave"
    assert json.loads(asked[0].query["phrases"]) == list(expected.phrases)


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>", 200), (b"[]", 200), (b"{}", 500), (b'{"text": 1, "sure": "x"}', 200), (b"", 302)]
)
async def test_a_service_that_is_wrong_is_told(body: bytes, status: int) -> None:
    async with service(body, status) as (url, _):
        recogniser = HttpRecogniser(url)
        with pytest.raises(RecognitionFailed):
            await recogniser.recognise(SOME, 8000, MENU)
        await recogniser.close()


async def test_a_service_that_is_gone_is_told() -> None:
    recogniser = HttpRecogniser("http://127.0.0.1:9/oir", timeout_s=1)
    with pytest.raises(RecognitionFailed, match="does not answer"):
        await recogniser.recognise(SOME, 8000, MENU)
    await recogniser.close()
