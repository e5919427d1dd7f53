"""The OpenAPI document as rows for the reference page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from softphone_web.openapi import Json


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: str
    notes: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseRow:
    status: str
    description: str
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    open: bool
    permissions: list[str]
    parameters: list[Row]
    body: list[Row]
    responses: list[ResponseRow]


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    description: str
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelRow:
    name: str
    description: str
    rows: list[Row]
    values: list[str]


def groups_of(document: Json) -> list[Group]:
    groups = {tag["name"]: Group(tag["name"], tag["description"]) for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups[operation["tags"][0]].operations.append(_operation(document, path, method, operation))
    return [group for group in groups.values() if group.operations]


def models_of(document: Json) -> list[ModelRow]:
    return [
        ModelRow(name, schema.get("description", ""), _rows(schema), [str(value) for value in schema.get("enum", ())])
        for name, schema in document["components"]["schemas"].items()
    ]


def _operation(document: Json, path: str, method: str, operation: Json) -> Operation:
    parameters = [
        _row(one["name"], one["schema"], one["required"], one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    responses = [
        ResponseRow(status, response["description"], _model(response))
        for status, response in operation["responses"].items()
        if status != "default"
    ]
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        open="security" not in operation,
        permissions=operation.get("x-permissions-any-of", []),
        parameters=parameters,
        body=_rows(document["components"]["schemas"][_name(body)]) if body else [],
        responses=responses,
    )


def _model(response: Json) -> str | None:
    shapes = [content["schema"] for content in response.get("content", {}).values() if "schema" in content]
    return _name(shapes[0]) if shapes and "$ref" in shapes[0] else None


def _rows(schema: Json) -> list[Row]:
    required = set(schema.get("required", ()))
    return [
        _row(name, shape, name in required, shape.get("description", ""))
        for name, shape in schema.get("properties", {}).items()
    ]


def _row(name: str, shape: Json, required: bool, description: str) -> Row:
    kind, model = _kind(shape)
    notes = [] if required or "default" in shape else ["optional"]
    if shape.get("default") is not None:
        notes.append(f"default {shape['default']}")
    low, high = shape.get("minimum"), shape.get("maximum")
    if low is not None and high is not None:
        notes.append(f"{low} to {high}")
    if description:
        notes.append(description)
    return Row(name, kind, "; ".join(notes), model)


def _kind(shape: Json) -> tuple[str, str | None]:
    """(a type in words, the model that it names)."""
    if "$ref" in shape:
        return _name(shape), _name(shape)
    if "anyOf" in shape:
        kinds = [_kind(one) for one in shape["anyOf"]]
        return " | ".join(kind for kind, _ in kinds), next((model for _, model in kinds if model), None)
    if shape.get("type") == "array":
        kind, model = _kind(shape.get("items", {}))
        return f"{kind}[]", model
    if "enum" in shape:
        return " | ".join(map(str, shape["enum"])), None
    words: Any = shape.get("format") or shape.get("type") or "any"
    return str(words), None


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[1]
