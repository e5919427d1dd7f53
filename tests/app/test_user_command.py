"""`rimay user`, as a process beside a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.folders import open_folder

__all__ = ["open_folder"]

ROOT = Path(__file__).resolve().parents[2]


def test_the_life_of_an_account(open_folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"RIMAY_VAR", "RIMAY_CONFIG"}}

    def rimay(*args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "app", "--var", str(open_folder / "v"), *args],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    added = rimay("user", "add", "iris", "--role", "admin", "--name", "Iris Vega")
    assert added.returncode == 0, added.stderr
    password = added.stdout.strip()
    assert len(password) == 19  # it and nothing else
    assert password not in added.stderr
    assert rimay("user", "add", "iris").returncode == 1
    weak = rimay("user", "password", "iris", "--ask-password", typed="corta\n")
    assert weak.returncode == 1
    assert "at least 12" in weak.stderr
    assert "Traceback" not in weak.stderr
    set_by_hand = rimay("user", "password", "iris", "--ask-password", typed="una frase bien larga\n")
    assert (set_by_hand.returncode, set_by_hand.stdout) == (0, "")
    unlocked = rimay("user", "unlock", "iris")
    assert (unlocked.returncode, unlocked.stderr.strip()) == (0, "rimay: iris had no refused attempts")
    assert rimay("user", "disable", "iris").returncode == 0
    assert rimay("user", "list").stdout.split() == ["iris", "admin", "Iris", "Vega", "disabled"]
    nobody = rimay("user", "disable", "nadie")
    assert (nobody.returncode, nobody.stderr.strip()) == (1, "rimay: there is no user 'nadie'")

    verified = rimay("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    head = verified.stdout.strip()
    assert head.partition(":")[0] == "3"  # added, password, disabled; what was refused left nothing
    assert rimay("audit", "verify", "--expect", head).returncode == 0
    forged = rimay("audit", "verify", "--expect", head[:-1] + ("0" if head[-1] != "0" else "1"))
    assert (forged.returncode, forged.stdout) == (1, "")
    assert "written anew" in forged.stderr
    assert rimay("audit", "verify", "--expect", "x").returncode == 1
    assert json.loads(rimay("status", "--json").stdout)["running"] is False
