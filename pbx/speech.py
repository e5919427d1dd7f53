"""Text to speech by a program on this machine: SVOX Pico sounds natural, espeak-ng is there when nothing else is."""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foundation.errors import RimayError

MAX_TEXT = 4000  # about five minutes of speech; a prompt longer than that is a mistake
TIMEOUT_S = 30.0


class SpeechFailed(RimayError):
    """The text could not be spoken; the message says why, and never what the text was."""

    code = "sound.speech_failed"


class Speech(Protocol):
    def voice(self, language: str) -> str:
        """What makes two renderings of a text differ: program and voice. Raises `SpeechFailed` for a language that it
        does not speak."""
        ...

    async def speak(self, text: str, language: str, to: Path) -> None:
        """Write a WAV of any rate. Raises `SpeechFailed`; the file is then worth nothing."""
        ...


@dataclass(frozen=True, slots=True)
class _Program:
    voices: Mapping[str, str]  # by the language before any dash
    arguments: Sequence[str]  # {voice} and {file} are filled in
    text_on_stdin: bool


# Pico's reader of standard input joins lines oddly, so it gets the text as its argument, behind `--`.
_PROGRAMS: Mapping[str, _Program] = {
    "pico2wave": _Program(
        {"es": "es-ES", "en": "en-US", "fr": "fr-FR", "de": "de-DE", "it": "it-IT"},
        ("--lang={voice}", "--wave={file}", "--"),
        text_on_stdin=False,
    ),
    "espeak-ng": _Program(
        {"es": "es-419", "en": "en-us", "fr": "fr-fr", "de": "de", "it": "it", "pt": "pt-br", "qu": "qu"},
        ("-v", "{voice}", "-s", "150", "-w", "{file}", "--stdin"),  # 150 words a minute; its default of 175 rushes
        text_on_stdin=True,
    ),
    # Its voices are files of the operator's.
    "piper": _Program({}, ("--model", "{voice}", "--output_file", "{file}"), text_on_stdin=True),
}
ENGINES = tuple(name for name, program in _PROGRAMS.items() if program.voices)


class CommandSpeech:
    """One of `ENGINES`, or piper, started by `argv` (its name, a path, or a loader and a path), never by a shell."""

    def __init__(
        self,
        engine: str,
        argv: Sequence[str],
        *,
        timeout_s: float = TIMEOUT_S,
        voices: Mapping[str, str] | None = None,
    ) -> None:
        """`voices` by language, where they are not the program's own."""
        if engine not in _PROGRAMS:
            raise ValueError(f"no such speech engine: {engine!r}; there are {', '.join(_PROGRAMS)}")
        self.engine = engine
        self._program = _PROGRAMS[engine]
        self._voices = self._program.voices if voices is None else voices
        self._argv = tuple(argv)
        self._timeout_s = timeout_s

    def voice(self, language: str) -> str:
        name = self._voices.get(language.lower().partition("-")[0])
        if name is None:
            raise SpeechFailed(f"{self.engine} does not speak {language!r}.")
        return f"{self.engine}:{name}"

    async def speak(self, text: str, language: str, to: Path) -> None:
        voice = self.voice(language).partition(":")[2]
        text = plain_text(text)
        argv = [*self._argv, *(a.format(voice=voice, file=to) for a in self._program.arguments)]
        given: bytes | None = None
        if self._program.text_on_stdin:
            given = text.encode()
        else:
            argv.append(text)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=DEVNULL if given is None else PIPE, stdout=DEVNULL, stderr=PIPE
            )
        except OSError as error:
            raise SpeechFailed(f"{self.engine} cannot be started: {error.strerror}.") from error
        complaint = await self._run(process, given)
        if process.returncode != 0:
            raise SpeechFailed(f"{self.engine} failed ({process.returncode}): {complaint}")
        if not await asyncio.to_thread(_has_sound, to):
            raise SpeechFailed(f"{self.engine} wrote no sound.")

    async def _run(self, process: Process, given: bytes | None) -> str:
        """To its end; it is killed at the timeout and when we are cancelled."""
        try:
            async with asyncio.timeout(self._timeout_s):
                _, complaint = await process.communicate(given)
        except TimeoutError as error:
            raise SpeechFailed(f"{self.engine} did not finish in {self._timeout_s:g} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return complaint.decode("utf-8", "replace").strip()[:200]


def _has_sound(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 44  # a WAV header alone


def plain_text(text: str) -> str:
    """Without what the programs read as commands: markup, phoneme brackets, control characters."""
    cleaned = re.sub(r"\s+", " ", re.sub(r"[<>\[\]|\x00-\x1f\x7f]", " ", text)).strip()
    if not cleaned:
        raise SpeechFailed("There is nothing to say.")
    if len(cleaned) > MAX_TEXT:
        raise SpeechFailed(f"The text is longer than {MAX_TEXT} characters.")
    return cleaned


def speech_on_path() -> CommandSpeech | None:
    """The best one that is installed."""
    return next((CommandSpeech(engine, [path]) for engine in ENGINES if (path := shutil.which(engine))), None)
