"""The sound library: any `Sound` becomes a WAV file that both switches play (16 bit, mono, at the rate asked for).

A prompt that is such a file already, at the level of all others, is played from where it lies. All else is made once
and kept in the cache: other formats, rates and levels converted, tones generated, text spoken. A cached file's name is
a hash of what it was made from, so nothing in the cache is ever wrong, only unused. Files appear under their names
complete (written aside, then renamed) and readable by every user, because the switch runs as another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from foundation.errors import RimayError
from foundation.logs import get_logger
from pbx.sip.tones import sine
from pbx.speech import CommandSpeech, Speech, SpeechFailed, speech_on_path
from pbx.terms import FileSound, Sound, TextSound, ToneSound

log = get_logger(__name__)

__all__ = [
    "CommandSpeech",
    "SoundError",
    "SoundLibrary",
    "SoundMissing",
    "SoundUnreadable",
    "Speech",
    "SpeechFailed",
    "speech_on_path",
]

# Headerless formats of Asterisk's own prompts, which soundfile must be told about.
_RAW: dict[str, dict[str, Any]] = {
    ".gsm": {"subtype": "GSM610", "samplerate": 8000},
    ".ulaw": {"subtype": "ULAW", "samplerate": 8000},
    ".alaw": {"subtype": "ALAW", "samplerate": 8000},
    ".sln": {"subtype": "PCM_16", "samplerate": 8000},
    ".sln16": {"subtype": "PCM_16", "samplerate": 16_000},
}
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", *_RAW)  # in the order in which a bare name is looked for
RATES = (8000, 16_000, 24_000, 48_000)
MAX_TONE_MS = 600_000
MAX_FILE_S = 3600
_RECIPE = "1"  # part of every cache key: raise it when the way of making files changes
_SPEECH_LEVEL = 10 ** (-20 / 20)  # RMS of the loud half, -20 dBFS: what telephone prompts are mastered to
_PEAK = 10 ** (-1 / 20)
_NEAR_ENOUGH = 10 ** (1 / 20)  # a difference of 1 dB is not heard
_MOST_KNOWN = 5000
_MAX_GAIN = 10.0  # 20 dB; more would lift a recording's noise


class SoundError(RimayError):
    code = "sound.error"


class SoundMissing(SoundError):
    """No such prompt, or a name that may not be asked for."""

    code = "sound.missing"
    is_permanent = True


class SoundUnreadable(SoundError):
    """The file is there and is no sound."""

    code = "sound.unreadable"
    is_permanent = True


class SoundLibrary:
    """`roots` are searched in order. `stand_in` speaks what `speech` cannot. At most `at_once` files are made at a
    time, and none twice at once."""

    def __init__(
        self,
        roots: Sequence[Path],
        cache: Path,
        speech: Speech | None,
        *,
        stand_in: Speech | None = None,
        at_once: int = 2,
    ) -> None:
        self._roots = [root.absolute() for root in roots]
        self._cache = cache.absolute()
        self._speech = speech
        self._stand_in = stand_in
        self._locks: dict[Path, tuple[asyncio.Lock, int]] = {}
        self._makers = asyncio.Semaphore(at_once)
        # Files that were looked into, as they were then: whether they can be played from where they lie.
        self._ready: dict[tuple[Path, int, int, int, int], bool] = {}

    async def resolve(self, sound: Sound, rate: int = 8000) -> Path:
        """An absolute path. Raises `SoundMissing`, `SoundUnreadable`, `SpeechFailed`, or `SoundError` where the cache
        cannot be written."""
        if rate not in RATES:
            raise ValueError(f"no such rate: {rate}")
        if isinstance(sound, FileSound):
            return await self._file(sound, rate)
        if isinstance(sound, ToneSound):
            return await self._tone(sound, rate)
        return await self._text(sound, rate)

    async def resolve_both(self, sound: Sound) -> Path:
        """As `resolve` for 8000 samples a second; beside it stands, under the same name and ending in `.wav16`, the
        same for 16 000: of two files of one name Asterisk plays the one that suits the channel. A prompt that is played
        from where it lies has 8000 samples, and nothing is put beside it."""
        narrow, wide = await asyncio.gather(self.resolve(sound), self.resolve(sound, 16_000))
        if narrow.is_relative_to(self._cache):
            await asyncio.to_thread(_link, wide, narrow.with_suffix(".wav16"))
        return narrow

    # --- the three kinds --------------------

    async def _file(self, sound: FileSound, rate: int) -> Path:
        try:
            source = await asyncio.to_thread(self._find, sound.name)
        except SoundMissing:
            if sound.fallback is None:
                raise
            return await self._text(sound.fallback, rate)
        stat = source.stat()
        known = (source, stat.st_mtime_ns, stat.st_size, stat.st_mode, rate)
        if known not in self._ready:
            while len(self._ready) >= _MOST_KNOWN:
                del self._ready[next(iter(self._ready))]
            self._ready[known] = await asyncio.to_thread(_is_ready, source, rate)
        if self._ready[known]:
            return source
        target = self._target("files", str(source), str(stat.st_mtime_ns), str(stat.st_size), rate=rate)
        return await self._made(target, lambda path: asyncio.to_thread(_convert, source, path, rate))

    async def _tone(self, sound: ToneSound, rate: int) -> Path:
        if not 0 < sound.hz < rate / 2 or not 0 < sound.ms <= MAX_TONE_MS:
            raise SoundMissing(f"no such tone: {sound.hz} Hz for {sound.ms} ms")
        target = self._target("tones", str(sound.hz), str(sound.ms), rate=rate)
        return await self._made(
            target, lambda path: asyncio.to_thread(_write, path, sine(sound.hz, sound.ms, rate=rate), rate)
        )

    async def _text(self, sound: TextSound, rate: int) -> Path:
        if self._speech is None:
            raise SpeechFailed("No speech program is installed.")
        try:
            return await self._spoken(self._speech, sound, rate)
        except SpeechFailed as error:
            if self._stand_in is None:
                raise
            log.warning("sound.stand_in_speaks", problem=error.message)
        return await self._spoken(self._stand_in, sound, rate)

    async def _spoken(self, speech: Speech, sound: TextSound, rate: int) -> Path:
        voice = speech.voice(sound.language)
        target = self._target("speech", voice, sound.language, sound.text, rate=rate)

        async def make(path: Path) -> None:
            spoken = path.with_suffix(".spoken.wav")  # Pico writes to nothing else than *.wav
            try:
                await speech.speak(sound.text, sound.language, spoken)
                await asyncio.to_thread(_convert, spoken, path, rate)
            except SoundUnreadable as error:
                raise SpeechFailed("The speech program wrote something that is no sound.") from error
            finally:
                spoken.unlink(missing_ok=True)

        return await self._made(target, make)

    # --- finding --------------------

    def _find(self, name: str) -> Path:
        wanted = PurePosixPath(name)
        if not name or "\0" in name or "\\" in name or ".." in wanted.parts:
            raise SoundMissing(f"not a name of a sound: {name!r}")
        if wanted.is_absolute():
            # Symlinks inside a root are the operator's; a path beside every root is not for callers to hear.
            if not any(Path(wanted).is_relative_to(root) for root in (*self._roots, self._cache)):
                raise SoundMissing(f"outside of the sound folders: {name!r}")
            candidates = [Path(wanted)]
        else:
            candidates = [root / wanted for root in self._roots]
        for candidate in candidates:
            for path in _spellings(candidate):
                if path.is_file():
                    return path
        raise SoundMissing(f"no such sound: {name!r}")

    # --- making --------------------

    def _target(self, folder: str, *made_from: str, rate: int) -> Path:
        key = hashlib.sha256("\0".join((_RECIPE, str(rate), *made_from)).encode()).hexdigest()[:40]
        return self._cache / folder / f"{key}.wav"

    async def _made(self, target: Path, make: Callable[[Path], Awaitable[None]]) -> Path:
        """`target`, made by `make` into a file beside it unless it is there."""
        async with self._alone(target):
            if await asyncio.to_thread(target.is_file):
                return target
            async with self._makers:
                try:
                    with _beside(target) as path:
                        await make(path)
                        path.chmod(0o644)
                        path.replace(target)
                except OSError as error:
                    raise SoundError(f"the sound cache cannot be written: {error.strerror}") from error
        return target

    @contextlib.asynccontextmanager
    async def _alone(self, target: Path) -> AsyncIterator[None]:
        """One at a time for each target; locks that nobody wants are dropped."""
        lock, users = self._locks.get(target, (asyncio.Lock(), 0))
        self._locks[target] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[target]
            if users == 1:
                del self._locks[target]
            else:
                self._locks[target] = lock, users - 1


def _spellings(path: Path) -> Iterator[Path]:
    if path.suffix.lower() in SUFFIXES:
        yield path
    for suffix in SUFFIXES:
        yield path.with_name(path.name + suffix)


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A temporary file in the target's folder, so that a rename moves it; gone afterwards in any case."""
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", suffix=".wav", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _link(source: Path, name: Path) -> None:
    if name.exists():
        return
    try:
        with _beside(name) as aside:
            aside.unlink()
            aside.symlink_to(source)
            aside.replace(name)
    except OSError as error:
        raise SoundError(f"the sound cache cannot be written: {error.strerror}") from error


def _is_ready(path: Path, rate: int) -> bool:
    if path.suffix.lower() != ".wav" or not path.stat().st_mode & 0o004:
        return False
    with _readable(path):
        info = soundfile.info(path)
        if (info.samplerate, info.channels, info.format, info.subtype) != (rate, 1, "WAV", "PCM_16"):
            return False
        if info.frames > MAX_FILE_S * rate or info.frames == 0:
            return True  # not for us to make another of
        gain = _gain(soundfile.read(path, dtype="float32")[0])
        return 1 / _NEAR_ENOUGH <= gain <= _NEAR_ENOUGH


def _convert(source: Path, target: Path, rate: int) -> None:
    options = _RAW.get(source.suffix.lower())
    raw = {} if options is None else {"format": "RAW", "channels": 1, **options}
    with _readable(source), soundfile.SoundFile(source, **raw) as file:
        if file.frames > MAX_FILE_S * file.samplerate:
            raise SoundUnreadable(f"longer than {MAX_FILE_S} s: {source.name}")
        samples, given_rate = file.read(file.frames, dtype="float32", always_2d=True).mean(axis=1), file.samplerate
    if len(samples) == 0:
        raise SoundUnreadable(f"an empty sound: {source.name}")
    if given_rate != rate:
        samples = soxr.resample(samples, given_rate, rate, quality="HQ")
    _write(target, np.round(_levelled(samples) * 32_767).astype(np.int16), rate)


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples * np.float32(_gain(samples))


def _gain(samples: NDArray[np.float32]) -> float:
    """That brings it to the speech level, judged by its louder half so that pauses do not count; never clipped."""
    peak = float(np.max(np.abs(samples)))
    if peak < 1e-4:  # silence stays silence
        return 1.0
    frames = np.square(samples[: len(samples) // 160 * 160].reshape(-1, 160)).mean(axis=1)
    loud = np.sort(frames)[len(frames) // 2 :] if len(frames) else np.square(samples)
    rms = float(np.sqrt(loud.mean()))
    return min(_SPEECH_LEVEL / max(rms, 1e-6), _PEAK / peak, _MAX_GAIN)


def _write(path: Path, samples: NDArray[np.int16], rate: int) -> None:
    try:
        soundfile.write(path, samples, rate, format="WAV", subtype="PCM_16")
    except soundfile.SoundFileError as error:
        raise SoundError(f"the sound cache cannot be written: {error}") from error


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise SoundUnreadable(f"not a sound that we can read: {path.name}") from error
