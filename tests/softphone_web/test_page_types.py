"""The shapes that the pages are written against (`kit/types.ts`) and those that the API tells of do not drift apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import softphone_web
from softphone_web.openapi import build_document
from softphone_web.server import ROUTES

SCHEMAS: dict[str, Any] = build_document(ROUTES, "0")["components"]["schemas"]
SOURCE = (Path(softphone_web.__file__).parent / "pages/src/kit/types.ts").read_text()
# The page's name of a shape, and the API's.
SAME = {
    "Agent": "AgentOut",
    "DeskAgent": "DeskAgentOut",
    "Coded": "CodeOut",
    "PathStep": "softphone_web__schemas_desk__ChoiceOut",
    "Offer": "OfferOut",
    "Leg": "LegOut",
    "DeskItem": "ItemOut",
    "WrapUp": "WrapUpOut",
    "Desk": "DeskOut",
    "Interaction": "InteractionOut",
    "InteractionEvent": "EventOut",
    "Note": "NoteOut",
    "CustomerCard": "CustomerOut",
    "DirectoryEntry": "DirectoryEntry",
    "WrapUpCodes": "CodesOut",
    "MyStatistics": "StatisticsOut",
    "Message": "MessageOut",
}
KINDS = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean"}


def interfaces(source: str) -> dict[str, dict[str, str]]:
    """Name -> field -> its type as written; what is written inside of braces is one type."""
    found = {}
    for name, body in re.findall(r"^export interface (\w+) \{\n(.*?)^\}", source, re.S | re.M):
        fields: dict[str, str] = {}
        for line in body.splitlines():
            if given := re.match(r"^  (\w+)\??: (.*)$", line):
                fields[given[1]] = given[2]
            elif fields and not line.strip().startswith("/**"):
                fields[list(fields)[-1]] += line
        found[name] = {field: type_.rstrip(";").rstrip() for field, type_ in fields.items()}
    return found


TYPES = interfaces(SOURCE)
ALIASES = dict(re.findall(r"^export type (\w+) = (.*);$", SOURCE, re.M))


def resolved(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a value may be, each without its references."""
    if "$ref" in schema:
        return resolved(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    return [one for part in schema["anyOf"] for one in resolved(part)] if "anyOf" in schema else [schema]


def drift(type_: str, schema: dict[str, Any]) -> list[str]:
    """What the API may send that the page's type does not allow."""
    type_ = " | ".join(ALIASES.get(part.strip(), part) for part in type_.split("|"))
    given = [part.strip() for part in type_.split("|")]
    wrong = []
    for one in resolved(schema):
        kind = one.get("type")
        if kind == "null":
            wrong += [] if given[-1] == "null" else ["may be null"]
        elif kind == "array":
            wrong += [] if "[]" in type_ else ["is a list"]
        elif "enum" in one and any(part.startswith('"') for part in given):
            wrong += [f"may be {value!r}" for value in one["enum"] if f'"{value}"' not in given]
        elif kind in KINDS and "{" not in type_ and not any(part.startswith('"') for part in given):
            wrong += [] if KINDS[kind] in given else [f"is a {kind}"]
    return wrong


def test_every_shape_of_the_pages_is_held_against_one_of_the_api() -> None:
    assert set(TYPES) == set(SAME)


@pytest.mark.parametrize("name", SAME)
def test_a_shape_says_what_the_api_says(name: str) -> None:
    properties = SCHEMAS[SAME[name]]["properties"]
    assert TYPES[name]
    missing = set(TYPES[name]) - set(properties)
    assert not missing, f"{name}: the API has no {missing}"
    found = {field: wrong for field, type_ in TYPES[name].items() if (wrong := drift(type_, properties[field]))}
    assert not found, f"{name} in types.ts is {found}"


def test_a_drift_is_found() -> None:
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert drift("string", nullable) == ["may be null"]
    assert drift("string | null", nullable) == []
    assert drift("number", {"type": "string"}) == ["is a string"]
    assert drift('"on" | "off"', {"type": "string", "enum": ["on", "off", "paused"]}) == ["may be 'paused'"]
    assert drift("string", {"type": "array", "items": {"type": "string"}}) == ["is a list"]
