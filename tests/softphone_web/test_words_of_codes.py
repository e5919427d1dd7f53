"""Every code that the server tells administrators of has its words in both languages in the page that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import app.bootstrap_web
import foundation
import recording.place
import softphone_web
from app.settings import Settings
from app.shown_settings import show_settings
from foundation.audit_chain import Break
from softphone_web import health, live
from softphone_web.ports import Well
from tests.support.page_texts import SOURCES, all_pairs, read

AUDIT = read(SOURCES / "admin/audit-texts.ts")
ADMIN = read(SOURCES / "admin/texts.ts")
_WRITERS = {"audit", "act", "_of_other", "entry", "_entry"}
_ORDERS = {"order", "may_order"}
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for package in (foundation, softphone_web):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    yield name, node


def _strings(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for part in [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def actions() -> set[str]:
    """Of all acts that are written to the trail, as the code names them."""
    found = set()
    for name, node in _calls():
        if name in _WRITERS:
            found |= {text for text in _strings(node.args) if _ACTION.fullmatch(text)}
        elif name in _ORDERS:
            found |= {f"call.{text}" for text in _strings(node.args)}
    return found


def test_every_act_of_the_audit_trail_has_its_words() -> None:
    known = actions()
    assert {"user.lockout_lifted", "role.added", "call.hold", "agent.signed_out", "recording.downloaded"} <= known
    told = {key.removeprefix("action.") for key in AUDIT if key.startswith("action.")}
    assert told == known


def test_every_way_in_which_the_chain_breaks_has_its_words() -> None:
    assert {f"break.{code.value}" for code in Break} == {key for key in AUDIT if key.startswith("break.")}


def test_what_the_health_checks_find_and_miss_has_its_words() -> None:
    assert set(health.WELL) == set(Well)
    codes = {one.value for one in Well} | {health.NO_ANSWER, health.UNEXPECTED, live.Interrupted.code}
    codes |= {app.bootstrap_web.BusGone.code, app.bootstrap_web.NotReconciled.code, app.bootstrap_web.NoTrunkUp.code}
    codes |= {recording.place.NoFolder.code, recording.place.NoRoom.code}
    assert {f"said.{code}" for code in codes} <= set(ADMIN)
    for what, english in health.WELL.items():
        for words in ADMIN[f"said.{what.value}"]:
            assert set(re.findall(r"\{(\w+)\}", words)) == set(re.findall(r"\{(\w+)\}", english)), what


def test_where_settings_come_from_has_its_words() -> None:
    assert {f"set.source.{one.source}" for one in show_settings(Settings())} | {"set.source.file"} <= set(ADMIN)


def test_the_dictionaries_are_read_whole() -> None:
    assert len(all_pairs()) > 700
    for path in SOURCES.rglob("*texts.ts"):
        written = sum(1 for line in path.read_text().splitlines() if re.match(r'\s*("[^"]+"|\w+): \["', line))
        assert len(read(path)) >= written, path.name
