"""Every sentence that the checks of the organisation and of flows can say is in the Spanish tables, found in their
source: one that is added there without its Spanish form fails here.

A place that is filled in (``{name!r}``) is tried with several samples."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import callcontrol
import foundation
import ivr_flows
from callcontrol.routing import config_store, skills
from foundation.settings import SettingsError
from foundation.settings_mistakes import _EXPECTED as EXPECTED_OF_SETTINGS
from ivr_flows.loader import load
from ivr_flows.problems import _EXPECTED as EXPECTED_OF_FLOWS
from ivr_flows.terms import PATTERNS
from softphone_web.flow_mistakes_es import hint_in_spanish, message_in_spanish
from softphone_web.mistakes_es import in_spanish

ROUTING, FLOWS, BASE = (Path(str(one.__file__)).parent for one in (callcontrol, ivr_flows, foundation))
ORGANISATION = [
    *(ROUTING / "routing" / f"{name}.py" for name in ("config", "config_checks", "rules", "service_level", "skills")),
    BASE / "settings_mistakes.py",
    BASE / "settings_yaml.py",
]
# Not of a flow that is edited: what happens in a call, in a rehearsal, on the disk, or in a test's file.
_NOT_FOR_EDITORS = {
    *("flow_tests.py", "trying.py", "history.py", "state.py", "run.py", "engine.py", "shelf.py", "book.py"),
    *("calendars.py", "moments.py", "amounts.py"),
}
_FRAMES = {"x: x", "kind: ..."}  # a place before another sentence; what is written as it stands
_SAMPLES = ("x", "'x'", "7", "a queue", "skill", "a list", "text", "time", "queues")
# Callee -> which of its arguments (from 0) is a sentence, and the keywords that are.
_SAYERS: dict[str, tuple[int, ...]] = {
    "ValueError": (0,), "PydanticCustomError": (1,), "Problem": (1,), "BadNeed": (0,), "Doubt": (2,), "Mistake": (2,),
    "wrong": (2,), "_warn": (3,), "_error": (3,), "add": (2,), "_refuse": (2,), "_found": (3,),
}  # fmt: skip


def _text(node: ast.expr, filled: str) -> str | None:
    """A literal or f-string with `filled` in its places; None for what is neither."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [str(one.value) if isinstance(one, ast.Constant) else _filled(one, filled) for one in node.values]
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):  # a sentence, and what may stand behind it
        return _text(node.left, filled)
    return None


def _filled(node: ast.expr, filled: str) -> str:
    quoted = isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
    return f"'{filled.strip(chr(39))}'" if quoted else filled


def _said(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """("message" or "expected", what is written) of all that a module can say."""
    tree = ast.parse(path.read_text())
    for function in [tree, *(one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))]:
        assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, []).append(node.value)
        if isinstance(function, ast.Module):
            continue
        is_problem = function.name in {"problem", "problem_of", "_read", "_problem", "_sentence"}
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and is_problem and node.value is not None:
                value = node.value
                for one in value.elts[:1] if isinstance(value, ast.Tuple) else _branches(value, assigned):
                    yield "message", one
            elif isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                for at in _SAYERS.get(name, ()):
                    for one in _branches(node.args[at], assigned) if at < len(node.args) else ():
                        yield "message", one
                if name in {"_refuse", "_found"} and len(node.args) > _SAYERS[name][0] + 1:
                    yield "expected", node.args[_SAYERS[name][0] + 1]
                for keyword in node.keywords:
                    if keyword.arg == "expected" and name in _SAYERS:
                        for one in _branches(keyword.value, assigned):
                            yield "expected", one


def _branches(node: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _branches(node.body, assigned)
        yield from _branches(node.orelse, assigned)
    elif isinstance(node, ast.Name):
        for one in assigned.get(node.id, []):
            yield from _branches(one, {})
    else:
        yield node


def sentences(paths: list[Path]) -> dict[tuple[str, str], list[str]]:
    """(kind, where it is written) -> the sentence with each sample in its places."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        for kind, node in _said(path):
            filled = [text for one in _SAMPLES if (text := _text(node, one))]
            if filled and filled[0] not in _FRAMES and " " in filled[0].replace("{problem}", ""):
                found[(kind, f"{path.name}:{node.lineno} {filled[0]}")] = [*dict.fromkeys(filled)]
    return found


def _missing(found: dict[tuple[str, str], list[str]], told: Callable[[str, str], str]) -> list[str]:
    """Where no sample of a sentence is known. ``{name}`` of pydantic's own errors is filled in, too."""
    return [
        where
        for (kind, where), texts in found.items()
        if all(told(kind, _formatted(one)) == _formatted(one) for one in texts)
    ]


def _formatted(text: str) -> str:
    return text.format_map(_Any()) if "{" in text and text.count("{") == text.count("}") else text


class _Any(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "x"


def _organisation(kind: str, text: str) -> str:
    return in_spanish(text)


def _flow(kind: str, text: str) -> str:
    return message_in_spanish(text) if kind == "message" else hint_in_spanish(text)


def test_every_sentence_about_the_organisation() -> None:
    found = sentences(ORGANISATION)
    assert len(found) > 35
    assert _missing(found, _organisation) == []
    for expected in EXPECTED_OF_SETTINGS.values():
        said = in_spanish(f"expected {expected}, found a list")
        assert said.startswith("aquí va "), said
        assert said.endswith(", y hay una lista")
        assert f"{expected}," not in said.replace("una lista,", "")


def test_every_sentence_about_a_flow() -> None:
    paths = [path for path in sorted(FLOWS.rglob("*.py")) if path.name not in _NOT_FOR_EDITORS]
    found = sentences([path for path in paths if path.parent.name != "speech"])
    assert len(found) > 60
    assert _missing(found, _flow) == []


@pytest.mark.parametrize("expected", sorted({*EXPECTED_OF_FLOWS.values(), *PATTERNS.values()}))
def test_every_hint_of_what_was_expected(expected: str) -> None:
    filled = expected.format(expected="'a' or 'b'", gt=1, ge=1, lt=1, le=1, min_length=1, max_length=1)
    assert hint_in_spanish(filled) != filled


_ENGLISH = re.compile(r"\b(the|not|found|expected|while|parsing|mapping|scanning|block|token|character|allowed)\b")


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c",
        "a: [1, 2",
        "a: {b: 1",
        "a:\n\t- b",
        "a: 'b",
        'a: "\\q"',
        "a: 1\n b: 2",
        "- a\nb: 1",
        "a: *b",
        "a: @b",
        "a\nb",
    ],
)
def test_what_is_no_yaml(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        config_store.read_text(text)
    for mistake in caught.value.mistakes:
        assert not _ENGLISH.search(in_spanish(mistake.message)), (mistake.message, in_spanish(mistake.message))
    for one in load(text).findings:
        assert not _ENGLISH.search(message_in_spanish(one.message)), (one.message, message_in_spanish(one.message))


def test_a_doubt_about_a_node_is_told_with_its_node() -> None:
    assert message_in_spanish("hablar: there is no queue 'x'") == "hablar: no existe la cola «x»"


def test_a_new_sentence_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "new.py"
    module.write_text(
        'def lint():\n    text = f"{n} is a brand new complaint of ours"\n    yield Doubt((), "x", text)\n'
    )
    assert _missing(sentences([module]), _flow) != []
    module.write_text('def lint():\n    yield Doubt((), "x", f"there is no queue {n!r}")\n')
    assert _missing(sentences([module]), _flow) == []


def test_skills_are_checked_by_what_is_looked_at() -> None:
    assert any(one.startswith("skills.py") for _, one in sentences([Path(str(skills.__file__))]))
