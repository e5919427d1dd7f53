"""Single sign-on: OpenID Connect's code flow with PKCE, as one relying party of one provider.

What protects it: `state` is used once, within ten minutes, and only by the browser that began (a cookie); the code is
worth nothing without the verifier that never left us; the ID token is taken only with a signature of the provider's own
published keys (never ``none``, never a shared secret), for us, from that issuer, not expired, and with our nonce."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from foundation.clock import Clock
from foundation.errors import Denied
from foundation.logs import get_logger

log = get_logger(__name__)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
BEGUN_S = 600.0  # a person may have to look for their phone
_BEGUN_AT_MOST = 1000
_CLOCKS_DIFFER_S = 60


class OidcRefused(Denied):
    """What is wrong stands in the log; who tries to break in learns nothing of it."""

    code: ClassVar[str] = "access.oidc_refused"


class NoRoleGiven(Denied):
    """The provider knows the person, but gives them no role here."""

    code: ClassVar[str] = "access.oidc_no_role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`roles` maps values of the claim `role_claim` to our roles, the first that fits counts; claims may be dotted."""

    issuer: str
    client_id: str
    scopes: str = "openid profile email"
    username_claim: str = "preferred_username"
    name_claim: str = "name"
    role_claim: str = "groups"
    agent_claim: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Of the provider's metadata (OpenID Connect Discovery)."""

    authorization: str
    token: str


class Provider(Protocol):
    """`foundation.identity.oidc_http` is one. Raises `Unavailable` when it does not answer."""

    async def endpoints(self) -> Endpoints: ...
    async def keys(self, *, anew: bool = False) -> KeySet:
        """Its public keys; `anew`: not those remembered."""
        ...

    async def exchange(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """The token endpoint's answer. Raises `OidcRefused` when it refuses."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the provider says somebody is."""

    subject: str  # unique for ever: issuer and sub
    username: str
    name: str
    role: str
    agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    nonce: str
    verifier: str
    redirect_uri: str
    browser: bytes
    expires_at: float


class Oidc:
    def __init__(self, rules: Rules, provider: Provider, clock: Clock) -> None:
        self._rules = rules
        self._provider = provider
        self._clock = clock
        self._begun: dict[str, _Begun] = {}  # by state, oldest first; of this process, like the browser's way back

    async def begin(self, redirect_uri: str) -> tuple[str, str]:
        """(where to send the browser, what its cookie must hold when it comes back)."""
        endpoints = await self._provider.endpoints()
        state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
        now = self._clock.now()
        self._begun = {key: one for key, one in self._begun.items() if one.expires_at > now}
        while len(self._begun) >= _BEGUN_AT_MOST:
            del self._begun[next(iter(self._begun))]
        self._begun[state] = _Begun(
            nonce=nonce,
            verifier=verifier,
            redirect_uri=redirect_uri,
            browser=_digest(browser),
            expires_at=now + BEGUN_S,
        )
        query = {
            "response_type": "code",
            "client_id": self._rules.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._rules.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(_digest(verifier)).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoints.authorization else "?"
        return endpoints.authorization + joint + urlencode(query), browser

    async def finish(self, *, state: str, code: str, browser: str, issuer: str | None = None) -> Person:
        """Who came back. Raises `OidcRefused`, `NoRoleGiven`, `Unavailable`."""
        begun = self._begun.pop(state, None)  # whatever comes of it: used once
        if begun is None or begun.expires_at <= self._clock.now():
            raise _refused("unknown, used or old state")
        if not hmac.compare_digest(begun.browser, _digest(browser)):
            raise _refused("another browser began this")
        if issuer is not None and issuer != self._rules.issuer:  # RFC 9207
            raise _refused("the answer names another issuer")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "client_id": self._rules.client_id,
            "code_verifier": begun.verifier,
        }
        answer = await self._provider.exchange(form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("the answer holds no ID token")
        return self._person(await self._checked(token, begun.nonce))

    async def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that is right in every respect."""
        claims = await self._signed(token)
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=_CLOCKS_DIFFER_S,
            iss={"essential": True, "value": self._rules.issuer},
            aud={"essential": True, "value": self._rules.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise _refused(f"ID token: {error.error} {error.description or ''}") from None
        audience = claims["aud"]
        others = isinstance(audience, list) and len(audience) > 1
        if (others or "azp" in claims) and claims.get("azp") != self._rules.client_id:
            raise _refused("the ID token was made for another client")
        if not isinstance(claims["nonce"], str):
            raise _refused("the nonce is no text")
        return claims

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token with a right signature. Keys change: one that is not known is looked for once more."""
        for anew in (False, True):
            keys = await self._provider.keys(anew=anew)
            try:
                return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            except (JoseError, ValueError) as error:
                problem = f"ID token: {type(error).__name__} {error}"
        raise _refused(problem)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        rules = self._rules
        username, name = _claim(claims, rules.username_claim), _claim(claims, rules.name_claim)
        if not isinstance(username, str) or not username:
            raise _refused(f"the claim {rules.username_claim} holds no user name")
        agent = _claim(claims, rules.agent_claim) if rules.agent_claim else None
        return Person(
            subject=f"{rules.issuer} {claims['sub']}",
            username=username,
            name=name if isinstance(name, str) and name.strip() else username,
            role=self._role(_claim(claims, rules.role_claim)),
            agent=agent if isinstance(agent, str) and agent else None,
        )

    def _role(self, given: Any) -> str:
        held = set(map(str, given)) if isinstance(given, list) else {str(given)}
        for value, role in self._rules.roles.items():
            if value in held:
                return role
        if self._rules.default_role is None:
            raise NoRoleGiven("Your account at the provider gives you no role here. Ask your administrator.")
        return self._rules.default_role


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Also inside objects: ``realm_access.roles``. A claim whose own name has dots is found first."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _refused(why: str) -> OidcRefused:
    log.warning("access.oidc_refused", why=why)
    return OidcRefused("Signing in with this account did not work. Try again from the beginning.")
