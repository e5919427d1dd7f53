"""Who hears what callers say, by the settings."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from callcontrol.listening import Ears
from foundation.errors import Invalid
from pbx.recognition.http_service import HttpRecogniser
from pbx.recognition.likeness import LikenessRecogniser
from pbx.recognition.settings import RecogniserKind, SpeechSettings
from pbx.recognition.terms import Recogniser
from pbx.recognition.vosk_models import VoskRecogniser
from pbx.sounds import SoundLibrary
from pbx.speech import ENGINES, CommandSpeech


def open_ears(settings: SpeechSettings, sounds: SoundLibrary, cache: Path) -> Ears:
    """Raises `Invalid` for a model that is not there. A model is loaded here: seconds."""
    beside = asyncio.Semaphore(settings.most_beside)
    return Ears(sounds=sounds, recogniser=_recogniser(settings, sounds, cache), beside=beside)


def _recogniser(settings: SpeechSettings, sounds: SoundLibrary, cache: Path) -> Recogniser | None:
    match settings.recogniser:
        case RecogniserKind.NONE:
            return None
        case RecogniserKind.LIKENESS:
            return LikenessRecogniser(_voices(sounds, cache))
        case RecogniserKind.VOSK:
            return VoskRecogniser({language: Path(folder) for language, folder in settings.models.items()})
        case RecogniserKind.HTTP:
            return HttpRecogniser(settings.url, settings.token, timeout_s=settings.timeout_s)
    raise Invalid(f"no such recogniser: {settings.recogniser}")


def _voices(sounds: SoundLibrary, cache: Path) -> Sequence[SoundLibrary]:
    """Examples in the voice of prompts, and in that of every speech program of this machine."""
    programs = [(engine, path) for engine in ENGINES if (path := shutil.which(engine))]
    return [sounds, *(SoundLibrary([], cache / engine, CommandSpeech(engine, [path])) for engine, path in programs)]
