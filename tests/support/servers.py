"""Private PostgreSQL and Redis for tests, run as the product runs them: free loopback ports, temporary folders, as an
unprivileged user when we are root.

`tests/conftest.py` has the fixtures: one server each for all tests of a worker. A server can be killed, frozen and
started again in mid test; its methods block, and work with or without a running loop."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.provision import find_postgres, find_tool
from app.servers import postgres_spec, redis_spec
from foundation.database import Database
from foundation.migrations import upgrade
from foundation.processes import Server, ServerDeath, ServerSpec
from foundation.run_as import run_as
from tests.support.ports import ports_of

T = TypeVar("T")

_PASSWORD = "only-for-tests"
_TIMEOUT_S = 120.0


class _Loop:
    """A loop in a thread of its own: servers live longer than the loop of one test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-servers", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIMEOUT_S)
        self._loop.close()


class _TestServer:
    name = ""
    _end = signal.SIGKILL  # how it is ended at once: nothing of it is kept

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"rimay-{self.name}-"))
        self.port = ports_of(self.folder).choose(self.name)
        self._loop = _Loop()
        self._died = threading.Event()
        self._starting: Future[None] | None = None
        try:
            spec = self._loop.submit(self.spec()).result(_TIMEOUT_S)
        except BaseException:
            self._loop.close()
            raise
        self._server = Server(spec, user=run_as(), on_death=self._on_death)

    async def spec(self) -> ServerSpec:
        raise NotImplementedError

    def _on_death(self, _: ServerDeath) -> None:
        self._died.set()

    def start(self, *, wait: bool = True) -> None:
        self._died.clear()
        self._starting = self._loop.submit(self._server.start())
        if wait:
            self._starting.result(_TIMEOUT_S)

    def send(self, how: signal.Signals) -> None:
        """Also to stop it dead (SIGSTOP) and let it go on (SIGCONT)."""
        pid = self._server.pid
        if pid is None:
            raise RuntimeError(f"{self.name} does not run")
        os.kill(pid, how)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """And wait until it is dead."""
        self.send(how)
        if not self._died.wait(_TIMEOUT_S):
            raise TimeoutError(f"{self.name} outlives {how.name}")

    def close(self) -> None:
        try:
            if self._starting is not None:
                self._starting.exception(_TIMEOUT_S)
            if self._server.pid is not None and not self._died.is_set():
                self.send(self._end)
            self._loop.submit(self._server.stop()).result(_TIMEOUT_S)
        finally:
            self._loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class PostgresServer(_TestServer):
    name = "postgres"
    _end = signal.SIGQUIT  # its own processes with it
    _template = ""

    async def spec(self) -> ServerSpec:
        program = await find_postgres()
        spec = postgres_spec(self.folder, program, port=self.port, password=_PASSWORD, user=run_as())
        # Processes are killed here, never the machine: what the disk holds is not asked.
        return replace(spec, argv=(*spec.argv, "-c", "fsync=off"))

    def url(self, name: str) -> str:
        return f"postgresql://rimay:{_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a fresh one; of the default template, an empty one."""
        name = f"t_{uuid4().hex}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(create)
        return self.url(name)

    def new_migrated(self) -> str:
        """The URL of a fresh one at the newest revision. All steps are taken once a server, and then copied."""
        if not self._template:
            made = self.new_database()
            upgrade(made)
            self._template = made.rpartition("/")[2]
        return self.new_database(self._template)


class RedisServer(_TestServer):
    name = "redis"
    password = _PASSWORD

    async def spec(self) -> ServerSpec:
        tool = await find_tool("redis-server")
        return redis_spec(self.folder, tool, port=self.port, password=_PASSWORD, user=run_as())

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> str:
    """URL of a fresh database without any table."""
    return postgres_server.new_database()


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """A fresh database at the newest revision."""
    database = Database(postgres_server.new_migrated(), pool_size=4)
    try:
        yield database
    finally:
        await database.dispose()
