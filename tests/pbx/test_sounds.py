"""The sound library: real files, real conversions, real speech programs where there are some."""

from __future__ import annotations

import asyncio
import stat
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pbx.sip import tones
from pbx.sounds import CommandSpeech, SoundError, SoundLibrary, SoundMissing, SoundUnreadable, SpeechFailed
from pbx.speech import ENGINES, plain_text
from pbx.terms import FileSound, Sound, TextSound, ToneSound
from tests.support.tools import tool

HELLO = TextSound("Bienvenido a ETAPA. ¿En qué podemos ayudarle?")

# A speech program of our own, to count and to fail: each run is a line in `log`, with what it was given.
PROGRAM = """
import json, math, pathlib, struct, sys, time, wave
log, how, *rest = sys.argv[1:]
text = sys.stdin.read() if "--stdin" in rest else rest[rest.index("--") + 1]
target = next((a.split("=", 1)[1] for a in rest if a.startswith("--wave=")), None) or rest[rest.index("-w") + 1]
with open(log, "a") as file:
    file.write(json.dumps({"text": text, "arguments": rest}) + "\\n")
if how == "hang":
    time.sleep(600)
if how == "fail":
    sys.exit("no voice installed")
if how == "noise":
    pathlib.Path(target).write_bytes(b"this is no sound at all" * 10)
if how == "speak":
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 8))) for i in range(16000)))
"""

LEVEL = 4634  # of a sine, for an RMS of -20 dBFS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    (folder / "es").mkdir(parents=True)
    return folder


@pytest.fixture
def library(root: Path, tmp_path: Path) -> SoundLibrary:
    return SoundLibrary([root], tmp_path / "cache", None)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., CommandSpeech]:
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(PROGRAM))

    def make(how: str, engine: str = "espeak-ng", timeout_s: float = 20.0) -> CommandSpeech:
        argv = [sys.executable, str(script), str(tmp_path / "log"), how]
        return CommandSpeech(engine, argv, timeout_s=timeout_s)

    return make


def runs(tmp_path: Path) -> int:
    log = tmp_path / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def check_playable(path: Path, rate: int = 8000) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    assert path.is_absolute()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.format, info.subtype) == (rate, 1, "WAV", "PCM_16")
    return soundfile.read(path, dtype="int16")[0]


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name.startswith(".part")]


# --- files --------------------


@pytest.mark.parametrize("name", ["es/bienvenida", "es/bienvenida.wav"])
async def test_a_prompt_that_is_right_already_is_played_from_its_place(
    library: SoundLibrary, root: Path, name: str
) -> None:
    soundfile.write(root / "es/bienvenida.wav", tones.sine(500, 300, level=LEVEL), 8000, subtype="PCM_16")
    (root / "es/bienvenida.wav").chmod(0o644)
    assert await library.resolve(FileSound(name)) == root / "es/bienvenida.wav"
    assert await library.resolve(FileSound(str(root / "es/bienvenida"))) == root / "es/bienvenida.wav"


@pytest.mark.parametrize(
    ("file", "rate", "channels", "options"),
    [
        ("p.wav", 44_100, 2, {"subtype": "PCM_24"}),
        ("p.wav", 8000, 1, {"subtype": "ULAW"}),
        ("p.wav", 8000, 2, {"subtype": "PCM_16"}),
        ("p.flac", 22_050, 1, {}),
        ("p.ogg", 48_000, 2, {}),
        ("p.mp3", 44_100, 1, {}),
        ("p.gsm", 8000, 1, {"format": "RAW", "subtype": "GSM610"}),
        ("p.alaw", 8000, 1, {"format": "RAW", "subtype": "ALAW"}),
        ("p.sln16", 16_000, 1, {"format": "RAW", "subtype": "PCM_16"}),
    ],
)
async def test_other_formats_are_converted_and_levelled(
    library: SoundLibrary, root: Path, file: str, rate: int, channels: int, options: dict[str, str]
) -> None:
    quiet = tones.sine(700, 1000, level=600, rate=rate)
    soundfile.write(root / file, np.stack([quiet] * channels, axis=1), rate, **options)
    path = await library.resolve(FileSound("p"))
    samples = check_playable(path)
    assert len(samples) == pytest.approx(8000, abs=800)  # mp3 and gsm pad
    middle = samples[2000:5000]
    assert tones.dominant_hz(middle) == pytest.approx(700, abs=3)
    assert tones.rms(middle) == pytest.approx(3277, rel=0.1)  # -20 dBFS
    before = path.stat().st_mtime_ns
    assert await library.resolve(FileSound("p")) == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("level", [600, 12_000, 32_000])
async def test_a_prompt_in_the_right_format_is_brought_to_the_level_of_all_others(
    library: SoundLibrary, root: Path, level: int
) -> None:
    soundfile.write(root / "p.wav", tones.sine(700, 1000, level=level), 8000, subtype="PCM_16")
    (root / "p.wav").chmod(0o644)
    path = await library.resolve(FileSound("p"))
    assert path != root / "p.wav"
    assert tones.rms(check_playable(path)) == pytest.approx(3277, rel=0.02)


async def test_a_loud_prompt_is_not_clipped_and_silence_stays_silence(library: SoundLibrary, root: Path) -> None:
    rng = np.random.default_rng(1)
    spiky = (rng.normal(0, 0.01, 16_000) + (rng.random(16_000) > 0.999) * 0.9).astype(np.float32)
    soundfile.write(root / "spiky.flac", np.clip(spiky, -1, 1), 16_000)
    soundfile.write(root / "quiet.flac", np.zeros(16_000), 16_000)
    assert np.abs(check_playable(await library.resolve(FileSound("spiky"))).astype(int)).max() < 32_767
    assert not check_playable(await library.resolve(FileSound("quiet"))).any()


async def test_a_file_that_the_switch_may_not_read_is_copied(library: SoundLibrary, root: Path) -> None:
    soundfile.write(root / "mine.wav", tones.sine(500, 300), 8000, subtype="PCM_16")
    (root / "mine.wav").chmod(0o600)
    path = await library.resolve(FileSound("mine"))
    assert not path.is_relative_to(root)
    check_playable(path)


async def test_a_new_recording_of_a_prompt_replaces_the_converted_one(library: SoundLibrary, root: Path) -> None:
    soundfile.write(root / "p.flac", tones.sine(500, 300, rate=16_000), 16_000)
    first = await library.resolve(FileSound("p"))
    soundfile.write(root / "p.flac", tones.sine(900, 400, rate=16_000), 16_000)
    second = await library.resolve(FileSound("p"))
    assert first != second
    assert tones.dominant_hz(check_playable(second)) == pytest.approx(900, abs=3)


async def test_roots_are_searched_in_order_and_names_keep_their_dots(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for folder, hz in ((root, 500), (other, 900)):
        soundfile.write(folder / "v1.2.wav", tones.sine(hz, 300, level=LEVEL), 8000, subtype="PCM_16")
        (folder / "v1.2.wav").chmod(0o644)
    library = SoundLibrary([other, root], tmp_path / "cache", None)
    assert await library.resolve(FileSound("v1.2")) == other / "v1.2.wav"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nada",
        "es/nada.wav",
        "es",
        "../secret",
        "es/../../secret",
        "/secret",
        "es/\0x",
        "..\\secret",
        "../sounds/es/x",
    ],
)
async def test_missing_and_forbidden_names(library: SoundLibrary, root: Path, name: str) -> None:
    for path in (root.parent / "secret.wav", root / "es/x.wav"):
        soundfile.write(path, tones.sine(500, 300), 8000, subtype="PCM_16")
    with pytest.raises(SoundMissing) as caught:
        await library.resolve(FileSound(name))
    assert caught.value.is_permanent
    with pytest.raises(SoundMissing):
        await library.resolve(FileSound(str(root.parent / "secret.wav")))


@pytest.mark.parametrize("content", [b"", b"RIFF....", b"<html>not found</html>" * 99])
async def test_a_broken_file_is_named_and_leaves_nothing(
    library: SoundLibrary, root: Path, tmp_path: Path, content: bytes
) -> None:
    (root / "roto.wav").write_bytes(content)
    (root / "roto.wav").chmod(0o644)
    with pytest.raises(SoundUnreadable, match=r"roto\.wav"):
        await library.resolve(FileSound("roto"))
    assert not list((tmp_path / "cache").rglob("*.wav"))


async def test_an_empty_sound_is_no_sound(library: SoundLibrary, root: Path) -> None:
    soundfile.write(root / "vacio.flac", np.zeros(0), 16_000)
    with pytest.raises(SoundUnreadable):
        await library.resolve(FileSound("vacio"))


# --- tones --------------------


@pytest.mark.parametrize("rate", [8000, 16_000])
async def test_tones(library: SoundLibrary, rate: int) -> None:
    path = await library.resolve(ToneSound(440, 250), rate)
    samples = check_playable(path, rate)
    assert len(samples) == rate // 4
    assert tones.dominant_hz(samples, rate=rate) == pytest.approx(440, abs=2)
    assert await library.resolve(ToneSound(440, 250), rate) == path
    assert await library.resolve(ToneSound(440, 251), rate) != path


@pytest.mark.parametrize("sound", [ToneSound(0, 100), ToneSound(4000, 100), ToneSound(440, 0), ToneSound(440, 10**9)])
async def test_impossible_tones(library: SoundLibrary, sound: Sound) -> None:
    with pytest.raises(SoundMissing):
        await library.resolve(sound)


async def test_both_rates_stand_under_one_name(library: SoundLibrary, root: Path) -> None:
    soundfile.write(root / "es" / "hola.wav", tones.sine(1000, 500, rate=48_000), 48_000)
    for sound in (FileSound("es/hola"), ToneSound(440, 300)):
        path = await library.resolve_both(sound)
        assert path == await library.resolve(sound)
        assert soundfile.info(path).samplerate == 8000
        wide = path.with_suffix(".wav16")
        assert soundfile.info(str(wide)).samplerate == 16_000
        assert await library.resolve_both(sound) == path  # again, and nothing is in its way
        assert wide.resolve() == await library.resolve(sound, 16_000)


async def test_nothing_is_put_beside_a_prompt_in_its_place(library: SoundLibrary, root: Path) -> None:
    file = root / "es" / "hola.wav"
    soundfile.write(file, (tones.sine(1000, 500) * (LEVEL / 8000)).astype("int16"), 8000)
    file.chmod(0o644)
    assert await library.resolve_both(FileSound("es/hola")) == file
    assert [each.name for each in file.parent.iterdir()] == ["hola.wav"]


async def test_a_cache_that_cannot_be_written_is_a_named_error(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(SoundError, match="cache cannot be written"):
        await SoundLibrary([root], tmp_path / "cache", None).resolve(ToneSound(440, 100))


async def test_a_full_disk_is_a_named_error_and_leaves_no_half_file(
    library: SoundLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pbx.sounds._write", full)
        with pytest.raises(SoundError, match="No space left"):
            await library.resolve(ToneSound(440, 100))
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    check_playable(await library.resolve(ToneSound(440, 100)))


# --- text --------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("language", ["es", "es-EC"])
async def test_real_speech(root: Path, tmp_path: Path, engine: str, language: str) -> None:
    library = SoundLibrary([root], tmp_path / "cache", CommandSpeech(engine, [tool(engine)]))
    samples = check_playable(await library.resolve(TextSound(HELLO.text, language)))
    assert 1.5 < len(samples) / 8000 < 8
    assert tones.rms(samples) > 500
    longer = check_playable(await library.resolve(TextSound(HELLO.text * 2, language)))
    assert len(longer) > 1.5 * len(samples)


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_text_reaches_the_program_as_it_is(
    root: Path, tmp_path: Path, program: Callable[..., CommandSpeech], engine: str
) -> None:
    library = SoundLibrary([root], tmp_path / "cache", program("speak", engine))
    text = '-w x.wav "$(id)" `id` ; ¿Cédula № 5?'
    check_playable(await library.resolve(TextSound(text)))
    assert runs(tmp_path) == 1
    given = __import__("json").loads((tmp_path / "log").read_text())
    assert given["text"] == text
    assert {"es-419", "--lang=es-ES"} & set(given["arguments"])


async def test_the_same_text_is_spoken_once_however_many_ask(
    root: Path, tmp_path: Path, program: Callable[..., CommandSpeech]
) -> None:
    library = SoundLibrary([root], tmp_path / "cache", program("speak"))
    paths = await asyncio.gather(*[library.resolve(HELLO) for _ in range(10)])
    assert len(set(paths)) == 1
    assert runs(tmp_path) == 1
    again = SoundLibrary([root], tmp_path / "cache", program("fail"))  # another process, later
    assert await again.resolve(HELLO) == paths[0]
    assert await library.resolve(TextSound("Otra cosa")) != paths[0]
    assert await library.resolve(HELLO, 16_000) != paths[0]
    assert not library._locks


async def test_who_waits_for_one_that_is_cancelled_gets_it_all_the_same(
    root: Path, tmp_path: Path, program: Callable[..., CommandSpeech]
) -> None:
    library = SoundLibrary([root], tmp_path / "cache", program("speak"))
    first, second = asyncio.create_task(library.resolve(HELLO)), asyncio.create_task(library.resolve(HELLO))
    async with asyncio.timeout(10):
        while not any((tmp_path / "cache").rglob(".part*")):  # noqa: ASYNC110 - the moment is a file's appearing
            await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    check_playable(await second)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(
    ("how", "why"),
    [("fail", r"failed \(1\): no voice installed"), ("nothing", "wrote no sound"), ("noise", "no sound")],
)
async def test_a_program_that_fails(
    root: Path, tmp_path: Path, program: Callable[..., CommandSpeech], how: str, why: str
) -> None:
    with pytest.raises(SpeechFailed, match=why) as caught:
        await SoundLibrary([root], tmp_path / "cache", program(how)).resolve(HELLO)
    assert "Bienvenido" not in caught.value.message
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    check_playable(await SoundLibrary([root], tmp_path / "cache", program("speak")).resolve(HELLO))


async def test_a_program_that_hangs_is_killed(
    root: Path, tmp_path: Path, program: Callable[..., CommandSpeech], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[asyncio.subprocess.Process] = []
    real = asyncio.create_subprocess_exec

    async def remember(*args: str, **kwargs: int) -> asyncio.subprocess.Process:
        started.append(await real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)
    library = SoundLibrary([root], tmp_path / "cache", program("hang", timeout_s=0.3))
    with pytest.raises(SpeechFailed, match=r"did not finish in 0\.3 s"):
        await library.resolve(HELLO)
    assert [process.returncode for process in started] == [-9]
    assert not leftovers(tmp_path)


async def test_what_cannot_be_spoken(root: Path, tmp_path: Path, program: Callable[..., CommandSpeech]) -> None:
    for speech, sound, why in (
        (None, HELLO, "No speech program"),
        (program("speak"), TextSound("hola", "zh"), "does not speak 'zh'"),
        (program("speak"), TextSound(" \n<>"), "nothing to say"),
        (program("speak"), TextSound("a" * 5000), "longer than 4000"),
        (CommandSpeech("espeak-ng", [str(tmp_path / "not-there")]), HELLO, "cannot be started"),
    ):
        with pytest.raises(SpeechFailed, match=why):
            await SoundLibrary([root], tmp_path / "cache", speech).resolve(sound)
    with pytest.raises(ValueError, match="no such speech engine"):
        CommandSpeech("festival", ["festival"])


def test_what_programs_read_as_commands_is_taken_out() -> None:
    assert (
        plain_text("<speed level='900'>Hola</speed> [[h'ola]]\x07\nadiós")
        == "speed level='900' Hola /speed h'ola adiós"
    )
