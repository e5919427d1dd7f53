"""The only wiring: makes every part, hands each what it needs, starts and stops them in order. Our own parts are made
in `bootstrap_parts`, those for supervisors in `bootstrap_board`, the web server in `bootstrap_web`."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app.bootstrap_parts import Parts
from app.bootstrap_web import serve_web
from app.identity import single_sign_on
from app.pages_build import pages_or_reason
from app.place import Place
from app.provision import Progress, find_speech, silent
from app.servers import stores
from app.settings import Settings
from app.switches import plan_switch
from foundation import migrations
from foundation.audit import PostgresAudit
from foundation.logs import get_logger
from foundation.pid_files import stop_leftovers
from foundation.processes import RestartPolicy, ServerDeath
from foundation.servers import Servers
from foundation.tasks import Supervisor
from foundation.together import three_together
from softphone_web.tls import open_certificate

log = get_logger(__name__)

# How long calls may go on after the first Ctrl-C. The second ends them.
DRAIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """All that runs, for those who look at it from within: the demo and the tests."""

    settings: Settings
    place: Place
    engine: str
    sip_port: int | None
    url: str
    servers: Servers
    supervisor: Supervisor
    parts: Parts


async def run_platform(settings: Settings, place: Place, *, stop: asyncio.Event) -> None:
    """`rimay up`: until `stop`, or until a part of it dies."""
    async with platform(settings, place, _log_progress) as running:
        _spare_the_collector()
        log.info("audit.head", head=str(await PostgresAudit(running.parts.database).head()))
        if not await running.parts.people.users():
            log.warning("platform.nobody_can_sign_in", make_the_first="rimay user add NAME --role admin")
        log.info("platform.up", url=running.url, engine=running.engine, sip_port=running.sip_port)
        running.supervisor.spawn("stop", _stop_when(stop, running.supervisor))
        await running.supervisor.wait()


def _spare_the_collector() -> None:
    """What was made by now lives as long as the process. Looking through it again and again for garbage stops every
    call for 50 ms, and for more on a busy machine; frozen, it is never looked at."""
    gc.collect()
    gc.freeze()


async def _stop_when(stop: asyncio.Event, supervisor: Supervisor) -> None:
    await stop.wait()
    supervisor.stop("asked to stop")


def _log_progress(text: str) -> None:
    log.info("platform.progress", step=text)


@asynccontextmanager
async def platform(
    settings: Settings, place: Place, progress: Progress = silent, *, drain_s: float = DRAIN_S
) -> AsyncIterator[Platform]:
    """Everything, up and ready; on the way out calls are given `drain_s` to end, then all is stopped in reverse."""
    certificate = open_certificate(settings.web)
    # The pages may take a minute of npm at the first run: begun with all else, waited for last.
    pages = asyncio.create_task(pages_or_reason(progress), name="pages")
    try:
        found, plan, speech = await three_together(
            stores(settings, place, progress), plan_switch(settings, place, progress), find_speech(progress)
        )
        built = await pages
    finally:
        pages.cancel()
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(
            Servers(user=place.user, restart=RestartPolicy(), on_death=_tell_death)
        )
        specs = [*found.specs, *([plan.spec] if plan.spec else [])]
        # A killed run of other settings (another engine, say) may have left servers that nobody would adopt.
        await stop_leftovers(place.servers, keep={spec.name for spec in specs})
        progress("starting " + ", ".join(spec.name for spec in specs))
        await servers.start(*specs)
        progress("bringing the database up to date")
        await asyncio.to_thread(migrations.upgrade, found.database_url)
        parts = await Parts.make(settings, place, found, plan, speech)
        stack.push_async_callback(parts.database.dispose)
        stack.callback(parts.accounts.passwords.close)
        await stack.enter_async_context(parts.switch)
        await stack.enter_async_context(parts.systems)
        stack.push_async_callback(parts.ears.close)
        await stack.enter_async_context(parts.bots)
        oidc = await stack.enter_async_context(single_sign_on(settings.web, parts.clock))
        web = await stack.enter_async_context(serve_web(settings, place, parts, built, certificate, oidc))
        supervisor = await stack.enter_async_context(Supervisor(drain_timeout_s=drain_s))
        progress("preparing flows and prompts")
        await parts.start(supervisor)
        if certificate is not None:
            supervisor.start("certificate", certificate.watch())
        progress("waiting for the switch")
        await parts.ready(supervisor)
        yield Platform(
            settings=settings,
            place=place,
            engine=plan.engine,
            sip_port=plan.sip_port,
            url=web.url,
            servers=servers,
            supervisor=supervisor,
            parts=parts,
        )


def _tell_death(death: ServerDeath) -> None:
    log.error("server.died", server=death.name, exit_code=death.exit_code, restart_in_s=death.restart_in_s)
