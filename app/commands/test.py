"""`rimay test`: style, types, import contracts, then the tests. The last line is pytest's."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from app.place import CHECKOUT

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
    sys.stdout.flush()
    tests = subprocess.run([sys.executable, "-m", "pytest", *args.rest], cwd=CHECKOUT, env=environment, check=False)
    # a signal's negative code must not be hidden by a smaller positive one
    return max(worst, abs(tests.returncode))


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
