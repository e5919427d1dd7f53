"""`rimay demo`: all of it, with a real call."""

from __future__ import annotations

import argparse

from app.place import Place
from app.running import run_until_stopped
from app.settings import DEMO_FILE, read_settings
from foundation.logs import configure


def run(args: argparse.Namespace) -> int:
    from app.demo import demo_overrides, run_demo

    place = Place.open(args.var, quiet=args.json)
    settings = read_settings(args.config, default=DEMO_FILE, overrides=demo_overrides(place))
    place = place.with_user(settings.servers.user)
    configure(settings.logs)

    with place.hold():
        return run_until_stopped(lambda stop: run_demo(settings, place, stop=stop, once=args.once, as_json=args.json))
