"""Every route x everybody who might ask, enumerated from the application itself, against the literal
`tests.support.access_table`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from foundation.access import OPERATOR, Role
from foundation.errors import Conflict, Unavailable
from foundation.identity.model import Session
from foundation.identity.throttle import ACCOUNT, ADDRESS, key_of_account, key_of_address
from softphone_web.authenticate import CSRF_HEADER
from softphone_web.permissions import Open
from softphone_web.routes import Route
from softphone_web.server import ROUTES, build_app
from tests.support.access_table import (
    BEFORE_THE_PASSWORD_IS_CHANGED,
    NO_PRIVILEGE,
    PATHS,
    PUBLIC,
    PUBLIC_PAGES,
    TABLE,
    Row,
)
from tests.support.web import Api, Platform

REFUSED = {401, 403, 404}


def test_every_route_is_in_the_table() -> None:
    assert {route.name for route in ROUTES} == set(TABLE) | PUBLIC
    assert {route.name for route in ROUTES if route.access is Open.PUBLIC} == PUBLIC
    assert len({route.name for route in ROUTES}) == len(ROUTES)


def test_nothing_is_served_beside_declared_routes_and_known_pages(platform: Platform) -> None:
    app = build_app(platform.deps())
    served = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    declared = {(route.method, route.path) for route in ROUTES}
    heads = {
        (r.method.replace("GET", "HEAD"), r.path) for r in ROUTES if r.method == "GET" and r.produces != "websocket"
    }
    pages = {(method, page) for page in PUBLIC_PAGES for method in ("GET", "HEAD")}
    assert served == declared | heads | pages
    assert all(not isinstance(one, web.StaticResource) for one in app.router.resources())


class Asker:
    """Asks one route as somebody; whoever has a session gets a fresh one for each request."""

    def __init__(self, api: Api, route: Route, row: Row) -> None:
        self.api, self.route, self.row = api, route, row
        self.path = route.path.format(**{**PATHS, **row.path}) + row.query

    async def status(self, headers: dict[str, str], **more: Any) -> int:
        async with self.api.ask(
            self.route.method, self.path, None, headers=headers, json=self.row.body, **more
        ) as response:
            return response.status

    async def by_token(self, role: Role) -> int:
        return await self.status(self.api.headers(role.value))

    async def by_session(self, name: str) -> int:
        return await self.status(await self.api.session_headers(name))


@pytest.mark.parametrize("name", sorted(TABLE))
async def test_route_by_role(api: Api, name: str) -> None:
    (api.platform.folder / "r-00001.wav").write_bytes(b"RIFF" + bytes(60))
    row = TABLE[name]
    ask = Asker(api, next(route for route in ROUTES if route.name == name), row)
    assert await ask.status({}) == 401, "nobody signed in"
    for role in Role:
        await api.platform.mint_people()
        by_session = await ask.by_session(role.value)
        await api.platform.mint_people()
        by_token = await ask.by_token(role)
        for how, status in (("session", by_session), ("token", by_token)):
            said = f"{role} by {how}: {status}"
            if how == "token" and row.session_only:
                assert status == 401, said
            elif role in row.roles:
                assert status not in REFUSED - row.also, said
                assert status < 500, said
            else:
                assert status in {403, 404}, said


@pytest.mark.parametrize("name", sorted(TABLE))
async def test_route_by_those_who_may_nothing(api: Api, name: str) -> None:
    ask = Asker(api, next(route for route in ROUTES if route.name == name), TABLE[name])
    platform = api.platform
    good = await api.session_headers("admin")
    assert await ask.status({**good, "Cookie": good["Cookie"] + "0"}) == 401
    assert await ask.status({"Authorization": "Bearer rimay_" + "0" * 16 + "_" + "0" * 64}) == 401

    disabled = await api.session_headers("admin")
    # Not by the administrators' way, which ends the sessions as well: the check itself must refuse.
    await platform.accounts.stores.users.change(platform.user_ids["admin"], None, disabled=True)
    assert await ask.status(disabled) == 401, "disabled"
    await platform.accounts.stores.users.change(platform.user_ids["admin"], None, disabled=False)

    revoked = await api.session_headers("admin")
    await platform.people.end_sessions(platform.user_ids["admin"], by=OPERATOR, origin="local")
    assert await ask.status(revoked) == 401, "revoked"

    expired = await api.session_headers("admin")
    platform.age_sessions(idle=False)
    assert await ask.status(expired) == 401, "older than its life"
    unused = await api.session_headers("admin")
    platform.age_sessions(idle=True)
    assert await ask.status(unused) == 401, "idle too long"

    await platform.accounts.stores.users.change(platform.user_ids["admin"], None, must_change_password=True)
    status = await ask.status(await api.session_headers("admin"))
    assert (status == 403) == (name not in BEFORE_THE_PASSWORD_IS_CHANGED), f"must change the password: {status}"


@pytest.mark.parametrize("name", sorted(TABLE))
async def test_a_cookie_alone_changes_nothing(api: Api, name: str) -> None:
    """From a page of another site, or without the session's token."""
    route = next(route for route in ROUTES if route.name == name)
    if route.method == "GET" and route.produces != "websocket":
        return
    ask = Asker(api, route, TABLE[name])
    good = await api.session_headers("admin")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"} if route.produces == "websocket" else {}
    for bad in (
        {**good, "Origin": "https://elsewhere.example"},
        {key: value for key, value in good.items() if key != "Origin"},
        *([{key: value for key, value in good.items() if key != CSRF_HEADER}] if not upgrade else []),
        *([{**good, CSRF_HEADER: "0" * 64}] if not upgrade else []),
    ):
        assert await ask.status({**bad, **upgrade}) == 403


@pytest.mark.parametrize(
    "name",
    sorted(
        route.name for route in ROUTES
        if route.method != "GET" and route.name in TABLE and Role.AGENT not in TABLE[route.name].roles
    ),
)  # fmt: skip
async def test_what_agents_may_not_do_is_audited_when_others_do_it(api: Api, name: str) -> None:
    route, row = next(route for route in ROUTES if route.name == name), TABLE[name]
    role = Role.SUPERVISOR if Role.SUPERVISOR in row.roles else sorted(row.roles)[0]
    headers = await api.session_headers(role.value)
    await api.platform.sign_in("luis")  # so that there is a session to end
    stores, now = api.platform.accounts.stores, api.platform.clock.now()
    await stores.throttle.attempt(key_of_account("luis"), ACCOUNT, now)  # so that there is a lock-out to lift
    for _ in range(ADDRESS.free + 1):
        await stores.throttle.attempt(key_of_address("192.0.2.7"), ADDRESS, now)  # and an address
    before = (await api.platform.audit.head()).n
    status = await Asker(api, route, row).status(headers)
    grew = (await api.platform.audit.head()).n - before
    if status < 300:
        assert grew == 1 or name in NO_PRIVILEGE, f"{grew} entries"
    else:
        assert grew == 0, "what is refused was not done"


# Of every act that can be refused for how things stand: who asks may, and yet it is not done.
REFUSED_ACTS = {
    "put_organisation": {"yaml": "queues: []\n", "revision": "another"},
    "save_flow": {"yaml": "id: principal\n", "version": "0" * 12},
    "roll_back_flow": {"version": "0" * 12},
    "move_interaction": {"queue": "facturas"},
    "raise_interaction": {"priority": 5},
    "assign_interaction": {"agent": "luis"},
    "end_interaction": None,
    "force_agent_state": {"state": "ready"},
    "set_agent_state": {"state": "ready"},
    "sign_out_agent": None,
    "hold_call": None,
    "hang_up_call": None,
    "supervise_call": {"mode": "listen"},
    "take_over_call": None,
    "send_message": {"to": {"kind": "all"}, "text": "Buenos días"},
    "mint_phone": None,
}


@pytest.mark.parametrize("name", sorted(REFUSED_ACTS))
async def test_a_refused_act_leaves_no_entry_that_it_was_done(
    api: Api, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = api.platform
    route = next(route for route in ROUTES if route.name == name)

    async def refuse(*_: Any, **__: Any) -> None:
        raise Conflict("not as things stand")

    # The flows and the organisation refuse by themselves; the twins of the rest take everything.
    for place, acts in (
        (platform.steering, ("move", "lift", "assign", "end", "force")),
        (platform.agents, ("set_state", "sign_out")),
        (platform.desks, ("order", "supervise", "take_over")),
        (platform.messages, ("send",)),
        (platform.phones, ("mint",)),
    ):
        for act in acts:
            monkeypatch.setattr(place, act, refuse)
    row = TABLE[name]
    role = Role.ADMIN if Role.SUPERVISOR not in row.roles else Role.SUPERVISOR
    headers = await api.session_headers(role.value)
    before = (await platform.audit.head()).n
    status = await Asker(api, route, replace(row, body=REFUSED_ACTS[name])).status(headers)
    assert status in {404, 409}
    assert (await platform.audit.head()).n == before


async def test_a_saved_flow_names_the_version_that_it_became(api: Api) -> None:
    flow = await api.get("/api/v1/flows/principal", "admin")
    body = {"yaml": flow["yaml"] + "\n# otra\n", "version": flow["version"]}
    saved = await api.json("PUT", "/api/v1/flows/principal", "admin", 200, json=body)
    (entry,) = await api.platform.audit.entries(target="flow:principal")
    assert (entry.action, entry.before) == ("flow.saved", {"version": flow["version"]})
    assert entry.after is not None
    assert entry.after["version"] == saved["version"] != flow["version"]


async def test_what_nobody_can_tell_whether_it_was_done_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: Any, **__: Any) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(api.platform.steering, "move", lost)
    await api.json("POST", "/api/v1/interactions/i-00001/move", "supervisor", 503, json={"queue": "facturas"})
    (entry,) = await api.platform.audit.entries(target="interaction:i-00001")
    assert entry.after is not None
    assert (entry.action, entry.after["outcome"]) == ("interaction.moved", "unknown")


async def test_nothing_is_begun_while_the_trail_cannot_be_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise Unavailable("no database")

    monkeypatch.setattr(api.platform.audit, "head", away)
    await api.json("POST", "/api/v1/interactions/i-00001/move", "supervisor", 503, json={"queue": "facturas"})
    assert api.platform.steering.done == []


def test_sessions_are_kept_without_their_secret() -> None:
    assert "secret_hash" in Session.__dataclass_fields__
    assert "secret" not in Session.__dataclass_fields__
