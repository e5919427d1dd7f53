"""Who speaks what is not recorded, by the settings."""

from __future__ import annotations

import shutil
from pathlib import Path

from foundation.errors import Invalid
from pbx.sounds import SoundLibrary
from pbx.speech import CommandSpeech, Speech
from pbx.speech_service import HttpSpeech
from pbx.voice_settings import VoiceKind, VoiceSettings


def open_sounds(settings: VoiceSettings, root: Path, embedded: CommandSpeech) -> SoundLibrary:
    """Raises `Invalid` for a program or a voice's file that is not there."""
    chosen = _chosen(settings)
    cache = root / "cache"
    if chosen is None:
        return SoundLibrary([root], cache, embedded)
    return SoundLibrary([root], cache, chosen, stand_in=embedded)


def _chosen(settings: VoiceSettings) -> Speech | None:
    match settings.engine:
        case VoiceKind.PIPER:
            return _piper(settings)
        case VoiceKind.HTTP:
            return HttpSpeech(settings.url, settings.token, timeout_s=settings.timeout_s)
    return None


def _piper(settings: VoiceSettings) -> CommandSpeech:
    program = shutil.which(settings.program)
    if program is None:
        raise Invalid(f"voice.program: there is no program {settings.program!r}")
    for language, file in settings.models.items():
        if not Path(file).is_file():
            raise Invalid(f"voice.models.{language}: there is no file {file}")
    voices = {language[:2]: file for language, file in settings.models.items()}
    return CommandSpeech("piper", [program], timeout_s=settings.timeout_s, voices=voices)
