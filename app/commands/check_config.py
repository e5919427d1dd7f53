"""`rimay check-config`: every mistake of the settings, with file and line."""

from __future__ import annotations

import argparse
import json

from app.settings import read_settings, settings_file
from foundation.settings import describe


def run(args: argparse.Namespace) -> int:
    named = args.file or args.config
    settings = read_settings(named)
    print(f"{settings_file(named)}: no mistakes found")
    if args.show:
        print(json.dumps(describe(settings), indent=2, ensure_ascii=False))
    return 0
