"""schemathesis sends what the OpenAPI document allows, and what it just does not, to every operation: whatever comes,
nothing of it may break on our side (5xx)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode

from foundation.access import Role
from foundation.database import Database
from softphone_web.openapi import build_document
from softphone_web.server import ROUTES
from tests.support.access_table import PUBLIC, TABLE
from tests.support.web import Api, Platform, interaction, running
from tests.support.web_stored import Stored

# Some 100 operations in about a minute on a slow machine; fewer on PostgreSQL, where each takes longer.
EXAMPLES = {"memory": 8, "postgres": 3}
SCHEMA = schemathesis.openapi.from_dict(build_document(ROUTES, "0.1.0"))
OPERATIONS = {result.ok().definition.raw["operationId"]: result.ok() for result in SCHEMA.get_all_operations()}
# Made-up passwords and tickets end at the door, and a ticket is given for a token.
NEEDS_A_SECRET = {"sign_in", "try_sign_in", "issue_ticket", "open_webphone_socket"}
SETTINGS = hypothesis.settings(
    derandomize=True,  # the same requests at each run: a failure is one of the change at hand
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Server:
    """A platform in a loop of its own thread: schemathesis' requests block."""

    api: Api
    loop: asyncio.AbstractEventLoop
    examples: int

    def headers(self, name: str) -> dict[str, str]:
        """Of somebody who may call this: by token, or by a session that is fresh for each request."""
        row = TABLE.get(name)
        if row is None:
            return {}
        role = Role.SUPERVISOR if Role.SUPERVISOR in row.roles else sorted(row.roles)[0]
        if not row.session_only:
            return self.api.headers(role.value)
        made: Future[dict[str, str]] = asyncio.run_coroutine_threadsafe(self._session(role), self.loop)
        return made.result(30)

    async def _session(self, role: Role) -> dict[str, str]:
        await self.api.platform.mint_people()
        return await self.api.session_headers(role.value)


@pytest.fixture(scope="module", params=["memory", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On twins, and on what PostgreSQL does not bear."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    url = request.getfixturevalue("postgres_server").new_migrated() if request.param == "postgres" else ""
    started: Future[Server] = Future()
    stop: Future[asyncio.Event] = Future()

    async def serve() -> None:
        database = Database(url, pool_size=4) if url else None
        platform = Platform(folder) if database is None else Stored(folder, database)
        platform.add(*(interaction(n) for n in range(1, 4)), interaction(4, agent=None))
        if isinstance(platform, Stored):
            await platform.copy()
        async with running(platform) as api:
            asked = asyncio.Event()
            stop.set_result(asked)
            started.set_result(Server(api, asyncio.get_running_loop(), EXAMPLES[request.param]))
            await asked.wait()
        if database is not None:
            await database.dispose()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="fuzzed-server")
    thread.start()
    try:
        found = started.result(30)
        yield found
    finally:
        loop, asked = started.result(0).loop, stop.result(0)
        loop.call_soon_threadsafe(asked.set)
        thread.join(30)


def test_every_operation_is_sent_to() -> None:
    assert set(OPERATIONS) == set(TABLE) | PUBLIC


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not-allowed"])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_nothing_breaks(server: Server, name: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[name]
    seen: set[int] = set()

    @hypothesis.settings(SETTINGS, max_examples=server.examples)
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # Made-up sessions and tokens are the matrix' business: here somebody is signed in.
        case.cookies = {}
        case.headers = {key: value for key, value in (case.headers or {}).items() if key.lower() != "authorization"}
        where = {"base_url": server.api.server.url, "headers": server.headers(name)}
        response = case.call(**where, timeout=20, allow_redirects=False)
        seen.add(response.status_code)
        assert response.status_code < 500, f"{case.as_curl_command()}\n{response.text}"

    try:
        send()
    except (hypothesis.errors.Unsatisfiable, schemathesis.errors.SchemathesisError) as error:
        # An operation without parameters cannot be called wrongly.
        assert mode is GenerationMode.NEGATIVE, error  # noqa: PT017
    else:
        assert seen - {401, 403} or name in NEEDS_A_SECRET, "nothing got past the door"
