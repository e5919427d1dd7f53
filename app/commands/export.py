"""`rimay export`: the organisation in force, as a file that `rimay apply` takes."""

from __future__ import annotations

import argparse

from app.place import Place
from callcontrol.routing.config_store import export, in_force


def run(args: argparse.Namespace) -> int:
    print(export(in_force(Place.open(args.var, quiet=True).var)), end="")
    return 0
