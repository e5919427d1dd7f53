"""What is wrong before the first call: told in one clear message, with nothing left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.platform import (
    ENGINE,
    NotUp,
    PlatformProcess,
    processes_of,
    public_folder,
    rimay,
    running_platform,
)
from tests.support.ports import free_port

asterisk_only = pytest.mark.skipif(ENGINE != "asterisk", reason="about an Asterisk of our own")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = public_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _refused(process: PlatformProcess, **how: object) -> str:
    """What it says instead of coming up; it ends with 1 and starts nothing."""
    with pytest.raises(NotUp) as told:
        process.start(**how)  # type: ignore[arg-type]
    text = str(told.value)
    assert not process.runs
    assert process.stop() == 1
    assert "Traceback" not in text
    assert processes_of(process.folder) == {}
    return text.splitlines()[-1] if text.splitlines()[-1].startswith("rimay: ") else text


def test_wrong_settings_are_all_listed(folder: Path) -> None:
    config, var = folder / "rimay.yaml", folder / "v"
    config.write_text('pbx:\n  engine: asterisk\n  sip_prt: 5060\nweb:\n  port: "many"\nqueues:\n  - {title: none}\n')
    done = rimay("up", var=var, config=config)
    assert done.returncode == 1
    assert done.stdout == ""
    for line, key in ((3, "sip_prt"), (5, "port"), (7, "name")):
        assert any(f"{config}:{line}:" in text and key in text for text in done.stderr.splitlines()), done.stderr
    assert "Traceback" not in done.stderr
    assert not (var / "servers").exists()
    assert processes_of(folder) == {}


def test_a_web_port_in_use_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = PlatformProcess(web__port=port)
        try:
            told = _refused(process)
        finally:
            process.close()
    assert f"port {port} (web)" in told
    assert "web.port" in told
    assert str(os.getpid()) in told


def test_a_sip_port_in_use_names_its_holder() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        process = PlatformProcess(pbx__sip_port=port)
        try:
            told = _refused(process)
        finally:
            process.close()
    assert f"port {port} (sip)" in told
    assert "pbx.sip_port" in told
    assert str(os.getpid()) in told


def _programs(folder: Path) -> Path:
    """A PATH with what the platform needs besides a switch, and nothing that could fetch one."""
    path = folder / "bin"
    path.mkdir()
    redis = shutil.which("redis-server")
    if redis:
        (path / "redis-server").symlink_to(redis)
    speech = path / "pico2wave"
    speech.write_text("#!/bin/sh\nexit 1\n")
    speech.chmod(0o755)
    return path


@asterisk_only
def test_a_missing_switch() -> None:
    process = PlatformProcess()
    try:
        path = _programs(process.folder)
        environment = {"PATH": str(path), "RIMAY_CACHE": str(process.folder / "cache"), "RIMAY_ASTERISK": "embedded"}
        told = _refused(process, env=environment)
    finally:
        process.close()
    assert "asterisk was not found" in told
    assert "install" in told


@asterisk_only
def test_a_switch_that_is_too_old() -> None:
    process = PlatformProcess()
    try:
        path = _programs(process.folder)
        old = path / "asterisk"
        old.write_text("#!/bin/sh\necho 'Asterisk 18.10.0~dfsg+~cs6.10.40431411-2'\n")
        old.chmod(0o755)
        told = _refused(process, env={"PATH": f"{path}:{os.environ['PATH']}", "RIMAY_ASTERISK": ""})
    finally:
        process.close()
    assert f"{old} is Asterisk 18.10" in told
    assert "20" in told


# --- what starts, and how it ends --------------------


def test_ctrl_c_leaves_nothing_and_the_second_start_is_quick() -> None:
    with running_platform() as process:
        assert len(processes_of(process.folder)) >= 4  # the daemon, the switch, PostgreSQL, Redis
        assert process.stop(signal.SIGINT, twice=False) == 0
        assert processes_of(process.folder) == {}
        assert process.start() < 15  # about one second on an idle machine
        assert process.stop(signal.SIGTERM, twice=False) == 0
        assert processes_of(process.folder) == {}


def test_down_stops_what_a_killed_run_left() -> None:
    with running_platform() as process:
        process.kill()
        left = processes_of(process.folder)
        assert {process.server_pid(name) for name in (ENGINE, "postgres", "redis")} <= set(left)
        status = rimay("status", "--json", var=process.var)
        assert status.returncode == 3
        assert json.loads(status.stdout)["running"] is False
        done = rimay("down", var=process.var)
        assert done.returncode == 0
        assert all(name in done.stdout for name in (ENGINE, "postgres", "redis"))
        assert processes_of(process.folder) == {}
        again = rimay("down", var=process.var)
        assert (again.returncode, "nothing was running" in again.stdout) == (0, True)


def test_down_stops_a_run_that_lives() -> None:
    with running_platform() as process:
        assert rimay("down", var=process.var).returncode == 0
        assert not process.runs
        assert process.stop() == 0
        assert processes_of(process.folder) == {}


def test_two_side_by_side_and_not_two_in_one_place() -> None:
    with running_platform() as one, running_platform() as two:
        assert one.url != two.url
        assert one.sip_port != two.sip_port
        assert not set(one.ports().values()) & set(two.ports().values())
        third = rimay("up", var=one.var, config=one.config)
        assert third.returncode == 1
        assert f"process {one.pid} already runs the platform in {one.var}" in third.stderr
        assert one.stop(twice=False) == 0
        assert processes_of(one.folder) == {}
        assert two.runs
        status = rimay("status", "--json", var=two.var)
        assert (status.returncode, json.loads(status.stdout)["pid"]) == (0, two.pid)


def test_a_port_given_on_the_command_line(folder: Path) -> None:
    """`up --port` is where the pages are."""
    process, port = PlatformProcess(folder), free_port()
    process.configure(web__port=free_port())
    command = process.command("up", "--port", str(port))
    with process.log.open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        up = process.wait_until_up(started)
        assert up["url"].endswith(f":{port}")
    finally:
        started.send_signal(signal.SIGINT)
        assert started.wait(60) == 0
        process.close()
