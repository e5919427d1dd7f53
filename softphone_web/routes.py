"""Typed routes: a handler says once what it takes, what it gives and who may call it.

    routes = Routes("/api/v1", tag="agents")

    @routes.put("/agents/{agent}/state", AGENT_STATE, raises=(409,))
    async def set_agent_state(call: Call, path: AgentPath, body: StateBody) -> AgentOut:
        \"\"\"Change an agent's state.\"\"\"

The parameters named `path`, `query` and `body` are pydantic models; the result is a model, None (204) or, with
`produces`, a response of another media type. From this come routing, validation, authorisation and the OpenAPI
document; what does not fit together is an error when the module is imported.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from foundation.access import Principal
from softphone_web.authenticate import authenticate
from softphone_web.deps import WebDeps
from softphone_web.permissions import Access

Authenticator: TypeAlias = Callable[[web.Request, WebDeps], Awaitable[Principal]]
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
_PARTS = ("path", "query", "body")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Model(BaseModel):
    """Base of the models of requests and responses: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, serialize_by_alias=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One declared operation. `access` says who may call it."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    access: Access
    handler: Callable[..., Awaitable[Any]]
    models: dict[str, type[BaseModel]]  # by part: path, query, body
    response: type[BaseModel] | None
    status: int
    produces: str
    raises: tuple[int, ...]
    takes_document: bool  # its body may be as long as `web.document_limit_bytes`
    authenticate: Authenticator


class Routes:
    """The operations of one part of the API, in the order they are written."""

    def __init__(self, prefix: str, *, tag: str) -> None:
        self._prefix = prefix
        self._tag = tag
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, access: Access, **more: Any) -> Callable[[F], F]:
        return self._add("GET", path, access, **more)

    def post(self, path: str, access: Access, **more: Any) -> Callable[[F], F]:
        return self._add("POST", path, access, **more)

    def put(self, path: str, access: Access, **more: Any) -> Callable[[F], F]:
        return self._add("PUT", path, access, **more)

    def delete(self, path: str, access: Access, **more: Any) -> Callable[[F], F]:
        return self._add("DELETE", path, access, **more)

    def _add(
        self,
        method: str,
        path: str,
        access: Access,
        *,
        raises: tuple[int, ...] = (),
        status: int = 200,
        produces: str = "application/json",
        takes_document: bool = False,
        authenticate: Authenticator = authenticate,
    ) -> Callable[[F], F]:
        def register(handler: F) -> F:
            full = self._prefix + path
            models, response = _read_signature(handler, full, produces)
            doc = inspect.getdoc(handler)
            if not doc:
                raise TypeError(f"{handler.__name__}: an operation needs a docstring, it is its documentation")
            summary, _, description = doc.partition("\n")
            self._routes.append(
                Route(
                    name=handler.__name__,
                    method=method,
                    path=full,
                    tag=self._tag,
                    summary=summary.strip().rstrip("."),
                    description=" ".join(description.split()),
                    access=access,
                    handler=handler,
                    models=models,
                    response=response,
                    status=204 if response is None and produces == "application/json" else status,
                    produces=produces,
                    raises=raises,
                    takes_document=takes_document,
                    authenticate=authenticate,
                )
            )
            return handler

        return register


def _read_signature(
    handler: Callable[..., Any], path: str, produces: str
) -> tuple[dict[str, type[BaseModel]], type[BaseModel] | None]:
    """Check a handler's declaration and take its models from it."""
    hints = get_type_hints(handler)
    result = hints.pop("return", None)
    hints.pop("call", None)
    models = {}
    for part, model in hints.items():
        if part not in _PARTS or not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"{handler.__name__}: {part} must be one of {_PARTS} and a pydantic model")
        models[part] = model
    placeholders = set(_PLACEHOLDER.findall(path))
    fields = set(models["path"].model_fields) if "path" in models else set()
    if placeholders != fields:
        raise TypeError(f"{handler.__name__}: {path} has {sorted(placeholders)}, its path model {sorted(fields)}")
    if isinstance(result, type) and issubclass(result, BaseModel):
        return models, result
    if result is type(None):
        return models, None
    if isinstance(result, type) and issubclass(result, web.StreamResponse) and produces != "application/json":
        return models, None
    raise TypeError(f"{handler.__name__}: gives neither a model nor None, and `produces` names no other media type")
