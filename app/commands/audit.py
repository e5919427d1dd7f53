"""`rimay audit verify`: whether the audit trail is as it was written. 0: yes; 1: no, and where it breaks."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.place import Place
from app.running import progress
from app.running import run as run_now
from app.servers import open_stores
from app.settings import Settings, read_settings
from foundation import migrations
from foundation.audit import PostgresAudit
from foundation.audit_chain import Head, Verdict
from foundation.database import Database
from foundation.errors import Invalid
from foundation.logs import configure


def run(args: argparse.Namespace) -> int:
    try:
        expect = Head.parse(args.expect) if args.expect else None
    except ValueError:
        raise Invalid("--expect takes what an earlier run printed: NUMBER:HASH") from None
    settings = read_settings(args.config)
    configure(settings.logs.model_copy(update={"level": "warning"}))
    place = Place.open(args.var, user_name=settings.servers.user)
    verdict = run_now(_verify(settings, place, expect))
    if verdict.broken is not None:
        which = f" ({verdict.broken.id})" if verdict.broken.id else ""
        print(
            f"rimay: the audit trail breaks at entry {verdict.broken.n}{which}: {verdict.broken.why}", file=sys.stderr
        )
        return 1
    print(verdict.head)
    print(
        f"rimay: {verdict.entries} entries, all as they were written. Keep the line above elsewhere.", file=sys.stderr
    )
    return 0


async def _verify(settings: Settings, place: Place, expect: Head | None) -> Verdict:
    async with open_stores(settings, place, progress()) as stores:
        await asyncio.to_thread(migrations.upgrade, stores.database_url)
        database = Database(stores.database_url, pool_size=1)
        try:
            return await PostgresAudit(database).verify(expect)
        finally:
            await database.dispose()
