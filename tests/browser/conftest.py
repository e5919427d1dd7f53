"""One platform for all journeys, with its pages built and its people's accounts made; named as skipped where there is
no browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo_bot import DemoBot
from app.pages_build import build_pages
from callcontrol.routing import config_store
from foundation.errors import RimayError
from tests.app.test_rehearsed_bots import beside
from tests.support.browser import PASSWORD, Crowd, crowd, why_no_browser
from tests.support.engines import why_absent
from tests.support.platform import ENGINE, QUEUE, PlatformProcess, running_platform
from tests.support.scene import AGENTS, Scene, make_accounts, on_scene

_QUEUES: list[dict[str, Any]] = [
    {"name": QUEUE, "title": "Contact Center", "offer_s": 5, "wrap_up_s": 3},
    {"name": "salientes", "title": "Salientes", "wrap_up_s": 30},  # time to look at what is being closed
    {"name": "encuestas", "title": "Encuestas"},
    {"name": "reclamos", "title": "Reclamos"},
    {"name": "turnos", "title": "Turnos"},
]
_ORGANISATION = """
reasons: {almuerzo: {title: Almuerzo}, capacitacion: {title: Capacitación}}
skills: {ingles: Inglés}
dispositions: {contestada: Encuesta contestada, no_quiere: No quiere contestar}
alerts: {level_contacts: 1}
capacities: {normal: {limits: {voice: 1}}}
teams: [{name: tarde, title: Tarde, capacity: normal}]
agents: [{id: carmen, name: Carmen Loja, team: tarde}]
queues:
  - {name: encuestas, title: Encuestas, wrap_up_s: 1, disposition_required: true}
  - {name: turnos, title: Turnos}
  # Soon too long, and two of three are enough to be well again.
  - {name: reclamos, title: Reclamos, wrap_up_s: 1, alert_waiting_s: 4, service_level: {threshold_s: 9, target: 0.5}}
"""


@pytest.fixture(scope="session")
def platform() -> Iterator[PlatformProcess]:
    if reason := why_no_browser() or why_absent(ENGINE):
        pytest.skip(reason)
    try:
        asyncio.run(build_pages())
    except RimayError as error:
        pytest.skip(f"the pages cannot be built: {error.message.splitlines()[0]}")
    with (
        beside(DemoBot()) as bot,
        running_platform(
            bots=[{"name": "averias", "url": bot}],
            agents=[{**one, "queues": [queue["name"] for queue in _QUEUES]} for one in AGENTS],
            queues=_QUEUES,
            web__webphone={"at_once": 5, "per_minute_each": 30},
        ) as process,
    ):
        make_accounts(process, PASSWORD)
        config_store.put(_ORGANISATION, process.var, config_store.revision_of(""))
        yield process


@pytest.fixture
async def scene(platform: PlatformProcess, tmp_path: Path) -> AsyncIterator[Scene]:
    async with on_scene(platform, tmp_path) as made:
        yield made


@pytest.fixture
async def people(platform: PlatformProcess, tmp_path: Path) -> AsyncIterator[Crowd]:
    async with crowd(platform.url, tmp_path) as made:
        yield made
