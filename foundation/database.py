"""PostgreSQL: one async engine, sessions, and what to do when the server goes away for a while.

`run` is the way to write: a unit of work in one transaction, done again from its beginning when the connection is lost
before the commit was sent. Reads may use `begin`, which waits for a restarting server but never repeats the body; what
every request asks is one statement for `read`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg import sql
from pydantic import Field, field_validator
from sqlalchemy import DateTime, Dialect, Executable, MetaData, Row, TypeDecorator, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from foundation.errors import Unavailable
from foundation.logs import get_logger
from foundation.settings import Secret, Section

T = TypeVar("T")
log = get_logger(__name__)

# Names are given by rule, so that migrations can name what they drop.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLSTATEs after which the same transaction may work on a new connection or a little later.
_TRANSIENT_STATES = frozenset(
    {
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now: starting up or shutting down
        "53100",  # disk_full: an operator makes room, and what waits is stored
        "53200",  # out_of_memory
        "53300",  # too_many_connections
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "25006",  # read_only_sql_transaction: we reached a standby that is being promoted
    }
)
_CONNECTION_CLASS = "08"  # SQLSTATE class of connection exceptions
# libpq gives no SQLSTATE for a refused connection. These words (English and Spanish servers) mean that waiting is in
# vain; what is not known here is waited for, at most `wait_s`.
_HOPELESS = re.compile(r"does not exist|no existe|authentication failed|autenti\w+ .*fall|pg_hba\.conf|no password")
# From the first wait to the longest, doubling: a local restart takes about a second.
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0
# Connections for `read`, of which each is needed for a millisecond. Never more: one that is opened for one question
# costs more than all that is saved.
_READERS = 8
# Of the advisory locks that this product takes, by purpose.
MIGRATION_LOCK = 0x52494D_01


class DatabaseSettings(Section):
    url: str | None = Field(
        default=None, description="postgresql://user@host/name, without password; none: Rimay starts its own server"
    )
    password: Secret | None = None
    pool_size: int = Field(default=10, ge=1, le=200)
    wait_s: float = Field(default=30.0, ge=0, le=600, description="how long work waits for a server that is away")

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                url = async_url(value)
            except (ArgumentError, ValueError):
                url = None  # their texts quote the URL, and a password with it
            if url is None:
                raise ValueError("expected a URL like postgresql://user@host:5432/name")
            if url.password is not None:
                raise ValueError("a password must not stand in the URL; set 'password: {env: NAME}' beside it")
        return value


class DatabaseUnavailable(Unavailable):
    code: ClassVar[str] = "database.unavailable"


class CommitUnknown(Unavailable):
    """The connection broke during the commit: the work was either stored whole or not at all. Look before repeating."""

    code: ClassVar[str] = "database.commit_unknown"


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz` that takes aware datetimes only and gives them back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone would be read in the server's; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


def async_url(url: str | URL, password: str | None = None) -> URL:
    """With our driver named, whatever way the operator wrote it (postgres://, postgresql://)."""
    parsed = make_url(url)
    if parsed.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError("not a PostgreSQL URL")
    parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed if password is None else parsed.set(password=password)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed on a new connection or a little later."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        return error.orig is not None and is_transient(error.orig)
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is not None:
            return state in _TRANSIENT_STATES or state.startswith(_CONNECTION_CLASS)
        # No state: libpq could not connect, or the socket broke.
        if _HOPELESS.search(str(error)):
            return False
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return isinstance(error, ConnectionError)


class Database:
    """Owns the engine. Making one connects nothing; `connect` waits until the server answers."""

    def __init__(self, url: str | URL, *, pool_size: int = 10, wait_s: float = 30.0) -> None:
        self.url = async_url(url)
        self._wait_s = wait_s
        common: dict[str, Any] = {
            "pool_timeout": 10.0,
            # Parameters are phone numbers and names: they stay out of error texts.
            "hide_parameters": True,
            "connect_args": {"options": "-c timezone=UTC", "application_name": "rimay", "connect_timeout": 5},
        }
        # One round trip on a loopback or a LAN: no work begins on a connection that a restart has killed.
        self.engine = create_async_engine(
            self.url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, **common
        )
        self._readers = create_async_engine(
            self.url, pool_size=_READERS, max_overflow=0, isolation_level="AUTOCOMMIT", **common
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def connect(self) -> None:
        """Wait for the server, at most `wait_s`; then `DatabaseUnavailable`."""
        await self._with_patience(self.ping, self._wait_s)

    async def dispose(self) -> None:
        await self.engine.dispose()
        await self._readers.dispose()

    async def ping(self) -> float:
        """Seconds that one round trip takes, connection included when the pool is cold."""
        began = time.perf_counter()
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return time.perf_counter() - began

    async def healthy(self, timeout_s: float = 2.0) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self.ping()
        except (DBAPIError, PoolTimeout, TimeoutError, OSError) as error:
            log.warning("database.unhealthy", problem=type(error).__name__)
            return False
        return True

    def session(self) -> AsyncSession:
        """A bare session; the caller commits and closes (`async with`)."""
        return self._sessions()

    @asynccontextmanager
    async def begin(self, *, wait_s: float | None = None) -> AsyncIterator[AsyncSession]:
        """A session in a transaction, committed at the end. Waits for a connection; the body is never repeated: when
        the connection breaks in it, `DatabaseUnavailable`, and nothing of it is stored."""
        async with self._sessions() as session:
            await self._with_patience(lambda: _open(session), self._wait_s if wait_s is None else wait_s)
            try:
                yield session
            except DBAPIError as error:
                if is_transient(error):
                    raise DatabaseUnavailable("the connection to the database broke") from error
                raise
            await _commit(session)

    async def read(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """What one statement finds, in one round trip instead of four: no look at the connection before, no transaction
        around it. On a connection that a restart has killed it is asked again, for at most `wait_s`."""

        async def once() -> Sequence[Row[Any]]:
            async with self._readers.connect() as connection:
                return (await connection.execute(statement, dict(parameters or {}))).all()

        return await self._with_patience(once, self._wait_s)

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """What is notified on that channel from now on, on a connection of its own. Raises `DatabaseUnavailable` when
        there is none, or it breaks; behind a pooler that shares connections nothing may ever come."""
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            async with await psycopg.AsyncConnection.connect(
                url, autocommit=True, connect_timeout=5, application_name="rimay"
            ) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                yield (notified.payload async for notified in connection.notifies())
        except psycopg.Error as error:  # a standby that is being promoted refuses it, too
            raise DatabaseUnavailable("nothing can be listened to on the database now") from error

    async def run(
        self,
        work: Callable[[AsyncSession], Awaitable[T]],
        *,
        wait_s: float | None = None,
        idempotent: bool = False,
    ) -> T:
        """Do the work in one transaction; again from its beginning after a transient error, for at most `wait_s`.

        The work must touch nothing but the session. When the connection breaks while the commit is under way nobody
        knows whether it was stored: `CommitUnknown`, unless the work is `idempotent` (safe to repeat once stored)."""

        async def once() -> T:
            async with self._sessions() as session:
                result = await work(session)
                await (session.commit() if idempotent else _commit(session))
                return result

        return await self._with_patience(once, self._wait_s if wait_s is None else wait_s)

    async def _with_patience(self, attempt: Callable[[], Awaitable[T]], wait_s: float) -> T:
        deadline = time.monotonic() + wait_s
        pause = _FIRST_WAIT_S
        told = False
        while True:
            try:
                result = await attempt()
            except Exception as error:
                if not is_transient(error):
                    raise
                if time.monotonic() + pause > deadline:
                    raise DatabaseUnavailable(f"the database did not answer within {wait_s:g} s") from error
                if not told:
                    log.warning("database.waiting", problem=_short(error), at_most_s=wait_s)
                    told = True
            else:
                if told:
                    log.info("database.back")
                return result
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_WAIT_S)


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except DBAPIError as error:
        if is_transient(error) and not _was_rolled_back(error):
            raise CommitUnknown("the connection to the database broke during a commit") from error
        raise


async def _open(session: AsyncSession) -> None:
    try:
        await session.connection()
    except Exception:
        await session.rollback()
        raise


def _was_rolled_back(error: BaseException) -> bool:
    """The server itself told that the transaction failed (deadlock, serialization): the outcome is known."""
    orig: Any = getattr(error, "orig", None)
    return getattr(orig, "sqlstate", None) in {"40001", "40P01", "25006"}


def _short(error: BaseException) -> str:
    orig = getattr(error, "orig", None) or error
    return f"{type(orig).__name__}: {str(orig).splitlines()[0] if str(orig) else ''}"
