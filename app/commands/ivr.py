"""`rimay ivr`: check, try, draw and test flows, list their prompts, export their schema."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from app.flow_names import FlowNames, recordings_in
from app.place import SOUNDS, chosen_var
from app.rehearsed_bots import RehearsedBots
from app.settings import Settings, read_settings
from callcontrol.routing.config_store import in_force
from foundation.errors import Invalid, NotFound, RimayError
from ivr_flows.book import SHIPPED, flow_files
from ivr_flows.checking import check, load_all
from ivr_flows.conversation import HELP, Conversation
from ivr_flows.drawing import draw
from ivr_flows.drawing_svg import draw_svg
from ivr_flows.findings import has_errors
from ivr_flows.flow import Flow
from ivr_flows.flow_tests import run_tests
from ivr_flows.moments import instant
from ivr_flows.prompt_list import wanted
from ivr_flows.references import Known
from ivr_flows.rehearsal import Rehearsal
from ivr_flows.schema import json_schema


def run(args: argparse.Namespace) -> int:
    return _ACTIONS[args.action](args)


def _settings(args: argparse.Namespace) -> Settings | None:
    """None where there are no settings: flows can be looked at without a platform."""
    try:
        return read_settings(args.config)
    except RimayError:
        if args.config is not None:
            raise
        return None


def _folders(args: argparse.Namespace) -> list[Path]:
    """What is named, else the folders of the settings and what comes with Rimay."""
    if args.files:
        return [Path(name) for name in args.files]
    settings = _settings(args)
    named = [] if settings is None else [Path(folder) for folder in settings.ivr_flows.folders]
    return [*named, SHIPPED]


def _check(args: argparse.Namespace) -> int:
    paths = _folders(args)
    known = _names(args)
    findings = check(paths, known=known)
    if args.json:
        print(json.dumps([_plain(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(finding)
        if untold := known.untold():
            print(f"not looked for, as none is set up here: {', '.join(untold)}", file=sys.stderr)
        print(f"{len(load_all(paths))} flows, {len(findings)} findings", file=sys.stderr)
    return 1 if has_errors(findings) else 0


def _names(args: argparse.Namespace) -> Known:
    """Of the settings, and of the organisation and the recordings of this place."""
    settings, folder = _settings(args), chosen_var(args.var)
    if settings is None:
        return Known(recorded=recordings_in(folder / SOUNDS))
    return FlowNames(settings, in_force(folder), folder / SOUNDS).known


def _plain(finding: object) -> dict[str, object]:
    return {name: getattr(finding, name) for name in finding.__slots__}  # type: ignore[attr-defined]


def _test(args: argparse.Namespace) -> int:
    folders = _folders(args)
    files = [file for each in folders for file in _tests_of(each)]
    flows = load_all([*(f.parent.parent for f in files), *folders] if args.files else folders)
    settings = _settings(args) if args.bots else None
    with RehearsedBots([] if settings is None else settings.bots) as bots:
        outcome = run_tests(files, flows, bots)
    for finding in outcome.findings:
        print(finding)
    for flow, nodes in outcome.unvisited.items():
        print(f"{flow}: no test comes to {', '.join(nodes)}", file=sys.stderr)
    print(f"{outcome.ran} tests, {len(outcome.findings)} failed", file=sys.stderr)
    if outcome.ran == 0:
        raise NotFound("no tests were found; they are files in a folder tests/ beside the flows")
    return 1 if outcome.failed else 0


def _tests_of(path: Path) -> list[Path]:
    """A file of tests is itself; a folder of flows has them in tests/."""
    if path.is_file():
        return [path]
    return flow_files(path / "tests") or (flow_files(path) if path.name == "tests" else [])


def _one(args: argparse.Namespace) -> tuple[Flow, Mapping[str, Flow]]:
    """The flow by its file or its id, and all that it may enter."""
    named = Path(args.flow)
    if named.is_file():
        flows = load_all([named, *flow_files(named.parent)])
        flow = next(iter(load_all([named]).values()), None)
        if flow is None:
            raise Invalid("\n".join(str(finding) for finding in check([named])))
        return flow, flows
    args.files = []
    flows = load_all(_folders(args))
    if args.flow not in flows:
        raise NotFound(f"there is no flow {args.flow!r}; there are {', '.join(sorted(flows))}")
    return flows[args.flow], flows


def _draw(args: argparse.Namespace) -> int:
    flow, _ = _one(args)
    as_svg = args.format == "svg" or (args.format is None and args.out is not None and args.out.suffix == ".svg")
    text = draw_svg(flow) if as_svg else draw(flow)
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text, encoding="utf-8")
    return 0


def _try(args: argparse.Namespace) -> int:
    flow, flows = _one(args)
    facts = {"from": args.caller, "to": args.number, "name": "", "trunk": "prueba"}
    call = Rehearsal(flow, lambda name, _version: flows.get(name), facts)
    if args.at:
        try:
            call.at = instant(args.at)
        except ValueError as error:
            raise Invalid(f"--at: {error}") from error
    settings = None if args.by_hand else _settings(args)
    with RehearsedBots([] if settings is None else settings.bots) as bots:
        call.bots = bots
        _talk(flow, call)
    print("  " + " > ".join(call.path))
    return 0


def _talk(flow: Flow, call: Rehearsal) -> None:
    talk = Conversation(call)
    print(f"{flow.name} ({flow.id}@{flow.version})\n{HELP}")
    print("\n".join(talk.begin()))
    while not talk.is_over:
        try:
            line = input("> ")
        except EOFError:
            break
        print("\n".join(talk.say(line)))


def _schema(args: argparse.Namespace) -> int:
    text = json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text, encoding="utf-8")
    return 0


def _prompts(args: argparse.Namespace) -> int:
    """What is still to be recorded: one line a prompt, its words behind it."""
    library = args.sounds or chosen_var(args.var) / SOUNDS
    listed = wanted(load_all(_folders(args)).values(), recordings_in(library))
    missing = [prompt for prompt in listed if not prompt.recorded]
    for prompt in missing:
        print(f"{prompt.language}/{prompt.name}\t{' | '.join(prompt.texts)}")
    print(f"{len(missing)} of {len(listed)} prompts are still to be recorded", file=sys.stderr)
    return 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "test": _test,
    "draw": _draw,
    "try": _try,
    "schema": _schema,
    "prompts": _prompts,
}
