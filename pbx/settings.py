"""The `pbx` section of the settings: which switch, which trunks and phones, who may dial what."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from foundation.settings import Secret, Section

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
# 0 asks for a free port, chosen once for a `var` folder and remembered there.
AutoPort = Annotated[int, Field(ge=0, le=65535)]


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Srtp(StrEnum):
    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class DtmfMode(StrEnum):
    AUTO = "auto"
    RFC4733 = "rfc4733"
    INFO = "info"
    INBAND = "inband"


class Codec(StrEnum):
    PCMA = "pcma"
    PCMU = "pcmu"
    G722 = "g722"
    OPUS = "opus"


_WIDE_CODECS = frozenset({Codec.G722, Codec.OPUS})


class Gateway(Section):
    """One address of the customer's voice gateway. The lowest priority number is tried first."""

    name: Name
    host: str
    port: Port = 5060
    transport: Transport = Transport.UDP
    priority: int = Field(default=1, ge=1, le=100)


class Registration(Section):
    """For gateways that want us to register; without it the trunk is trusted by address."""

    username: str
    password: Secret
    realm: str | None = None
    expires_s: int = Field(default=300, ge=60, le=7200)


class Trunk(Section):
    name: Name
    gateways: list[Gateway] = Field(min_length=1)
    # Who may place calls to us over this trunk; the gateways' own addresses when empty.
    accept_from: list[IPv4Network | IPv6Network] = []
    registration: Registration | None = None
    codecs: list[Codec] = Field(default=[Codec.PCMA, Codec.PCMU], min_length=1)
    dtmf: DtmfMode = DtmfMode.AUTO
    srtp: Srtp = Srtp.OFF
    keepalive_s: int = Field(default=30, ge=0, le=3600, description="OPTIONS every so often; 0 for none")
    max_calls: int = Field(default=120, ge=1)
    caller_number: str = Field(default="", description="shown on outbound calls that name none")


class Phone(Section):
    """A SIP phone (desk phone, robot) that may register. Browsers get their credentials at sign-in instead."""

    name: Name
    password: Secret
    codecs: list[Codec] = Field(default=[Codec.PCMU, Codec.PCMA], min_length=1)


def _dial_prefix(value: str) -> str:
    if not value.strip("+").isdigit():
        raise ValueError("a prefix is digits, with an optional leading +")
    return value


class Dialing(Section):
    """Outbound calls: how numbers are read and which may be called at all. Empty `allow` forbids every call."""

    country: Literal["EC"] = "EC"
    area_code: str = Field(default="7", pattern=r"^[2-7]$", description="of numbers dialled without one; Azuay is 7")
    allow: list[Annotated[str, AfterValidator(_dial_prefix)]] = Field(
        default=["+593"], description="prefixes in E.164, or short codes such as 911"
    )
    deny: list[Annotated[str, AfterValidator(_dial_prefix)]] = Field(
        default=["+5931900"], description="wins over allow"
    )
    calls_per_minute: int = Field(default=120, ge=0, description="for the whole platform")
    calls_per_minute_per_number: int = Field(default=4, ge=0)


class AsteriskAddress(Section):
    """An Asterisk that the operator runs. Without it Rimay starts its own."""

    ari_url: str
    ari_user: str
    ari_password: Secret
    ami_host: str
    ami_port: Port = 5038
    ami_user: str
    ami_password: Secret
    recordings: str = Field(description="folder that the switch writes and Rimay reads")


class FreeswitchAddress(Section):
    """A FreeSWITCH that the operator runs. Without it Rimay starts its own."""

    host: str
    port: Port = 8021
    password: Secret
    recordings: str = Field(description="folder that the switch writes and Rimay reads")


class PbxSettings(Section):
    engine: Literal["auto", "asterisk", "freeswitch", "memory"] = "auto"
    bind: str = Field(default="127.0.0.1", description="address of SIP and RTP; loopback unless the operator says more")
    external_address: str | None = Field(default=None, description="the address to write in SDP behind NAT")
    sip_port: AutoPort = 0
    tls_port: AutoPort = 0
    rtp_from: AutoPort = 0
    rtp_count: int = Field(default=1000, ge=100, le=40000)
    language: str = "es"
    asterisk: AsteriskAddress | None = None
    freeswitch: FreeswitchAddress | None = None
    trunks: list[Trunk] = []
    phones: list[Phone] = []
    dialing: Dialing = Dialing()

    @property
    def speaks_wide(self) -> bool:
        """Whether any trunk or telephone may carry more than a telephone's band."""
        lists = [*(trunk.codecs for trunk in self.trunks), *(phone.codecs for phone in self.phones)]
        return any(_WIDE_CODECS.intersection(codecs) for codecs in lists)
