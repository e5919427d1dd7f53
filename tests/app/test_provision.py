"""Finding programs: named, installed, too old, broken, unpacked; and what is said when they cannot be had."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import apt_root, provision, recipes
from app.apt_root import (
    NoMirror,
    NoNetwork,
    NoSpace,
    PackageMissing,
    ProvisionError,
    UnsupportedMachine,
    architecture,
    failure,
    own_sources,
)
from app.apt_sources import AptSource
from app.bundle import MARKER, seal, sealed_version
from app.provision import (
    ProgramBroken,
    ProgramTooOld,
    ensure,
    find_asterisk,
    find_freeswitch,
    find_postgres,
    find_tool,
)
from tests.support.folders import open_folder

__all__ = ["open_folder"]


def program(path: Path, output: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{output}'\nexit {code}\n")
    path.chmod(0o755)
    return path


# ---- what the machine has --------------------------------------------------------------------------------------------


async def test_an_old_asterisk_is_named_with_what_was_found_and_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "sbin/asterisk", "Asterisk 16.28.0~dfsg-0+deb11u4")
    monkeypatch.setenv("RIMAY_ASTERISK", str(old))
    with pytest.raises(ProgramTooOld, match=rf"{old} is Asterisk 16\.28\.0, and 20 or newer is needed") as caught:
        await find_asterisk()
    assert caught.value.facts == {"path": str(old), "found": "16.28.0", "needed": "20"}


async def test_one_on_path_is_used_with_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = program(tmp_path / "usr/sbin/asterisk", "Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5")
    for folder in ("lib/x86_64-linux-gnu/asterisk/modules", "share/asterisk/documentation", "share/asterisk/moh"):
        (tmp_path / "usr" / folder).mkdir(parents=True)
    monkeypatch.delenv("RIMAY_ASTERISK", raising=False)
    monkeypatch.setenv("PATH", str(binary.parent))
    found = await find_asterisk()
    assert (found.binary, found.version) == (binary, "20.6.0")
    assert found.modules == tmp_path / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert (found.data, found.music) == (tmp_path / "usr/share/asterisk", tmp_path / "usr/share/asterisk/moh")


@pytest.mark.parametrize(("output", "code"), [("segmentation fault", 139), ("Hello", 0), ("", 0)])
async def test_a_broken_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, code: int) -> None:
    broken = program(tmp_path / "asterisk", output, code)
    monkeypatch.setenv("RIMAY_ASTERISK", str(broken))
    with pytest.raises(ProgramBroken, match=str(broken)):
        await find_asterisk()


async def test_one_that_cannot_be_run_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "asterisk"
    other.write_bytes(b"\x7fELF of another machine")
    other.chmod(0o755)
    monkeypatch.setenv("RIMAY_ASTERISK", str(other))
    with pytest.raises(ProgramBroken, match="cannot be run"):
        await find_asterisk()


async def test_a_named_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIMAY_ASTERISK", "/nowhere/asterisk")
    monkeypatch.setenv("RIMAY_FREESWITCH", "/nowhere/freeswitch")
    with pytest.raises(ProgramBroken, match="RIMAY_ASTERISK names /nowhere/asterisk"):
        await find_asterisk()
    with pytest.raises(ProgramBroken, match="RIMAY_FREESWITCH names /nowhere/freeswitch"):
        await find_freeswitch()


async def test_freeswitch_is_found_by_name_with_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = program(tmp_path / "bin/freeswitch", "FreeSWITCH version: 1.10.12-release~64bit (-release 64bit)")
    monkeypatch.setenv("RIMAY_FREESWITCH", str(binary))
    with pytest.raises(ProgramBroken, match="folder of modules"):
        await find_freeswitch()
    (tmp_path / "lib/freeswitch/mod").mkdir(parents=True)
    found = await find_freeswitch()
    assert found is not None
    assert (found.version, found.modules) == ("1.10.12", tmp_path / "lib/freeswitch/mod")
    old = program(tmp_path / "bin/old", "FreeSWITCH version: 1.8.7")
    monkeypatch.setenv("RIMAY_FREESWITCH", str(old))
    with pytest.raises(ProgramTooOld, match=r"1\.10 or newer"):
        await find_freeswitch()


async def test_no_freeswitch_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RIMAY_FREESWITCH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(provision, "_ALSO_SEARCHED", (str(tmp_path),))
    assert await find_freeswitch() is None


async def test_postgres_is_found_in_the_python_libraries_when_the_machine_has_none() -> None:
    program = next(found for found in await provision._postgres_candidates() if "pgserver" in str(found.bin))
    assert program.major >= 15
    chosen = await find_postgres(major=program.major)
    done = subprocess.run([chosen.bin / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert f" {program.major}." in done.stdout


async def test_a_cluster_of_a_version_that_is_gone_is_said() -> None:
    with pytest.raises(ProgramBroken, match="no PostgreSQL 9 was found"):
        await find_postgres(major=9)


async def test_libraries_in_a_closed_home_are_copied_whole(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = next(found for found in await provision._postgres_candidates() if "pgserver" in str(found.bin))
    monkeypatch.setenv("RIMAY_CACHE", str(open_folder / "cache"))
    said: list[str] = []
    copy = await asyncio.to_thread(provision._reachable_copy, source, said.append)
    again = await asyncio.to_thread(provision._reachable_copy, source, said.append)
    assert copy == again
    assert len(said) == 1
    assert str(copy.bin).startswith(str(open_folder))
    # it runs there, its own libraries beside it, also as whoever the servers run as
    user = provision.run_as()
    done = subprocess.run(
        [copy.bin / "initdb", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={},
        user=user.uid if user else None,
    )
    assert "initdb (PostgreSQL)" in done.stdout, done.stderr


# ---- what cannot be had ----------------------------------------------------------------------------------------------


def test_apts_words_become_errors_of_a_kind() -> None:
    unreachable = "W: Failed to fetch http://m.example/x  Temporary failure resolving 'm.example'"
    assert isinstance(failure(unreachable, "asterisk"), NoNetwork)
    full = "E: Write error - write (28: No space left on device)"
    assert isinstance(failure(full, "asterisk"), NoSpace)
    missing = failure("E: Unable to locate package libttspico-utils", "pico2wave")
    assert isinstance(missing, PackageMissing)
    assert "libttspico-utils" in missing.message
    assert "GPG error" in failure("E: GPG error: not signed", "asterisk").message


def test_no_mirror_is_said_before_anything_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt_root, "machine_sources", list)
    with pytest.raises(NoMirror, match="name no mirror of"):
        own_sources()


def test_another_kind_of_machine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "h", "6", "1", "riscv64")))
    with pytest.raises(UnsupportedMachine, match="riscv64"):
        architecture()


async def test_too_little_space_is_said_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage(tmp_path))(10 * 2**30, 10 * 2**30 - 5 * 2**20, 5 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoSpace, match="5 MB free, and unpacking sipp needs 200 MB"):
        await ensure("sipp", cache=tmp_path)


async def test_an_unreachable_mirror_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a port of loopback on which nobody listens
    source = AptSource(uri="http://127.0.0.1:9/debian", suite="bookworm", components=("main",))
    monkeypatch.setattr(recipes, "own_sources", lambda: [source])
    monkeypatch.setattr(apt_root, "_RETRIES", 0)
    with pytest.raises(NoNetwork, match="package mirror cannot be reached, needed for sipp"):
        await ensure("sipp", cache=tmp_path)
    assert [path.name for path in (tmp_path / "programs").iterdir()] == ["sipp.lock"]


async def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProvisionError, match="RIMAY_CACHE"):
        await ensure("sipp", cache=tmp_path / "file")


# ---- the cache -------------------------------------------------------------------------------------------------------


def test_only_a_whole_bundle_counts(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/ld.so").write_bytes(b"loader")
    (tmp_path / "share").mkdir()
    (tmp_path / "share/hello.gsm").write_bytes(b"sound")
    assert sealed_version(tmp_path) is None, "no marker: torn"
    seal(tmp_path, version="22.1", packages=["a_1_amd64.deb"])
    assert sealed_version(tmp_path) == "22.1"
    (tmp_path / "lib/ld.so").unlink()
    assert sealed_version(tmp_path) is None, "a tidy-up of the cache took a file"
    (tmp_path / MARKER).write_text("{")
    assert sealed_version(tmp_path) is None


@pytest.fixture
def really(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine seems to have none of our programs; those of a minimal system stay."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for directory in (Path("/usr/bin"), Path("/bin")):
        for path in directory.iterdir():
            if path.name not in recipes.RECIPES and not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(provision, "_ALSO_SEARCHED", ())


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("really")
async def test_programs_are_fetched_once_though_two_ask_at_the_same_time(tmp_path: Path) -> None:
    said: list[str] = []
    cache = tmp_path / "cache"
    one, two = await asyncio.gather(
        find_tool("pico2wave", said.append, cache=cache), find_tool("pico2wave", said.append, cache=cache)
    )
    assert one == two
    assert str(one.binary).startswith(str(cache))
    assert sum("fetching its packages" in text for text in said) == 1
    wave = tmp_path / "hello.wav"
    # from a folder of the user's own: the program finds its voices wherever it was unpacked
    done = subprocess.run(
        [one.binary, "-l", "es-ES", "-w", str(wave), "Bienvenido"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert wave.stat().st_size > 10_000
    moved = tmp_path / "moved"
    one.binary.parent.parent.rename(moved)
    again = subprocess.run([moved / "bin/pico2wave", "-l", "es-ES", "-w", str(wave), "x"], check=False)
    assert again.returncode == 0, "the folder may be moved"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("really")
async def test_a_run_killed_in_the_middle_is_made_good(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = (
        "import asyncio, sys; from pathlib import Path; from app.provision import ensure\n"
        "asyncio.run(ensure('sipp', lambda text: print(text, flush=True), cache=Path(sys.argv[1])))"
    )
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(cache), stdout=-1)
    assert victim.stdout is not None
    async with asyncio.timeout(120):
        await victim.stdout.readline()
        await victim.stdout.readline()  # fetched; now it unpacks
    victim.kill()
    await victim.wait()
    tool = await find_tool("sipp", cache=cache)
    done = subprocess.run([tool.binary, "-v"], capture_output=True, text=True, check=False)
    assert "SIPp v3" in done.stdout
    assert not list((cache / "programs").glob(".sipp-*")), "what the killed run left is gone"
