"""`rimay up`: the platform in the foreground."""

from __future__ import annotations

import argparse

from app.place import Place
from app.running import run_until_stopped
from app.settings import read_settings
from foundation.logs import configure


def run(args: argparse.Namespace) -> int:
    overrides = {} if args.port is None else {"web.port": args.port}
    settings = read_settings(args.config, overrides=overrides)
    configure(settings.logs)
    place = Place.open(args.var, user_name=settings.servers.user)
    from app.bootstrap import run_platform

    with place.hold():
        run_until_stopped(lambda stop: run_platform(settings, place, stop=stop))
    return 0
