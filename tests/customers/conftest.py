from __future__ import annotations

from tests.foundation.conftest import database, empty_database, postgres_server

__all__ = ["database", "empty_database", "postgres_server"]
