"""Asking the customer's systems over HTTP, for flows: bounded in time and size, retried where that is safe, and left
alone for a while once they fail again and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from callcontrol.settings import CustomerSystem, CustomerSystemSettings
from foundation.clock import Clock
from foundation.logs import get_logger
from foundation.metrics import CONTROL_S, Metrics
from ivr_flows.protocol import Failure, Request, Response

log = get_logger(__name__)

# An answer to a telephone call has a few values; more is a mistake, or an attack on our memory.
MAX_BODY = 256 * 1024
# Between the attempts: long enough for a restart of a worker, too short to be felt.
RETRY_AFTER_S = 0.2
_WORTH_ANOTHER_TRY = frozenset({502, 503, 504})


@dataclass(slots=True)
class Breaker:
    """Opens after `failures` in a row; after `rest_s` one request may try again."""

    failures: int
    rest_s: float
    failed: int = 0
    opened_at: float | None = None

    def lets_through(self, now: float) -> bool:
        if self.opened_at is None:
            return True
        if now - self.opened_at < self.rest_s:
            return False
        self.opened_at = now  # this one tries; the others wait for what becomes of it
        return True

    def succeeded(self) -> None:
        self.failed, self.opened_at = 0, None

    def failed_again(self, now: float) -> None:
        self.failed += 1
        if self.failed >= self.failures:
            self.opened_at = now


class HttpSystems:
    """The port `callcontrol.ports.CustomerSystems`, as an async context manager."""

    def __init__(self, settings: CustomerSystemSettings, clock: Clock, metrics: Metrics) -> None:
        self._systems = {system.name: system for system in settings.systems}
        self._secrets = settings.secrets
        self._settings = settings
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None
        self._seconds = metrics.histogram("systems_request_seconds", "A request of a flow", CONTROL_S)
        self._answers = metrics.counter("systems_answers_total", "Answers to flows", ("system", "outcome"))

    async def __aenter__(self) -> HttpSystems:
        connector = aiohttp.TCPConnector(limit=200, limit_per_host=50, ttl_dns_cache=60)
        self._session = await self._stack.enter_async_context(
            # No cookies: what a system sets for one caller is nobody else's.
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def ask(self, request: Request) -> Response:
        """One request of a flow, with its retries. Never raises for what the system does."""
        prepared = self._prepared(request)
        if prepared is None:
            return self._counted(request, Response(failure=Failure.REFUSED))
        url, headers = prepared
        breaker = self._breaker(request)
        response = Response(failure=Failure.BREAKER)
        for attempt in range(request.retries + 1):
            if attempt:
                await asyncio.sleep(RETRY_AFTER_S)
            if not breaker.lets_through(self._clock.now()):
                break
            with self._seconds.time():
                response = await self._once(request, url, headers)
            if response.failure is None and response.status < 500:
                breaker.succeeded()
                break
            breaker.failed_again(self._clock.now())
            if response.failure is None and response.status not in _WORTH_ANOTHER_TRY:
                break
            if response.failure in (Failure.NOT_JSON, Failure.TOO_LARGE):
                break
        return self._counted(request, response)

    def _counted(self, request: Request, response: Response) -> Response:
        outcome = response.failure.value if response.failure is not None else f"{response.status // 100}xx"
        known = request.system if request.system in self._systems else "direct" if not request.system else "unknown"
        self._answers.labels(known, outcome).inc()
        if response.failure is not None:
            log.info("systems.no_answer", system=known, why=response.failure.value)
        return response

    def _breaker(self, request: Request) -> Breaker:
        key = request.system or urlsplit(request.url).netloc
        return self._breakers.setdefault(key, Breaker(self._settings.breaker_failures, self._settings.breaker_rest_s))

    def _prepared(self, request: Request) -> tuple[str, dict[str, str]] | None:
        """The whole address and all headers; None for a system or secret that the settings do not know."""
        headers = {"Accept": "application/json", **request.headers}
        url = request.url
        if request.system:
            system: CustomerSystem | None = self._systems.get(request.system)
            if system is None or not url.startswith("/") or url.startswith("//"):
                return None
            url = system.url.rstrip("/") + url
            headers |= {name: secret.get_secret_value() for name, secret in system.headers.items()}
        elif not self._settings.direct:
            return None
        for header, name in request.secrets.items():
            secret = self._secrets.get(name)
            if secret is None:
                return None
            headers[header] = secret.get_secret_value()
        return url, headers

    async def _once(self, request: Request, url: str, headers: Mapping[str, str]) -> Response:
        assert self._session is not None  # noqa: S101 - entered
        try:
            async with self._session.request(
                request.method,
                url,
                headers=headers,
                json=None if request.body is None else dict(request.body),
                timeout=aiohttp.ClientTimeout(total=request.timeout_s),
                # Where a request goes is written in the flow; a system must not send it elsewhere.
                allow_redirects=False,
            ) as answer:
                raw = await _bounded(answer)
                if raw is None:
                    return Response(answer.status, failure=Failure.TOO_LARGE)
                return _read(answer.status, raw)
        except TimeoutError:
            return Response(failure=Failure.TIMEOUT)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            log.info("systems.unreachable", system=request.system, problem=type(error).__name__)
            return Response(failure=Failure.UNREACHABLE)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes | None:
    raw = b""
    async for chunk in answer.content.iter_chunked(16 * 1024):
        raw += chunk
        if len(raw) > MAX_BODY:
            return None
    return raw


def _read(status: int, raw: bytes) -> Response:
    if not raw.strip():
        return Response(status)
    try:
        return Response(status, json.loads(raw))
    except (ValueError, RecursionError):
        # A page of HTML beside an error's status is no news; beside a good one it is.
        return Response(status) if status >= 300 else Response(status, failure=Failure.NOT_JSON)
