"""The whole platform as operators run it: a process of its own, in a `var` folder of its own, to be hurt at will.

`PlatformProcess` starts, kills and stops it, and knows the processes that live in its folder; what is said to it goes
by its HTTP API and by SIP (`tests.support.stage`). Its methods block: call them by `asyncio.to_thread` in a test."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.place import CHECKOUT
from foundation.pid_files import MARKER, read_pid
from tests.support.ports import ports_of

ENGINE = os.environ.get("RIMAY_TEST_ENGINE", "asterisk")
GATEWAY_HOST = "127.0.0.2"
PHONE_PASSWORD = "only-for-tests"
QUEUE = "contact-center"
AGENTS = {"ana": "1001", "luis": "1002"}
# A cold start makes a database and speaks the prompts; a machine under load takes its time.
START_S = 90.0
STOP_S = 60.0
_LOOK_EVERY_S = 0.02


def public_folder() -> Path:
    """Short, and open to the user that the servers run as; pytest's own folders are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="rimay-acc-"))
    folder.chmod(0o755)
    return folder


def settings_of(folder: Path, gateway_port: int, **changes: Any) -> dict[str, Any]:
    """Settings of a small platform: a trunk, two phones, two agents. `changes` are by dotted name, dots as `__`."""
    password = folder / "phone-password"
    password.write_text(PHONE_PASSWORD + "\n")
    password.chmod(0o600)
    # The first flow of the product, kept here: what the customer's flows become must not change these tests. A copy:
    # what a journey saves is its platform's alone.
    flows = shutil.copytree(CHECKOUT / "tests/data/flows", folder / "flows", dirs_exist_ok=True)
    settings: dict[str, Any] = {
        "pbx": {
            "engine": ENGINE,
            "rtp_count": 100,
            "trunks": [
                {
                    "name": "etapa",
                    "gateways": [{"name": "pasarela", "host": GATEWAY_HOST, "port": gateway_port}],
                    "keepalive_s": 0,
                }
            ],
            "phones": [{"name": phone, "password": {"file": str(password)}} for phone in AGENTS.values()],
        },
        "ivr_flows": {"folders": [str(flows)], "shipped": False},
        "queues": [{"name": QUEUE, "title": "Contact Center", "offer_s": 5, "wrap_up_s": 0.3}],
        "agents": [
            {"id": agent, "name": agent.title(), "phone": phone, "queues": [QUEUE]} for agent, phone in AGENTS.items()
        ],
        "recording": {"min_free_mb": 1},
        "web": {"health_cache_s": 0, "webphone": {"at_once": 3}},
        "logs": {"format": "json"},
    }
    for dotted, value in changes.items():
        *sections, last = dotted.split("__")
        part = settings
        for section in sections:
            part = part.setdefault(section, {})
        part[last] = value
    return settings


def rimay(
    *words: str,
    var: Path,
    config: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = START_S,
    said: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """A command of `rimay` that ends by itself; `said` is typed to it."""
    return subprocess.run(
        _argv(words, var, config),
        cwd=CHECKOUT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        input=said,
    )


def _argv(words: Sequence[str], var: Path, config: Path | None) -> list[str]:
    named = ["--config", str(config)] if config else []
    return [sys.executable, "-m", "app", "--var", str(var), *named, *words]


class NotUp(RuntimeError):
    """It did not come up; the text is what it said."""


class PlatformProcess:
    """`start` until it is up, `kill` without goodbye, `stop` as Ctrl-C does, `close` at the end of the test."""

    def __init__(self, folder: Path | None = None, **changes: Any) -> None:
        self.folder = folder or public_folder()
        self.var = self.folder / "v"
        self.gateway_port = ports_of(self.folder).choose("gateway")
        self.config = self.folder / "rimay.yaml"
        self.log = self.folder / "up.log"
        self.url = ""
        self.sip_port = 0
        self.configure(**changes)
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[tuple[str, str], str] = {}

    def configure(self, **changes: Any) -> None:
        """Takes effect at the next start. JSON is YAML."""
        self.config.write_text(json.dumps(settings_of(self.folder, self.gateway_port, **changes), indent=1))

    # --- life

    def start(self, *, env: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()) -> float:
        """Seconds until it was up."""
        began = time.monotonic()
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, *self.command("up")],
                cwd=CHECKOUT,
                # npm has no part in how long a start takes; tests of the pages build them first
                env={**os.environ, "RIMAY_PAGES_BUILD": "0", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a signal for it is not one for pytest
            )
        up = self.wait_until_up(self._process, since=before)
        self.url, self.sip_port = up["url"], up["sip_port"]
        return time.monotonic() - began

    def command(self, *words: str) -> list[str]:
        return _argv(words, self.var, self.config)

    def wait_until_up(self, process: subprocess.Popen[bytes], since: int = 0) -> dict[str, Any]:
        """What it says then of itself."""
        deadline = time.monotonic() + START_S
        while (up := self.said("platform.up", since=since)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotUp(self.log.read_bytes()[since:].decode(errors="replace").strip()[-4000:])
            time.sleep(_LOOK_EVERY_S)
        return up

    def lines(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """What it logged, from that byte on."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def said(self, event: str, since: int = 0) -> dict[str, Any] | None:
        return next((line for line in self.lines(since) if line.get("event") == event), None)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9: the servers and the calls stay."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)

    def stop(self, how: signal.Signals = signal.SIGINT, *, twice: bool = True) -> int:
        """Its exit code. The second signal ends the calls that go on."""
        assert self._process is not None
        if self.runs:
            self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(2.0 if twice else STOP_S)
            self._process.send_signal(how)
        return self._process.wait(STOP_S)

    def close(self) -> None:
        try:
            if self._process is not None:
                self.stop()
            rimay("down", var=self.var)
        finally:
            if not os.environ.get("RIMAY_KEEP_LABS"):
                shutil.rmtree(self.folder, ignore_errors=True)

    # --- what belongs to it

    def token(self, role: str = "supervisor", name: str = "pruebas") -> str:
        """Made by the command; one each for the life of the folder. An agent's name is their id."""
        if (role, name) not in self._tokens:
            done = rimay("token", "--role", role, "--name", name, var=self.var, config=self.config)
            assert done.returncode == 0, done.stderr
            self._tokens[role, name] = done.stdout.strip()
        return self._tokens[role, name]

    def server_pid(self, name: str) -> int | None:
        """Of a server that lives."""
        record = read_pid(self.var / "servers" / name / f"{name}.pid.json")
        return record.process.pid if record is not None and record.is_alive else None

    def signal_server(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """The pid that got it."""
        pid = self.server_pid(name)
        assert pid is not None, f"{name} does not run"
        self.signal_pid(pid, how)
        return pid

    def signal_pid(self, pid: int, how: signal.Signals) -> None:
        """Only to processes of this folder."""
        assert pid in processes_of(self.folder), f"{pid} is not of {self.folder}"
        os.kill(pid, how)

    def restarted(self, name: str, old: int) -> int:
        """The pid of the new process of that server, when it is there."""
        deadline = time.monotonic() + START_S
        while (pid := self.server_pid(name)) in (None, old):
            assert time.monotonic() < deadline, f"{name} was not started again: {self.log.read_text()[-3000:]}"
            time.sleep(_LOOK_EVERY_S)
        assert pid is not None
        return pid

    def ports(self) -> dict[str, int]:
        return {name: first for name, (first, _) in json.loads((self.var / "ports.json").read_text()).items()}


def processes_of(folder: Path) -> dict[int, str]:
    """Every process that has to do with that folder, by its command line, working directory or our marker in it."""
    found = {}
    word = str(folder).encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            marks = [v for v in (entry / "environ").read_bytes().split(b"\0") if v.startswith(MARKER.encode() + b"=")]
            place = bytes((entry / "cwd").readlink())
        except OSError:
            continue  # gone, a kernel thread, or a zombie that waits for its parent
        if word in line or word in place or any(word in mark for mark in marks):
            found[int(entry.name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def running_platform(**changes: Any) -> Iterator[PlatformProcess]:
    """Up, and at the end nothing of it is left."""
    process = PlatformProcess(**changes)
    try:
        process.start()
        process.token()
        yield process
    finally:
        process.close()
