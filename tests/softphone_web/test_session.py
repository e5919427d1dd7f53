"""Signing in and out over HTTP: cookies, second factor, lock-out, one's own account."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest

from foundation.access import OPERATOR, PERMISSIONS, Permission, Role
from foundation.clock import VirtualClock
from foundation.identity.passwords import LONGEST, SHORTEST
from foundation.identity.people import UserFields
from foundation.secret import Secret
from softphone_web.authenticate import CSRF_HEADER
from softphone_web.settings import WebSettings
from tests.support.web import Api, Platform, running

PASSWORD = "caballo pila grapa correcta"
ROSA = {"username": "rosa", "password": PASSWORD}


async def add_rosa(platform: Platform, **more: Any) -> str:
    """Who is the agent Ana, whose own account has no agent then."""
    await platform.accounts.stores.users.change(platform.user_ids["ana"], None, agent=None)
    fields = UserFields(username="rosa", name="Rosa Quito", role="agent", agent="ana")
    more = {"must_change": False, **more}
    user = await platform.people.add(fields, by=OPERATOR, origin="local", password=Secret(PASSWORD), **more)
    return user.id


class Browser:
    """Keeps the cookie and the token, and sends them as a page of ours would."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.cookie = ""
        self.csrf = ""
        self.set_cookie = ""
        self.retry_after = ""

    async def ask(self, method: str, path: str, status: int, json: Any = None) -> Any:
        headers = {"Origin": self.api.server.url, "Cookie": self.cookie, CSRF_HEADER: self.csrf}
        async with self.api.ask(method, "/api/v1" + path, None, headers=headers, json=json) as response:
            body = await response.read()
            assert response.status == status, body
            self.set_cookie = response.headers.get("Set-Cookie", "")
            self.retry_after = response.headers.get("Retry-After", "")
            if self.set_cookie:
                self.cookie = self.set_cookie.partition(";")[0]
            answer = await response.json(content_type=None) if body else None
        if status < 300 and isinstance(answer, dict) and "csrf" in answer:
            self.csrf = answer["csrf"]
        return answer


@pytest.fixture
def browser(api: Api) -> Browser:
    return Browser(api)


async def test_a_page_is_told_of_a_refusal_as_an_outcome(api: Api, browser: Browser) -> None:
    """Counted, written down and answered as `POST /session` is, but for the status; what is no answer to a password
    stays an error."""
    await add_rosa(api.platform)
    wrong = await browser.ask("POST", "/sign-in/session", 200, {**ROSA, "password": "no es esta"})
    assert (wrong["session"], wrong["refused"]["code"]) == (None, "access.bad_credentials")
    assert browser.set_cookie == ""
    await browser.ask("GET", "/session", 401)
    nobody = await browser.ask("POST", "/sign-in/session", 200, {"username": "nadie", "password": "no es esta"})
    assert nobody == wrong
    done = await browser.ask("POST", "/sign-in/session", 200, ROSA)
    assert done["refused"] is None
    assert await browser.ask("GET", "/session", 200) == done["session"]
    for _ in range(6):
        await browser.ask("POST", "/sign-in/session", 200, {**ROSA, "password": "no es esta"})
    assert (await browser.ask("POST", "/sign-in/session", 429, ROSA))["code"] == "access.locked"


async def test_in_and_out(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("GET", "/session", 401)
    assert await browser.ask("GET", "/sign-in/session", 200) == {"session": None}
    signed_in = await browser.ask("POST", "/session", 201, ROSA)
    assert browser.set_cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    user = signed_in["user"]
    assert (user["username"], user["name"], user["role_title"], user["agent"]) == (
        "rosa",
        "Rosa Quito",
        "Agente",
        "ana",
    )
    assert "calls.handle" in user["permissions"]
    assert await browser.ask("GET", "/session", 200) == signed_in
    assert await browser.ask("GET", "/sign-in/session", 200) == {"session": signed_in}
    stolen = browser.cookie
    await browser.ask("DELETE", "/session", 204)
    assert "Max-Age=0" in browser.set_cookie
    browser.cookie = stolen
    assert (await browser.ask("GET", "/session", 401))["code"] == "access.bad_session"
    assert await browser.ask("GET", "/sign-in/session", 200) == {"session": None}
    actions = [one.action for one in await api.platform.audit.entries()]
    assert actions[:2] == ["session.ended", "session.opened"]


async def test_pages_and_manual_tell_the_servers_number_of_characters(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    assert (await browser.ask("POST", "/session", 201, ROSA))["password_shortest"] == SHORTEST
    weak = await browser.ask("PUT", "/me/password", 422, {"old": PASSWORD, "new": "kT9#vQ2!xz"})
    assert (weak["code"], weak["facts"]) == ("access.weak_password", {"shortest": SHORTEST})
    root = Path(__file__).parents[2]
    assert f"{SHORTEST} caracteres o más" in (root / "docs/manual/README.md").read_text()
    assert f"{SHORTEST} to {LONGEST} characters" in (root / "docs/security.md").read_text()


async def test_an_agents_account_is_that_agent(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("POST", "/session", 201, ROSA)
    await browser.ask("PUT", "/agents/ana/state", 200, {"state": "ready"})
    assert (await browser.ask("PUT", "/agents/luis/state", 403, {"state": "ready"}))["code"] == "access.denied"


async def test_who_is_not_there_is_told_what_who_is_wrong_is_told(api: Api, browser: Browser) -> None:
    user = await add_rosa(api.platform)
    wrong = await browser.ask("POST", "/session", 401, {**ROSA, "password": "no es esta"})
    nobody = await browser.ask("POST", "/session", 401, {"username": "nadie", "password": "no es esta"})
    fields = UserFields(username="rosa", name="Rosa Quito", role="agent", disabled=True)
    await api.platform.people.change(user, fields, by=OPERATOR, origin="local")
    disabled = await browser.ask("POST", "/session", 401, ROSA)
    for answer in (wrong, nobody, disabled):
        answer.pop("request_id")
    assert wrong == nobody == disabled


async def test_a_session_is_never_taken_over_from_what_a_browser_brought(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("POST", "/session", 201, ROSA)
    first = browser.cookie
    await browser.ask("POST", "/session", 201, ROSA)
    assert browser.cookie != first
    second, browser.cookie = browser.cookie, first
    await browser.ask("GET", "/session", 401)
    browser.cookie = second
    assert len((await browser.ask("GET", "/sessions", 200))["items"]) == 1


async def test_lock_out_grows_and_tells_when_to_come_back(tmp_path: Any) -> None:
    clock = VirtualClock()
    async with running(Platform(tmp_path, clock=clock)) as api:
        await add_rosa(api.platform)
        browser = Browser(api)
        wrong = {**ROSA, "password": "no es esta"}
        for _ in range(5):
            await browser.ask("POST", "/session", 401, wrong)
        waits = []
        for _ in range(4):
            await browser.ask("POST", "/session", 401, wrong)
            locked = await browser.ask("POST", "/session", 429, ROSA)  # the right one, too: a hit tells nothing
            assert locked["code"] == "access.locked"
            waits.append(int(browser.retry_after))
            await clock.advance(waits[-1])
        assert waits == [15, 30, 60, 120]
        await browser.ask("POST", "/session", 201, ROSA)
        await browser.ask("POST", "/session", 401, {**ROSA, "password": "x"})  # counted anew
        await browser.ask("POST", "/session", 201, ROSA)


async def test_an_administrator_sees_a_lock_out_and_lifts_it(tmp_path: Any) -> None:
    clock = VirtualClock()
    async with running(Platform(tmp_path, clock=clock)) as api:
        await add_rosa(api.platform)
        rosa = next(
            one for one in (await api.json("GET", "/api/v1/users", "admin", 200))["items"] if one["username"] == "rosa"
        )
        assert rosa["refused"] is None
        browser, path = Browser(api), f"/api/v1/users/{rosa['id']}"
        for _ in range(6):
            await browser.ask("POST", "/session", 401, {**ROSA, "password": "no es esta"})
        await browser.ask("POST", "/session", 429, ROSA)
        told = (await api.json("GET", path, "admin", 200))["refused"]
        assert (told["attempts"], told["origins"]) == (6, ["127.0.0.1"])
        until = datetime.fromisoformat(told["locked_until"]).timestamp()
        assert until == pytest.approx(clock.now() + 15, abs=0.001)
        listed = {
            one["username"]: one["refused"] for one in (await api.json("GET", "/api/v1/users", "admin", 200))["items"]
        }
        assert listed["rosa"] == told
        assert listed["admin"] is None
        await api.json("DELETE", f"{path}/lockout", "admin", 204)
        assert (await api.json("GET", path, "admin", 200))["refused"] is None
        await browser.ask("POST", "/session", 201, ROSA)
        await api.json("DELETE", f"{path}/lockout", "admin", 204)  # nothing to lift is no mistake
        await api.json("DELETE", "/api/v1/users/nobody/lockout", "admin", 404)
        own = f"/api/v1/users/{api.platform.user_ids['admin']}/lockout"
        async with api.ask("DELETE", own, None, headers=await api.session_headers("admin")) as response:
            assert (response.status, (await response.json())["code"]) == (409, "users.own_lockout")


async def test_a_locked_address_is_seen_and_lifted(tmp_path: Any) -> None:
    clock = VirtualClock()
    async with running(Platform(tmp_path, clock=clock)) as api:
        await add_rosa(api.platform)
        browser, path = Browser(api), "/api/v1/locked-addresses"
        assert (await api.json("GET", path, "admin", 200))["items"] == []
        for number in range(61):  # of sixty accounts that are not there, so that none of them is locked
            await browser.ask("POST", "/session", 401, {"username": f"nadie{number}", "password": "no es esta"})
        await browser.ask("POST", "/session", 429, ROSA)
        (told,) = (await api.json("GET", path, "manager", 200))["items"]
        assert (told["address"], told["attempts"]) == ("127.0.0.1", 61)
        until = datetime.fromisoformat(told["locked_until"]).timestamp()
        assert until == pytest.approx(clock.now() + 15, abs=0.001)
        await api.json("DELETE", f"{path}/127.0.0.1", "manager", 403)
        await api.json("DELETE", f"{path}/127.0.0.1", "admin", 204)
        assert (await api.json("GET", path, "admin", 200))["items"] == []
        await browser.ask("POST", "/session", 201, ROSA)
        await api.json("DELETE", f"{path}/127.0.0.1", "admin", 204)  # nothing to lift is no mistake
        acts = (await api.json("GET", "/api/v1/audit?action=address.lockout_lifted", "admin", 200))["items"]
        assert [(one["target"], one["before"]) for one in acts] == [
            ("address:127.0.0.1", {"refused": 61, "locked": True})
        ]


async def test_second_factor(tmp_path: Any) -> None:
    clock = VirtualClock()
    async with running(Platform(tmp_path, clock=clock)) as api:
        await add_rosa(api.platform)
        browser = Browser(api)
        await browser.ask("POST", "/session", 201, ROSA)
        secret = (await browser.ask("POST", "/me/totp", 201))["secret"]
        codes = pyotp.TOTP(secret)
        code = codes.at(int(clock.now()))
        assert (await browser.ask("PUT", "/me/totp", 422, {"code": "000000"}))["code"] == "access.bad_code"
        await browser.ask("PUT", "/me/totp", 204, {"code": code})
        await browser.ask("POST", "/me/totp", 409)

        other = Browser(api)
        needed = await other.ask("POST", "/session", 401, ROSA)
        assert (needed["code"], needed["facts"]) == ("access.code_needed", {"wrong": False})
        used = await other.ask("POST", "/session", 401, {**ROSA, "code": code})
        assert (used["code"], used["facts"]) == ("access.code_needed", {"wrong": True})  # taken once already
        await clock.advance(30)
        await other.ask("POST", "/session", 201, {**ROSA, "code": codes.at(int(clock.now()))})
        assert (await other.ask("GET", "/session", 200))["user"]["totp"] is True
        kept = await api.platform.accounts.stores.users.by_username("rosa")
        assert kept is not None
        assert kept.totp is not None
        assert secret.encode() not in kept.totp

        await clock.advance(30)
        await browser.ask("DELETE", "/me/totp", 204, {"code": codes.at(int(clock.now()))})
        await Browser(api).ask("POST", "/session", 201, ROSA)


async def test_a_given_password_must_be_changed_first(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform, must_change=True)
    signed_in = await browser.ask("POST", "/session", 201, ROSA)
    assert signed_in["user"]["must_change_password"] is True
    assert signed_in["user"]["permissions"] == []
    assert (await browser.ask("GET", "/queues", 403))["code"] == "access.password_change_needed"
    weak = await browser.ask("PUT", "/me/password", 422, {"old": PASSWORD, "new": "rosaquito1"})
    assert weak["code"] == "access.weak_password"
    wrong = await browser.ask("PUT", "/me/password", 422, {"old": "no es esta", "new": "otra cosa muy distinta"})
    assert wrong["code"] == "access.wrong_password"
    other = Browser(api)
    await other.ask("POST", "/session", 201, ROSA)
    await browser.ask("PUT", "/me/password", 204, {"old": PASSWORD, "new": "otra cosa muy distinta"})
    await browser.ask("GET", "/queues", 200)
    await other.ask("GET", "/session", 401)


async def test_one_ends_ones_other_sessions_and_nobody_elses(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("POST", "/session", 201, ROSA)
    other = Browser(api)
    await other.ask("POST", "/session", 201, ROSA)
    items = (await browser.ask("GET", "/sessions", 200))["items"]
    assert [item["current"] for item in items] == [False, True]
    stranger, _ = await api.platform.sign_in("supervisor")
    await browser.ask("DELETE", f"/sessions/{stranger.standing.session.id}", 404)
    await browser.ask("DELETE", f"/sessions/{items[0]['id']}", 204)
    await other.ask("GET", "/session", 401)


async def test_one_ends_all_ones_other_sessions_at_once_and_it_is_audited(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("POST", "/session", 201, ROSA)
    others = [Browser(api), Browser(api)]
    for other in others:
        await other.ask("POST", "/session", 201, ROSA)
    stranger, _ = await api.platform.sign_in("supervisor")
    await browser.ask("DELETE", "/sessions", 204)
    for other in others:
        await other.ask("GET", "/session", 401)
    left = (await browser.ask("GET", "/sessions", 200))["items"]
    assert [item["current"] for item in left] == [True]
    assert await api.platform.accounts.sessions_of(stranger.user)
    assert [entry.action for entry in await api.platform.audit.entries()].count("session.others_ended") == 1


async def test_preferences(api: Api, browser: Browser) -> None:
    await add_rosa(api.platform)
    await browser.ask("POST", "/session", 201, ROSA)
    await browser.ask("PUT", "/me/preferences", 204, {"language": "en", "theme": "dark"})
    user = (await browser.ask("GET", "/session", 200))["user"]
    assert (user["language"], user["theme"]) == ("en", "dark")


async def test_over_tls_the_cookie_is_bound_to_this_host(tmp_path: Any) -> None:
    platform = Platform(tmp_path, settings=WebSettings(hsts=True))
    async with running(platform) as api:
        await add_rosa(platform)
        headers = {"Origin": api.server.url.replace("http:", "https:")}
        async with api.ask("POST", "/api/v1/session", None, headers=headers, json=ROSA) as response:
            assert response.status == 201
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-rimay=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
        async with api.ask("POST", "/api/v1/session", None, headers={"Origin": api.server.url}, json=ROSA) as response:
            assert response.status == 403  # the same host, but a page that came without TLS


async def test_administrators_make_accounts_and_end_them(api: Api) -> None:
    new = {"username": "Eva", "name": "Eva Loja", "role": "supervisor"}
    made = await api.json("POST", "/api/v1/users", "admin", 201, json=new)
    assert made["user"]["username"] == "eva"
    await api.json("POST", "/api/v1/users", "admin", 409, json=new)
    await api.json("POST", "/api/v1/users", "admin", 422, json={**new, "username": "otra", "role": "inventado"})
    eva = Browser(api)
    await eva.ask("POST", "/session", 201, {"username": "eva", "password": made["password"]})
    path = f"/api/v1/users/{made['user']['id']}"
    await api.json("PUT", path, "admin", 200, json={**new, "disabled": True})
    await eva.ask("GET", "/session", 401)
    entries = await api.platform.audit.entries(target=f"user:{made['user']['id']}")
    assert [one.action for one in entries] == ["user.changed", "user.added"]
    assert entries[0].before is not None
    assert entries[0].after is not None
    assert (entries[0].before["disabled"], entries[0].after["disabled"]) == (False, True)
    assert made["password"] not in repr(await api.platform.audit.entries())


async def test_who_only_writes_users_gives_no_more_than_they_have(api: Api) -> None:
    role = {"name": "ayudante", "title": "Ayudante", "permissions": ["users.read", "users.write", "queues.read"]}
    await api.json("POST", "/api/v1/roles", "admin", 201, json=role)
    made = await api.json(
        "POST", "/api/v1/users", "admin", 201, json={"username": "leo", "name": "Leo", "role": "ayudante"}
    )
    leo = Browser(api)
    await leo.ask("POST", "/session", 201, {"username": "leo", "password": made["password"]})
    await leo.ask("PUT", "/me/password", 204, {"old": made["password"], "new": "otra cosa muy distinta"})
    assert (await leo.ask("GET", "/session", 200))["user"]["role_title"] == "Ayudante"
    person = {"username": "mia", "name": "Mía", "role": "admin"}
    assert (await leo.ask("POST", "/users", 403, person))["code"] == "access.denied"
    await leo.ask("POST", "/users", 201, {**person, "role": "ayudante"})
    await leo.ask("POST", f"/users/{api.platform.user_ids['admin']}/password", 403)
    await leo.ask("GET", "/audit-of-others", 404)
    await api.json("DELETE", "/api/v1/roles/ayudante", "admin", 409)
    await api.json("PUT", "/api/v1/roles/admin", "admin", 409, json={"title": "X", "permissions": []})


async def test_nobody_locks_themself_out(api: Api) -> None:
    headers = await api.session_headers("admin")
    path = f"/api/v1/users/{api.platform.user_ids['admin']}"
    body = {"username": "admin", "name": "Admin", "role": "agent"}
    async with api.ask("PUT", path, None, headers=headers, json=body) as response:
        assert response.status == 409


async def test_nobody_reads_as_another_by_binding_that_agent(api: Api) -> None:
    """What was proved once: a role with users.write took Ana's name and heard her recordings."""
    permissions = sorted({*PERMISSIONS[Role.AGENT], Permission.USERS_READ, Permission.USERS_WRITE})
    await api.json(
        "POST",
        "/api/v1/roles",
        "admin",
        201,
        json={"name": "ayudante", "title": "Ayudante", "permissions": permissions},
    )
    luis = {"username": "luis", "name": "Luis", "role": "ayudante", "agent": "luis"}
    path = f"/api/v1/users/{api.platform.user_ids['luis']}"
    await api.json("PUT", path, "admin", 200, json=luis)
    headers = await api.session_headers("luis")

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with api.ask(method, path, None, headers=headers, json=body) as response:
            return response.status, await response.json(content_type=None)

    status, told = await ask("PUT", path, {**luis, "agent": "ana"})
    assert (status, told["code"]) == (409, "users.own_account")
    status, told = await ask(
        "POST", "/api/v1/users", {"username": "otra", "name": "Otra", "role": "agent", "agent": "ana"}
    )
    assert (status, told["code"]) == (403, "access.denied")
    assert (await ask("GET", "/api/v1/interactions/i-00001"))[0] == 404
    assert (await ask("GET", "/api/v1/recordings/r-00001"))[0] == 404
    other = {"username": "otra", "name": "Otra", "role": "agent"}
    taken = await api.json("POST", "/api/v1/users", "admin", 409, json={**other, "agent": "ana"})
    assert taken["code"] == "users.agent_taken"
    nobody = await api.json("POST", "/api/v1/users", "admin", 422, json={**other, "agent": "nadie"})
    assert nobody["code"] == "users.no_such_agent"
