"""Our PostgreSQL and Redis, really started: passwords, kills, restarts, adoption, two side by side."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from app.place import Place
from app.servers import Stores, open_stores, stores
from app.settings import Settings
from foundation import process_table as table
from foundation.pid_files import running_in, stop_leftovers
from foundation.processes import RestartPolicy
from foundation.servers import Servers
from tests.support.folders import open_folder

__all__ = ["open_folder"]


@pytest.fixture
def place(open_folder: Path) -> Place:
    return Place.open(open_folder / "var")


@pytest.fixture
async def running(place: Place) -> AsyncIterator[tuple[Stores, Servers]]:
    found = await stores(Settings(), place)
    async with Servers(user=place.user, restart=RestartPolicy(first_s=0.05)) as servers:
        await servers.start(*found.specs)
        yield found, servers


async def ask(found: Stores, query: str, password: str | None = None) -> object:
    url = found.database_url
    connection = await psycopg.AsyncConnection.connect(
        host=url.host, port=url.port, user=url.username, password=password or url.password, dbname=url.database
    )
    async with connection:
        row = await (await connection.execute(query)).fetchone()
        assert row is not None
        return row[0]


async def test_postgres_asks_for_its_password_and_is_durable(running: tuple[Stores, Servers]) -> None:
    found, _ = running
    assert await ask(found, "SELECT current_database()") == "rimay"
    assert await ask(found, "SHOW fsync") == "on"
    assert await ask(found, "SHOW synchronous_commit") == "on"
    assert await ask(found, "SHOW data_checksums") == "on"
    assert await ask(found, "SELECT lower('ÁÑ')") == "áñ"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await ask(found, "SELECT 1", password="wrong")


async def test_secrets_are_not_in_the_process_list_or_in_logs(running: tuple[Stores, Servers]) -> None:
    found, servers = running
    secrets = {str(found.database_url.password), str(found.redis_password)}
    for server in servers:
        assert server.pid is not None
        shown = table.command_line(server.pid) + repr(table.environment(server.pid)) + server.log_path.read_text()
        assert not any(secret in shown for secret in secrets)
    assert not any(secret in repr(found) for secret in secrets)


async def test_redis_asks_for_its_password_and_keeps_what_it_took(running: tuple[Stores, Servers]) -> None:
    found, servers = running
    without = Redis.from_url(found.redis_url)
    with pytest.raises(AuthenticationError):
        await without.ping()
    await without.aclose()
    client = Redis.from_url(found.redis_url, password=found.redis_password)
    await client.set("lease", "7")
    await client.aclose()
    await servers["redis"].stop()
    await servers["redis"].start()
    client = Redis.from_url(found.redis_url, password=found.redis_password, decode_responses=True)
    assert await client.get("lease") == "7"
    await client.aclose()


async def test_a_killed_postgres_comes_back_with_every_commit(place: Place) -> None:
    found = await stores(Settings(), place)
    back = asyncio.Event()
    async with Servers(
        user=place.user, restart=RestartPolicy(first_s=0.05), on_ready=lambda name: back.set()
    ) as servers:
        await servers.start(*found.specs)
        url = found.database_url
        connection = await psycopg.AsyncConnection.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
        )
        async with connection:
            await connection.execute("CREATE TABLE kept (n int)")
            await connection.execute("INSERT INTO kept VALUES (42)")
        pid = servers["postgres"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            await back.wait()
        assert await ask(found, "SELECT n FROM kept") == 42
        assert servers["postgres"].pid != pid
    assert running_in(place.servers) == []


async def test_a_lock_file_whose_pid_is_somebody_elses_does_not_stop_the_start(place: Place) -> None:
    found = await stores(Settings(), place)
    servers = Servers(user=place.user)
    await servers.start(*found.specs)
    lock = place.servers / "postgres/data/postmaster.pid"
    lines = lock.read_text().splitlines()
    await servers.stop()
    # as after a crash of the machine: the pid now belongs to a process that is no PostgreSQL
    lock.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    lock.chmod(0o600)
    async with Servers(user=place.user) as again:
        await again.start(*(await stores(Settings(), place)).specs)
        assert await ask(found, "SELECT 1") == 1


async def test_two_var_folders_run_side_by_side(running: tuple[Stores, Servers], open_folder: Path) -> None:
    found, _ = running
    async with open_stores(Settings(), Place.open(open_folder / "second")) as other:
        assert other.database_url.port != found.database_url.port
        assert other.redis_url != found.redis_url
        assert await ask(other, "SELECT 1") == await ask(found, "SELECT 1")


RUN_AND_WAIT = """
import asyncio, signal, sys
from pathlib import Path
from app.place import Place
from app.servers import stores
from app.settings import Settings
from foundation.servers import Servers

async def main():
    place = Place.open(Path(sys.argv[1]))
    with place.hold():
        found = await stores(Settings(), place)
        async with Servers(user=place.user) as servers:
            await servers.start(*found.specs)
            print("up", *(server.pid for server in servers), flush=True)
            await asyncio.Event().wait()
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in a shell's background are born deaf to it
asyncio.run(main())
"""


async def run_daemon(place: Place) -> tuple[asyncio.subprocess.Process, list[int]]:
    daemon = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN_AND_WAIT, str(place.var), stdout=-1, stderr=asyncio.subprocess.DEVNULL
    )
    assert daemon.stdout is not None
    async with asyncio.timeout(90):
        line = (await daemon.stdout.readline()).split()
    assert line[0] == b"up"
    return daemon, [int(word) for word in line[1:]]


async def test_after_kill_9_of_the_daemon_its_servers_live_and_are_adopted(place: Place) -> None:
    daemon, pids = await run_daemon(place)
    daemon.kill()
    await daemon.wait()
    assert sorted(record.process.pid for record in running_in(place.servers)) == sorted(pids)
    async with Servers(user=place.user) as servers:
        found = await stores(Settings(), place)
        await servers.start(*found.specs)
        assert sorted(server.pid or 0 for server in servers) == sorted(pids)
        assert all(server.adopted for server in servers)
        assert await ask(found, "SELECT 1") == 1
    infos = [table.inspect(pid) for pid in pids]
    assert all(info is None or info.is_zombie for info in infos)


async def test_after_kill_9_leftovers_are_stopped(place: Place) -> None:
    daemon, pids = await run_daemon(place)
    daemon.kill()
    await daemon.wait()
    assert sorted(await stop_leftovers(place.servers)) == ["postgres", "redis"]
    infos = [table.inspect(pid) for pid in pids]
    assert all(info is None or info.is_zombie for info in infos)


async def test_ctrl_c_leaves_no_process(place: Place) -> None:
    daemon, pids = await run_daemon(place)
    daemon.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        await daemon.wait()
    assert [pid for pid in pids if (info := table.inspect(pid)) and not info.is_zombie] == []
    assert running_in(place.servers) == []


async def test_beside_a_running_daemon_its_servers_are_used_and_stay(place: Place) -> None:
    daemon, pids = await run_daemon(place)
    try:
        async with open_stores(Settings(), place) as found:
            assert found.specs == ()
            assert await ask(found, "SELECT 1") == 1
        assert sorted(record.process.pid for record in running_in(place.servers)) == sorted(pids)
    finally:
        daemon.send_signal(signal.SIGINT)
        await daemon.wait()
