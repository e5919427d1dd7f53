"""Real child processes: killed, adopted, reused pids, restarts, ports taken, families."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from foundation import process_table as table
from foundation.errors import Invalid
from foundation.pid_files import pid_path, read_pid, running_in, stop_leftovers, write_pid
from foundation.processes import PortInUse, RestartPolicy, Server, ServerDeath, ServerFailed, ServerSpec
from foundation.run_as import RunAs, can_traverse, run_as
from foundation.servers import Servers
from tests.support.folders import open_folder

# the one that the unprivileged user reaches too: a checkout's own may stand in root's home
PYTHON = next(
    path
    for path in (str(Path(sys.executable).resolve()), "/usr/bin/python3")
    if Path(path).exists() and can_traverse(Path(path).parent, run_as())
)
__all__ = ["open_folder"]
QUICK = RestartPolicy(first_s=0.01, max_s=0.05)
# says that it is ready by a file; ignores SIGTERM when told to; may have a child in a session of its own
PROGRAM = """
import os, signal, subprocess, sys, pathlib, time
mode, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "family":
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"],
                             start_new_session=True)
    (folder / "child").write_text(str(child.pid))
if mode == "broken":
    print("cannot read the moon", flush=True)
    sys.exit(3)
if mode == "port":
    print("bind: Address already in use", flush=True)
    sys.exit(1)
print("up", os.getpid(), flush=True)
(folder / "ready").write_text(str(os.getpid()))
signal.pause()
"""


def make(folder: Path, mode: str = "plain", name: str = "thing", **extra: object) -> ServerSpec:
    place = folder / name

    async def ready() -> bool:
        record = read_pid(pid_path(place, name))
        ready_file = place / "ready"
        return record is not None and ready_file.exists() and ready_file.read_text() == str(record.process.pid)

    spec = ServerSpec(
        name=name,
        argv=(PYTHON, "-S", "-c", PROGRAM, mode, str(place)),
        folder=place,
        ready=ready,
        ready_timeout_s=20.0,
        stop_timeout_s=5.0,
    )
    return replace(spec, **extra)  # type: ignore[arg-type]


@pytest.fixture
def folder(open_folder: Path) -> Path:
    return open_folder


async def wait_for(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


async def test_it_starts_is_ready_and_stops_leaving_nothing(folder: Path) -> None:
    server = Server(make(folder), user=run_as())
    await server.start()
    pid = server.pid
    assert pid is not None
    assert os.getsid(pid) == pid, "a session of its own: Ctrl-C at our terminal does not reach it"
    assert server.log_path.read_text() == f"up {pid}\n"
    await server.stop()
    assert table.inspect(pid) is None
    assert not pid_path(server.spec.folder, "thing").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as somebody else")
async def test_as_root_the_server_is_nobody_without_groups(folder: Path) -> None:
    user = run_as()
    assert user is not None
    server = Server(make(folder), user=user)
    await server.start()
    status = Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [str(user.uid)] * 4
    assert fields["Gid"].split() == [str(user.gid)] * 4
    assert fields["Groups"].split() == []
    assert server.spec.folder.stat().st_uid == user.uid
    await server.stop()


async def test_a_stubborn_server_is_killed(folder: Path) -> None:
    server = Server(make(folder, "stubborn", stop_timeout_s=0.2), user=run_as())
    await server.start()
    pid = server.pid
    await server.stop()
    assert pid is not None
    assert table.inspect(pid) is None


async def test_its_children_in_other_sessions_go_with_it(folder: Path) -> None:
    server = Server(make(folder, "family"), user=run_as())
    await server.start()
    child = int((server.spec.folder / "child").read_text())
    info = table.inspect(child)
    assert info is not None
    await server.stop()
    assert not table.is_alive(info.id)


async def test_killed_it_tells_and_comes_back(folder: Path) -> None:
    deaths: list[ServerDeath] = []
    back = asyncio.Event()
    server = Server(
        make(folder), user=run_as(), restart=QUICK, on_death=deaths.append, on_ready=lambda name: back.set()
    )
    await server.start()
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await wait_for(back)
    assert [(death.pid, death.exit_code) for death in deaths] == [(first, -signal.SIGKILL)]
    assert server.pid not in (None, first)
    assert (server.spec.folder / "thing.log.1").read_text() == f"up {first}\n", "the log of the dead one is kept"
    await server.stop()


async def test_without_a_policy_it_stays_dead(folder: Path) -> None:
    died = asyncio.Event()
    server = Server(make(folder), user=run_as(), on_death=lambda death: died.set())
    await server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await wait_for(died)
    assert server.pid is None
    await server.stop()


def test_waits_double_and_end() -> None:
    policy = RestartPolicy(first_s=1, factor=2, max_s=5, attempts=4)
    assert [policy.wait_s(failures) for failures in range(1, 6)] == [1, 2, 4, 5, None]


async def test_the_next_run_adopts_it_and_sees_its_death(folder: Path) -> None:
    first = Server(make(folder), user=run_as())
    await first.start()
    pid = first.pid
    await first.detach()
    died = asyncio.Event()
    second = Server(make(folder), user=run_as(), on_death=lambda death: died.set())
    await second.start()
    assert (second.adopted, second.pid, second.starts) == (True, pid, 0)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await wait_for(died)
    await second.stop()
    await first.stop()


async def test_another_fingerprint_is_stopped_and_started_anew(folder: Path) -> None:
    first = Server(make(folder), user=run_as())
    await first.start()
    pid = first.pid
    await first.detach()
    second = Server(make(folder, fingerprint="other configuration"), user=run_as())
    await second.start()
    assert not second.adopted
    assert second.pid != pid
    await second.stop()
    await first.stop()


async def test_a_reused_pid_is_never_touched(folder: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
    try:
        info = table.inspect(stranger.pid)
        assert info is not None
        first = Server(make(folder), user=run_as())
        await first.start()
        record = read_pid(pid_path(first.spec.folder, "thing"))
        assert record is not None
        await first.stop()
        # what stands there after a crash when the kernel gave the pid to somebody else
        stale = replace(record, process=table.ProcessId(stranger.pid, info.id.start - 1))
        write_pid(pid_path(first.spec.folder, "thing"), stale)
        assert running_in(folder) == []
        second = Server(make(folder), user=run_as())
        await second.start()
        assert not second.adopted
        await second.stop()
        write_pid(pid_path(first.spec.folder, "thing"), stale)
        assert await stop_leftovers(folder) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_pid_file_of_another_boot_means_nothing(folder: Path) -> None:
    me = table.inspect(os.getpid())
    assert me is not None
    server = Server(make(folder), user=run_as())
    await server.start()
    record = read_pid(pid_path(server.spec.folder, "thing"))
    assert record is not None
    assert record.is_alive
    assert not replace(record, boot="another").is_alive
    await server.stop()


async def test_leftovers_are_found_without_their_pid_file(folder: Path) -> None:
    """The run was killed between fork and pid file."""
    server = Server(make(folder), user=run_as())
    await server.start()
    pid = server.pid
    await server.detach()
    pid_path(server.spec.folder, "thing").unlink()
    assert await stop_leftovers(folder) == ["thing"]
    assert pid is not None
    await server.stop()
    assert table.inspect(pid) is None


async def test_a_broken_server_fails_with_the_end_of_its_log(folder: Path) -> None:
    with pytest.raises(ServerFailed, match=r"exit code 3(.|\n)*cannot read the moon"):
        await Server(make(folder, "broken"), user=run_as()).start()


async def test_a_missing_program_is_named(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="no-such-program"):
        await Server(make(folder, argv=(str(folder / "no-such-program"),)), user=run_as()).start()


async def test_one_that_never_gets_ready_is_taken_away(folder: Path) -> None:
    async def never() -> bool:
        return False

    server = Server(make(folder, ready=never, ready_timeout_s=0.3), user=run_as())
    with pytest.raises(ServerFailed, match=r"not ready after 0\.3 s"):
        await server.start()
    assert running_in(folder) == []
    assert server.pid is None


async def test_a_taken_port_is_said_with_its_holder(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port}.*process {os.getpid()} "):
            await Server(make(folder, ports=(port,)), user=run_as()).start()


async def test_a_cancelled_start_leaves_nothing(folder: Path) -> None:
    asked = asyncio.Event()

    async def never() -> bool:
        asked.set()
        return False

    server = Server(make(folder, ready=never), user=run_as())
    task = asyncio.create_task(server.start())
    await wait_for(asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running_in(folder) == []


async def test_servers_start_in_order_and_stop_in_reverse(folder: Path) -> None:
    order: list[str] = []

    def noting(name: str, *after: str) -> ServerSpec:
        async def prepare() -> None:
            order.append(name)

        return make(folder, name=name, after=after, prepare=prepare)

    async with Servers(user=run_as()) as servers:
        await servers.start(noting("top", "middle"), noting("middle", "base"), noting("base"))
        assert order == ["base", "middle", "top"]
        pids = [server.pid for server in servers]
        assert len(running_in(folder)) == 3
    assert all(pid is not None and table.inspect(pid) is None for pid in pids)


async def test_when_one_fails_the_others_stop(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="bad ended"):
        async with Servers(user=run_as()) as servers:
            await servers.start(make(folder, name="good"), make(folder, "broken", name="bad", after=("good",)))
    assert running_in(folder) == []


async def test_an_unknown_need_is_refused(folder: Path) -> None:
    with pytest.raises(Invalid, match="nothing-like-it"):
        await Servers().start(make(folder, after=("nothing-like-it",)))


def test_a_private_home_cannot_be_traversed(folder: Path) -> None:
    private = folder / "private"
    (private / "checkout").mkdir(parents=True)
    stranger = RunAs(name="stranger", uid=54321, gid=54321)
    assert can_traverse(private / "checkout" / "var", stranger)
    private.chmod(0o700)
    assert not can_traverse(private / "checkout" / "var", stranger)
    assert can_traverse(private / "checkout" / "var", None)
