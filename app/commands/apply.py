"""`rimay apply FILE`: puts an organisation (queues, skills, calendars, capacities, teams, agents) in force."""

from __future__ import annotations

import argparse
import datetime as dt
import sys

from app.place import Place
from app.settings import read_settings
from callcontrol.routing.config_store import apply, doubts
from foundation.settings import SettingsError


def run(args: argparse.Namespace) -> int:
    place = Place.open(args.var, quiet=True)
    done = apply(args.file, place.var, dry_run=args.dry_run, empty=args.empty)
    for doubt in doubts(args.file, dt.datetime.now().astimezone().date(), _phones(args)):
        at = doubt.place or (1, 1)
        print(f"{args.file}:{at[0]}:{at[1]}: {doubt.key}: warning: {doubt.message}", file=sys.stderr)
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


def _phones(args: argparse.Namespace) -> set[str] | None:
    """None where there are no settings to read: an organisation may be looked at anywhere."""
    try:
        return {phone.name for phone in read_settings(args.config).pbx.phones}
    except SettingsError:
        return None
