"""Is the platform well? For load balancers, for the operator, and, as a verdict, for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from aiohttp import web
from pydantic import Field

from callcontrol.model import Medium
from foundation.access import Permission
from foundation.audit_chain import plain
from foundation.clock import Clock
from foundation.errors import RimayError, Unauthenticated
from foundation.logs import get_logger
from pbx.terms import TrunkState
from softphone_web.authenticate import authenticate, bearer_token, session_cookie
from softphone_web.call import Call
from softphone_web.client import is_local
from softphone_web.deps import WebDeps
from softphone_web.permissions import Open, admit
from softphone_web.ports import HealthCheck, Well
from softphone_web.routes import Model, Routes
from softphone_web.schemas import at

log = get_logger(__name__)
routes = Routes("", tag="health")


WELL: Mapping[Well, str] = {
    Well.DATABASE: "{ms} ms",
    Well.REDIS: "connected",
    Well.SWITCH: "{engine}, {channels} channels",
    Well.RECORDINGS: "{free_mb} MB free",
    Well.FLOWS: "{flows} flows",
    Well.LIVE: "{pages} pages",
    Well.TRUNKS: "{up} of {total} up",
}
NO_ANSWER = "health.no_answer"  # seconds
UNEXPECTED = "health.unexpected"  # error


class CheckState(StrEnum):
    OK = "ok"
    FAILED = "failed"


class Overall(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # something that is not critical failed, or no trunk is up
    DOWN = "down"


class CheckOut(Model):
    name: str
    state: CheckState
    critical: bool
    ms: float
    detail: str | None = Field(default=None, description="for operators only, as are `code` and `facts`")
    code: str | None = Field(default=None, description="what `detail` says, for programs and other languages")
    facts: dict[str, Any] | None = None


class ReadyOut(Model):
    ready: bool
    measured_at: datetime
    checks: list[CheckOut]


class LiveOut(Model):
    alive: bool = True


class TrunksNow(Model):
    up: int
    total: int


class QueuesNow(Model):
    total: int
    waiting: int
    longest_wait_s: float | None


class FiguresNow(Model):
    """A part is null when it could not be measured."""

    switch: CheckState | None
    trunks: TrunksNow | None
    queues: QueuesNow | None
    calls: int | None


class HealthOut(Model):
    status: Overall
    measured_at: datetime
    takes_calls: bool | None = Field(description="the switch and, where there are any, a trunk; null: not measured")
    figures: FiguresNow | None = Field(description="for who is signed in and may see queues; null for anybody else")


async def run_checks(checks: Sequence[HealthCheck], timeout_s: float) -> list[CheckOut]:
    return list(await asyncio.gather(*(_run(check, timeout_s) for check in checks)))


async def _run(check: HealthCheck, timeout_s: float) -> CheckOut:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    state, facts = CheckState.OK, {}
    try:
        async with asyncio.timeout(timeout_s):
            found = await check.check()
        code, facts = found.what.value, dict(found.facts)
        detail = WELL[found.what].format(**facts)
    except TimeoutError:
        state, code, facts = CheckState.FAILED, NO_ANSWER, {"seconds": timeout_s}
        detail = f"no answer within {timeout_s:g} s"
    except RimayError as error:
        state, code, facts, detail = CheckState.FAILED, error.code, error.facts, error.message
        log.warning("web.check_failed", check=check.name, code=code)
    except Exception as error:
        state, code, detail = CheckState.FAILED, UNEXPECTED, type(error).__name__
        facts = {"error": detail}
        log.warning("web.check_failed", check=check.name, exc_info=error)
    ms = round((loop.time() - begun) * 1000, 1)
    return CheckOut(
        name=check.name, state=state, critical=check.critical, ms=ms, detail=detail, code=code, facts=plain(facts)
    )


class HealthDesk:
    """Measures at most once in `health_cache_s`, however many ask."""

    def __init__(self, deps: WebDeps, checks: Sequence[HealthCheck], clock: Clock) -> None:
        self._deps = deps
        self._checks = checks
        self._clock = clock
        self._lock = asyncio.Lock()
        self._last: tuple[float, list[CheckOut], HealthOut] | None = None

    async def measure(self) -> tuple[list[CheckOut], HealthOut]:
        async with self._lock:
            now = self._clock.now()
            if self._last is None or not 0 <= now - self._last[0] < self._deps.settings.health_cache_s:
                timeout_s = self._deps.settings.health_timeout_s
                checks, figures = await asyncio.gather(run_checks(self._checks, timeout_s), self._figures(timeout_s))
                self._last = (now, checks, self._summary(now, checks, *figures))
            return self._last[1], self._last[2]

    def _summary(
        self, now: float, checks: list[CheckOut], trunks: TrunksNow | None, queues: QueuesNow | None, calls: int | None
    ) -> HealthOut:
        failed = [check for check in checks if check.state is CheckState.FAILED]
        status = Overall.OK
        if any(check.critical for check in failed):
            status = Overall.DOWN
        elif failed or trunks is None or queues is None or calls is None or (trunks.total and not trunks.up):
            status = Overall.DEGRADED
        switch = next((check.state for check in checks if check.name == "switch"), None)
        figures = FiguresNow(switch=switch, trunks=trunks, queues=queues, calls=calls)
        return HealthOut(status=status, measured_at=at(now), takes_calls=_takes_calls(figures), figures=figures)

    async def _figures(self, timeout_s: float) -> tuple[TrunksNow | None, QueuesNow | None, int | None]:
        return await asyncio.gather(
            _or_none(self._trunks, timeout_s), _or_none(self._queues, timeout_s), _or_none(self._calls, timeout_s)
        )

    async def _trunks(self) -> TrunksNow:
        trunks = await self._deps.trunks.list()
        return TrunksNow(up=sum(trunk.state is TrunkState.UP for trunk in trunks), total=len(trunks))

    async def _queues(self) -> QueuesNow:
        queues = await self._deps.queues.list()
        longest = max((one.longest_wait_s for one in queues if one.longest_wait_s is not None), default=None)
        return QueuesNow(total=len(queues), waiting=sum(one.waiting for one in queues), longest_wait_s=longest)

    async def _calls(self) -> int:
        active = await self._deps.interactions.active()
        return active.get(Medium.VOICE, 0) + active.get(Medium.VIDEO, 0)


def _takes_calls(figures: FiguresNow) -> bool | None:
    if figures.switch is CheckState.FAILED:
        return False
    if figures.trunks is None:
        return None
    return figures.trunks.up > 0 or figures.trunks.total == 0


T = TypeVar("T")


async def _or_none(measure: Callable[[], Awaitable[T]], timeout_s: float) -> T | None:
    """A figure, or None when what it comes from does not answer: the others are still worth showing."""
    try:
        async with asyncio.timeout(timeout_s):
            return await measure()
    except (RimayError, OSError) as error:  # OSError: TimeoutError is one
        log.warning("web.not_measured", reason=getattr(error, "code", type(error).__name__))
        return None


DESK: web.AppKey[HealthDesk] = web.AppKey("health_desk", HealthDesk)


@routes.get("/health", Open.PUBLIC, raises=(401,))
async def get_health(call: Call) -> HealthOut:
    """How the platform is: a verdict for anybody, and figures for who is signed in. Measured at most once a second."""
    _, summary = await call.request.app[DESK].measure()
    return summary if await _may(call, Permission.QUEUES_READ) else summary.model_copy(update={"figures": None})


@routes.get("/health/live", Open.PUBLIC)
async def get_live(call: Call) -> LiveOut:
    """The process answers. Says nothing of what it stands on."""
    return LiveOut()


@routes.get("/health/ready", Open.PUBLIC, raises=(401,))
async def get_ready(call: Call) -> ReadyOut:
    """May work be sent here? 503 with the same content when not.

    Details of each check are told on the machine itself, and to whom may read the metrics.
    """
    checks, _ = await call.request.app[DESK].measure()
    ready = not any(check.critical and check.state is CheckState.FAILED for check in checks)
    detailed = await _is_operator(call)
    shown = [
        check if detailed else check.model_copy(update=dict.fromkeys(("detail", "code", "facts"))) for check in checks
    ]
    call.status = 200 if ready else 503
    return ReadyOut(ready=ready, measured_at=at(call.deps.clock.now()), checks=shown)


@routes.get("/metrics", Open.PUBLIC, raises=(401, 403), produces="text/plain")
async def get_metrics(call: Call) -> web.StreamResponse:
    """Figures for Prometheus.

    From the machine itself, where the settings allow it; else signed in with metrics.read.
    """
    if not (call.deps.settings.metrics_to_loopback and is_local(call.request)):
        principal = await authenticate(call.request, call.deps)
        admit(principal, (Permission.METRICS_READ,))
    body = call.deps.metrics.render()
    headers = {"Content-Type": call.deps.metrics.content_type, "Cache-Control": "no-store"}
    return web.Response(body=body, headers=headers)


async def _is_operator(call: Call) -> bool:
    return is_local(call.request) or await _may(call, Permission.METRICS_READ)


async def _may(call: Call, permission: Permission) -> bool:
    """Of an operation that is open to anybody: whether who asks has signed in, and may see this as well."""
    token = bearer_token(call.request)
    if token is None and session_cookie(call.request, call.deps.settings) is None:
        return False
    try:
        principal = await authenticate(call.request, call.deps)
    except Unauthenticated:
        if token is not None:
            raise
        return False  # a browser sends the cookie of a session that is over for as long as it has it
    return principal.may(permission)
