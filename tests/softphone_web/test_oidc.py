"""Single sign-on against a real provider of ours on loopback, honest and lying."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from pydantic import ValidationError

from app.identity import single_sign_on
from foundation.access import OPERATOR
from foundation.identity.people import UserFields
from foundation.secret import Secret
from softphone_web.settings import OidcSettings, WebSettings
from tests.support.oidc_provider import CLIENT, SECRET, OidcProvider, oidc_provider
from tests.support.web import Api, Platform, running


@dataclass
class Browser:
    """Follows the way to the provider and back by hand, keeping our cookies."""

    api: Api
    provider: OidcProvider
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, url: str) -> tuple[int, str, str]:
        """(status, Location, body)."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.api.session.get(url, headers={"Cookie": cookie}, allow_redirects=False) as response:
            for line in response.headers.getall("Set-Cookie", []):
                name, _, rest = line.partition("=")
                self.cookies[name] = rest.partition(";")[0]
                if "Max-Age=0" in line:
                    del self.cookies[name]
            return response.status, response.headers.get("Location", ""), await response.text()

    async def to_the_provider_and_back(self) -> str:
        """The address of ours to which the provider sends the browser."""
        status, where, _ = await self.get(self.api.server.url + "/api/v1/session/oidc")
        assert status == 302
        assert where.startswith(self.provider.issuer)
        status, back, _ = await self.get(where)
        assert status == 302
        return back

    async def sign_in(self) -> str:
        """Where it ends: "/" or the code of the error."""
        _, _, page = await self.get(await self.to_the_provider_and_back())
        return page.partition("url=")[2].partition('"')[0].removeprefix("/?sign_in_error=")

    async def session(self, status: int = 200) -> Any:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.api.ask("GET", "/api/v1/session", None, headers={"Cookie": cookie}) as response:
            assert response.status == status
            return await response.json()


@pytest.fixture
async def provider() -> AsyncIterator[OidcProvider]:
    async with oidc_provider() as provider:
        yield provider


@pytest.fixture
async def browser(provider: OidcProvider, tmp_path: Path) -> AsyncIterator[Browser]:
    chosen = OidcSettings(
        issuer=provider.issuer,
        client_id=CLIENT,
        client_secret=Secret(SECRET),
        roles={"jefes": "manager", "contact-center": "agent"},
        agent_claim="rimay.agent",
    )
    settings = WebSettings(oidc=chosen)
    platform = Platform(tmp_path, settings=settings)
    async with single_sign_on(settings, platform.clock) as platform.oidc, running(platform) as api:
        yield Browser(api, provider)


async def test_the_way_there_and_back(browser: Browser) -> None:
    methods = await browser.api.get("/api/v1/sign-in/methods", None)
    assert methods["oidc"] == {"title": "Cuenta institucional", "href": "/api/v1/session/oidc"}
    platform = browser.api.platform
    browser.provider.claims["rimay"] = {"agent": "nadie"}
    assert await browser.sign_in() == "users.no_such_agent"
    browser.provider.claims["rimay"] = {"agent": "ana"}
    assert await browser.sign_in() == "users.agent_taken"
    await platform.accounts.stores.users.change(platform.user_ids["ana"], None, agent=None)
    assert await browser.sign_in() == "/"
    user = (await browser.session())["user"]
    assert [user[key] for key in ("username", "name", "role", "agent")] == ["rosa", "Rosa Quito", "agent", "ana"]
    assert list(browser.cookies) == ["rimay"]  # the one of the way is gone
    assert SECRET not in str(browser.provider.forms)  # it went in the header


async def test_the_provider_says_anew_at_each_sign_in_who_somebody_is(browser: Browser) -> None:
    assert await browser.sign_in() == "/"
    browser.provider.claims |= {"name": "Rosa Q. de León", "groups": ["contact-center", "jefes"]}
    assert await browser.sign_in() == "/"
    user = (await browser.session())["user"]
    assert (user["name"], user["role"]) == ("Rosa Q. de León", "manager")
    entries = await browser.api.platform.audit.entries(target=f"user:{user['id']}")
    assert [(one.action, one.actor) for one in entries] == [
        ("user.changed", "single-sign-on"), ("user.added", "single-sign-on"),
    ]  # fmt: skip
    fields = UserFields(username="rosa", name="Rosa", role="agent", disabled=True)
    await browser.api.platform.people.change(user["id"], fields, by=OPERATOR, origin="local")
    assert await browser.sign_in() == "access.denied"
    await browser.session(401)


async def test_keys_of_another_kind_and_new_ones(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await browser.sign_in() == "/"
    browser.provider.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
    assert await browser.sign_in() == "access.oidc_refused"  # asked for its keys a moment ago
    monkeypatch.setattr("foundation.identity.oidc_http._KEYS_ANEW_S", -1.0)
    assert await browser.sign_in() == "/"


def change(**claims: Any) -> Callable[[dict[str, Any]], None]:
    def edit(found: dict[str, Any]) -> None:
        found.update(claims)
        for name in [name for name, value in claims.items() if value is None]:
            del found[name]

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        change(nonce="another"),
        change(nonce=None),
        change(iss="https://elsewhere.example"),
        change(iss=None),
        change(aud="another client"),
        change(aud=[CLIENT, "another"]),
        change(azp="another"),
        change(exp=1),
        change(exp=None),
        change(exp="never"),
        change(iat=4_000_000_000),
        change(nbf=4_000_000_000),
        change(sub=""),
        change(sub=None),
        change(preferred_username=""),
        lambda claims: claims.update(nonce=[claims["nonce"]]),
    ],
)
async def test_an_id_token_that_says_something_wrong(browser: Browser, edit: Callable[[dict[str, Any]], None]) -> None:
    browser.provider.edit = edit
    assert await browser.sign_in() == "access.oidc_refused"
    await browser.session(401)


@pytest.mark.parametrize("how", ["unsigned", "with_the_public_key_as_secret", "by_another_key"])
async def test_an_id_token_that_is_signed_wrongly(browser: Browser, how: str) -> None:
    browser.provider.sign = getattr(browser.provider, how)
    assert await browser.sign_in() == "access.oidc_refused"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "e30.e30."])
async def test_what_is_no_token_at_all(browser: Browser, token: str) -> None:
    browser.provider.sign = lambda _: token
    assert await browser.sign_in() == "access.oidc_refused"


async def test_a_way_back_is_used_once(browser: Browser) -> None:
    back = await browser.to_the_provider_and_back()
    kept = dict(browser.cookies)
    _, _, page = await browser.get(back)
    assert 'url=/"' in page
    browser.cookies = kept
    _, _, page = await browser.get(back)
    assert "access.oidc_refused" in page
    assert len(browser.provider.forms) == 1  # the second never reached the provider


async def test_a_way_back_belongs_to_the_browser_that_began(browser: Browser) -> None:
    """Else one could be signed in, unawares, as the one who sent the link."""
    back = await browser.to_the_provider_and_back()
    victim = Browser(browser.api, browser.provider)
    _, _, page = await victim.get(back)
    assert "access.oidc_refused" in page
    await victim.to_the_provider_and_back()  # has a cookie of its own way
    _, _, page = await victim.get(await Browser(browser.api, browser.provider).to_the_provider_and_back())
    assert "access.oidc_refused" in page


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?error=access_denied&state=x", "?state=&code="])
async def test_made_up_ways_back(browser: Browser, query: str) -> None:
    await browser.to_the_provider_and_back()
    status, _, page = await browser.get(browser.api.server.url + "/api/v1/session/oidc/callback" + query)
    assert (status, "access.oidc_refused" in page) == (200, True)


async def test_an_answer_of_another_issuer(browser: Browser) -> None:
    back = await browser.to_the_provider_and_back()
    head, _, _ = back.partition("&iss=")
    _, _, page = await browser.get(head + "&iss=https%3A%2F%2Felsewhere.example")
    assert "access.oidc_refused" in page


async def test_no_role_no_entry(browser: Browser) -> None:
    browser.provider.claims["groups"] = ["everybody"]
    assert await browser.sign_in() == "access.oidc_no_role"
    assert await browser.api.platform.accounts.stores.users.by_username("rosa") is None


async def test_an_account_made_here_is_not_taken_over_by_its_name(browser: Browser) -> None:
    browser.provider.claims["preferred_username"] = "admin"
    assert await browser.sign_in() == "users.username_taken"
    await browser.session(401)


async def test_a_provider_that_is_away_or_lies_about_itself(browser: Browser, tmp_path: Path) -> None:
    browser.provider.metadata = {"issuer": "https://elsewhere.example"}
    status, _, _ = await browser.get(browser.api.server.url + "/api/v1/session/oidc")
    assert status == 503
    browser.provider.metadata = {"token_endpoint": "http://192.0.2.1/token"}  # in the clear, over the network
    status, _, _ = await browser.get(browser.api.server.url + "/api/v1/session/oidc")
    assert status == 503


def test_an_issuer_without_tls_only_on_this_machine() -> None:
    with pytest.raises(ValidationError, match="https"):
        OidcSettings(issuer="http://idp.example", client_id="x")
    OidcSettings(issuer="https://idp.example", client_id="x")


async def test_without_a_provider_there_is_none(tmp_path: Path) -> None:
    async with running(Platform(tmp_path)) as api:
        assert (await api.get("/api/v1/sign-in/methods", None))["oidc"] is None
        await api.get("/api/v1/session/oidc", None, 404)
