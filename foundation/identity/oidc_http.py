"""The provider of single sign-on, over HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from foundation.errors import Unavailable
from foundation.identity.oidc import Endpoints, OidcRefused
from foundation.logs import get_logger
from foundation.secret import Secret

log = get_logger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_REMEMBER_S = 3600.0
_KEYS_ANEW_S = 30.0  # strangers' tokens must not make us ask at each
_MOST_BYTES = 1_000_000


def is_safe_url(url: str) -> bool:
    """https, or http on this machine itself."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return True
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


class HttpProvider:
    def __init__(self, issuer: str, client_id: str, client_secret: Secret | None) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._session: aiohttp.ClientSession | None = None
        self._metadata: Mapping[str, Any] = {}
        self._metadata_at = -_REMEMBER_S
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def endpoints(self) -> Endpoints:
        metadata = await self._discover()
        return Endpoints(_url(metadata, "authorization_endpoint"), _url(metadata, "token_endpoint"))

    async def keys(self, *, anew: bool = False) -> KeySet:
        now = time.monotonic()
        age = now - self._keys_at
        if self._keys is None or age > _REMEMBER_S or (anew and age > _KEYS_ANEW_S):
            found = await self._ask("GET", _url(await self._discover(), "jwks_uri"))
            try:
                self._keys = KeySet.import_key_set({"keys": _usable(found)})
            except (JoseError, ValueError, TypeError) as error:
                raise Unavailable("the provider's keys cannot be read") from error
            self._keys_at = now
        return self._keys

    async def exchange(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {}
        if self._client_secret is not None:  # RFC 6749, 2.3.1: form-encoded first
            pair = (self._client_id, self._client_secret.get_secret_value())
            basic = ":".join(quote(part, safe="") for part in pair).encode()
            headers["Authorization"] = "Basic " + base64.b64encode(basic).decode()
        return await self._ask("POST", (await self.endpoints()).token, data=dict(form), headers=headers)

    async def _discover(self) -> Mapping[str, Any]:
        if time.monotonic() - self._metadata_at > _REMEMBER_S:
            found = await self._ask("GET", self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:
                raise Unavailable("the provider's metadata are of another issuer")
            self._metadata, self._metadata_at = found, time.monotonic()
        return self._metadata

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        if self._session is None:
            raise RuntimeError("the provider is used before it was entered")
        try:
            # Redirects are not followed: they would carry the client's secret elsewhere.
            async with self._session.request(method, url, allow_redirects=False, **more) as response:
                if method == "POST" and response.status in {400, 401, 403}:
                    log.warning("access.oidc_exchange_refused", status=response.status)
                    raise OidcRefused("Signing in with this account did not work. Try again from the beginning.")
                if response.status != 200:
                    raise Unavailable(f"the provider answers {response.status}")
                found = json.loads(await _limited(response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"the provider of single sign-on does not answer: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise Unavailable("the provider does not answer with a JSON object")
        return found


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(65536):
        body += piece
        if len(body) > _MOST_BYTES:
            raise Unavailable("the provider answers too much")
    return bytes(body)


def _url(metadata: Mapping[str, Any], name: str) -> str:
    url = metadata.get(name)
    if not isinstance(url, str) or not is_safe_url(url):
        raise Unavailable(f"the provider's metadata hold no safe {name}")
    return url


def _usable(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Public keys for signatures. A shared secret ("oct") among them would let its holder sign for the provider."""
    keys = found.get("keys")
    if not isinstance(keys, list):
        raise ValueError("no list of keys")  # noqa: TRY004 - whoever sent it did not mean a type
    return [
        key
        for key in keys
        if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"
    ]
