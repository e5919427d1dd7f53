"""Our settings as Asterisk's files: complete, and closed to whoever writes a setting in the hope of adding a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from foundation.errors import Invalid
from pbx.asterisk.instance import AsteriskSecrets, asterisk_link, asterisk_server, render
from pbx.asterisk.rendering import MODULES, REQUIRED, escape_value, host, trunk_endpoint, trunk_of
from pbx.instance import AsteriskProgram, SwitchFolders, SwitchPorts
from pbx.settings import PbxSettings
from pbx.terms import Reach

PORTS = SwitchPorts(sip=5070, tls=5071, control=8070, manager=5039, rtp_from=20000, rtp_to=20999)
SECRETS = AsteriskSecrets(ari_password="ari-clave", ami_password="ami-clave")
GATEWAY = {"name": "gw1", "host": "192.0.2.10"}
Render = Callable[..., dict[str, str]]


def program(folder: Path, *, without: tuple[str, ...] = (), version: str = "22.10.1", transfers: bool = True) -> Any:
    modules = folder / "modules"
    modules.mkdir(exist_ok=True)
    for name in MODULES:
        if name not in without:
            (modules / f"{name}.so").write_bytes(b"")
    (modules / "chan_pjsip.so").write_bytes(b"..ari-only.." if transfers else b"..")
    return AsteriskProgram(
        binary=folder / "asterisk", modules=modules, data=folder / "data", music=None, version=version
    )


def folders(folder: Path) -> SwitchFolders:
    return SwitchFolders(home=folder / "home", recordings=folder / "recordings", sounds=folder / "sounds")


@pytest.fixture
def rendered(tmp_path: Path) -> Render:
    def make(settings: dict[str, Any] | None = None, **of_program: Any) -> dict[str, str]:
        parsed = PbxSettings.model_validate(settings or {})
        return render(parsed, program(tmp_path, **of_program), folders(tmp_path), PORTS, SECRETS)

    return make


def trunk(**more: Any) -> dict[str, Any]:
    return {"trunks": [{"name": "etapa", "gateways": [GATEWAY], **more}]}


def sections(text: str) -> list[dict[str, str]]:
    """As Asterisk reads them: comments off, one dict a section, its name under ``[]``."""
    found: list[dict[str, str]] = []
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\);.*", "", raw).replace("\\;", ";").strip()
        if match := re.fullmatch(r"\[(.+)\]", line):
            found.append({"[]": match[1]})
        elif line:
            key, _, value = line.partition("=")
            previous = found[-1].get(key.strip())
            value = value.lstrip(">").strip()
            found[-1][key.strip()] = value if previous is None else f"{previous},{value}"
    return found


def section(text: str, kind: str, name: str = "trunk.etapa.gw1") -> dict[str, str]:
    return next(one for one in sections(text) if one["[]"] == name and one.get("type") == kind)


# --- what is in the files


def test_calls_are_handed_to_the_application_and_refused_with_34_when_it_is_away(rendered: Render) -> None:
    text = rendered()["extensions.conf"]
    assert text.count("Stasis(rimay,rimay-trunk,") == 1
    assert text.count("Stasis(rimay,rimay-phone,") == 2 + len(Reach)  # a phone's two, and a page's for each
    assert text.count("Hangup(34)") == 3 + len(Reach)
    assert "_[0-9+*#]!" in text


def test_a_trunk_is_known_by_its_address_only(rendered: Render) -> None:
    text = rendered(trunk())["pjsip.conf"]
    assert section(text, "endpoint")["identify_by"] == "ip"
    assert section(text, "identify")["match"] == "192.0.2.10"
    assert "anonymous" not in text


def test_accept_from_replaces_the_gateways_own_addresses(rendered: Render) -> None:
    settings = trunk(accept_from=["198.51.100.0/24", "203.0.113.7/32"])
    settings["trunks"][0]["gateways"] = [GATEWAY, {"name": "gw2", "host": "192.0.2.11", "priority": 2}]
    text = rendered(settings)["pjsip.conf"]
    assert section(text, "identify")["match"] == "198.51.100.0/24,203.0.113.7/32"
    assert "match" not in section(text, "identify", "trunk.etapa.gw2")


def test_each_gateway_is_an_endpoint_with_its_keepalive(rendered: Render) -> None:
    settings = trunk(keepalive_s=45)
    settings["trunks"][0]["gateways"] = [GATEWAY, {"name": "gw2", "host": "gw.example", "port": 5080, "priority": 2}]
    text = rendered(settings)["pjsip.conf"]
    assert section(text, "aor")["contact"] == "sip:192.0.2.10:5060"
    assert section(text, "aor", "trunk.etapa.gw2")["contact"] == "sip:gw.example:5080"
    assert {section(text, "aor", f"trunk.etapa.{name}")["qualify_frequency"] for name in ("gw1", "gw2")} == {"45"}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_transport(rendered: Render, transport: str) -> None:
    settings = trunk()
    settings["trunks"][0]["gateways"] = [{**GATEWAY, "transport": transport}]
    text = rendered(settings)["pjsip.conf"]
    assert section(text, "endpoint")["transport"] == f"transport-{transport}"
    wanted = "" if transport == "udp" else f";transport={transport}"
    assert section(text, "aor")["contact"] == f"sip:192.0.2.10:5060{wanted}"


@pytest.mark.parametrize(("srtp", "optimistic"), [("off", None), ("optional", "yes"), ("required", "no")])
def test_srtp(rendered: Render, srtp: str, optimistic: str | None) -> None:
    endpoint = section(rendered(trunk(srtp=srtp))["pjsip.conf"], "endpoint")
    assert endpoint.get("media_encryption") == (None if optimistic is None else "sdes")
    assert endpoint.get("media_encryption_optimistic") == optimistic


def test_codecs_keep_their_order_and_opus_needs_its_module(rendered: Render) -> None:
    settings = trunk(codecs=["opus", "pcma", "g722", "pcmu"])
    assert section(rendered(settings)["pjsip.conf"], "endpoint")["allow"] == "opus,alaw,g722,ulaw"


def test_opus_is_left_out_where_there_is_no_codec(rendered: Render) -> None:
    files = rendered(trunk(codecs=["opus", "pcma"]), without=("codec_opus_open_source", "codec_opus"))
    assert section(files["pjsip.conf"], "endpoint")["allow"] == "alaw"


@pytest.mark.parametrize(
    ("mode", "wanted"), [("auto", "auto_info"), ("rfc4733", "rfc4733"), ("info", "info"), ("inband", "inband")]
)
def test_dtmf(rendered: Render, mode: str, wanted: str) -> None:
    assert section(rendered(trunk(dtmf=mode))["pjsip.conf"], "endpoint")["dtmf_mode"] == wanted


def test_registration_asks_again_for_ever(rendered: Render) -> None:
    registration = {"username": "rimay", "password": "clave", "realm": "etapa", "expires_s": 120}
    text = rendered(trunk(registration=registration))["pjsip.conf"]
    asked = section(text, "registration")
    assert (asked["server_uri"], asked["client_uri"]) == ("sip:192.0.2.10:5060", "sip:rimay@192.0.2.10:5060")
    assert (asked["expiration"], asked["auth_rejection_permanent"]) == ("120", "no")
    assert int(asked["max_retries"]) > 100_000
    login = section(text, "auth")
    assert (login["username"], login["password"], login["realm"]) == ("rimay", "clave", "etapa")


def test_a_phone_must_log_in(rendered: Render) -> None:
    text = rendered({"phones": [{"name": "agente1", "password": "clave"}]})["pjsip.conf"]
    endpoint = section(text, "endpoint", "agente1")
    assert (endpoint["auth"], endpoint["identify_by"]) == ("agente1", "username,auth_username")
    assert endpoint["context"] == "rimay-phone"


def test_everything_is_on_loopback_unless_told_otherwise(rendered: Render) -> None:
    files = rendered()
    assert set(re.findall(r"^bind = ([0-9.]+)", files["pjsip.conf"], re.M)) == {"127.0.0.1"}
    assert "bindaddr = 127.0.0.1" in files["http.conf"]
    assert "bindaddr = 127.0.0.1" in files["manager.conf"]


def test_behind_nat(rendered: Render) -> None:
    text = rendered({"bind": "10.0.0.5", "external_address": "203.0.113.1"})["pjsip.conf"]
    assert section(text, "transport", "transport-udp")["external_media_address"] == "203.0.113.1"
    assert section(text, "transport", "transport-udp")["bind"] == "10.0.0.5:5070"


# --- other installations


def test_only_modules_that_are_there_are_loaded(rendered: Render) -> None:
    text = rendered(without=("chan_websocket", "codec_opus"))["modules.conf"]
    assert "autoload = no" in text
    assert "chan_websocket" not in text
    assert "load = chan_pjsip.so" in text


@pytest.mark.parametrize("missing", sorted(REQUIRED - {"chan_pjsip"}))
def test_an_installation_without_what_calls_need_is_refused(rendered: Render, missing: str) -> None:
    with pytest.raises(Invalid) as refused:
        rendered(without=(missing,))
    assert refused.value.facts["missing"] == [missing]


def test_an_older_asterisk_refuses_transfers_itself(rendered: Render) -> None:
    files = rendered(trunk(), transfers=False)
    assert "PJSIP_TRANSFER_HANDLING" not in files["extensions.conf"]
    assert section(files["pjsip.conf"], "endpoint")["allow_transfer"] == "no"


@pytest.mark.parametrize("version", ["18.12.1", "certified", ""])
def test_a_too_old_asterisk_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(Invalid):
        asterisk_server(PbxSettings(), program(tmp_path, version=version), folders(tmp_path), PORTS, SECRETS)


@pytest.mark.parametrize("version", ["20.6.0~dfsg+~cs6.13.40431414-2build5", "1:22.10.1+dfsg", "23.0.0"])
def test_versions_as_distributions_write_them(tmp_path: Path, version: str) -> None:
    spec = asterisk_server(PbxSettings(), program(tmp_path, version=version), folders(tmp_path), PORTS, SECRETS)
    assert spec.argv[1:] == ("-f", "-C", str(tmp_path / "home" / "etc" / "asterisk.conf"))


# --- the server as a whole


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    first, second = (
        asterisk_server(PbxSettings(), program(tmp_path), folders(tmp_path), PORTS, SECRETS) for _ in range(2)
    )
    assert first.fingerprint == second.fingerprint
    other = PbxSettings.model_validate(trunk())
    third = asterisk_server(other, program(tmp_path), folders(tmp_path), PORTS, SECRETS)
    assert third.fingerprint != first.fingerprint


async def test_not_ready_where_nobody_listens(tmp_path: Path, unused_tcp_port: int) -> None:
    ports = SwitchPorts(sip=1, tls=1, control=1, manager=unused_tcp_port, rtp_from=1, rtp_to=2)
    spec = asterisk_server(PbxSettings(), program(tmp_path), folders(tmp_path), ports, SECRETS)
    assert not await spec.ready()


def test_files_with_passwords_are_private(tmp_path: Path) -> None:
    asterisk_server(PbxSettings(), program(tmp_path), folders(tmp_path), PORTS, SECRETS)
    files = [*(tmp_path / "home" / "etc").iterdir(), tmp_path / "home" / "keys" / "sip.key"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    assert "clave" not in repr(SECRETS) + repr(asterisk_link(folders(tmp_path), PORTS, SECRETS))


def test_the_certificate_names_the_address_and_is_kept(tmp_path: Path) -> None:
    settings = PbxSettings.model_validate({"external_address": "203.0.113.1"})
    render(settings, program(tmp_path), folders(tmp_path), PORTS, SECRETS)
    path = tmp_path / "home" / "keys" / "sip.crt"
    first = path.read_bytes()
    names = x509.load_pem_x509_certificate(first).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "203.0.113.1" in {str(one) for one in names.value.get_values_for_type(x509.IPAddress)}
    render(settings, program(tmp_path), folders(tmp_path), PORTS, SECRETS)
    assert path.read_bytes() == first


# --- whoever writes settings writes values, not lines

NASTY = ["a\nb", "a\r\nendpoint=x", "a\x00b", " a", "a\t", "x" * 2000, "a\u2028b"]


@pytest.mark.parametrize("value", NASTY)
def test_no_value_adds_a_line(rendered: Render, value: str) -> None:
    attempts: list[dict[str, Any]] = [
        {"phones": [{"name": "agente1", "password": value}]},
        {"language": value},
        {"external_address": value},
        trunk(registration={"username": value, "password": "p"}),
        trunk(registration={"username": "u", "password": value}),
        trunk(registration={"username": "u", "password": "p", "realm": value}),
        {"trunks": [{"name": "etapa", "gateways": [{"name": "gw1", "host": value}]}]},
        {"bind": value},
    ]
    for settings in attempts:
        with pytest.raises(Invalid):
            rendered(settings)


@pytest.mark.parametrize("value", ["a;b", "a\\;b", ";--", "a;-- b --;", "[x]", "#include x", "=>", "p${x}", '"q"'])
def test_a_password_is_read_back_as_it_was_written(rendered: Render, value: str) -> None:
    text = rendered({"phones": [{"name": "agente1", "password": value}]})["pjsip.conf"]
    line = next(line for line in text.splitlines() if line.startswith("password = "))
    assert _as_asterisk_reads(line.removeprefix("password = ")) == value
    assert len(sections(text)) == len(
        sections(rendered({"phones": [{"name": "agente1", "password": "p"}]})["pjsip.conf"])
    )


def _as_asterisk_reads(value: str) -> str:
    """A backslash before a semicolon goes; a semicolon without one begins a comment."""
    read = ""
    for character in value:
        if character == ";":
            if not read.endswith("\\"):
                return read.strip()
            read = read[:-1]
        read += character
    return read.strip()


@pytest.mark.parametrize(
    "value", ["1.2.3.4;transport=tcp", "a b", "a@b", "host:5060", "-a", "a/../b", "<x>", "", "[::1"]
)
def test_a_host_is_a_host(value: str) -> None:
    with pytest.raises(Invalid):
        host(value)


def test_addresses_in_uris() -> None:
    assert (host("::1"), host("192.0.2.1"), host("gw.etapa.example")) == ("[::1]", "192.0.2.1", "gw.etapa.example")
    assert escape_value("a;b") == "a\\;b"


def test_no_phone_can_have_the_name_of_a_trunk() -> None:
    assert trunk_of(trunk_endpoint("etapa", "gw1")) == ("etapa", "gw1")
    assert trunk_of("trunk") is None
    assert trunk_of("trunk-etapa-gw1") is None
    with pytest.raises(ValueError, match="phones"):
        PbxSettings.model_validate({"phones": [{"name": trunk_endpoint("etapa", "gw1"), "password": "p"}]})
