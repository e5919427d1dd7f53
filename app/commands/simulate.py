"""`rimay simulate SCENARIO.yaml`: a plan played through the router."""

from __future__ import annotations

import argparse
import json
import time

from callcontrol.simulation import chart, engine, scenario
from callcontrol.simulation.report import report


def run(args: argparse.Namespace) -> int:
    plan, config = scenario.read(args.file)
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
