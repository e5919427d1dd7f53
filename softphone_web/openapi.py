"""The OpenAPI 3.1 document, from the declared routes and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from softphone_web.permissions import Open
from softphone_web.problems import MEDIA_TYPE, Problem
from softphone_web.routes import Route

Json = dict[str, Any]
References = dict[Any, Json]  # by (model, mode)
_REF = "#/components/schemas/{model}"
_TAGS = {
    "interactions": "Contacts of citizens with us, over any medium.",
    "recordings": "Their audio.",
    "customers": "Who the citizen is, and what is known of them.",
    "knowledge": "What agents look up: articles, scripts, the directory.",
    "queues": "Who waits, and for how long.",
    "agents": "Who answers, and their states.",
    "desk": "An agent's work as it stands, and their answers to offers.",
    "supervision": "Listening, whispering, speaking in others' calls; taking them over.",
    "calls": "Orders to a call in hand.",
    "phone": "The phone in a page: its credentials and its SIP socket.",
    "webphone": "A citizen's call from a web page.",
    "flows": "What callers hear: call flows, their versions, and trying them.",
    "trunks": "The SIP trunks to the telephone network.",
    "board": "The supervisor's board: everything that goes on, the day's figures, alerts.",
    "control": "A supervisor's hand on what waits and on agents' states.",
    "messages": "Messages of supervisors to agents.",
    "organisation": "Queues, skills, calendars, teams, agents, reasons and dispositions as data.",
    "live": "What happens, at the moment it happens.",
    "me": "Who asks.",
    "session": "Signing in and out in a browser, and one's own account.",
    "audit": "Who did what, and the settings in force.",
    "users": "Accounts of people, and roles.",
    "health": "How the platform is.",
}


def build_document(routes: Iterable[Route], version: str) -> Json:
    routes = list(routes)
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.response is not None:
            models[route.response, "serialization"] = None
        for model in route.models.values():
            models[model, "validation"] = None
    references, definitions = models_json_schema(list(models), ref_template=_REF)
    by_model: References = dict(references)
    schemas = definitions.get("$defs", {})
    paths: dict[str, Json] = {}
    for route in routes:
        operation = _operation(route, by_model, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    asked_only = {  # models of paths and queries are told as parameters
        by_model[model, "validation"]["$ref"].rsplit("/", 1)[1]
        for route in routes
        for part, model in route.models.items()
        if part != "body"
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rimay",
            "version": version,
            "description": "API of the contact-centre platform. Times are RFC 3339; errors are problem documents.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in sorted(schemas.items()) if name not in asked_only},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token: rimay token --role ROLE"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "rimay",
                    "description": "POST /api/v1/session. What changes something needs X-CSRF-Token, too.",
                },
            },
        },
    }


def _operation(route: Route, by_model: References, schemas: dict[str, Json]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "responses": _responses(route, by_model),
    }
    if route.description:
        operation["description"] = route.description
    if route.access is not Open.PUBLIC:
        operation["security"] = [{"token": []}, {"session": []}]
        needs = [] if isinstance(route.access, Open) else [permission.value for permission in route.access]
        operation["x-permissions-any-of"] = needs
    parameters: list[Json] = []
    for part in ("path", "query"):
        if part in route.models:
            parameters += _parameters(part, _resolve(by_model[route.models[part], "validation"], schemas))
    if parameters:
        operation["parameters"] = parameters
    if "body" in route.models:
        schema = by_model[route.models["body"], "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _resolve(schema: Json, schemas: dict[str, Json]) -> Json:
    return schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _parameters(part: str, schema: Json) -> list[Json]:
    required = set(schema.get("required", ()))
    found = []
    for name, shape in schema.get("properties", {}).items():
        # A parameter is absent or has a value; null exists only in our models.
        shape = {key: value for key, value in shape.items() if key not in {"title", "description"}}
        kinds = [kind for kind in shape.pop("anyOf", []) if kind != {"type": "null"}]
        if kinds:
            shape = {**shape, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})}
        if shape.get("default", 0) is None:
            del shape["default"]
        parameter: Json = {"name": name, "in": part, "required": name in required, "schema": shape}
        if described := schema["properties"][name].get("description"):
            parameter["description"] = described
        found.append(parameter)
    return found


def _responses(route: Route, by_model: References) -> Json:
    good: Json = {"description": HTTPStatus(route.status).phrase}
    if route.response is not None:
        good["content"] = {"application/json": {"schema": by_model[route.response, "serialization"]}}
    elif route.produces not in {"application/json", "websocket"}:
        binary = {"type": "string"} if route.produces.startswith("text/") else {}
        good["content"] = {route.produces: {"schema": binary}}
    responses: Json = {str(route.status): good}
    if route.produces == "audio/wav":
        responses["206"] = {**good, "description": HTTPStatus.PARTIAL_CONTENT.phrase}
        responses["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
    problem = {MEDIA_TYPE: {"schema": by_model[Problem, "serialization"]}}
    for status in sorted(_failures(route)):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    if route.name == "get_ready" and route.response is not None:
        responses["503"] = {**good, "description": "Not ready"}
    responses["default"] = {"description": "Any other error", "content": problem}
    return responses


def _failures(route: Route) -> set[int]:
    """The errors that the route's declaration implies, with those that it names."""
    statuses = {422, *route.raises}  # 422: unknown query parameters are refused everywhere
    if route.access is not Open.PUBLIC:
        statuses |= {401, 403, 503}
    if "body" in route.models:
        statuses |= {400, 413, 415}
    return statuses
