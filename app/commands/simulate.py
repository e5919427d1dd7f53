"""`rimay simulate SCENARIO.yaml`: a plan played through the router."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from callcontrol.simulation import chart, engine, scenario
from callcontrol.simulation.report import report
from foundation.errors import Invalid


def run(args: argparse.Namespace) -> int:
    plan, config = scenario.read(args.file)
    if args.svg is not None:
        _must_be_writable(args.svg)
    seed = plan.seed if args.seed is None else args.seed
    began = time.monotonic()
    result = report(engine.run(plan, config, seed), config)
    took = time.monotonic() - began
    title = plan.title or args.file.stem
    if args.svg is not None:
        args.svg.write_text(chart.svg(result, title), encoding="utf-8")
    if args.json:
        print(json.dumps({"title": title, "seed": seed, "seconds": round(took, 3), **result.as_json()}))
    else:
        print(f"{title} (seed {seed}, {took:.1f} s)\n{chart.terminal(result)}")
    return 0


def _must_be_writable(chart_file: Path) -> None:
    """Before the run, which may take minutes; what stands in it stays until there is a new chart."""
    try:
        chart_file.open("a").close()
    except OSError as error:
        raise Invalid(f"{chart_file} cannot be written: {error.strerror}") from None
