"""The `web` section of the settings."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from foundation.identity.oidc_http import is_safe_url
from foundation.settings import Secret, Section


class OidcSettings(Section):
    """Single sign-on with a provider of OpenID Connect. What to register there:
    ``<our address>/api/v1/session/oidc/callback``."""

    issuer: str = Field(description="as the provider's metadata spell it")
    client_id: str
    client_secret: Secret | None = Field(default=None, description="none for a public client")
    title: str = Field(default="Cuenta institucional", max_length=60, description="of the button on the sign-in page")
    scopes: str = "openid profile email"
    username_claim: str = "preferred_username"
    name_claim: str = "name"
    role_claim: str = Field(default="groups", description="whose values `roles` maps; dots go into objects")
    agent_claim: str | None = Field(default=None, description="that holds the id of the agent that a person is")
    roles: dict[str, str] = Field(default={}, description="value of the claim: our role; the first that fits counts")
    default_role: str | None = Field(default=None, description="for who holds none of them; none: they stay out")

    @field_validator("issuer")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not is_safe_url(value):
            raise ValueError("expected an https address (http only on this machine itself)")
        return value


class WebPhoneSettings(Section):
    """The citizen's phone in a web page: anybody may call with it, so it is off unless the operator says how many."""

    at_once: int = Field(default=0, ge=0, le=10000, description="calls from pages at the same time; 0: none offered")
    max_s: float = Field(default=1800, ge=30, le=14400, description="a call ends after so long")
    per_minute: int = Field(default=30, ge=1, le=100000, description="calls begun, in all")
    per_minute_each: int = Field(default=3, ge=1, le=1000, description="from one address")


class WebSettings(Section):
    host: str = Field(default="127.0.0.1", description="address of the pages and the API; loopback unless told more")
    port: int = Field(default=0, ge=0, le=65535, description="0 for a free one, chosen once for a var folder")
    certificate: Path | None = Field(
        default=None, description="PEM file, with its chain: the one port then speaks https, and only https"
    )
    private_key: Path | None = Field(default=None, description="PEM file of its key, without password")
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[], description="whose X-Forwarded-For is believed"
    )
    allowed_origins: list[str] = Field(
        default=[], description="other origins (https://host) whose pages may use the API"
    )
    hsts: bool = Field(
        default=False, description="tell browsers to use https only; set it where TLS is in front; ours implies it"
    )
    organisation: str = Field(default="ETAPA EP", max_length=80, description="what the sign-in page is headed with")
    session_idle_s: float = Field(
        default=1800, ge=60, le=86400, description="a session ends when no page of it has asked anything for so long"
    )
    session_life_s: float = Field(default=43200, ge=300, le=604800, description="and so long after it began, anyway")
    oidc: OidcSettings | None = None
    webphone: WebPhoneSettings = WebPhoneSettings()
    secret_key: Secret | None = Field(
        default=None, description="seals second factors; made in var/ unless given: machines on one database share it"
    )
    metrics_to_loopback: bool = Field(
        default=True, description="/metrics without a token from this machine; else a service token is needed"
    )
    request_timeout_s: float = Field(default=15.0, gt=0, le=120)
    body_limit_bytes: int = Field(default=65536, ge=1024, le=1048576)
    document_limit_bytes: int = Field(
        default=1048576, ge=65536, le=8388608, description="of a request with a flow's or the organisation's whole text"
    )
    health_timeout_s: float = Field(default=2.0, gt=0, le=30, description="of one check")
    health_cache_s: float = Field(default=1.0, ge=0, le=30, description="anybody may ask: measured at most this often")
    live_heartbeat_s: float = Field(default=20.0, gt=0, le=300)
    live_queue: int = Field(default=512, ge=8, le=65536, description="events kept for a slow page before it is dropped")
    live_drop_after_s: float = Field(
        default=5.0, gt=0, le=60, description="how long a page may take nothing at all before it is cut"
    )
    look_ups_per_minute: int = Field(default=20, ge=1, le=1000, description="customers that one person may look up")
    live_clients: int = Field(default=1000, ge=1)
    live_clients_each: int = Field(default=10, ge=1, description="sockets of one identity")
    live_retry_s: float = Field(default=1.0, gt=0, le=60, description="before listening again after a lost bus")
    ticket_s: float = Field(default=60.0, gt=0, le=60)

    @property
    def behind_tls(self) -> bool:
        """Whether browsers reach us over https."""
        return self.hsts or self.certificate is not None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("`certificate` and `private_key` go together: name both files, or none")
        return self
