"""What is not even HTTP: aiohttp would answer it with a line of the request, and log it, a token and all."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from foundation.logs import get_logger
from softphone_web.problems import unparsed_response

log = get_logger(__name__)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Before or behind our middlewares, where nothing of ours has caught it."""
        if status < 500:
            log.info("web.malformed", status=status, kind=type(exc).__name__)  # `exc` quotes what was sent
        else:
            log.error("web.broke", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError("failed after the response had begun")
        response = unparsed_response(status)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner with connections of ours: there is no public way to name their class."""

    async def _make_server(self) -> Any:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
