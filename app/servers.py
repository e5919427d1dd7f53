"""Our own PostgreSQL and Redis: how they are set up and started, and the addresses by which the rest reaches them.

Where the settings give a URL, the operator's server is used and none is started."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import URL

from app.place import Place
from app.ports import Ports
from app.provision import PostgresProgram, Progress, Tool, find_postgres, find_tool, silent
from app.settings import Settings
from foundation import process_table as table
from foundation.database import async_url
from foundation.processes import ServerFailed, ServerSpec
from foundation.run_as import RunAs, write_for
from foundation.servers import Servers
from foundation.together import together

LOOPBACK = "127.0.0.1"
POSTGRES, REDIS = "postgres", "redis"
_USER = _DATABASE = "rimay"
# For a machine of 2 cores and 4 GB that also carries the switch. Durability is PostgreSQL's own default: every commit
# is on disk. Times are GMT because that zone is built in: no zone files are needed.
_POSTGRES_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "96MB",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "48MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # pays only for long queries; costs memory at each connection
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    "log_timezone": "GMT",
    "timezone": "GMT",
    # parameters are phone numbers and names
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """How to reach the database and the bus; `specs` are those servers that we must run for it."""

    database_url: URL = field(repr=False)
    redis_url: str
    redis_password: str | None = field(repr=False)
    specs: tuple[ServerSpec, ...] = ()


async def stores(settings: Settings, place: Place, progress: Progress = silent) -> Stores:
    """Find or fetch the programs, choose ports, make secrets. Starts nothing."""
    postgres, redis = await together(
        _postgres(place, progress) if settings.database.url is None else _nothing(),
        _redis(place, progress) if settings.redis.url is None else _nothing(),
    )
    return _addresses(settings, place, tuple(spec for spec in (postgres, redis) if spec is not None))


async def _nothing() -> ServerSpec | None:
    return None


def _addresses(settings: Settings, place: Place, specs: tuple[ServerSpec, ...] = ()) -> Stores:
    ports = Ports(place).known()
    if settings.database.url is None:
        database_url = async_url(f"postgresql://{_USER}@{LOOPBACK}:{ports.get(POSTGRES, 0)}/{_DATABASE}")
        database_url = database_url.set(password=place.secrets.get(POSTGRES))
    else:
        secret = settings.database.password
        database_url = async_url(settings.database.url, secret.get_secret_value() if secret else None)
    if settings.redis.url is None:
        redis_url, redis_password = f"redis://{LOOPBACK}:{ports.get(REDIS, 0)}/0", place.secrets.get(REDIS)
    else:
        redis_url, given = settings.redis.url, settings.redis.password
        redis_password = given.get_secret_value() if given else ""
    return Stores(database_url=database_url, redis_url=redis_url, redis_password=redis_password or None, specs=specs)


@contextlib.asynccontextmanager
async def open_stores(settings: Settings, place: Place, progress: Progress = silent) -> AsyncIterator[Stores]:
    """For a command that needs the database for a moment: beside a running daemon it uses that one's servers, and
    otherwise starts them and stops them again."""
    if place.daemon is not None:
        yield _addresses(settings, place)
        return
    with place.hold():
        found = await stores(settings, place, progress)
        servers = Servers(user=place.user)
        try:
            await servers.start(*found.specs)
            yield found
        finally:
            await servers.release()


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


async def _postgres(place: Place, progress: Progress) -> ServerSpec | None:
    folder = place.server_folder(POSTGRES)
    program = await find_postgres(progress, major=_cluster_major(folder / "data"))
    return postgres_spec(
        folder, program, port=Ports(place).choose(POSTGRES), password=place.secrets.get(POSTGRES), user=place.user
    )


def _cluster_major(data: Path) -> int | None:
    """Of a cluster that exists: only the same major version can open it."""
    try:
        return int((data / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return None


def postgres_spec(
    folder: Path, program: PostgresProgram, *, port: int, password: str, user: RunAs | None
) -> ServerSpec:
    data = folder / "data"
    options = [flag for name, value in _POSTGRES_OPTIONS.items() for flag in ("-c", f"{name}={value}")]

    async def prepare() -> None:
        await asyncio.to_thread(_prepare_cluster, folder, program, password, user)

    return ServerSpec(
        name=POSTGRES,
        argv=(str(program.bin / "postgres"), "-D", str(data), "-p", str(port), *options),
        folder=folder,
        env={"LC_ALL": "C.UTF-8", "PGTZ": "GMT"},
        ready=_postgres_ready(port, password),
        ready_timeout_s=60.0,  # recovery after a kill reads the log again
        stop_signal=signal.SIGINT,  # the fast shutdown: disconnects, writes all, ends
        stop_timeout_s=20.0,
        ports=(port,),
        prepare=prepare,
    )


def _prepare_cluster(folder: Path, program: PostgresProgram, password: str, user: RunAs | None) -> None:
    """Make the cluster once; a torn one (killed in initdb) never gets its final name."""
    data, new, secret = folder / "data", folder / "data.new", folder / "password.new"
    if (data / "PG_VERSION").exists():
        _forget_dead_postmaster(data)
        return
    if new.exists():
        subprocess.run(["rm", "-rf", "--", str(new)], check=True)
    write_for(secret, password + "\n", user)
    argv = [
        str(program.bin / "initdb"), "--pgdata", str(new), "--username", _USER, "--pwfile", str(secret),
        "--auth", "scram-sha-256", "--encoding", "UTF8",
        # bytes decide the order, so that an update of the system's C library cannot corrupt an index; letters are
        # Unicode's, so that lower() knows accents
        "--lc-collate=C", "--lc-ctype=C.UTF-8", "--lc-messages=C", "--lc-monetary=C", "--lc-numeric=C", "--lc-time=C",
        "--data-checksums",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            capture_output=True,
            check=False,
            timeout=120,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ServerFailed(f"initdb of the database failed: {exc}") from exc
    finally:
        secret.unlink()
    if done.returncode:
        told = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ServerFailed(f"initdb of the database in {folder} failed:\n{told[-1500:]}")
    new.rename(data)


def _forget_dead_postmaster(data: Path) -> None:
    """After a crash the lock file's pid may be another process's by now, and PostgreSQL would not dare to start."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    if str(data) not in table.command_line(pid):
        lock.unlink(missing_ok=True)


def _postgres_ready(port: int, password: str) -> Callable[[], Awaitable[bool]]:
    async def connect(database: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            host=LOOPBACK, port=port, user=_USER, password=password, dbname=database, connect_timeout=3, autocommit=True
        )

    async def ready() -> bool:
        """Answers, and has our database: it is made at the first time."""
        try:
            connection = await connect("postgres")
            async with connection:
                row = await (
                    await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE])
                ).fetchone()
                if row is None:
                    await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        except psycopg.OperationalError:
            return False
        return True

    return ready


# ---- Redis -----------------------------------------------------------------------------------------------------------


async def _redis(place: Place, progress: Progress) -> ServerSpec | None:
    tool = await find_tool("redis-server", progress)
    port, password = Ports(place).choose(REDIS), place.secrets.get(REDIS)
    return redis_spec(place.server_folder(REDIS), tool, port=port, password=password, user=place.user)


def redis_spec(folder: Path, tool: Tool, *, port: int, password: str, user: RunAs | None) -> ServerSpec:
    configuration = folder / "redis.conf"
    # The truth is in PostgreSQL. What Redis keeps (leases, presence) is worth a second at most: fsync every second.
    text = f"""\
bind {LOOPBACK}
port {port}
protected-mode yes
requirepass {password}
dir {folder}
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
loglevel notice
always-show-logo no
"""

    async def prepare() -> None:
        # the password stands in a file, not in the arguments that every user of the machine can list
        write_for(configuration, text, user)

    async def ready() -> bool:
        client = Redis(host=LOOPBACK, port=port, password=password, socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    return ServerSpec(
        name=REDIS,
        argv=(str(tool.binary), str(configuration)),
        folder=folder,
        env={"LC_ALL": "C.UTF-8"},
        ready=ready,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        ports=(port,),
        prepare=prepare,
    )
