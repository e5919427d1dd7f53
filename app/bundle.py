"""Unpacked packages made a relocatable program: its files, its libraries, its own loader, and a small starter.

The loader and C library come with it, so that a program of a newer suite runs on an older machine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.apt_root import ARCHITECTURES, NoSpace, ProvisionError, architecture, run

LAYOUT = 3  # of what we put together; an older one in the cache is made anew
MARKER = "COMPLETE.json"  # written last; a folder without it is a torn one
# Needed by the packages' scripts, never by the programs: not even unpacked.
_SKIPPED = re.compile(
    r"^(perl|libperl|gnupg|gpg|dirmngr|pinentry|passwd_|adduser_|login|debconf|pci\.ids|libc-bin|dpkg_|init-system|"
    r"lsb-base|systemd|dbus|mount_|sensible-utils|python3|libpython3|udev|ucf_)"
)
# Not `dpkg-deb --extract`: that of Debian 12 replaces our links to /usr by folders. A failure of the first command is
# one of the second too, which then gets no whole archive.
_UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar -C "$2" -x --no-same-owner --keep-directory-symlink'
_LISTED = re.compile(r"=> (/\S+)")
_ABSENT = re.compile(r"(\S+) => not found|error while loading shared libraries: (\S+): cannot open")
_PRIVATE = ("*/*.so.[0-9]*", "*/lib*-[0-9]*.so")


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder in which packages were unpacked."""

    root: Path

    @property
    def libraries(self) -> Path:
        return self.root / "usr/lib" / ARCHITECTURES[architecture()]

    @property
    def loader(self) -> Path:
        for found in sorted(self.libraries.glob("ld-linux*.so.*")):
            return found
        raise ProvisionError("the packages hold no loader: libc6 is missing")

    @property
    def search_path(self) -> str:
        folders = [self.libraries]
        for parent in (self.libraries, self.root / "usr/lib"):  # private folders: libpsl, pulseaudio, asterisk
            found = {path.parent for pattern in _PRIVATE for path in parent.glob(pattern)}
            folders += sorted(found - set(folders))
        return ":".join(map(str, folders))

    async def unpack(self, packages: Sequence[Path]) -> None:
        wanted = [package for package in packages if not _SKIPPED.match(package.name)]
        for name in ("bin", "sbin", "lib", "lib64"):  # one layout for suites from before and after the merge into /usr
            (self.root / "usr" / name).mkdir(parents=True)
            (self.root / name).symlink_to(f"usr/{name}")
        for package in wanted:
            code, output = await run(["sh", "-c", _UNPACK, "unpack", str(package), str(self.root)])
            if code and "No space left" in output:
                raise NoSpace(f"no space left in {self.root.parent} to unpack {package.name}")
            if code:
                raise ProvisionError(f"{package.name} could not be unpacked: {output.strip()[-300:]}")

    async def needs(self, binary: Path) -> tuple[set[Path], list[str]]:
        """The libraries in the tree that a program or module loads, and the names of those that are nowhere."""
        argv = [str(self.loader), "--inhibit-cache", "--library-path", self.search_path, "--list", str(binary)]
        _, output = await run(argv)
        found = {Path(match) for match in _LISTED.findall(output) if match.startswith(str(self.root))}
        return found, [listed or told for listed, told in _ABSENT.findall(output)]

    async def closure(self, binaries: Iterable[Path]) -> tuple[set[Path], dict[Path, list[str]]]:
        """All libraries of these, and which of them lack what."""
        limit = asyncio.Semaphore(os.cpu_count() or 2)

        async def one(binary: Path) -> tuple[Path, set[Path], list[str]]:
            async with limit:
                return binary, *await self.needs(binary)

        results = await asyncio.gather(*(one(binary) for binary in binaries))
        lacking = {binary: missing for binary, _, missing in results if missing}
        return set().union(*(found for binary, found, _ in results if binary not in lacking)), lacking


def copy_libraries(tree: Tree, libraries: Iterable[Path], lib: Path) -> None:
    lib.mkdir(parents=True, exist_ok=True)
    for library in sorted(libraries):
        shutil.copy2(library, lib / library.name)  # follows the link: the name that is asked for, the real content
    shutil.copy2(tree.loader, lib / "ld.so")
    (lib / "ld.so").chmod(0o755)


def write_starter(prefix: Path, name: str, binary: Path, environment: dict[str, str], before: str = "") -> Path:
    """A shell script that runs the program with its own loader; `$P` is the program's folder, wherever it stands."""
    bin_folder = prefix / "bin"
    bin_folder.mkdir(exist_ok=True)
    exports = " ".join(f'{key}="{value}"' for key, value in environment.items())
    starter = bin_folder / name
    starter.write_text(
        "#!/bin/sh\n"
        'P=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
        + (f"export {exports}\n" if exports else "")
        + before
        + f'exec "$P/lib/ld.so" --inhibit-cache --library-path "$P/lib" --argv0 {shlex.quote(name)} '
        f'"$P/{binary.relative_to(prefix)}" "$@"\n'
    )
    starter.chmod(0o755)
    return starter


# ---- complete or not -------------------------------------------------------------------------------------------------


def _sizes(prefix: Path) -> dict[str, int]:
    """Of what the program cannot do without: everything outside share/, in which there are thousands of sounds."""
    files = (path for path in prefix.rglob("*") if "share" not in path.relative_to(prefix).parts and path.is_file())
    return {str(path.relative_to(prefix)): path.stat().st_size for path in files}


def seal(prefix: Path, *, version: str, packages: Sequence[str]) -> None:
    facts = {"layout": LAYOUT, "version": version, "packages": sorted(packages), "files": _sizes(prefix)}
    (prefix / MARKER).write_text(json.dumps(facts, indent=1) + "\n")


def sealed_version(prefix: Path) -> str | None:
    """The version of a whole bundle; None when it is not there, torn, or something was taken out of it."""
    try:
        facts = json.loads((prefix / MARKER).read_text())
        whole = facts["layout"] == LAYOUT and all(
            (prefix / name).stat().st_size == size for name, size in facts["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(facts["version"]) if whole else None
