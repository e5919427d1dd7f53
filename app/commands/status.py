"""`rimay status`: what runs in a `var` folder."""

from __future__ import annotations

import argparse
import json

from app.place import CHECKOUT, Place
from app.ports import Ports
from foundation.pid_files import read_pid

# Of the conventions for service scripts: "not running".
NOT_RUNNING = 3


def run(args: argparse.Namespace) -> int:
    place = Place.open(args.var, quiet=args.json)
    daemon = place.daemon
    records = [record for path in sorted(place.servers.rglob("*.pid.json")) if (record := read_pid(path))]
    servers = [{"name": r.name, "pid": r.process.pid, "running": r.is_alive} for r in records]
    facts: dict[str, object] = {
        "running": daemon is not None,
        "pid": daemon.process.pid if daemon else None,
        "var": str(place.var),
        "cache": str(place.cache),
        "checkout": str(CHECKOUT),
        "servers": servers,
        "ports": Ports(place).known(),
    }
    if args.json:
        print(json.dumps(facts))
    else:
        _print(facts, servers)
    return 0 if daemon else NOT_RUNNING


def _print(facts: dict[str, object], servers: list[dict[str, object]]) -> None:
    print(f"the platform runs, process {facts['pid']}" if facts["running"] else "the platform does not run")
    print(f"data    {facts['var']}")
    print(f"cache   {facts['cache']}")
    for server in servers:
        print(f"server  {server['name']}: {'process' if server['running'] else 'dead, was process'} {server['pid']}")
    ports = facts["ports"]
    if isinstance(ports, dict) and ports:
        print("ports   " + ", ".join(f"{name} {port}" for name, port in ports.items()))
