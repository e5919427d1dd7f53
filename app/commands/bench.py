"""`rimay bench NAME`: runs a measurement of bench/ with the rest of the arguments."""

from __future__ import annotations

import argparse
import runpy
import sys

from app.place import CHECKOUT
from foundation.errors import NotFound


def run(args: argparse.Namespace) -> int:
    folder = CHECKOUT / "bench"
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if args.name is None or args.name in {"-h", "--help"}:
        print("\n".join(names) if names else "there are no measurements in bench/")
        return 0
    if args.name not in names:
        raise NotFound(f"there is no measurement {args.name!r}; there are: {', '.join(names) or 'none'}")
    sys.argv = [f"bench/{args.name}.py", *args.rest]
    try:
        runpy.run_path(str(folder / f"{args.name}.py"), run_name="__main__")
    except SystemExit as exc:
        if exc.code is None or isinstance(exc.code, int):
            return exc.code or 0
        print(exc.code, file=sys.stderr)
        return 1
    return 0
