from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from foundation.database import Database
from foundation.migrations import upgrade
from tests.support.servers import PostgresServer, postgres_server

__all__ = ["database", "postgres_server"]


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    url = postgres_server.new_database()
    upgrade(url)
    database = Database(url, pool_size=4)
    try:
        yield database
    finally:
        await database.dispose()
