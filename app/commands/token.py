"""`rimay token`: makes an API token and prints it, alone on stdout."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from datetime import timedelta

from app.place import Place
from app.running import progress
from app.running import run as run_now
from app.servers import open_stores
from app.settings import Settings, read_settings
from foundation import migrations
from foundation.access import Role
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.errors import Invalid
from foundation.logs import configure
from foundation.tokens import PostgresTokenStore, Tokens


def run(args: argparse.Namespace) -> int:
    try:
        role = Role(args.role)
    except ValueError:
        raise Invalid(f"there is no role {args.role!r}; roles are {', '.join(Role)}") from None
    if args.days is not None and not 0 < args.days <= 36500:
        raise Invalid("--days must be more than 0, and a hundred years at most")
    settings = read_settings(args.config)
    configure(settings.logs.model_copy(update={"level": "warning"}))
    place = Place.open(args.var, user_name=settings.servers.user)
    name = args.name or f"{getpass.getuser()} ({role})"
    lifetime = None if args.days is None else timedelta(days=args.days)
    secret = run_now(_make(settings, place, role, name, lifetime))
    print(secret)
    print(f"rimay: token of {name}, role {role}. It is not shown again.", file=sys.stderr)
    return 0


async def _make(settings: Settings, place: Place, role: Role, name: str, lifetime: timedelta | None) -> str:
    async with open_stores(settings, place, progress()) as stores:
        await asyncio.to_thread(migrations.upgrade, stores.database_url)
        database = Database(stores.database_url, pool_size=1)
        try:
            tokens = Tokens(PostgresTokenStore(database), SystemClock())
            _, secret = await tokens.create(name, role, lifetime=lifetime, origin="command line")
        finally:
            await database.dispose()
    return secret.get_secret_value()
