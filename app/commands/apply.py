"""`rimay apply FILE`: puts an organisation (queues, skills, calendars, capacities, teams, agents) in force."""

from __future__ import annotations

import argparse

from app.place import Place
from callcontrol.routing.config_store import apply


def run(args: argparse.Namespace) -> int:
    place = Place.open(args.var, quiet=True)
    changes = apply(args.file, place.var, dry_run=args.dry_run)
    for change in changes:
        print(change)
    done = "would change" if args.dry_run else "changed"
    print(f"{args.file}: {len(changes)} {done}" if changes else f"{args.file}: nothing to change")
    return 0
