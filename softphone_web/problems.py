"""Errors as problem documents (RFC 9457): the one place where an error of ours becomes an HTTP status."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation.errors import Conflict, Denied, Invalid, NotFound, RimayError, TooMany, Unauthenticated, Unavailable
from foundation.logs import get_logger
from pbx.terms import ChannelGone, CommandRefused, SwitchUnreachable
from softphone_web.request_id import request_id_of

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_STARTED: web.RequestKey[bool] = web.RequestKey("started", bool)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FieldError(BaseModel):
    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="path, query, header or body")
    field: str = Field(description="dotted name inside it; empty for the whole")
    code: str
    message: str


class Problem(BaseModel):
    """What every error looks like."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="urn:rimay:problem:<code>")
    title: str
    status: int
    code: str = Field(description="stable, for programs")
    detail: str = ""
    request_id: str
    permanent: bool = Field(description="the same request will fail again")
    facts: dict[str, Any] = {}
    errors: list[FieldError] = []


class RequestInvalid(Invalid):
    """The request does not fit its models; `errors` lists every field."""

    code = "request.invalid"

    def __init__(self, errors: Sequence[FieldError], status: int = 422) -> None:
        super().__init__("The request does not fit what this address takes.")
        self.errors = list(errors)
        self.status = status


class RequestTimeout(Unavailable):
    code = "request.timeout"


# The first class that fits decides. An error that fits none is a fault of ours: 500.
_STATUS: tuple[tuple[type[RimayError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (Denied, 403),
    (Unauthenticated, 401),
    (TooMany, 429),
    (RequestTimeout, 504),
    (Unavailable, 503),
    (ChannelGone, 409),
    (CommandRefused, 409),
    (SwitchUnreachable, 503),
)
_HIDDEN = {
    500: "Something broke on our side. Tell us the request id.",
    503: "Something that this needs does not answer now. Try again shortly.",
    504: "This took too long. Try again shortly.",
}
RETRY_AFTER_S = 2  # what 503 and 504 suggest: our dependencies restart in about that time
_AIOHTTP_CODES = {
    400: "request.malformed",
    404: "not_found",
    405: "request.method",
    413: "request.too_large",
    415: "request.media_type",
}


def status_of(error: RimayError) -> int:
    if isinstance(error, RequestInvalid):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def field_errors(where: str, error: ValidationError) -> list[FieldError]:
    """pydantic's findings without the rejected values, which may be personal data."""
    return [
        FieldError(where=where, field=".".join(map(str, found["loc"])), code=found["type"], message=found["msg"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def problem_response(
    request: web.Request,
    status: int,
    code: str,
    detail: str,
    *,
    permanent: bool,
    facts: Mapping[str, Any] | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    problem = Problem(
        type=f"urn:rimay:problem:{re.sub(r'[^a-z0-9_.-]', '_', code)}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=request_id_of(request),
        permanent=permanent,
        facts=dict(facts or {}),
        errors=list(errors),
    )
    extra = {"Cache-Control": "no-store", **(headers or {})}
    if status == 401:
        extra["WWW-Authenticate"] = 'Bearer realm="rimay"'
    elif status in (503, 504):
        extra["Retry-After"] = str(RETRY_AFTER_S)
    text = problem.model_dump_json(fallback=str)
    return web.Response(status=status, text=text, content_type=MEDIA_TYPE, headers=extra)


def _of_rimay(request: web.Request, error: RimayError) -> web.Response:
    status = status_of(error)
    if status >= 500:
        log.error("web.failed", code=error.code, request_id=request_id_of(request), exc_info=error)
        code = error.code if status != 500 else "internal"
        return problem_response(request, status, code, _HIDDEN[status], permanent=False)
    return problem_response(
        request,
        status,
        error.code,
        error.message,
        permanent=error.is_permanent,
        facts=error.facts,
        errors=error.errors if isinstance(error, RequestInvalid) else (),
        headers={"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else None,
    )


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    code = _AIOHTTP_CODES.get(error.status, f"http.{error.status}")
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return problem_response(request, error.status, code, error.reason, permanent=True, headers=headers)


def unparsed_response(status: int) -> web.Response:
    """For what could not be read as a request at all: there is no request id and no route."""
    code = "request.malformed" if status < 500 else "internal"
    detail = "This is not a request that can be read." if status < 500 else _HIDDEN[500]
    problem = Problem(
        type=f"urn:rimay:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id="",
        permanent=status < 500,
    )
    headers = {"Cache-Control": "no-store", "Server": "rimay", "X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=problem.model_dump_json(), content_type=MEDIA_TYPE, headers=headers)


async def note_start(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: from now on this request has its status line."""
    request[_STARTED] = True


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every error into a problem document; a response that has begun can only be cut short."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = _of_aiohttp(request, error)
    except RimayError as error:
        answer = _of_rimay(request, error)
    except ConnectionError:
        raise  # the client left: there is nobody to answer
    except Exception as error:
        log.error("web.broke", request_id=request_id_of(request), exc_info=error)  # noqa: TRY400 - it is the same
        answer = problem_response(request, 500, "internal", _HIDDEN[500], permanent=False)
    if request.get(_STARTED, False):
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("failed after the response had begun")
    return answer
