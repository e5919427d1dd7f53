"""The browser's way to the provider of single sign-on and back."""

from __future__ import annotations

from html import escape
from typing import Annotated

from aiohttp import web
from pydantic import ConfigDict

from foundation.errors import NotFound, RimayError
from foundation.identity.oidc import Oidc
from foundation.logs import get_logger
from softphone_web.api_session import cookie_header
from softphone_web.authenticate import session_cookie, visitor_of
from softphone_web.call import Call
from softphone_web.permissions import Open
from softphone_web.routes import Model, Routes
from softphone_web.settings import WebSettings
from softphone_web.texts import line

log = get_logger(__name__)
routes = Routes("/api/v1", tag="session")
_REFUSED = "access.oidc_refused"


class OidcReturn(Model):
    """What the provider adds of its own (`session_state`) is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: Annotated[str, line(512, shortest=0, strip=False)] = ""
    code: Annotated[str, line(4096, shortest=0, strip=False)] = ""
    iss: Annotated[str, line(512, shortest=0, strip=False)] | None = None
    error: Annotated[str, line(200, shortest=0, strip=False)] | None = None


@routes.get("/session/oidc", Open.PUBLIC, status=302, produces="text/html", raises=(404, 503))
async def begin_oidc(call: Call) -> web.StreamResponse:
    """Go to the provider of single sign-on."""
    oidc, settings = _oidc(call), call.deps.settings
    where, browser = await oidc.begin(_redirect_uri(call))
    # Lax: it must come along when the provider sends the browser back.
    secure = "; Secure" if settings.behind_tls else ""
    cookie = f"{_cookie_name(settings)}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600{secure}"
    return web.Response(status=302, headers={"Location": where, "Set-Cookie": cookie, "Cache-Control": "no-store"})


@routes.get("/session/oidc/callback", Open.PUBLIC, produces="text/html", raises=(404,))
async def finish_oidc(call: Call, query: OidcReturn) -> web.StreamResponse:
    """Come back from the provider of single sign-on, signed in or with `/?sign_in_error=CODE`."""
    oidc, settings = _oidc(call), call.deps.settings
    browser = call.request.cookies.get(_cookie_name(settings), "")
    try:
        if query.error is not None or not browser:
            log.warning("access.oidc_refused", why="the provider reports an error, or the browser brings no cookie")
            return _onward(settings, f"/?sign_in_error={_REFUSED}")
        person = await oidc.finish(state=query.state, code=query.code, browser=browser, issuer=query.iss)
        visitor = visitor_of(call.request, settings)
        user = await call.deps.people.from_provider(person, origin=visitor.origin)
        former = session_cookie(call.request, settings)
        _, cookie = await call.deps.accounts.open_session(user, visitor, former=former, how="oidc")
    except RimayError as error:
        log.warning("access.oidc_failed", code=error.code)
        return _onward(settings, f"/?sign_in_error={error.code}")
    return _onward(settings, "/", cookie.get_secret_value())


def _oidc(call: Call) -> Oidc:
    if call.deps.oidc is None:
        raise NotFound("There is no single sign-on here.")
    return call.deps.oidc


def _redirect_uri(call: Call) -> str:
    """Of the address that the browser used; the provider takes only those that are registered with it."""
    scheme = "https" if call.deps.settings.behind_tls else "http"
    return f"{scheme}://{call.request.host}/api/v1/session/oidc/callback"


def _cookie_name(settings: WebSettings) -> str:
    return "__Host-rimay-oidc" if settings.behind_tls else "rimay-oidc"


def _onward(settings: WebSettings, path: str, cookie: str | None = None) -> web.Response:
    """A page that goes on by itself. A redirect would still belong to the provider's navigation, and browsers would not
    send the new cookie (SameSite=Strict) along."""
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={escape(path)}">'
    page += "<title>Rimay</title>"
    secure = "; Secure" if settings.behind_tls else ""
    response = web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})
    response.headers.add("Set-Cookie", f"{_cookie_name(settings)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}")
    if cookie is not None:
        response.headers.add("Set-Cookie", cookie_header(settings, cookie))
    return response
