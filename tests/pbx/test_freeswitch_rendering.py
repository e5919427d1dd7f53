"""FreeSWITCH's configuration rendered from our settings: what it says, and that no setting can say more."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from foundation.errors import Invalid
from pbx.freeswitch.instance import FreeswitchSecrets, freeswitch_server, render
from pbx.freeswitch.rendering import MODULES
from pbx.instance import FreeswitchProgram, SwitchFolders, SwitchPorts
from pbx.settings import PbxSettings

PORTS = SwitchPorts(sip=15060, tls=15061, control=18021, manager=15066, rtp_from=20000, rtp_to=20999)
SECRETS = FreeswitchSecrets(event_socket_password="clave&<del>\"socket'")
EVIL = "x\"/><param name='y' value=\"z&amp;<!--"


def settings_with(**more: Any) -> PbxSettings:
    trunk = {"name": "norte", "gateways": [{"name": "gw1", "host": "192.0.2.1"}, {"name": "gw2", "host": "192.0.2.2"}]}
    return PbxSettings.model_validate({"trunks": [trunk], "phones": [{"name": "ana", "password": EVIL}], **more})


@pytest.fixture
def program(tmp_path: Path) -> FreeswitchProgram:
    modules = tmp_path / "mod"
    modules.mkdir()
    for name in MODULES:
        (modules / f"{name}.so").touch()
    return FreeswitchProgram(binary=tmp_path / "bin" / "freeswitch", modules=modules, version="1.10.12")


@pytest.fixture
def folders(tmp_path: Path) -> SwitchFolders:
    return SwitchFolders(home=tmp_path / "home", recordings=tmp_path / "rec", sounds=tmp_path / "sounds")


def tree(settings: PbxSettings, program: FreeswitchProgram, folders: SwitchFolders) -> ElementTree.Element:
    return ElementTree.fromstring(render(settings, program, folders, PORTS, SECRETS))  # noqa: S314 -- our own


def params(element: ElementTree.Element | None) -> dict[str, str]:
    assert element is not None
    return {one.attrib["name"]: one.attrib["value"] for one in element.iter("param")}


def gateway(root: ElementTree.Element, name: str) -> dict[str, str]:
    return params(root.find(f".//gateway[@name='{name}']"))


def profile(root: ElementTree.Element) -> dict[str, str]:
    return params(root.find(".//profile[@name='rimay']/settings"))


def test_values_are_values_whatever_they_hold(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    root = tree(settings_with(), program, folders)
    assert params(root.find(".//user[@id='ana']")) == {"password": EVIL}
    assert params(root.find(".//configuration[@name='event_socket.conf']"))["password"] == SECRETS.event_socket_password


@pytest.mark.parametrize("value", ["a\nb", "a\x00b", " a", "a$${b}", "a${b}", "x" * 2000])
def test_what_the_switch_would_read_otherwise_is_refused(
    program: FreeswitchProgram, folders: SwitchFolders, value: str
) -> None:
    with pytest.raises(Invalid):
        tree(settings_with(phones=[{"name": "ana", "password": value}]), program, folders)


@pytest.mark.parametrize("host", ["a b", 'x"', "a;transport=tls", "192.0.2.1\n", "${x}", "ñ"])
def test_hosts_are_hosts(program: FreeswitchProgram, folders: SwitchFolders, host: str) -> None:
    trunk = {"name": "norte", "gateways": [{"name": "gw1", "host": host}]}
    with pytest.raises(Invalid):
        tree(settings_with(trunks=[trunk]), program, folders)


def test_only_the_trunks_addresses_may_call_without_a_password(
    program: FreeswitchProgram, folders: SwitchFolders
) -> None:
    root = tree(settings_with(), program, folders)
    values = profile(root)
    assert values["auth-calls"] == "true"
    assert values["accept-blind-auth"] == values["accept-blind-reg"] == "false"
    allowed = root.find(f".//list[@name='{values['apply-inbound-acl']}']")
    assert allowed is not None
    assert allowed.attrib["default"] == "deny"
    assert [node.attrib["cidr"] for node in allowed] == ["192.0.2.1/32", "192.0.2.2/32"]


def test_networks_given_replace_the_gateways_own(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    trunk = {
        "name": "norte",
        "gateways": [{"name": "gw1", "host": "gw.invalid"}],
        "accept_from": ["198.51.100.0/24", "2001:db8::/32"],
    }
    root = tree(settings_with(trunks=[trunk]), program, folders)
    found = [node.attrib["cidr"] for node in root.findall(".//list[@name='rimay_trunk_norte']/node")]
    assert found == ["198.51.100.0/24", "2001:db8::/32"]


def test_a_trunk_by_address(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    values = gateway(tree(settings_with(), program, folders), "norte.gw1")
    assert (values["proxy"], values["register"], values["ping"]) == ("192.0.2.1:5060", "false", "30")


def test_a_trunk_by_registration_over_tls(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    trunk = {
        "name": "norte",
        "gateways": [{"name": "gw1", "host": "192.0.2.1", "port": 5071, "transport": "tls"}],
        "registration": {"username": "u<ser", "password": EVIL, "realm": "r&ealm", "expires_s": 120},
        "keepalive_s": 0,
        "srtp": "required",
        "dtmf": "info",
        "codecs": ["opus", "pcma"],
    }
    root = tree(settings_with(trunks=[trunk]), program, folders)
    values = gateway(root, "norte.gw1")
    assert values["proxy"] == values["register-proxy"] == "192.0.2.1:5071;transport=tls"
    assert (values["register"], values["register-transport"], values["expire-seconds"]) == ("true", "tls", "120")
    assert (values["username"], values["password"], values["realm"]) == ("u<ser", EVIL, "r&ealm")
    assert "ping" not in values
    actions = {one.attrib.get("data", "") for one in root.findall(".//extension[@name='trunk norte']//action")}
    assert {"rtp_secure_media=mandatory", "dtmf_type=info", "absolute_codec_string=OPUS,PCMA"} <= actions


def test_an_ipv6_gateway_is_in_brackets(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    trunk = {"name": "norte", "gateways": [{"name": "gw1", "host": "2001:db8::1"}]}
    assert gateway(tree(settings_with(trunks=[trunk]), program, folders), "norte.gw1")["proxy"] == "[2001:db8::1]:5060"


def test_loopback_only_by_default(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    root = tree(settings_with(), program, folders)
    assert profile(root)["sip-ip"] == profile(root)["rtp-ip"] == "127.0.0.1"
    assert params(root.find(".//configuration[@name='event_socket.conf']"))["listen-ip"] == "127.0.0.1"
    outside = tree(settings_with(bind="192.0.2.9", external_address="203.0.113.5"), program, folders)
    assert (profile(outside)["sip-ip"], profile(outside)["ext-rtp-ip"]) == ("192.0.2.9", "203.0.113.5")
    assert params(outside.find(".//configuration[@name='event_socket.conf']"))["listen-ip"] == "127.0.0.1"


def test_missing_modules_are_named(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    (program.modules / "mod_opus.so").unlink()
    assert "mod_opus" not in render(settings_with(), program, folders, PORTS, SECRETS)
    (program.modules / "mod_sofia.so").unlink()
    with pytest.raises(Invalid) as refused:
        render(settings_with(), program, folders, PORTS, SECRETS)
    assert refused.value.facts["missing"] == ["mod_sofia"]


def test_the_server_is_ready_to_start(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    spec = freeswitch_server(settings_with(), program, folders, PORTS, SECRETS)
    config = folders.home / "conf" / "freeswitch.xml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert SECRETS.event_socket_password not in " ".join(spec.argv)
    assert str(config.parent) in spec.argv
    assert (folders.home / "certs" / "agent.pem").is_file()
    assert spec.fingerprint == freeswitch_server(settings_with(), program, folders, PORTS, SECRETS).fingerprint
    other = settings_with(rtp_count=200, phones=[])
    assert spec.fingerprint != freeswitch_server(other, program, folders, PORTS, SECRETS).fingerprint


@pytest.mark.parametrize("version", ["1.8.7", "", "x", "1"])
def test_an_old_freeswitch_is_refused(program: FreeswitchProgram, folders: SwitchFolders, version: str) -> None:
    old = FreeswitchProgram(binary=program.binary, modules=program.modules, version=version)
    with pytest.raises(Invalid):
        freeswitch_server(settings_with(), old, folders, PORTS, SECRETS)


async def test_not_ready_while_nobody_listens(program: FreeswitchProgram, folders: SwitchFolders) -> None:
    assert await freeswitch_server(settings_with(), program, folders, PORTS, SECRETS).ready() is False


def test_no_secret_is_shown() -> None:
    assert "socket" not in repr(SECRETS).removeprefix("FreeswitchSecrets")
