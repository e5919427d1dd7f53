"""The command itself, as a process: what stands on stdout, exit codes, speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.folders import open_folder

__all__ = ["open_folder"]

ROOT = Path(__file__).resolve().parents[2]


def rimay(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"RIMAY_VAR", "RIMAY_CONFIG"}}
    return subprocess.run(
        [sys.executable, "-P", "-m", "app", *args],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_status_of_nothing(open_folder: Path) -> None:
    done = rimay("status", "--json", "--var", str(open_folder / "var"))
    assert done.returncode == 3
    facts = json.loads(done.stdout)
    assert (facts["running"], facts["servers"], facts["var"]) == (False, [], str(open_folder / "var"))


def test_var_may_stand_before_or_after_the_command(open_folder: Path) -> None:
    before = rimay("--var", str(open_folder / "v"), "status", "--json")
    after = rimay("status", "--json", "--var", str(open_folder / "v"))
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_every_mistake_of_the_settings_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("pbx:\n  sip_port: 70000\n  colour: red\nweb:\n  port: many\n")
    done = rimay("check-config", str(file))
    assert done.returncode == 1
    assert done.stdout == ""
    for line in (2, 3, 5):
        assert f"{file}:{line}:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_settings_that_come_with_it_are_right() -> None:
    assert rimay("check-config").returncode == 0
    assert rimay("check-config", "config/demo.yaml").returncode == 0


def test_a_missing_file_is_said() -> None:
    done = rimay("check-config", "/nowhere.yaml")
    assert done.returncode == 1
    assert "/nowhere.yaml" in done.stderr


def test_an_unknown_role_is_refused_before_anything_starts(open_folder: Path) -> None:
    done = rimay("token", "--role", "king", "--var", str(open_folder / "var"))
    assert done.returncode == 1
    assert "agent, supervisor, manager, admin, service" in done.stderr
    assert not (open_folder / "var").exists()


def test_a_token_is_alone_on_stdout_and_nothing_stays_up(open_folder: Path) -> None:
    var = str(open_folder / "var")
    done = rimay("token", "--role", "admin", "--name", "test", "--var", var)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rimay_")
    assert done.stdout.count("\n") == 1
    assert done.stdout.strip() not in done.stderr
    assert rimay("status", "--var", var).returncode == 3
    assert rimay("down", "--var", var).stdout == f"nothing was running in {var}\n"
    again = rimay("db", "upgrade", "--var", var)
    assert (again.returncode, again.stdout) == (0, "the database is up to date\n")


def test_down_stops_what_a_killed_run_left(open_folder: Path) -> None:
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom app.place import Place\n"
        "from app.servers import stores\nfrom app.settings import Settings\nfrom foundation.servers import Servers\n"
        "async def main():\n    place = Place.open(Path(sys.argv[1]))\n    with place.hold():\n"
        "        found = await stores(Settings(), place)\n        async with Servers(user=place.user) as servers:\n"
        "            await servers.start(*found.specs)\n            print('up', flush=True)\n"
        "            await asyncio.Event().wait()\nasyncio.run(main())"
    )
    var = str(open_folder / "var")
    daemon = subprocess.Popen([sys.executable, "-c", code, var], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert daemon.stdout is not None
    assert any(line == "up\n" for line in iter(daemon.stdout.readline, ""))
    running = json.loads(rimay("status", "--json", "--var", var).stdout)
    assert running["running"]
    assert {server["name"] for server in running["servers"] if server["running"]} == {"postgres", "redis"}
    daemon.kill()
    daemon.communicate()
    stopped = rimay("down", "--var", var).stdout.strip().removeprefix("stopped: ")
    assert sorted(stopped.split(", ")) == ["postgres", "redis"]
    assert json.loads(rimay("status", "--json", "--var", var).stdout)["servers"] == []


def test_a_wrong_word_is_answered_at_once() -> None:
    times = []
    for _ in range(3):
        began = time.monotonic()
        done = rimay("dmo")
        times.append(time.monotonic() - began)
        assert done.returncode == 2
        assert "demo" in done.stderr
    assert min(times) < 0.5


def test_an_unknown_measurement_is_refused() -> None:
    done = rimay("bench", "no-such-measurement")
    assert done.returncode == 1
    assert "no-such-measurement" in done.stderr
