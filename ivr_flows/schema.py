"""The JSON Schema of flow files, for editors (``# yaml-language-server: $schema=...``)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ivr_flows.flow import FlowHead
from ivr_flows.nodes import KINDS
from ivr_flows.terms import SHORT

ID = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Of a whole flow file, with every node kind there is."""
    models: list[type[BaseModel]] = [FlowHead, *(kind.model for kind in KINDS.values())]
    places, whole = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = {name: _relaxed(each, top=True) for name, each in whole["$defs"].items()}
    head_ref, *node_refs = (places[model, "validation"] for model in models)
    head = definitions.pop(head_ref["$ref"].rsplit("/", 1)[-1])
    properties = dict(head["properties"])
    properties["nodes"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,63}$"},
        "additionalProperties": {"oneOf": node_refs},
    }
    required = [*head.get("required", ()), "nodes"]
    return {
        "$schema": ID,
        **head,
        "title": "Rimay flow",
        "properties": properties,
        "required": required,
        "$defs": definitions,
    }


def _relaxed(schema: Any, *, top: bool = False) -> Any:
    """As files may be written: one item for a list of one, a bare text for what has a short form, and numbers where a
    text is meant."""
    if isinstance(schema, list):
        return [_relaxed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed = {key: value if key in ("enum", "const") else _relaxed(value) for key, value in schema.items()}
    if relaxed.get("type") == "array" and isinstance(relaxed.get("items"), dict):
        return {"anyOf": [relaxed, relaxed["items"]]}
    if top and SHORT in relaxed:
        return {"anyOf": [{"type": ["string", "number", "boolean"]}, relaxed]}
    if relaxed.get("type") == "string" and "enum" not in relaxed and "const" not in relaxed:
        # 1.50 or true without quotes is read as the text that was written
        return {**relaxed, "type": ["string", "number", "boolean", "null"]}
    return relaxed
