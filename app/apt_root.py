"""A private apt root: the machine's own apt downloads packages into a folder of ours, without root; the host's
package lists and status are neither read nor changed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from app import apt_sources
from app.apt_sources import AptSource
from foundation.errors import RimayError, Unavailable

_APT_TIMEOUT_S = 900.0
_RETRIES = 4  # apt waits longer before each
ARCHITECTURES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_NO_NETWORK = re.compile(
    r"Could not resolve|Temporary failure resolving|Could not connect|Connection (?:failed|refused|timed out)"
    r"|Network is unreachable|Unable to connect",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(r"No space left on device|don't have enough free space", re.IGNORECASE)
_NOT_THERE = re.compile(r"Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate")


class ProvisionError(RimayError):
    """A program that we need could not be had."""

    code = "provision.failed"


class NoMirror(ProvisionError):
    code = "provision.no_mirror"
    is_permanent = True


class NoNetwork(Unavailable, ProvisionError):
    code = "provision.no_network"


class NoSpace(ProvisionError):
    code = "provision.no_space"


class PackageMissing(ProvisionError):
    code = "provision.package_missing"
    is_permanent = True


class UnsupportedMachine(ProvisionError):
    code = "provision.unsupported_machine"
    is_permanent = True


def machine_sources(etc: Path = Path("/etc/apt")) -> list[AptSource]:
    """All sources of this machine, in apt's own order of files."""
    found: list[AptSource] = []
    parts = etc / "sources.list.d"
    files = [etc / "sources.list", *(sorted(parts.iterdir()) if parts.is_dir() else [])]
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        if file.suffix == ".list":
            found += apt_sources.parse_list(text)
        elif file.suffix == ".sources":
            found += apt_sources.parse_deb822(text)
    return found


def release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    try:
        return apt_sources.parse_os_release(path.read_text())
    except OSError:
        return {}


def architecture() -> str:
    """Debian's name of this machine's kind."""
    machine = os.uname().machine
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    if machine not in names:
        raise UnsupportedMachine(
            f"programs can be unpacked on x86-64 and aarch64 only, and this machine is {machine}: install them with "
            "the system's package manager"
        )
    return names[machine]


def own_sources() -> list[AptSource]:
    """This machine's distribution as its apt knows it, or an error that says what is missing."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnsupportedMachine("no apt-get on this machine: install the programs with its package manager")
    facts = release()
    codename = facts.get("VERSION_CODENAME", "")
    aliases = ("stable",) if facts.get("ID") == "debian" else ()
    sources = apt_sources.distribution_sources(machine_sources(), codename, aliases)
    if apt_sources.base_source(sources) is None:
        raise NoMirror(
            f"the apt sources of this machine (/etc/apt/sources.list, sources.list.d) name no mirror of "
            f"{facts.get('PRETTY_NAME', 'its distribution')} ({codename or 'no codename'}, component main)"
        )
    return sources


async def run(argv: Sequence[str], *, env: dict[str, str] | None = None, timeout_s: float = 120.0) -> tuple[int, str]:
    """Exit code and both outputs; killed with its children at the timeout or when cancelled."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, _ = await process.communicate()
    except TimeoutError:
        return 124, f"{argv[0]} did not end in {timeout_s:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")


def failure(output: str, what: str) -> ProvisionError:
    """apt's own words, made an error of a kind."""
    lines = [line for line in output.splitlines() if line.startswith(("E:", "Err:", "W: Failed"))]
    told = "\n".join(lines[-6:] or output.splitlines()[-6:])
    if _NO_SPACE.search(output):
        return NoSpace(f"no space left while fetching {what}:\n{told}")
    if match := _NOT_THERE.search(output):
        return PackageMissing(f"the mirror has no package {match[1] or match[2]}, needed for {what}")
    if _NO_NETWORK.search(output):
        return NoNetwork(f"the package mirror cannot be reached, needed for {what}:\n{told}")
    return ProvisionError(f"fetching {what} failed:\n{told}")


class AptRoot:
    """A folder with its own lists, status and archive, for given sources."""

    def __init__(self, folder: Path, sources: Sequence[AptSource]) -> None:
        self._folder = folder
        self._sources = sources
        self._architecture = architecture()

    async def update(self, what: str) -> None:
        """Write the configuration and read the mirror's lists."""
        for part in ("etc", "etc/trusted", "state/lists/partial", "cache/archives/partial"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        stanzas = "\n".join(source.render(self._architecture) for source in self._sources)
        (self._folder / "etc/rimay.sources").write_text(stanzas)
        (self._folder / "apt.conf").write_text(self._configuration() + await _connection_settings())
        code, output = await self._apt("update")
        # apt reports an unreachable mirror as a warning, and goes on with lists that it does not have
        if code or "Failed to fetch" in output:
            raise failure(output, what)

    async def download(self, packages: Sequence[str], what: str) -> list[Path]:
        """These packages and all they depend on."""
        code, output = await self._apt("--download-only", "--yes", "install", *packages)
        if code:
            raise failure(output, what)
        return sorted((self._folder / "cache/archives").glob("*.deb"))

    async def _apt(self, *args: str) -> tuple[int, str]:
        env = {
            **os.environ,
            "APT_CONFIG": str(self._folder / "apt.conf"),
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        return await run(["apt-get", "--quiet", "--no-install-recommends", *args], env=env, timeout_s=_APT_TIMEOUT_S)

    def _configuration(self) -> str:
        f = self._folder
        return f"""\
APT::Architecture "{self._architecture}"; APT::Architectures {{ "{self._architecture}"; }};
APT::Install-Recommends "false"; APT::Install-Suggests "false"; APT::Sandbox::User "";
Dir::State "{f}/state"; Dir::State::status "{f}/status"; Dir::State::lists "{f}/state/lists";
Dir::Cache "{f}/cache"; Dir::Cache::archives "{f}/cache/archives"; Dir::Log "{f}/log";
Dir::Etc::parts "{f}/none"; Dir::Etc::main "{f}/none.conf"; Dir::Etc::preferencesparts "{f}/none";
Dir::Etc::preferences "{f}/none.pref";
Dir::Etc::sourcelist "{f}/none.list"; Dir::Etc::sourceparts "{f}/etc";
Dir::Etc::trusted "/etc/apt/trusted.gpg"; Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
Dir::Etc::netrc "/etc/apt/auth.conf"; Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Acquire::Languages "none"; Acquire::Retries "{_RETRIES}"; Acquire::http::Timeout "30"; Acquire::https::Timeout "30";
Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false"; Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
"""


async def _connection_settings() -> str:
    """Proxies and certificates that the machine's own apt is configured with; none of its hooks."""
    code, output = await run(["apt-config", "dump"])
    if code:
        return ""
    wanted = re.compile(r"^Acquire::(?:http|https|Proxy[\w-]*)(?:::\S*)? \"[^\"]+\";$")
    return "".join(f"{line}\n" for line in output.splitlines() if wanted.match(line) and "Timeout" not in line)
