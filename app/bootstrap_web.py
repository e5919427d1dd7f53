"""The pages and the API before our parts, and what their health is measured by."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from app import __version__
from app.bootstrap_parts import Parts
from app.identity import secret_of
from app.live import BusLive
from app.pages_build import BuiltPages
from app.place import Place
from app.ports import Ports
from app.settings import Settings
from app.shown_settings import show_settings
from app.web_around import Numbers, around
from app.web_data import DeskQueues, KeptRecordings, SwitchTrunks
from app.web_desk import OrganisationCodes
from foundation.audit import PostgresAudit
from foundation.errors import Unavailable
from foundation.identity.oidc import Oidc
from pbx.terms import TrunkState
from softphone_web.deps import WebDeps
from softphone_web.ports import Found, HealthCheck, Trunks, Well
from softphone_web.server import RunningServer, build_app, serve
from softphone_web.tls import Certificate


def serve_web(
    settings: Settings,
    place: Place,
    parts: Parts,
    pages: BuiltPages,
    certificate: Certificate | None,
    oidc: Oidc | None,
) -> AbstractAsyncContextManager[RunningServer]:
    trunks = SwitchTrunks(parts.daemon, parts.switch, settings.pbx.trunks)
    deps = WebDeps(
        interactions=parts.interactions,
        queues=DeskQueues(parts.daemon, parts.organisation, parts.clock),
        agents=parts.agents,
        trunks=trunks,
        recordings=KeptRecordings(parts.interactions, parts.recordings),
        flows=parts.flows,
        around=around(settings.customers, settings.pbx.dialing, parts.database, parts.systems, parts.clock),
        desks=parts.desks,
        phones=parts.phones,
        webphones=parts.webphones,
        calls=parts.desks,
        organisation=OrganisationCodes(parts.organisation),
        live=BusLive(parts.bus),
        audit=PostgresAudit(parts.database),
        look_up_key=secret_of(settings, place, "rimay look-ups"),
        canonical=Numbers(settings.pbx.dialing).canonical,
        alert=lambda kind, message, about: parts.herald.alert(parts.clock.now(), kind, message, about),
        tokens=parts.tokens,
        accounts=parts.accounts,
        people=parts.people,
        oidc=oidc,
        supervision=parts.board.supervision,
        checks=_checks(parts, trunks),
        shown_settings=show_settings(settings),
        version=__version__,
        metrics=parts.metrics,
        settings=settings.web,
        clock=parts.clock,
        pages=pages.folder,
        pages_missing=pages.missing,
    )
    port = Ports(place).choose("web", fixed=settings.web.port, why_fixed="web.port")
    context = None if certificate is None else certificate.context
    return serve(build_app(deps), settings.web.host, port, ssl_context=context)


class BusGone(Unavailable):
    code = "health.bus_gone"


class NotReconciled(Unavailable):
    code = "health.not_reconciled"


class NoTrunkUp(Unavailable):
    code = "health.no_trunk"


def trunk_check(trunks: Trunks) -> HealthCheck:
    """Calls by the network need one; those that are in hand, and pages, do not: degraded, not down."""

    async def check() -> Found:
        found = await trunks.list()
        up = sum(trunk.state is TrunkState.UP for trunk in found)
        if found and not up:
            raise NoTrunkUp("no trunk is up", total=len(found))
        return Found(Well.TRUNKS, {"up": up, "total": len(found)})

    return HealthCheck(name="trunks", check=check, critical=False)


def _checks(parts: Parts, trunks: Trunks) -> list[HealthCheck]:
    async def database() -> Found:
        return Found(Well.DATABASE, {"ms": round(await parts.database.ping() * 1000, 1)})

    async def bus() -> Found:
        if not parts.bus.connected:
            raise BusGone("no connection to Redis")
        return Found(Well.REDIS)

    async def switch() -> Found:
        if not parts.daemon.ready.is_set():
            raise NotReconciled("not yet reconciled with the switch")
        return Found(Well.SWITCH, {"engine": parts.switch.engine, "channels": len(await parts.switch.channels())})

    async def recordings() -> Found:
        free = await asyncio.to_thread(parts.recordings.check_room)
        return Found(Well.RECORDINGS, {"free_mb": free // 1_000_000})

    async def flows() -> Found:
        return Found(Well.FLOWS, {"flows": await parts.watch.check()})

    return [
        HealthCheck(name="switch", check=switch),
        trunk_check(trunks),
        HealthCheck(name="database", check=database),
        # Without Redis calls go on and pages of this daemon too: degraded, not down.
        HealthCheck(name="redis", check=bus, critical=False),
        HealthCheck(name="recordings", check=recordings, critical=False),
        HealthCheck(name="flows", check=flows, critical=False),
    ]
