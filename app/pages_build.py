# a look at a file is quicker than a thread for it
"""The pages made from their sources: `npm ci` and `npm run build` in softphone_web/pages, when the sources changed.

What is made stands in `build/pages` of the checkout, or in the cache when the checkout is closed to us, beside
`pages.json`: the hash of the sources that it was made from. It is put there whole, or not at all, so that a page is
never served half. What stands there is used without Node and without a network as long as the sources are the same."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.apt_root import ProvisionError, run
from app.node import Node, failure, find_node
from app.place import CHECKOUT, cache_folder
from app.provision import Progress, locked, silent
from foundation.errors import RimayError

SOURCES = CHECKOUT / "softphone_web/pages"
# Of ours for npm's scripts: where the build goes. vite.config.ts reads it.
OUT = "RIMAY_PAGES_OUT"
NEVER = "RIMAY_PAGES_BUILD"  # 0: what stands there is used, nothing is made
_CI_TIMEOUT_S = 900.0
_BUILD_TIMEOUT_S = 600.0
_LOCKS = ("package.json", "package-lock.json", ".npmrc")


class PagesNotBuilt(ProvisionError):
    """There are no pages, or only those of other sources; the text says why, and what to do."""

    code = "pages.not_built"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPages:
    """`folder` is None when there are none; `missing` then says why."""

    folder: Path | None = None
    missing: str = ""


async def pages_or_reason(progress: Progress = silent) -> BuiltPages:
    """For a platform that works without its pages, too: calls do not wait for a registry."""
    try:
        return BuiltPages(folder=await build_pages(progress))
    except RimayError as exc:
        progress(f"the pages are missing, all else runs: {exc.message}")
        return BuiltPages(missing=exc.message.splitlines()[0])


async def build_pages(progress: Progress = silent, *, sources: Path = SOURCES, home: Path | None = None) -> Path:
    """The folder of the built pages, made now when its sources are others than those it was made from."""
    if not (sources / "package.json").is_file():
        raise PagesNotBuilt(f"{sources} holds no package.json: this is not a whole checkout")
    wanted = await asyncio.to_thread(hash_of, sources)
    home = home or _home()
    if _made_from(home) == wanted:
        return home / "pages"
    if os.environ.get(NEVER) == "0":
        if _made_from(home):
            return home / "pages"
        raise PagesNotBuilt(f"the pages were never built in {home}, and {NEVER}=0 forbids it now")
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "pages.lock").open("a")
    except OSError as exc:
        raise PagesNotBuilt(f"{home} cannot be written: {exc.strerror}; name another cache: RIMAY_CACHE") from exc
    with lock:
        await locked(lock.fileno(), "pages", progress)
        if _made_from(home) != wanted:  # another run may just have made it
            await _build(sources, home, wanted, progress)
    return home / "pages"


async def prepared(sources: Path, node: Node, progress: Progress = silent) -> None:
    """`npm ci`, unless what is installed is what the lock file says. The caller holds the lock."""
    marker = sources / "node_modules/.rimay"
    wanted = hashlib.sha256(b"".join((sources / name).read_bytes() for name in _LOCKS if (sources / name).is_file()))
    if marker.is_file() and marker.read_text() == wanted.hexdigest():
        return
    began = time.monotonic()
    progress("pages: installing what they are made with (npm ci)")
    # No package's own scripts: none of ours needs them, and they would run with the rights of whoever starts us.
    words = ("ci", "--ignore-scripts", "--no-progress")
    await _npm(node, sources, words, "installing the pages' libraries (npm ci)", _CI_TIMEOUT_S)
    marker.parent.mkdir(exist_ok=True)  # a package without any library
    marker.write_text(wanted.hexdigest())
    progress(f"pages: libraries installed ({time.monotonic() - began:.0f} s)")


async def _build(sources: Path, home: Path, wanted: str, progress: Progress) -> None:
    node = await find_node(progress)
    place = sources if os.access(sources, os.W_OK) else await asyncio.to_thread(_copied, sources, home)
    await prepared(place, node, progress)
    began = time.monotonic()
    progress("pages: building")
    new = home / ".pages-new"
    shutil.rmtree(new, ignore_errors=True)
    await _npm(node, place, ("run", "build"), "building the pages (npm run build)", _BUILD_TIMEOUT_S, {OUT: str(new)})
    if not any(new.glob("*.html")):
        raise PagesNotBuilt(f"npm run build in {place} left no page in {new}")
    _swap(new, home)
    (home / "pages.json.new").write_text(json.dumps({"sources": wanted, "node": node.version}) + "\n")
    (home / "pages.json.new").rename(home / "pages.json")
    progress(f"pages: built ({time.monotonic() - began:.0f} s)")


async def _npm(
    node: Node,
    place: Path,
    words: tuple[str, ...],
    what: str,
    timeout_s: float,
    more: dict[str, str] | None = None,
) -> None:
    argv = node.npm_argv("--prefix", str(place), *words)
    code, output = await run(argv, env={**node.environment(), **(more or {})}, timeout_s=timeout_s)
    if code:
        raise failure(output, what)


def _swap(new: Path, home: Path) -> None:
    """Into place; a torn swap leaves no marker of the old build that would call the new folder whole."""
    (home / "pages.json").unlink(missing_ok=True)
    old = home / ".pages-old"
    shutil.rmtree(old, ignore_errors=True)
    if (home / "pages").exists():
        (home / "pages").rename(old)
    new.rename(home / "pages")
    shutil.rmtree(old, ignore_errors=True)


def _copied(sources: Path, home: Path) -> Path:
    """The sources where we may write: npm installs beside them."""
    place = home / "pages-sources"
    for path in place.glob("*") if place.is_dir() else ():
        if path.name != "node_modules":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(sources, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    return place


def _home() -> Path:
    """`build` of the checkout, unless it is closed to us."""
    inside = CHECKOUT / "build"
    if os.access(inside if inside.exists() else CHECKOUT, os.W_OK) or _made_from(inside):
        return inside
    return cache_folder() / f"build-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:10]}"


def _made_from(home: Path) -> str | None:
    """The hash of the sources of what stands there; None when nothing whole does."""
    try:
        told = json.loads((home / "pages.json").read_text())["sources"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(told) if any((home / "pages").glob("*.html")) else None


def hash_of(sources: Path) -> str:
    """Of every file's name and content, but for what npm and editors put there."""
    total = hashlib.sha256()
    for path in _files(sources):
        total.update(f"{path.relative_to(sources)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in {"node_modules", "dist"} or path.suffix == ".tsbuildinfo":
            continue
        if path.is_dir():
            yield from _files(path)
        elif not path.name.startswith(".") or path.name == ".npmrc":
            yield path
