"""Accounts as the platform joins them: the API on the stores in a real PostgreSQL, with the keys of a place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.demo_people import make_people
from app.identity import open_accounts
from app.place import Place
from app.settings import Settings
from foundation.access import OPERATOR
from foundation.audit import PostgresAudit
from foundation.clock import SystemClock
from foundation.database import Database
from foundation.identity.people import People, UserFields
from foundation.identity.sql import PostgresRoles
from foundation.identity.throttle import ACCOUNT, ADDRESS
from softphone_web.authenticate import CSRF_HEADER
from softphone_web.deps import WebDeps
from tests.support.web import Api, Platform, running

AGENTS = {"ana", "luis", "sonia"}
PASSWORDS = {"ana", "luis", "sonia", "admin"}


class Kept(Platform):
    """The twins' platform with accounts and the audit trail in the database."""

    database: Database
    place: Place

    def deps(self) -> WebDeps:
        accounts, _ = open_accounts(self.database, Settings(), self.place, SystemClock())
        people = People(accounts.stores, accounts.passwords, SystemClock(), is_agent=AGENTS.__contains__)
        return replace(super().deps(), accounts=accounts, people=people, audit=PostgresAudit(self.database))


@pytest.fixture
async def api(database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    platform = Kept(tmp_path)
    platform.database, platform.place = database, Place(var=tmp_path / "var", cache=tmp_path, user=None, moved=False)
    platform.place.var.mkdir()
    async with running(platform) as api:
        yield api


def people_of(api: Api) -> People:
    platform = api.platform
    assert isinstance(platform, Kept)
    accounts, _ = open_accounts(platform.database, Settings(), platform.place, SystemClock())
    return People(accounts.stores, accounts.passwords, SystemClock(), is_agent=AGENTS.__contains__)


async def sign_in(api: Api, username: str, password: str, status: int = 201) -> dict[str, str]:
    body = {"username": username, "password": password}
    headers = {"Origin": api.server.url}
    async with api.ask("POST", "/api/v1/session", None, headers=headers, json=body) as response:
        assert response.status == status, await response.text()
        if status != 201:
            return {}
        cookie = response.headers["Set-Cookie"].partition(";")[0]
        return {**headers, "Cookie": cookie, CSRF_HEADER: (await response.json())["csrf"]}


async def test_the_demos_people_sign_in_and_work(api: Api) -> None:
    logins = {one.username: one.password.get_secret_value() for one in await make_people(people_of(api))}
    assert set(logins) == PASSWORDS
    admin = await sign_in(api, "admin", logins["admin"])

    async def ask(method: str, path: str, status: int, headers: dict[str, str], json: Any = None) -> Any:
        async with api.ask(method, f"/api/v1{path}", None, headers=headers, json=json) as response:
            assert response.status == status, await response.text()
            return await response.json(content_type=None) if status != 204 else None

    await ask("POST", "/roles", 201, admin, {"name": "calidad", "title": "Calidad", "permissions": ["queues.read"]})
    users = {item["username"]: item for item in (await ask("GET", "/users", 200, admin))["items"]}
    ana = await sign_in(api, "ana", logins["ana"])
    assert (await ask("GET", "/me", 200, ana))["agent"] == "ana"
    change = {"username": "ana", "name": "Ana Cordero", "role": "calidad", "agent": "ana"}
    await ask("PUT", f"/users/{users['ana']['id']}", 200, admin, change)
    assert (await ask("GET", "/me", 200, ana))["permissions"] == ["queues.read"]  # from the next request on
    await ask("DELETE", "/roles/calidad", 409, admin)
    await ask("PUT", f"/users/{users['ana']['id']}", 200, admin, {**change, "disabled": True})
    await ask("GET", "/me", 401, ana)
    await sign_in(api, "ana", logins["ana"], 401)
    verdict = await ask("GET", "/audit/verify", 200, admin)
    assert verdict["ok"] is True
    trail = await ask("GET", "/audit?limit=200", 200, admin)
    assert {"user.added", "session.opened", "role.added", "user.changed"} <= {item["action"] for item in trail["items"]}
    assert not any(password in str(trail) for password in logins.values())


@pytest.mark.parametrize("bad", ["a\x00b", "\x00", "a\x1fb", "a\ud800b"])
async def test_what_the_database_cannot_keep_is_refused_at_the_door(api: Api, bad: str) -> None:
    """To who is not signed in as well: a NUL in a user name was an error of the server's."""
    for path in ("/session", "/sign-in/session"):
        for body in ({"username": bad, "password": "x"}, {"username": "ana", "password": bad}):
            headers = {"Origin": api.server.url}
            async with api.ask("POST", f"/api/v1{path}", None, headers=headers, json=body) as response:
                assert response.status == 422, await response.text()


async def test_a_second_demo_in_the_same_folder_begins_anew(api: Api) -> None:
    people = people_of(api)
    first = {one.username: one.password.get_secret_value() for one in await make_people(people)}
    luis = await people.named("luis")
    fields = UserFields(username="luis", name="Otro", role="supervisor", disabled=True)
    await people.change(luis.id, fields, by=OPERATOR, origin="local")
    second = {one.username: one.password.get_secret_value() for one in await make_people(people)}
    await sign_in(api, "luis", first["luis"], 401)
    headers = await sign_in(api, "luis", second["luis"])
    async with api.ask("GET", "/api/v1/me", None, headers=headers) as response:
        assert (await response.json())["role"] == "agent"


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the hash itself is not what is tried. To be asked for before the server that computes them."""
    monkeypatch.setattr("foundation.identity.passwords._MEMORY_KIB", 8)


async def test_many_people_sign_in_at_the_same_time(cheap_hashes: None, api: Api) -> None:
    """The start of a shift, behind one address: who succeeds leaves nothing counted against it."""
    people = people_of(api)
    logins = {one.username: one.password.get_secret_value() for one in await make_people(people)}
    names = [name for name in logins for _ in range(ACCOUNT.free)]
    cookies: set[str] = set()
    while len(cookies) <= ADDRESS.free:
        sessions = await asyncio.gather(*(sign_in(api, name, logins[name]) for name in names))
        assert cookies.isdisjoint(one["Cookie"] for one in sessions)
        cookies |= {one["Cookie"] for one in sessions}


async def test_the_database_holds_a_role_that_a_newer_version_made(api: Api, database: Database) -> None:
    async with database.begin() as session:
        row = """INSERT INTO roles (name, title, permissions) VALUES ('x', 'X', '["queues.read", "of.tomorrow"]')"""
        await session.execute(text(row))
    (role,) = await PostgresRoles(database).all()
    assert sorted(role.permissions) == ["queues.read"]
