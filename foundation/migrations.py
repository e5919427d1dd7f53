"""The schema's steps, by alembic: programmatic, one process at a time, in a database that may be newer than we are.

These functions block: from a loop, `await asyncio.to_thread(upgrade, url)`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from foundation.database import MIGRATION_LOCK, DatabaseUnavailable, async_url, is_transient
from foundation.errors import RimayError
from foundation.logs import get_logger

# Where the scripts are, as alembic names a package's folder; the top floor has them because they join all rooms.
SCRIPTS = "app:migrations"
# Another daemon's upgrade may rewrite a large table.
_LOCK_TIMEOUT_S = 600

log = get_logger(__name__)


class MigrationError(RimayError):
    code: ClassVar[str] = "database.migration"
    is_permanent: ClassVar[bool] = True


class DatabaseNewer(MigrationError):
    """A newer version of the program has upgraded this database."""

    code: ClassVar[str] = "database.newer"


def upgrade(url: str | URL, *, scripts: str = SCRIPTS, to: str = "head") -> list[str]:
    """Apply what is pending and return those revisions, oldest first. Two at once: the second waits, and finds nothing
    left to do."""
    with _locked(url) as connection:
        waiting = _pending(connection, _config(scripts, connection), to)
        connection.rollback()
        if waiting:
            log.info("database.upgrading", revisions=waiting)
            command.upgrade(_config(scripts, connection), to)
            connection.commit()
        return waiting


def current(url: str | URL) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with _connected(url) as connection:
        return _revision(connection)


def pending(url: str | URL, *, scripts: str = SCRIPTS) -> list[str]:
    """Revisions that an upgrade would apply, oldest first."""
    with _connected(url) as connection:
        return _pending(connection, _config(scripts, connection), "head")


def _pending(connection: Connection, config: Config, to: str) -> list[str]:
    directory = ScriptDirectory.from_config(config)
    known = [script.revision for script in directory.walk_revisions("base", to)][::-1]
    at = _revision(connection)
    if at is None:
        return known
    if at in known:
        return known[known.index(at) + 1 :]
    if at in {script.revision for script in directory.walk_revisions()}:
        return []  # beyond `to`
    raise DatabaseNewer(f"the database is at revision {at}, which this version does not know", revision=at)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(scripts: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", scripts)
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(url: str | URL) -> Iterator[Connection]:
    engine = create_engine(
        async_url(url),  # psycopg 3 serves both worlds under one name
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"application_name": "rimay-migrations", "options": "-c timezone=UTC", "connect_timeout": 5},
    )
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            if is_transient(error):
                raise DatabaseUnavailable("the database does not answer") from error
            raise
        with connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _locked(url: str | URL) -> Iterator[Connection]:
    """A session's lock, not a transaction's: a migration may commit in between (CREATE INDEX CONCURRENTLY). It falls
    with the connection, so a killed daemon leaves none behind."""
    with _connected(url) as connection:
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("RESET lock_timeout"))
        connection.commit()
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
                connection.commit()
