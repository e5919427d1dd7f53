"""Our settings as FreeSWITCH's one configuration file: every value is escaped for XML or refused, so that no setting
can add an element, a variable of the preprocessor, or a line."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from foundation.errors import Invalid
from pbx.settings import Codec, DtmfMode, Gateway, Transport, Trunk
from pbx.terms import Reach

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent.parent / "templates" / "freeswitch"
PROFILE = "rimay"
CONTEXT = "rimay"
CONFERENCE = "rimay"  # profile of conferences
_LONGEST_VALUE = 1024

_CODECS = {Codec.PCMA: "PCMA", Codec.PCMU: "PCMU", Codec.G722: "G722", Codec.OPUS: "OPUS"}
_DTMF = {DtmfMode.AUTO: "rfc2833", DtmfMode.RFC4733: "rfc2833", DtmfMode.INFO: "info", DtmfMode.INBAND: "none"}

# What we load, in this order; those that an installation lacks are left out.
MODULES = [
    *("mod_console", "mod_logfile", "mod_event_socket", "mod_commands", "mod_dptools", "mod_expr", "mod_hash"),
    *("mod_spandsp", "mod_opus", "mod_dialplan_xml", "mod_rtc", "mod_loopback", "mod_sofia"),
    *("mod_sndfile", "mod_native_file", "mod_local_stream", "mod_tone_stream", "mod_conference"),
]

# Without these there is no call: better said at once than found at the first one.
REQUIRED = {
    *("mod_event_socket", "mod_commands", "mod_dptools", "mod_dialplan_xml"),
    *("mod_sofia", "mod_sndfile", "mod_tone_stream", "mod_conference"),
}

IDLE_SILENCE = "send_silence_when_idle"
# Every channel of ours has these, whether it came or was called; events and bridges rely on them.
CHANNEL_VARIABLES = {
    # When the other leg leaves, a channel waits for us instead of ending.
    "park_after_bridge": "true",
    "hangup_after_bridge": "false",
    # A star ends a playback by default; what ends one is ours to say.
    "playback_terminators": "none",
    "playback_timeout_sec": "0",
    "RECORD_STEREO": "true",
    "record_sample_rate": "8000",
    # Silence is recorded too while nothing is sent, so that the file's time stays the call's time.
    "record_waste_resources": "true",
    "RECORD_ANSWER_REQ": "false",
    # Less than three seconds would be thrown away by default.
    "RECORD_MIN_SEC": "0",
    # Frames that are held back against jitter before the first is written, and again after every bridge and hold; what
    # is held at the end or at the next change is lost. The default of 25 took half a second each time.
    "RECORD_PRE_BUFFER_FRAMES": "4",
    "RECORD_HANGUP_ON_ERROR": "false",
    # A parked channel sends silence (-1: without comfort noise). Else a stereo recording of it advances at half speed.
    IDLE_SILENCE: "-1",
    "recording_follow_transfer": "false",
    "hold_music": "silence",
    # Seconds without any packet; the profile's own settings of this kind are deprecated.
    "media_timeout": "30000",
    "media_hold_timeout": "1800000",
    # Keys that a supervisor presses are keys, not commands to the eavesdropping.
    "eavesdrop_enable_dtmf": "false",
}


def value_text(value: object) -> Markup:
    """One attribute value. `$$` is the preprocessor's, `${` the dialplan's."""
    text = str(value)
    if not text.isprintable() or text != text.strip() or len(text) > _LONGEST_VALUE:
        raise Invalid("a setting for the switch holds a line break, other invisible characters or outer spaces")
    if "$${" in text or "${" in text:
        raise Invalid("a setting for the switch holds ${, which the switch would replace")
    return escape(text)


def param(name: str, value: object) -> Markup:
    return Markup('<param name="{}" value="{}"/>').format(name, value_text(value))


def gateway_name(trunk: str, gateway: str) -> str:
    """The dot keeps apart what neither name may hold."""
    return f"{trunk}.{gateway}"


def gateway_address(gateway: Gateway) -> str:
    host = gateway.host
    try:
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    except ValueError:
        if not all(part.replace("-", "").isalnum() and part.isascii() for part in host.split(".")):
            raise Invalid("not a host name or an address", host=repr(gateway.host)[:80]) from None
    transport = "" if gateway.transport is Transport.UDP else f";transport={gateway.transport.value}"
    return f"{host}:{gateway.port}{transport}"


def networks(trunk: Trunk) -> list[str]:
    """From where calls are this trunk's. Names are looked up now: FreeSWITCH's lists hold addresses only."""
    if trunk.accept_from:
        return [str(network) for network in trunk.accept_from]
    found: list[str] = []
    for gateway in trunk.gateways:
        gateway_address(gateway)  # refuses what is no host
        try:
            answers = socket.getaddrinfo(gateway.host, None, type=socket.SOCK_DGRAM)
        except OSError:
            log.warning("gateway %s/%s: its host name is unknown now, its calls are refused", trunk.name, gateway.name)
            continue
        for answer in answers:
            address = ipaddress.ip_address(str(answer[4][0]).partition("%")[0])
            found.append(f"{address}/{address.max_prefixlen}")
    return list(dict.fromkeys(found))


def codec_string(codecs: Sequence[Codec]) -> str:
    return ",".join(_CODECS[codec] for codec in dict.fromkeys(codecs))


def dtmf_type(mode: DtmfMode) -> str:
    return _DTMF[mode]


def environment() -> Environment:
    """Escapes by itself, and strict: a name that the template uses and nobody gave is an error."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["text"] = value_text
    env.globals.update(
        param=param,
        gateway_name=gateway_name,
        gateway_address=gateway_address,
        networks=networks,
        codec_string=codec_string,
        dtmf_type=dtmf_type,
        reaches=list(Reach),
    )
    return env
