"""`rimay demo --once --json` as a newcomer or a script runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from app.place import CHECKOUT
from tests.support.platform import ENGINE, processes_of, public_folder

DEMO_S = 150.0
FIELDS = {"ok", "engine", "interaction_id", "setup_ms", "talk_s", "timeline", "recording", "api", "logins"}


@pytest.fixture
def folder() -> Iterator[Path]:
    made = public_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _demo(folder: Path, *, program: tuple[str, ...] = ("-m", "app"), config: Path | None = None) -> Any:
    named = ["--config", str(config)] if config else []
    return subprocess.run(
        [sys.executable, *program, "--var", str(folder / "v"), *named, "demo", "--once", "--json"],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEMO_S,
    )


def _settings(folder: Path, **more: object) -> Path:
    """The demo's own, with the engine of these tests."""
    config = folder / "demo.yaml"
    settings = {
        "pbx": {"engine": ENGINE, "rtp_count": 100},
        "queues": [{"name": "contact-center", "offer_s": 20, "wrap_up_s": 1}],
        "recording": {"min_free_mb": 1},
        "logs": {"level": "warning"},
    }
    config.write_text(json.dumps(settings | more))
    return config


def test_one_object_with_the_facts(folder: Path) -> None:
    done = _demo(folder, config=_settings(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)  # one object, and nothing else
    assert set(report) >= FIELDS
    assert report["ok"] is True
    assert report["engine"] == ENGINE
    assert report["api"].startswith("http://127.0.0.1:")
    assert 0 < report["setup_ms"] < 5000
    assert 3 < report["talk_s"] < 10
    times = [step["at"] for step in report["timeline"]]
    names = [step["event"] for step in report["timeline"]]
    assert times == sorted(times)
    story = ["started", "answered", "queued", "offered", "connected", "disconnected", "ended", "closed"]
    rest = iter(names)
    assert all(step in rest for step in story), names
    recording = report["recording"]
    assert set(recording) >= {"path", "channels", "seconds", "left_hz", "right_hz"}
    kept = soundfile.info(recording["path"])
    assert (kept.channels, recording["channels"]) == (2, 2)
    assert abs(kept.duration - recording["seconds"]) < 0.1
    assert abs(recording["seconds"] - report["talk_s"]) < 0.7
    assert abs(recording["left_hz"] - 440) < 5
    assert abs(recording["right_hz"] - 620) < 5
    assert processes_of(folder) == {}


def test_it_is_not_ok_when_the_agent_does_not_answer(folder: Path) -> None:
    """The same program with an agent who lets it ring: not 0, and the object says what could not be verified."""
    script = folder / "silent_agent.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "import app.demo\nfrom pbx.sip.agent import SipPhone\n"
        "class Silent(SipPhone):\n"
        "    def __setattr__(self, name, value):\n"
        "        super().__setattr__(name, False if name == 'auto_answer' else value)\n"
        "app.demo.SipPhone = Silent\napp.demo.STEP_S = 8.0\n"
        "from app.cli import main\nsys.exit(main())\n"
    )
    config = _settings(folder, queues=[{"name": "contact-center", "offer_s": 2, "wrap_up_s": 1}])
    done = _demo(folder, program=(str(script),), config=config)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert set(report) >= FIELDS
    assert "connected" not in [step["event"] for step in report["timeline"]]
    assert any("connected" in check["detail"] for check in report["checks"] if not check["ok"])
    assert processes_of(folder) == {}


def test_it_says_what_it_lacks_and_nothing_on_stdout(folder: Path) -> None:
    config = folder / "demo.yaml"
    config.write_text("pbx:\n  engin: asterisk\n")
    done = _demo(folder, config=config)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{config}:2:" in done.stderr
    assert "Traceback" not in done.stderr
