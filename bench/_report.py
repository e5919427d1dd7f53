"""The figures for people, and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs/performance.md"
BEGIN, END = "<!-- bench/calls.py: begin -->", "<!-- bench/calls.py: end -->"
# figure, what it is, its goal as shown
_ROWS: tuple[tuple[str, str, str], ...] = (
    ("added_setup_p50_ms", "added by control, INVITE to 200, median", ""),
    ("added_setup_p99_ms", "added by control, INVITE to 200, 99th percentile", "<= 10"),
    ("setup_p99_ms", "INVITE to 200 through the platform, 99th percentile", ""),
    ("plain_setup_p99_ms", "INVITE to 200 through the switch alone, 99th percentile", ""),
    ("added_connect_p50_ms", "added by control, caller's INVITE to agent's ACK, median", ""),
    ("added_connect_p99_ms", "added by control, caller's INVITE to agent's ACK, 99th percentile", ""),
    ("connect_p99_ms", "caller's INVITE to agent's ACK through the platform, 99th percentile", ""),
    ("calls_per_s", "new two-leg calls a second with none lost, through the platform", ">= 40"),
    ("calls_per_s_plain", "the same through the switch alone", ""),
    ("failed", "calls lost in set-up rounds and holding", "0"),
    ("measured_calls", "calls of those", ""),
    ("switch_cpu_ms_per_call", "CPU of the switch, a call with one recorded second", ""),
    ("plain_switch_cpu_ms_per_call", "the same, switch alone", ""),
    ("python_cpu_ms_per_call", "CPU of Python, a call", ""),
    ("stores_cpu_ms_per_call", "CPU of PostgreSQL and Redis, a call", ""),
    ("held_calls", "recorded calls held at once while CPU is read", ""),
    ("held_switch_cores", "cores that the switch then uses", ""),
    ("plain_held_switch_cores", "the same, switch alone", ""),
    ("held_python_cores", "cores that Python then uses", ""),
    ("python_to_switch_cpu", "CPU of Python over CPU of the switch, calls held", "< 0.1"),
    ("python_to_switch_cpu_3min_calls", "the same with calls coming and going, 3 minutes each (computed)", "< 0.1"),
    ("recorded_calls_held", "most recorded calls at once with none lost and every recording right", ""),
)


def _shown(found: Mapping[str, Any], key: str) -> str:
    """A search that ended at the highest value it tries has found no limit, and says so."""
    value = found.get(key)
    if value is None:
        return "-"
    text = f"{value:.3g}" if isinstance(value, float) and value < 1000 else str(value)
    return f">= {text}" if found.get(f"{key}_is_top") else text


def table(found: Mapping[str, Any]) -> str:
    lines = ["| figure | value | goal | what it is |", "| --- | ---: | --- | --- |"]
    for key, what, goal in _ROWS:
        shown = _shown(found, key)
        lines.append(f"| `{key}` | {shown} | {goal} | {what} |")
    return "\n".join(lines)


def steps(found: Mapping[str, Any]) -> str:
    """The rates that were tried: the same rate with and without control beside one another."""
    lines = [
        "| new calls/s | | calls | failed | INVITE to 200, p50 / p99 ms | INVITE to agent's ACK, p50 / p99 ms |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    sides = {"platform": found["calls_per_s_steps"], "switch alone": found["calls_per_s_plain_steps"]}
    rows = [(row["rate"], name, row) for name, side in sides.items() for row in side]
    for rate, name, row in sorted(rows, key=lambda one: one[:2]):
        lines.append(
            f"| {rate:g} | {name} | {row['calls']} | {row['failed']} | {row['setup_p50_ms']:.1f} /"
            f" {row['setup_p99_ms']:.1f} | {row['connect_p50_ms']:.1f} / {row['connect_p99_ms']:.1f} |"
        )
    return "\n".join(lines)


def show(found: Mapping[str, Any]) -> str:
    lines = [_machine(found), ""]
    for key, what, goal in _ROWS:
        shown = _shown(found, key)
        lines.append(f"{key:<34} {shown:>8}  {('goal ' + goal) if goal else '':<11}  {what}")
    lines += [f"  {why}" for why in found.get("failures", [])]
    return "\n".join(lines)


def _machine(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    return (
        f"{found['engine']} {found['engine_version']}, Python {machine['python']}, {machine['cores']} cores"
        f" ({machine['cpu']}), {machine['memory_gb']} GB, Linux {machine['kernel']}, {found['date']};"
        f" loads of {found['seconds']:g} s, size {found['size']}; meanwhile others"
        f" kept {found['others_cores']:.2f} cores busy"
    )


def write_docs(found: Mapping[str, Any], path: Path = DOCS) -> None:
    """Replace what stands between the markers."""
    text = path.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path.name} has no place for the figures: {BEGIN} ... {END}")
    path.write_text(
        f"{head}{BEGIN}\n{_machine(found)}\n\n{table(found)}\n\n{steps(found)}\n{END}{tail}", encoding="utf-8"
    )
