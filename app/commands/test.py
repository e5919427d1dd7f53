"""`rimay test`: style, types, import contracts, the pages' own checks, then the tests. The last line is pytest's."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from app.apt_root import NoNetwork
from app.node import find_node
from app.pages_build import SOURCES, build_pages, prepared
from app.place import CHECKOUT
from foundation.errors import RimayError

_CHECKS = {
    "style": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
}


def run(args: argparse.Namespace) -> int:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    worst = 0
    for name, (program, *options) in _CHECKS.items():
        worst = max(worst, _check(name, [str(programs / program), *options], environment))
    worst = max(worst, _check_pages())
    sys.stdout.flush()
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *_workers(args.rest), *args.rest], cwd=CHECKOUT, env=environment, check=False
    )
    # a signal's negative code must not be hidden by a smaller positive one
    return max(worst, abs(tests.returncode))


def _workers(words: list[str]) -> list[str]:
    """Several at once, when all tests are run; `-n 0` is one after the other, as are the files that somebody names."""
    if any((CHECKOUT / word.partition("::")[0]).exists() for word in words if not word.startswith("-")):
        return []
    return ["-n", "auto", "--dist", "loadscope", "--no-loadscope-reorder"]


def _check_pages() -> int:
    """Built, typed, linted, and their own tests. Without a registry they are named as skipped: calls need no pages."""
    if not (SOURCES / "package.json").is_file():
        print("pages: skipped, this checkout holds none", flush=True)
        return 0
    began = time.monotonic()
    try:
        asyncio.run(build_pages())
        node = asyncio.run(find_node())
        if not (SOURCES / "node_modules").is_dir():  # the build of another day was current
            asyncio.run(prepared(SOURCES, node))
    except NoNetwork as exc:
        print(f"pages: skipped, {exc.message}", flush=True)
        return 0
    except RimayError as exc:
        print(f"pages: FAILED\n{exc.message}", flush=True)
        return 1
    print(f"pages build: ok ({time.monotonic() - began:.1f} s)", flush=True)
    words = {"pages check": ("run", "check"), "pages test": ("run", "test")}
    runs = [
        _check(name, node.npm_argv("--prefix", str(SOURCES), *script), node.environment())
        for name, script in words.items()
    ]
    return max(runs)


def _check(name: str, argv: list[str], environment: dict[str, str]) -> int:
    """One line when all is well, the whole output when not."""
    began = time.monotonic()
    try:
        done = subprocess.run(argv, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        print(f"{name}: {argv[0]} is missing; run this by ./rimay test", flush=True)
        return 1
    took = time.monotonic() - began
    if done.returncode:
        print(f"{name}: FAILED ({took:.1f} s)\n{done.stdout}{done.stderr}", flush=True)
    else:
        print(f"{name}: ok ({took:.1f} s)", flush=True)
    return abs(done.returncode)
