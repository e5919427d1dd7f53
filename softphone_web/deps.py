"""All that the pages stand on, handed in once by `app.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from callcontrol.model import AgentId
from foundation.access import Permission, Principal
from foundation.clock import Clock, SystemClock
from foundation.metrics import Metrics
from softphone_web.ports import Agents, Audit, HealthCheck, Interactions, Live, Queues, Recordings, Tokens, Trunks
from softphone_web.settings import WebSettings


def agent_by_name(principal: Principal) -> AgentId | None:
    """Until people have accounts, a token's name is the agent's id, for roles that take calls."""
    return AgentId(principal.name) if principal.may(Permission.CALLS_HANDLE) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    interactions: Interactions
    queues: Queues
    agents: Agents
    trunks: Trunks
    recordings: Recordings
    live: Live
    audit: Audit
    tokens: Tokens
    checks: Sequence[HealthCheck]
    version: str
    metrics: Metrics = field(default_factory=Metrics)
    settings: WebSettings = field(default_factory=WebSettings)
    clock: Clock = field(default_factory=SystemClock)
    agent_of: Callable[[Principal], AgentId | None] = agent_by_name


DEPS: web.AppKey[WebDeps] = web.AppKey("deps", WebDeps)
