"""`rimay db upgrade`: brings the database's schema up to this version."""

from __future__ import annotations

import argparse
import asyncio

from app.place import Place
from app.running import progress
from app.running import run as run_now
from app.servers import open_stores
from app.settings import read_settings
from foundation import migrations
from foundation.logs import configure


def run(args: argparse.Namespace) -> int:
    settings = read_settings(args.config)
    configure(settings.logs.model_copy(update={"level": "warning"}))
    place = Place.open(args.var, user_name=settings.servers.user)

    async def work() -> list[str]:
        async with open_stores(settings, place, progress()) as stores:
            does = migrations.upgrade if args.action == "upgrade" else migrations.pending
            return await asyncio.to_thread(does, stores.database_url)

    revisions = run_now(work())
    if args.action == "upgrade":
        print(f"upgraded: {', '.join(revisions)}" if revisions else "the database is up to date")
    else:
        print(f"pending: {', '.join(revisions)}" if revisions else "the database is up to date")
    return 0
