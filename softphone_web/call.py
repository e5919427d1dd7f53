"""One request on its way through a typed route: who asks, what they ask, and the answer back to HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from callcontrol.model import AgentId
from foundation.access import Permission, Principal
from foundation.audit import entry
from foundation.errors import RimayError
from softphone_web.client import client_address
from softphone_web.deps import DEPS, WebDeps
from softphone_web.permissions import Open, admit, agent_of
from softphone_web.problems import FieldError, Handler, RequestInvalid, RequestTimeout, field_errors, status_of
from softphone_web.request_id import request_id_of
from softphone_web.routes import Route
from softphone_web.texts import unfit

Fields = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Call:
    """What a handler gets beside its models. `headers` and `status` go on the response."""

    request: web.Request
    deps: WebDeps
    principal: Principal | None  # None only on operations that anybody may call
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None  # instead of the route's own

    @property
    def who(self) -> Principal:
        if self.principal is None:
            raise LookupError("this operation is open to anybody: nobody signed in")
        return self.principal

    def may(self, permission: Permission) -> bool:
        return self.principal is not None and self.principal.may(permission)

    @property
    def agent(self) -> AgentId | None:
        """The agent that asks, when it is one."""
        return agent_of(self.principal) if self.principal is not None else None

    @asynccontextmanager
    async def act(
        self, action: str, target: str, before: Fields | None = None, /, **after: Any
    ) -> AsyncIterator[Fields]:
        """Keep a privileged act that is done inside; what is refused there was not done, and leaves nothing. It is not
        begun while the trail cannot be written. Facts that only the act knows are put into those that are given.

        Where nobody can tell whether it was done (no answer, or none in time) the entry says ``outcome: unknown``."""
        await self.deps.audit.head()
        facts: Fields = dict(after)
        try:
            yield facts
        except RimayError as error:
            if status_of(error) >= 500:
                await self.audit(action, target, before, **facts, outcome="unknown")
            raise
        except BaseException:
            await self.audit(action, target, before, **facts, outcome="unknown")
            raise
        await self.audit(action, target, before, **facts)

    async def audit(self, action: str, target: str, before: Fields | None = None, /, **after: Any) -> None:
        """An entry now: of what is told before it is shown to anybody. `target` is ``kind:id``, `before` what it was
        until now."""
        now = datetime.fromtimestamp(self.deps.clock.now(), UTC)
        origin = client_address(self.request, self.deps.settings)
        facts = {**after, "request_id": request_id_of(self.request)}
        await self.deps.audit.write(entry(self.who, action, target, at=now, before=before, after=facts, origin=origin))


def handler_of(route: Route) -> Handler:
    """The aiohttp handler that does all that `route` declares."""

    async def handle(request: web.Request) -> web.StreamResponse:
        deps = request.app[DEPS]
        streams = route.produces != "application/json"
        try:
            principal = await _admit(request, deps, route)
            call = Call(request=request, deps=deps, principal=principal)
            async with asyncio.timeout(None if streams else deps.settings.request_timeout_s):
                given = await _read(request, deps, route)
                result = await route.handler(call, **given)
        except TimeoutError as error:
            raise RequestTimeout("The operation did not end in its time.", operation=route.name) from error
        if isinstance(result, web.StreamResponse):
            return result
        headers = {"Cache-Control": "no-store", **call.headers}
        status = call.status or route.status
        if result is None:
            return web.Response(status=status, headers=headers)
        body = result.model_dump_json().encode()
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)

    return handle


async def _admit(request: web.Request, deps: WebDeps, route: Route) -> Principal | None:
    """Authentication, then authorisation; nothing of the request's content is looked at before."""
    if route.access is Open.PUBLIC:
        return None
    async with asyncio.timeout(deps.settings.request_timeout_s):
        principal = await route.authenticate(request, deps)
    admit(principal, route.access)
    return principal


async def _read(request: web.Request, deps: WebDeps, route: Route) -> dict[str, BaseModel]:
    """Every part of the request in its model; the findings of all parts are told together."""
    raw: dict[str, Fields] = {}
    errors: list[FieldError] = []
    raw["path"] = dict(request.match_info)
    raw["query"] = _query(request, errors)
    if "query" not in route.models:
        errors.extend(_unknown("query", name) for name in raw["query"])
    if "body" in route.models:
        # the application's limit, or that of a whole flow or organisation
        limit = deps.settings.document_limit_bytes if route.takes_document else deps.settings.body_limit_bytes
        raw["body"] = await _body(request.clone(client_max_size=limit))
    elif request.can_read_body:
        raise RequestInvalid([FieldError(where="body", field="", code="unexpected", message="No body is taken here.")])
    given: dict[str, BaseModel] = {}
    for part, model in route.models.items():
        try:
            given[part] = model.model_validate(raw[part])
        except ValidationError as error:
            errors.extend(field_errors(part, error))
        else:
            errors.extend(_unfit(part, raw[part]))
    if errors:
        raise RequestInvalid(errors)
    return given


def _query(request: web.Request, errors: list[FieldError]) -> Fields:
    """The query as a dict; a name that comes twice is an error, since which one counts would be a guess."""
    found: Fields = {}
    for name in dict.fromkeys(request.query):
        values = request.query.getall(name)
        found[name] = values[0]
        if len(values) > 1:
            message = "Given more than once."
            errors.append(FieldError(where="query", field=name[:64], code="repeated", message=message))
    return found


def _unfit(where: str, given: Any) -> list[FieldError]:
    place = unfit(given)
    if place is None:
        return []
    return [
        FieldError(where=where, field=place[:64], code="text", message="A text here has a NUL, or half a character.")
    ]


def _unknown(where: str, name: str) -> FieldError:
    return FieldError(where=where, field=name[:64], code="extra_forbidden", message="Nothing of this name is taken.")


async def _body(request: web.BaseRequest) -> Any:
    if request.content_type != "application/json":
        found = FieldError(where="header", field="Content-Type", code="media_type", message="Send application/json.")
        raise RequestInvalid([found], status=415)
    try:
        return json.loads(await request.read(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        found = FieldError(where="body", field="", code="json", message="This is not JSON.")
        raise RequestInvalid([found], status=400) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
