"""All that the pages stand on, handed in once by `app.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from foundation.clock import Clock, SystemClock
from foundation.identity.accounts import Accounts
from foundation.identity.oidc import Oidc
from foundation.identity.people import People
from foundation.logs import get_logger
from foundation.metrics import Metrics
from foundation.secret import Secret
from softphone_web.ports import (
    Agents,
    Audit,
    HealthCheck,
    Interactions,
    Live,
    Queues,
    Recordings,
    SettingView,
    Tokens,
    Trunks,
)
from softphone_web.ports_around import Customers, Days, Knowledge
from softphone_web.ports_board import Board, Messages, OrganisationDesk, Steering
from softphone_web.ports_desk import Calls, Desks, Organisation
from softphone_web.ports_flows import Flows
from softphone_web.ports_phone import Phones, WebPhones
from softphone_web.settings import WebSettings

log = get_logger(__name__)


def log_alert(kind: str, message: str, about: str) -> None:
    """Where there is no bus to tell anybody."""
    log.error("alert", kind=kind, message=message, about=about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around a contact."""

    customers: Customers
    knowledge: Knowledge
    days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What supervisors and administrators see and do."""

    board: Board
    steering: Steering
    messages: Messages
    organisation: OrganisationDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    interactions: Interactions
    queues: Queues
    agents: Agents
    trunks: Trunks
    recordings: Recordings
    desks: Desks
    calls: Calls
    organisation: Organisation
    live: Live
    audit: Audit
    tokens: Tokens
    accounts: Accounts
    people: People
    oidc: Oidc | None = None
    around: Around
    supervision: Supervision
    flows: Flows
    phones: Phones
    webphones: WebPhones
    look_up_key: Secret  # of the hashes that stand for citizens in the audit trail
    canonical: Callable[[str], str] = str  # a number as it is written in one way
    alert: Callable[[str, str, str], None] = log_alert  # (kind, message, about), to all supervisors
    checks: Sequence[HealthCheck]
    version: str
    shown_settings: Sequence[SettingView] = ()
    metrics: Metrics = field(default_factory=Metrics)
    settings: WebSettings = field(default_factory=WebSettings)
    clock: Clock = field(default_factory=SystemClock)
    pages: Path | None = None  # the built pages
    pages_missing: str = ""  # why there are none


DEPS: web.AppKey[WebDeps] = web.AppKey("deps", WebDeps)
