"""The launcher on machines that lack things, in small checkouts with one real wheel, found by pip's own variables."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(Path(sys.executable).resolve())
TOOLS = (  # noqa: SIM905 - a list of words
    "sh dirname readlink cat cut sha256sum grep tail mkdir flock date rm mv mktemp sleep id uname cksum sed sort tr"
).split()
TIMEOUT_S = 120


class Checkout:
    """A copy of the launcher with its own lock, wheel and `app`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        (self.folder / "app").mkdir(parents=True)
        shutil.copy(ROOT / "rimay", self.folder / "rimay")
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        (self.folder / "app/__init__.py").touch()
        (self.folder / "app/__main__.py").write_text("import sys, tiny\nprint('app', tiny.VERSION, *sys.argv[1:])\n")
        self.write_lock("1.0")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RIMAY_PYTHON": PYTHON,
            "RIMAY_INSTALL": "0",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def write_lock(self, version: str, *, digest: str = "") -> None:
        wheel = self.wheels / f"tiny-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            info = f"tiny-{version}.dist-info"
            archive.writestr("tiny.py", f"VERSION = '{version}'\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        text = f"tiny=={version} \\\n    --hash=sha256:{digest}\n"
        (self.folder / "requirements.lock").write_text(text)
        (self.folder / "requirements-test.lock").write_text(text)

    def run(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "rimay"), *args],
            cwd=cwd or self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.folder / "rimay"), "status"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the essential tools of a minimal system and nothing else."""
    folder = tmp_path / "bare-bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


def test_it_is_posix_shell() -> None:
    assert subprocess.run(["sh", "-n", str(ROOT / "rimay")], check=False).returncode == 0


def test_without_python_one_message_says_what_to_install(checkout: Checkout, bare_path: str, tmp_path: Path) -> None:
    (Path(bare_path) / "apt-get").symlink_to("/bin/true")
    done = checkout.run("status", PATH=bare_path, RIMAY_PYTHON="python3")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("lacks") == 1
    assert "apt-get install --yes --no-install-recommends python3 python3-venv" in done.stderr
    assert not checkout.venv.exists()


def test_without_apt_it_names_what_is_missing(checkout: Checkout, bare_path: str) -> None:
    done = checkout.run("status", PATH=bare_path, RIMAY_PYTHON="python3")
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages by itself")
def test_an_installation_that_fails_is_told_with_its_end(checkout: Checkout, bare_path: str) -> None:
    apt = Path(bare_path) / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: the mirror is gone' >&2\nexit 100\n")
    apt.chmod(0o755)
    done = checkout.run("status", PATH=bare_path, RIMAY_PYTHON="python3", RIMAY_INSTALL="1")
    assert done.returncode == 1
    assert "E: the mirror is gone" in done.stderr
    assert "run by hand: apt-get update" in done.stderr


def test_first_run_sets_up_second_goes_straight_to_python(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.run("demo", "--json", "two words")
    assert (first.returncode, first.stdout) == (0, "app 1.0 demo --json two words\n")
    assert "virtual environment created" in first.stderr
    # a folder named `app` where the user stands is not ours
    (tmp_path / "elsewhere/app").mkdir(parents=True)
    (tmp_path / "elsewhere/app/__main__.py").write_text("print('the wrong app')\n")
    times = []
    for _ in range(5):
        began = time.monotonic()
        second = checkout.run("status", cwd=tmp_path / "elsewhere")
        times.append(time.monotonic() - began)
        assert (second.returncode, second.stdout, second.stderr) == (0, "app 1.0 status\n", "")
    assert min(times) < 0.3


def test_a_changed_lock_is_installed_once(checkout: Checkout) -> None:
    assert checkout.run("status").returncode == 0
    checkout.write_lock("2.0")
    changed = checkout.run("status")
    assert changed.stdout == "app 2.0 status\n"
    assert "creating the virtual environment" not in changed.stderr
    assert "libraries installed" in changed.stderr
    assert checkout.run("status").stderr == ""


def test_the_tests_need_more_and_get_it_once(checkout: Checkout) -> None:
    assert "what the tests need installed" in checkout.run("test", "-k", "x").stderr
    again = checkout.run("test", "-k", "x")
    assert (again.stdout, again.stderr) == ("app 1.0 test -k x\n", "")


def test_a_wrong_hash_is_refused_and_nothing_counts_as_done(checkout: Checkout) -> None:
    checkout.write_lock("1.0", digest="0" * 64)
    done = checkout.run("status")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "HASH" in done.stderr.upper()
    assert not (checkout.venv / ".rimay-base").exists()
    checkout.write_lock("1.0")
    assert checkout.run("status").stdout == "app 1.0 status\n"


def test_killed_in_the_middle_the_next_run_recovers(checkout: Checkout) -> None:
    running = checkout.start()
    deadline = time.monotonic() + TIMEOUT_S
    while not (checkout.venv / "bin/python").exists():
        assert time.monotonic() < deadline
        assert running.poll() is None
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert not (checkout.venv / ".rimay-base").exists()
    assert checkout.run("status").stdout == "app 1.0 status\n"
    assert not (checkout.venv / ".rimay-building").exists()


def test_two_at_once_set_up_once(checkout: Checkout) -> None:
    runs = [checkout.start(), checkout.start()]
    outputs = [run.communicate(timeout=TIMEOUT_S) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert [out for out, _ in outputs] == ["app 1.0 status\n"] * 2
    assert sum("creating the virtual environment" in err for _, err in outputs) == 1
    assert sum("another run is setting up" in err for _, err in outputs) == 1


def test_the_locks_name_no_host_and_pin_by_hash() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        blocks = [line for line in text.splitlines() if line and line[0] not in " #"]
        assert all("==" in line and line.endswith("\\") for line in blocks), "each is exact and has hashes"
