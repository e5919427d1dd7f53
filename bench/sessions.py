"""What it costs to find out who asks: one GET of a signed-in page, which needs nothing else of the database.

    ./rimay bench sessions                    figures as a table
    ./rimay bench sessions --json             one object, nothing else

Three ways in turn, in one run, on one server and one PostgreSQL: the session looked up in a transaction on a connection
that is looked at first (four round trips), by one statement (one), and remembered while the database tells what changes
(none). The client is a process of its own; CPU is the server's."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import aiohttp

from bench._machine import facts
from foundation.access import OPERATOR
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.identity.accounts import Accounts, Stores, Visitor
from foundation.identity.model import Sessions, Standing
from foundation.identity.passwords import Passwords
from foundation.identity.people import People, UserFields
from foundation.identity.second_factor import Box
from foundation.identity.sql import (
    STANDING,
    PostgresRoles,
    PostgresSessions,
    PostgresThrottle,
    PostgresUsers,
    standing_of,
)
from foundation.identity.standings import BEAT_EVERY_S, Standings, watch
from foundation.logs import configure
from foundation.migrations import upgrade
from foundation.secret import Secret
from softphone_web.authenticate import cookie_name
from softphone_web.deps import WebDeps
from tests.support.servers import PostgresServer
from tests.support.web import Platform, running

PATH = "/api/v1/queues"
PAGES = 8  # that ask at once
# figure, what it is
ROWS = (
    ("rps_four_trips", "requests a second, the session looked up in a transaction"),
    ("rps_one_trip", "the same, looked up by one statement"),
    ("rps_remembered", "the same, remembered"),
    ("cpu_ms_four_trips", "CPU of the server, a request, looked up in a transaction"),
    ("cpu_ms_one_trip", "the same, looked up by one statement"),
    ("cpu_ms_remembered", "the same, remembered"),
    ("one_trip_ratio", "requests a second, one statement beside a transaction"),
    ("remembered_ratio", "requests a second, remembered beside one statement"),
)


class FourTrips(PostgresSessions):
    """As it was: a look at the connection, BEGIN, the question, COMMIT."""

    async def standing(self, session_id: str) -> Standing | None:
        async with self._database.begin() as transaction:
            return standing_of((await transaction.execute(STANDING, {"session": session_id})).all())


class Kept(Platform):
    """The twins' platform, with these accounts."""

    kept: Accounts

    def deps(self) -> WebDeps:
        return replace(super().deps(), accounts=self.kept)


def accounts_on(database: Database, sessions: Sessions) -> Accounts:
    stores = Stores(
        users=PostgresUsers(database),
        roles=PostgresRoles(database),
        sessions=sessions,
        throttle=PostgresThrottle(database),
    )
    return Accounts(stores, Passwords(cheap=True), Box(Secret("only-for-benches")), SystemClock())


async def ask(url: str, cookie: str, seconds: float) -> None:
    """The client: prints how many were answered, and in how long."""
    done, began = 0, time.monotonic()
    async with aiohttp.ClientSession(headers={"Cookie": cookie}) as http:

        async def page() -> None:
            nonlocal done
            while time.monotonic() - began < seconds:
                async with http.get(url) as response:
                    await response.read()
                    response.raise_for_status()
                done += 1

        await asyncio.gather(*(page() for _ in range(PAGES)))
    print(json.dumps([done, time.monotonic() - began]))


async def client(url: str, cookie: str, seconds: float) -> tuple[int, float, float]:
    """How many were answered, in how long, with so much CPU of this process, which is the server's."""
    argv = [sys.executable, __file__, "--client", url, cookie, str(seconds)]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    began = time.process_time()
    output, _ = await process.communicate()
    used = time.process_time() - began
    if process.returncode:
        raise SystemExit("the client was refused; what it said is above")
    done, took = json.loads(output)
    return done, took, used


async def measure(database: Database, folder: Path, seconds: float, rounds: int) -> dict[str, Any]:
    told = Standings(PostgresSessions(database), SystemClock())
    ways = {"four_trips": FourTrips(database), "one_trip": PostgresSessions(database), "remembered": told}
    first = accounts_on(database, ways["one_trip"])
    people = People(first.stores, first.passwords, SystemClock(), is_agent=lambda agent: True)
    who = await people.add(UserFields(username="sonia", name="Sonia", role="supervisor"), by=OPERATOR, origin="bench")
    _, cookie = await first.open_session(who, Visitor(origin="127.0.0.1"), how="bench")
    rates: dict[str, list[float]] = {name: [] for name in ways}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    watching = asyncio.create_task(watch(told, database))
    platform = Kept(folder)
    platform.kept = first
    async with running(platform) as api:
        sent = f"{cookie_name(platform.settings)}={cookie.get_secret_value()}"
        for _ in range(20):
            await asyncio.sleep(BEAT_EVERY_S)
            if told.trusted:  # the first beat is back
                break
        else:
            raise SystemExit("the database tells nothing")
        for _ in range(rounds):
            for name, sessions in ways.items():
                first.stores = replace(first.stores, sessions=sessions)
                done, took, used = await client(api.server.url + PATH, sent, seconds)
                costs[name].append(used / done * 1000)
                rates[name].append(done / took)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    found: dict[str, Any] = {f"rps_{name}": round(median(rate), 1) for name, rate in rates.items()}
    found |= {f"cpu_ms_{name}": round(median(cost), 3) for name, cost in costs.items()}
    found["one_trip_ratio"] = round(found["rps_one_trip"] / found["rps_four_trips"], 2)
    found["remembered_ratio"] = round(found["rps_remembered"] / found["rps_one_trip"], 2)
    return found


async def run(seconds: float, rounds: int) -> dict[str, Any]:
    server = PostgresServer()
    try:
        server.start()
        url = server.new_database()
        await asyncio.to_thread(upgrade, url)
        database = Database(url)
        with tempfile.TemporaryDirectory(prefix="rimay-bench-") as folder:
            try:
                found = await measure(database, Path(folder), seconds, rounds)
            finally:
                await database.dispose()
    finally:
        server.close()
    return {**found, **facts()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="rimay bench sessions", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        asyncio.run(ask(args.client[0], args.client[1], float(args.client[2])))
        return 0
    with Path(os.devnull).open("w") as nowhere:
        configure(stream=nowhere)  # the access log is written as ever
        found = asyncio.run(run(args.seconds, args.rounds))
    if args.json:
        print(json.dumps(found))
    else:
        for name, what in ROWS:
            print(f"{found[name]:>10}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
