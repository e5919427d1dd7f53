"""`rimay export`: the organisation in force, as a file that `rimay apply` takes."""

from __future__ import annotations

import argparse

from app.place import Place
from callcontrol.routing.config_store import text_in_force


def run(args: argparse.Namespace) -> int:
    print(text_in_force(Place.open(args.var, quiet=True).var), end="")
    return 0
