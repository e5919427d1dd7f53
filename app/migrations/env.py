"""Run by alembic for each command; the connection comes from `foundation.migrations`, which holds the lock."""

from __future__ import annotations

import importlib
import importlib.util

from alembic import context

from foundation.database import metadata

# Every room that has tables. A room in the making may not have its module yet; one that fails to import is an error.
TABLES = (
    "foundation.tables",
    "foundation.identity.tables",
    "callcontrol.tables",
    "recording.tables",
    "customers.tables",
    "softphone_web.tables",
)

for _name in TABLES:
    if importlib.util.find_spec(_name) is not None:
        importlib.import_module(_name)


def _run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("migrations run through foundation.migrations (rimay db upgrade), not by alembic itself")
    # Each step commits by itself: what a failing step leaves is the step before it.
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
