"""Our settings as Asterisk's configuration files: every value is escaped or refused, so that none can add a line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from foundation.errors import Invalid
from pbx.settings import Codec, Gateway, Transport, Trunk
from pbx.terms import Reach

TEMPLATES = Path(__file__).parent.parent / "templates" / "asterisk"
# Asterisk reads a line into a buffer of 8 kB and cuts what is longer.
_LONGEST_VALUE = 1024
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")

DTMF_MODES = {"auto": "auto_info", "rfc4733": "rfc4733", "info": "info", "inband": "inband"}
_CODECS = {Codec.PCMA: "alaw", Codec.PCMU: "ulaw", Codec.G722: "g722", Codec.OPUS: "opus"}

# What we load, in no order (Asterisk sorts out dependencies); those that an installation lacks are left out.
MODULES = """
res_timing_timerfd res_crypto res_sorcery_config res_sorcery_memory res_sorcery_astdb pbx_config func_channel func_uri
res_pjproject res_pjsip res_pjsip_session res_pjsip_acl res_pjsip_authenticator_digest res_pjsip_caller_id
res_pjsip_diversion res_pjsip_dtmf_info res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user
res_pjsip_header_funcs res_pjsip_nat res_pjsip_outbound_authenticator_digest res_pjsip_outbound_registration
res_pjsip_path res_pjsip_pubsub res_pjsip_refer res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp
res_pjsip_sips_contact res_pjsip_transport_websocket res_pjsip_empty_info res_pjsip_dlg_options
chan_pjsip chan_bridge_media chan_websocket chan_audiosocket res_audiosocket res_websocket_client
res_http_websocket res_rtp_asterisk res_srtp res_format_attr_opus
res_stasis res_stasis_answer res_stasis_playback res_stasis_recording res_stasis_snoop app_stasis
res_ari res_ari_model res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_endpoints
res_ari_events res_ari_playbacks res_ari_recordings
res_musiconhold res_mutestream app_mixmonitor bridge_builtin_features bridge_holding bridge_native_rtp bridge_simple
bridge_softmix codec_ulaw codec_alaw codec_g722 codec_resample codec_a_mu codec_opus_open_source codec_opus
format_wav format_pcm format_sln format_gsm codec_gsm func_callerid func_pjsip_endpoint func_pjsip_contact
func_pjsip_aor func_hangupcause
""".split()  # noqa: SIM905 -- names read better than a hundred quotes

# Without these there is no call: better said at once than found at the first one.
_NEEDED = """
chan_pjsip res_pjsip_session res_pjsip_sdp_rtp res_rtp_asterisk app_stasis res_ari_channels res_ari_bridges
res_ari_events app_mixmonitor res_stasis_playback codec_ulaw format_wav pbx_config
""".split()  # noqa: SIM905
REQUIRED = frozenset(_NEEDED)


def escape_value(value: object) -> str:
    """One value on one line: a semicolon would begin a comment, a line break another setting."""
    text = str(value)
    if not text.isprintable() or text != text.strip() or len(text) > _LONGEST_VALUE:
        raise Invalid("a setting for the switch holds a line break, other invisible characters or outer spaces")
    return text.replace(";", "\\;")


def host(value: str) -> str:
    """A host name or address that may stand in a SIP URI (an IPv6 address in brackets), or nothing at all."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        if not _HOST.fullmatch(value):
            raise Invalid("not a host name or an address", host=repr(value)[:80]) from None
        return value
    return f"[{address}]" if address.version == 6 else str(address)


def sip_user(value: str) -> str:
    """The user part of a SIP URI."""
    escape_value(value)
    return quote(value, safe="")


def browser_context(reach: Reach) -> str:
    """The part of the dialplan that a browser's calls see: the one thing that they may call is all there is."""
    return f"rimay-browser-{reach.value}"


def trunk_endpoint(trunk: str, gateway: str) -> str:
    """Endpoint of one gateway; the dot keeps it apart from every phone, whose names have none."""
    return f"trunk.{trunk}.{gateway}"


def trunk_of(endpoint: str) -> tuple[str, str] | None:
    """(trunk, gateway) of an endpoint's name; None for a phone."""
    kind, _, rest = endpoint.partition(".")
    trunk, dot, gateway = rest.partition(".")
    return (trunk, gateway) if kind == "trunk" and dot else None


def gateway_uri(gateway: Gateway) -> str:
    transport = "" if gateway.transport is Transport.UDP else f"\\;transport={gateway.transport.value}"
    return f"sip:{host(gateway.host)}:{gateway.port}{transport}"


def accepted(trunk: Trunk, gateway: Gateway) -> list[str]:
    """Addresses whose calls belong to this gateway: the trunk's own list stands at its first one only."""
    if not trunk.accept_from:
        return [host(gateway.host).strip("[]")]
    return [str(network) for network in trunk.accept_from] if gateway is trunk.gateways[0] else []


def can_opus(present: Iterable[str]) -> bool:
    return any(module.startswith("codec_opus") for module in present)


def codec_list(codecs: Sequence[Codec], present: Iterable[str]) -> str:
    """`allow=` in order of preference, without Opus where the installation cannot translate it."""
    opus = can_opus(present)
    names = [_CODECS[codec] for codec in dict.fromkeys(codecs) if codec is not Codec.OPUS or opus]
    return ",".join(names or ["ulaw", "alaw"])


def environment() -> Environment:
    """Strict: a name that the templates use and nobody gave is an error, not an empty line."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 -- not HTML: `value`, `host` and `user` escape
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(value=escape_value, host=host, user=sip_user)
    env.globals.update(reaches=list(Reach), browser_context=browser_context, open_leg=Reach.OPEN_LEG.value)
    env.globals.update(trunk_endpoint=trunk_endpoint, gateway_uri=gateway_uri, accepted=accepted, dtmf_modes=DTMF_MODES)
    return env
