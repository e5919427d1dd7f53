"""`rimay apply FILE`: puts an organisation (queues, skills, calendars, capacities, teams, agents) in force."""

from __future__ import annotations

import argparse

from app.place import Place
from callcontrol.routing.config_store import apply


def run(args: argparse.Namespace) -> int:
    place = Place.open(args.var, quiet=True)
    done = apply(args.file, place.var, dry_run=args.dry_run)
    for change in done.changes:
        print(change)
    verb = "would change" if args.dry_run else "changed"
    if done.changes:
        print(f"{args.file}: {len(done.changes)} {verb}")
    elif done.written:
        print(f"{args.file}: only comments, order or writing {verb}")
    else:
        print(f"{args.file}: nothing to change")
    return 0
