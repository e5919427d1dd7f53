"""The `rimay` command: its arguments. Each command is a module of `app.commands`, imported when it is run, so that
`--help` and a wrong word answer at once."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Of the shell's conventions: what a program killed by SIGINT is seen to end with.
INTERRUPTED = 130


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    # SUPPRESS: given before or after the command, the one that was written counts
    shared.add_argument("--var", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="where data and state live")
    shared.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the settings file")
    parser = argparse.ArgumentParser(
        prog=Path(os.environ.get("RIMAY_PROGRAM", "rimay")).name,
        description="Rimay, a telephony-first contact-centre platform.",
        parents=[shared],
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[shared])

    demo = add("demo", "Set all up, place a real call through it, and stay up until Ctrl-C.")
    demo.add_argument("--once", action="store_true", help="end after the call; 0 only if every step was verified")
    demo.add_argument("--json", action="store_true", help="print one JSON object and nothing else on stdout")
    up = add("up", "Run the platform in the foreground.")
    up.add_argument("--port", type=int, metavar="N", help="of the pages and the API")
    add("down", "Stop what an earlier run left.")
    check = add("check-config", "Read the settings and list every mistake.")
    check.add_argument("file", type=Path, nargs="?", metavar="FILE")
    check.add_argument("--show", action="store_true", help="print the settings in force, secrets hidden")
    database = add("db", "The database's schema.")
    database.add_argument("action", choices=["upgrade", "status"])
    token = add("token", "Make an API token and print it, once.")
    token.add_argument("--role", required=True, help="agent, supervisor, manager, admin or service")
    token.add_argument("--name", help="who uses it")
    token.add_argument("--days", type=float, help="how long it is valid; for ever when not given")
    user = add("user", "Accounts of people.")
    actions = ["add", "list", "password", "disable", "enable", "no-second-factor", "unlock"]
    user.add_argument("action", choices=actions)
    user.add_argument("username", nargs="?", metavar="USERNAME")
    user.add_argument("--name", help="of the person; add")
    user.add_argument("--role", help="agent unless given; add")
    user.add_argument("--agent", help="the agent that this person is; add")
    user.add_argument(
        "--ask-password", action="store_true", help="typed here or on stdin; else a temporary one is made"
    )
    audit = add("audit", "The audit trail.")
    audit.add_argument("action", choices=["verify"])
    audit.add_argument("--expect", metavar="HEAD", help="NUMBER:HASH, as an earlier run printed it")
    apply = add("apply", "Put an organisation (queues, skills, teams) in force; show what changes.")
    apply.add_argument("file", type=Path, metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="only show")
    apply.add_argument("--empty", action="store_true", help="also where all queues or all agents go")
    add("export", "Print the organisation in force, as a file for apply.")
    simulate = add("simulate", "Play a day through the router: waits, service level, occupancy.")
    simulate.add_argument("file", type=Path, metavar="FILE")
    simulate.add_argument("--json", action="store_true", help="print one JSON object")
    simulate.add_argument("--svg", type=Path, metavar="FILE", help="write the chart there")
    simulate.add_argument("--seed", type=int, help="instead of the scenario's")
    status = add("status", "What runs here; exit code 3 when the platform does not.")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    _add_ivr(add("ivr", "Check, try, draw and test call flows."))
    # what follows these two is theirs, options too
    test = commands.add_parser("test", help="Check and test everything; arguments go to pytest.", add_help=False)
    test.add_argument("rest", nargs=argparse.REMAINDER)
    bench = commands.add_parser("bench", help="Run a measurement of bench/.", add_help=False)
    bench.add_argument("name", nargs="?", help="without it: the list")
    bench.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def _add_ivr(ivr: argparse.ArgumentParser) -> None:
    actions = ivr.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, text: str, *, files: bool = False) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text)
        if files:
            action.add_argument("files", nargs="*", metavar="FILES", help="files or folders; without any: all flows")
        return action

    add("check", "List every mistake; 1 when there are errors.", files=True).add_argument("--json", action="store_true")
    tests = add("test", "Run the tests beside the flows (folders tests/).", files=True)
    tests.add_argument("--bots", action="store_true", help="the settings' bots answer, where a test does not play them")
    add("prompts", "List what is still to be recorded.", files=True).add_argument(
        "--sounds", type=Path, metavar="DIR", help="the sound library"
    )
    talk = add("try", "Talk to a flow in the terminal.")
    talk.add_argument("flow", metavar="FLOW", help="its id or its file")
    talk.add_argument("--from", dest="caller", default="0991234567", metavar="NUMBER")
    talk.add_argument("--to", dest="number", default="072831900", metavar="NUMBER")
    talk.add_argument("--at", metavar="TIME", help="such as 2026-03-02T10:00, the time of Ecuador")
    talk.add_argument("--by-hand", action="store_true", help="play the bots, too, which the settings have")
    picture = add("draw", "Draw a flow, as Mermaid or SVG.")
    picture.add_argument("flow", metavar="FLOW", help="its id or its file")
    picture.add_argument("--format", choices=["svg", "mermaid"])
    picture.add_argument("--out", type=Path, metavar="FILE")
    schema = add("schema", "The JSON Schema of flow files, for editors.")
    schema.add_argument("--out", type=Path, metavar="FILE")


def _split(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """The words after `test` and `bench NAME` are not ours to read: argparse would take their options."""
    number = 0
    while number < len(argv) and argv[number].startswith("-"):
        number += 2 if argv[number] in {"--var", "--config"} else 1
    if number >= len(argv) or argv[number] not in {"test", "bench"}:
        return list(argv), None
    ours = number + (2 if argv[number] == "bench" else 1)
    return list(argv[:ours]), list(argv[ours:])


def main(argv: Sequence[str] | None = None) -> int:
    ours, rest = _split(sys.argv[1:] if argv is None else argv)
    args = _parser().parse_args(ours)
    args.var, args.config = getattr(args, "var", None), getattr(args, "config", None)
    if rest is not None:
        args.rest = rest
    from foundation.errors import RimayError

    module = importlib.import_module(f"app.commands.{args.command.replace('-', '_')}")
    try:
        code: int = module.run(args)
    except RimayError as exc:
        print(f"rimay: {exc.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
