from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from foundation.database import Database
from foundation.migrations import upgrade
from tests.support.servers import PostgresServer, postgres_server, redis_server

__all__ = ["database", "empty_database", "postgres_server", "redis_server"]


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> str:
    """URL of a fresh database without any table."""
    return postgres_server.new_database()


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Database]:
    """A fresh database at the newest revision."""
    upgrade(empty_database)
    database = Database(empty_database, pool_size=4)
    try:
        yield database
    finally:
        await database.dispose()
