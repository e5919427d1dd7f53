"""Servers that we start ourselves: PostgreSQL, Redis, a switch.

Theory of operation
-------------------
A server runs in a session of its own and outlives a killed daemon, so that calls go on. What identifies it stands in
its pid file: pid, start time, boot and fingerprint. The next run *adopts* a server whose fingerprint is the same, and
stops one whose fingerprint differs. A pid whose start time is another is somebody else's process: it is left alone.
The watch is by pid file descriptor, which works for children and adopted servers alike.

Between fork and pid file there is a moment in which we can be killed; `stop_leftovers` finds such a server by the
marker in its environment (`foundation.pid_files`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from foundation import process_table as table
from foundation.errors import RimayError, Unavailable
from foundation.pid_files import KILL_WAIT_S, MARKER, PidRecord, pid_path, read_pid, stop_process, until, write_pid
from foundation.process_table import ProcessId
from foundation.run_as import RunAs, append_for, make_folder

log = structlog.get_logger(__name__)

_POLL_S = 0.02  # first wait between two questions for readiness; grows to _POLL_MAX_S
_POLL_MAX_S = 0.25
_KEPT_LOGS = 5
_ADOPT_S = 10.0  # how long a living server of an earlier run may take to answer before it is started anew
_PORT_TAKEN = re.compile(r"address already in use|EADDRINUSE|could not bind|bind(?:ing)?.{0,40}failed", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """All that is needed to run one server of ours.

    It runs in a session of its own, so that it outlives a killed daemon (calls go on); its pid and start time are in
    `folder`, by which the next run adopts or stops it. When we are root it runs as the unprivileged user that owns
    `folder`. `ready` is asked until it answers True.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path  # its private folder, also its working directory; stdout and stderr go to <name>.log in it
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # added to a minimal PATH/HOME/LANG environment
    ready_timeout_s: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    fingerprint: str = ""  # a running server with another one is stopped and started anew, not adopted
    ports: tuple[int, ...] = ()  # looked at before the start, to say who holds one of them
    after: tuple[str, ...] = ()  # names of the servers that must be ready before this one starts
    prepare: Callable[[], Awaitable[None]] | None = None  # before each start (initdb, tidying up after a kill)


class ServerFailed(Unavailable):
    """It did not start, or did not become ready."""

    code = "process.server_failed"


class PortInUse(RimayError):
    code = "process.port_in_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDeath:
    name: str
    pid: int
    exit_code: int | None  # negative: the signal that killed it; None when it was adopted (not our child)
    restart_in_s: float | None  # None: not restarted

    @property
    def how(self) -> str:
        return "it ended" if self.exit_code is None else _exit_words(self.exit_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Doubling waits; a server that stayed up for `steady_s` begins at the first wait again."""

    first_s: float = 0.2
    factor: float = 2.0
    max_s: float = 30.0
    steady_s: float = 60.0
    attempts: int | None = None  # None: for ever

    def wait_s(self, failures: int) -> float | None:
        """The wait before the restart after that many failures in a row (from 1); None to give up."""
        if self.attempts is not None and failures > self.attempts:
            return None
        return float(min(self.max_s, self.first_s * self.factor ** min(failures - 1, 30)))


NO_RESTART = RestartPolicy(attempts=0)


# ---- one server ------------------------------------------------------------------------------------------------------


class Server:
    """One server: start or adopt, watch, restart, stop. `on_death` and `on_ready` are called in the event loop."""

    def __init__(
        self,
        spec: ServerSpec,
        *,
        user: RunAs | None = None,
        restart: RestartPolicy = NO_RESTART,
        on_death: Callable[[ServerDeath], None] | None = None,
        on_ready: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.adopted = False
        self.starts = 0
        self._user = user
        self._restart = restart
        self._on_death = on_death
        self._on_ready = on_ready
        self._process: ProcessId | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and table.is_alive(self._process) else None

    @property
    def log_path(self) -> Path:
        return self.spec.folder / f"{self.spec.name}.log"

    @property
    def fingerprint(self) -> str:
        """Of all that a running server was started with; the port list and the timeouts do not matter to it."""
        parts = (self.spec.argv, sorted(self.spec.env.items()), self.spec.fingerprint, self._user and self._user.uid)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    async def start(self) -> None:
        """Ready when this returns; on failure or cancellation nothing of it is left."""
        make_folder(self.spec.folder, self._user)
        if not await self._adopt():
            await self._launch()
        self._watch = asyncio.create_task(self._keep(), name=f"watch-{self.spec.name}")

    async def stop(self) -> None:
        await self._stop_watching()
        if self._process is not None:
            if table.is_alive(self._process):
                gently = await stop_process(self._process, self.spec.stop_signal, self.spec.stop_timeout_s)
                log.info("server stopped", server=self.spec.name, pid=self._process.pid, killed=not gently)
            self._reap()
            pid_path(self.spec.folder, self.spec.name).unlink(missing_ok=True)
        self._process = None

    async def detach(self) -> None:
        """Leave it running for the next run to adopt."""
        await self._stop_watching()

    async def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None

    # -- beginning

    async def _adopt(self) -> bool:
        record = read_pid(pid_path(self.spec.folder, self.spec.name))
        if record is None or not record.is_alive:
            return False
        if record.fingerprint == self.fingerprint and await self._answers(record.process):
            self._process, self._child, self.adopted = record.process, None, True
            log.info("server adopted", server=self.spec.name, pid=record.process.pid)
            return True
        log.info("server of an earlier run is stopped", server=self.spec.name, pid=record.process.pid)
        await stop_process(record.process, self.spec.stop_signal, self.spec.stop_timeout_s)
        return False

    async def _answers(self, process: ProcessId) -> bool:
        """Asked more than once: it may carry calls, and one slow answer is no reason to end them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ADOPT_S):
                while table.is_alive(process):
                    if await self.spec.ready():
                        return True
                    await asyncio.sleep(_POLL_MAX_S)
        return False

    async def _launch(self) -> None:
        if self.spec.prepare is not None:
            await self.spec.prepare()
        self._refuse_taken_ports()
        _rotate(self.log_path)
        self._spawn()
        try:
            await self._wait_ready()
        except BaseException:
            if self._process is not None:
                await asyncio.shield(stop_process(self._process, signal.SIGKILL, 0.0))
                self._reap()
            pid_path(self.spec.folder, self.spec.name).unlink(missing_ok=True)
            raise
        self.adopted = False
        self.starts += 1
        log.info("server started", server=self.spec.name, pid=self.pid)

    def _refuse_taken_ports(self) -> None:
        taken = table.ports_in_use().intersection(self.spec.ports)
        for port in sorted(taken):
            raise _port_in_use(self.spec.name, port)

    def _spawn(self) -> None:
        user = self._user
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.spec.folder),
            "LANG": "C.UTF-8",
            "TZ": os.environ.get("TZ", ""),
            **self.spec.env,
            MARKER: f"{self.spec.name}:{self.spec.folder.absolute()}",
        }
        if not environment["TZ"]:
            del environment["TZ"]
        try:
            with os.fdopen(append_for(self.log_path, user), "ab") as output:
                child = subprocess.Popen(
                    self.spec.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.spec.folder,
                    env=environment,
                    start_new_session=True,
                    umask=0o027,
                    user=user.uid if user else None,
                    group=user.gid if user else None,
                    extra_groups=[] if user else None,
                )
        except OSError as exc:
            who = f" as {user.name}" if user else ""
            raise ServerFailed(f"{self.spec.name} cannot be started{who}: {exc.strerror}: {exc.filename}") from exc
        info = table.inspect(child.pid)
        assert info is not None, "an unreaped child always stands in /proc"  # noqa: S101
        self._child, self._process = child, info.id
        record = PidRecord(
            name=self.spec.name,
            process=info.id,
            boot=table.boot_id(),
            fingerprint=self.fingerprint,
            stop_signal=self.spec.stop_signal,
        )
        write_pid(pid_path(self.spec.folder, self.spec.name), record)

    async def _wait_ready(self) -> None:
        pause = _POLL_S
        try:
            async with asyncio.timeout(self.spec.ready_timeout_s):
                while not await self.spec.ready():
                    if self._child is not None and self._child.poll() is not None:
                        raise self._failure(f"ended with {_exit_words(self._child.returncode)}")
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, _POLL_MAX_S)
        except TimeoutError as exc:
            raise self._failure(f"was not ready after {self.spec.ready_timeout_s:g} s") from exc

    def _failure(self, what: str) -> RimayError:
        tail = log_tail(self.log_path)
        if _PORT_TAKEN.search(tail):
            taken = table.ports_in_use().intersection(self.spec.ports)
            for port in sorted(taken):
                return _port_in_use(self.spec.name, port)
        return ServerFailed(
            f"{self.spec.name} {what}. Its log, {self.log_path}, ends with:\n{tail or '(nothing)'}",
            server=self.spec.name,
        )

    # -- living

    async def _keep(self) -> None:
        """Watch it, and start it again when it dies."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._wait_death()
            if loop.time() - began >= self._restart.steady_s:
                failures = 0
            failures += 1
            wait = self._announce(failures)
            if wait is None:
                return
            while True:
                await asyncio.sleep(wait)
                try:
                    await self._launch()
                except (RimayError, OSError) as exc:
                    failures += 1
                    log.warning("server restart failed", server=self.spec.name, error=str(exc))
                    next_wait = self._restart.wait_s(failures)
                    if next_wait is None:
                        return
                    wait = next_wait
                else:
                    break
            if self._on_ready is not None:
                self._on_ready(self.spec.name)

    def _announce(self, failures: int) -> float | None:
        process = self._process
        code = self._reap()
        wait = self._restart.wait_s(failures)
        if process is None:
            return None
        table.signal_all(table.family(process), signal.SIGKILL)  # its orphans would keep its ports and files
        death = ServerDeath(name=self.spec.name, pid=process.pid, exit_code=code, restart_in_s=wait)
        log.error("server died", server=death.name, pid=death.pid, exit=code, restart_in_s=wait)
        if self._on_death is not None:
            self._on_death(death)
        return wait

    async def _wait_death(self) -> None:
        process = self._process
        if process is None:
            return
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            await until(lambda: not table.is_alive(process), None)
            return
        try:
            dead = asyncio.Event()
            loop.add_reader(descriptor, dead.set)
            if table.is_alive(process):  # asked after the watch is set, so that no death falls between
                await dead.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _reap(self) -> int | None:
        if self._child is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._child.wait(timeout=KILL_WAIT_S)
        return None


def _port_in_use(server: str, port: int) -> PortInUse:
    holder = table.port_holder(port)
    return PortInUse(f"{server} needs port {port}, which is in use by {holder or 'another process'}", port=port)


def _exit_words(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def log_tail(path: Path, lines: int = 12) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _rotate(path: Path) -> None:
    """<name>.log.1 is the run before this one."""
    if not path.exists() or path.stat().st_size == 0:
        return
    for number in range(_KEPT_LOGS - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
