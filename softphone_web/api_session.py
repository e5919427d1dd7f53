"""Signing in and out in a browser, and one's own account."""

from __future__ import annotations

from foundation.access import Role
from foundation.errors import NotFound, Unauthenticated
from foundation.identity.accounts import CodeNeeded, SignedIn
from foundation.identity.model import BUILT_IN_TITLES, BadCredentials, is_built_in
from foundation.logs import get_logger
from softphone_web.authenticate import (
    authenticate,
    check_origin,
    cookie_name,
    session_cookie,
    signed_in_of,
    visitor_of,
)
from softphone_web.call import Call
from softphone_web.permissions import Open
from softphone_web.routes import Routes
from softphone_web.schemas_identity import (
    CodeBody,
    MethodsOut,
    OidcMethod,
    OwnSessions,
    PasswordBody,
    PreferencesBody,
    SessionOut,
    SessionPath,
    SignInBody,
    SignInOutcome,
    SignInRefused,
    TotpOut,
    WhoseSession,
    own_session_out,
    session_out,
)
from softphone_web.settings import WebSettings

log = get_logger(__name__)
routes = Routes("/api/v1", tag="session")


@routes.get("/sign-in/methods", Open.PUBLIC)
async def get_sign_in_methods(call: Call) -> MethodsOut:
    """How one may sign in here."""
    settings = call.deps.settings
    single = None
    if call.deps.oidc is not None and settings.oidc is not None:
        single = OidcMethod(title=settings.oidc.title, href="/api/v1/session/oidc")
    return MethodsOut(password=True, oidc=single, organisation=settings.organisation)


@routes.post("/session", Open.PUBLIC, status=201, raises=(401, 403, 429, 503))
async def sign_in(call: Call, body: SignInBody) -> SessionOut:
    """Sign in; the session's cookie comes with the answer.

    A wrong user name, a wrong password and a disabled account are one answer. `access.code_needed` asks for the code
    of an authenticator app. After some failures the answer is 429 with Retry-After.
    """
    return await _sign_in(call, body)


@routes.post("/sign-in/session", Open.PUBLIC, raises=(403, 429, 503))
async def try_sign_in(call: Call, body: SignInBody) -> SignInOutcome:
    """Sign in, for a page: as `POST /session`, but what that answers with 401 is an outcome here, told in `refused`.

    A mistyped password is no fault of the page, and browsers write every 401 to the console.
    """
    try:
        return SignInOutcome(session=await _sign_in(call, body), refused=None)
    except (BadCredentials, CodeNeeded) as no:
        log.info("web.sign_in_refused", code=no.code)  # the request's own line says 200
        return SignInOutcome(session=None, refused=SignInRefused(code=no.code, detail=no.message))


@routes.get("/sign-in/session", Open.PUBLIC)
async def get_whose_session(call: Call) -> WhoseSession:
    """What a page asks first. Nobody's is no error: browsers write every 401 to the console."""
    try:
        await authenticate(call.request, call.deps)
        signed_in = signed_in_of(call.request)
    except Unauthenticated:
        return WhoseSession(session=None)
    return WhoseSession(session=await _out(call, signed_in))


@routes.get("/session", Open.OWN_ACCOUNT)
async def get_session(call: Call) -> SessionOut:
    """Who is signed in, what they may do, and the token against request forgery."""
    return await _out(call, signed_in_of(call.request))


@routes.delete("/session", Open.OWN_ACCOUNT)
async def sign_out(call: Call) -> None:
    """Sign out: the session ends here and now, whatever copy of its cookie there is."""
    await call.deps.accounts.sign_out(signed_in_of(call.request), visitor_of(call.request, call.deps.settings))
    call.headers["Set-Cookie"] = cookie_header(call.deps.settings, "", "; Max-Age=0")


@routes.get("/sessions", Open.SIGNED_IN)
async def list_sessions(call: Call) -> OwnSessions:
    """Where one is signed in."""
    signed_in = signed_in_of(call.request)
    found = await call.deps.accounts.sessions_of(signed_in.user)
    return OwnSessions(items=[own_session_out(one, signed_in.standing.session.id) for one in found])


@routes.delete("/sessions", Open.SIGNED_IN)
async def end_other_sessions(call: Call) -> None:
    """End all of one's own sessions but this one."""
    await call.deps.accounts.end_other_sessions(
        signed_in_of(call.request), visitor_of(call.request, call.deps.settings)
    )


@routes.delete("/sessions/{session}", Open.SIGNED_IN, raises=(404,))
async def end_session(call: Call, path: SessionPath) -> None:
    """End one of one's own sessions."""
    who, visitor = signed_in_of(call.request), visitor_of(call.request, call.deps.settings)
    if not await call.deps.accounts.end_session(who, path.session, visitor):
        raise NotFound("There is no such session.")


@routes.put("/me/preferences", Open.SIGNED_IN)
async def set_preferences(call: Call, body: PreferencesBody) -> None:
    """Language and appearance of the pages."""
    changes = body.model_dump(exclude_none=True)
    signed_in = signed_in_of(call.request)
    if changes:
        await call.deps.accounts.set_preferences(signed_in, **changes)


@routes.put("/me/password", Open.OWN_ACCOUNT, raises=(422, 429))
async def change_password(call: Call, body: PasswordBody) -> None:
    """Change one's password; one's other sessions end."""
    who, visitor = signed_in_of(call.request), visitor_of(call.request, call.deps.settings)
    await call.deps.accounts.change_password(who, body.old, body.new, visitor)


@routes.post("/me/totp", Open.SIGNED_IN, status=201, raises=(409,))
async def begin_totp(call: Call) -> TotpOut:
    """A new secret for an authenticator app; it counts once a code of it was given."""
    secret, uri = await call.deps.accounts.begin_totp(signed_in_of(call.request))
    return TotpOut(secret=secret, uri=uri)


@routes.put("/me/totp", Open.SIGNED_IN, raises=(409, 429))
async def confirm_totp(call: Call, body: CodeBody) -> None:
    """Put the second factor in force, by a code of it."""
    who, visitor = signed_in_of(call.request), visitor_of(call.request, call.deps.settings)
    await call.deps.accounts.confirm_totp(who, body.code, visitor)


@routes.delete("/me/totp", Open.SIGNED_IN, raises=(409, 429))
async def remove_totp(call: Call, body: CodeBody) -> None:
    """Do without a second factor from now on; a code of it is needed."""
    who, visitor = signed_in_of(call.request), visitor_of(call.request, call.deps.settings)
    await call.deps.accounts.remove_totp(who, body.code, visitor)


async def _sign_in(call: Call, body: SignInBody) -> SessionOut:
    settings = call.deps.settings
    check_origin(call.request, settings)
    signed_in, cookie = await call.deps.accounts.sign_in(
        body.username,
        body.password,
        body.code,
        visitor_of(call.request, settings),
        former=session_cookie(call.request, settings),
    )
    call.headers["Set-Cookie"] = cookie_header(settings, cookie.get_secret_value())
    return await _out(call, signed_in)


def cookie_header(settings: WebSettings, value: str, more: str = "") -> str:
    secure = "; Secure" if settings.behind_tls else ""
    return f"{cookie_name(settings)}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}"


async def _out(call: Call, signed_in: SignedIn) -> SessionOut:
    role = signed_in.user.role
    if is_built_in(role):
        return session_out(signed_in, BUILT_IN_TITLES[Role(role)])
    found = [one.title for one in await call.deps.people.roles() if one.name == role]
    return session_out(signed_in, found[0] if found else role)
