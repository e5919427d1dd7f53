"""A FreeSWITCH of our own: its configuration rendered from our settings, and how to start and reach it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets as random_secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from foundation.errors import Invalid
from foundation.processes import ServerSpec
from pbx.certificate import make_certificate
from pbx.freeswitch.rendering import (
    CHANNEL_VARIABLES,
    CONFERENCE,
    CONTEXT,
    MODULES,
    PROFILE,
    REQUIRED,
    codec_string,
    environment,
)
from pbx.instance import FreeswitchProgram, SwitchFolders, SwitchPorts
from pbx.music import has_music, write_music
from pbx.private_files import give_away, give_away_if_new, write_private
from pbx.settings import Codec, FreeswitchAddress, PbxSettings
from pbx.terms import DOMAIN

OLDEST = (1, 10)
_MAX_SESSIONS = 4000
_ETC = ["conf", "log", "db", "run", "storage", "temp", "cache", "certs", "scripts", "grammar", "htdocs"]
_CONTROL_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeswitchSecrets:
    event_socket_password: str = field(repr=False)

    @classmethod
    def make(cls) -> FreeswitchSecrets:
        return cls(event_socket_password=random_secrets.token_urlsafe(24))


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeswitchLink:
    """How to reach a FreeSWITCH, ours or the operator's."""

    host: str
    port: int
    password: str = field(repr=False)
    recordings: Path  # the switch writes, we read
    browsers: Path | None = None  # we write, the switch's directory includes; None: it takes no browsers
    browser_port: int = 0  # of its web sockets, on this machine


def freeswitch_link(folders: SwitchFolders, ports: SwitchPorts, secrets: FreeswitchSecrets) -> FreeswitchLink:
    """The link to our own instance."""
    return FreeswitchLink(
        host=_CONTROL_HOST,
        port=ports.control,
        password=secrets.event_socket_password,
        recordings=folders.recordings,
        browsers=folders.home.absolute() / "conf" / "browsers",
        browser_port=ports.manager,
    )


def operators_link(address: FreeswitchAddress) -> FreeswitchLink:
    """The link to a FreeSWITCH that the operator runs."""
    return FreeswitchLink(
        host=address.host,
        port=address.port,
        password=address.password.get_secret_value(),
        recordings=Path(address.recordings),
    )


def freeswitch_server(
    settings: PbxSettings,
    program: FreeswitchProgram,
    folders: SwitchFolders,
    ports: SwitchPorts,
    secrets: FreeswitchSecrets,
) -> ServerSpec:
    """Render the configuration into `folders.home` and say how to start it. Rendering again changes nothing that runs:
    the runner compares fingerprints."""
    _check_version(program)
    home = folders.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    info = home.stat()
    for name in (*_ETC, "conf/browsers", "music", "keys"):
        (home / name).mkdir(exist_ok=True)
    folders.recordings.mkdir(parents=True, exist_ok=True)
    text = render(settings, program, folders, ports, secrets)
    write_private(home / "conf" / "freeswitch.xml", text)
    give_away(home, (info.st_uid, info.st_gid))
    give_away_if_new(folders.recordings, (info.st_uid, info.st_gid))
    digest = hashlib.sha256(repr((text, program.version, str(program.binary))).encode())
    return ServerSpec(
        name="freeswitch",
        argv=(str(program.binary), *_arguments(home, program, folders)),
        folder=home,
        ready=_ready(freeswitch_link(folders, ports, secrets)),
        ready_timeout_s=60.0,  # the first start makes its own keys: 4 to 15 s on a busy machine
        stop_timeout_s=15.0,  # measured: up to 6 s with calls up
        fingerprint=digest.hexdigest()[:32],
        ports=(ports.control, ports.sip),
    )


def _arguments(home: Path, program: FreeswitchProgram, folders: SwitchFolders) -> list[str]:
    """In the foreground (the process we launch is the server), without console, NAT mapping or real-time priority."""
    places = {name: home / name for name in _ETC}
    places |= {"mod": program.modules, "recordings": folders.recordings, "sounds": program.sounds or folders.sounds}
    arguments = ["-nf", "-nc", "-nonat", "-nonatmap", "-np", "-cfgname", "freeswitch.xml"]
    for name, place in places.items():
        arguments += [f"-{name}", str(place.absolute())]
    return arguments


def render(
    settings: PbxSettings,
    program: FreeswitchProgram,
    folders: SwitchFolders,
    ports: SwitchPorts,
    secrets: FreeswitchSecrets,
) -> str:
    """The text of the configuration. Makes the certificate and the music that it names."""
    home = folders.home.absolute()
    if ports.tls:
        certificate, private_key = make_certificate(home / "keys", settings.external_address or settings.bind)
        agent = certificate.read_text() + private_key.read_text()
        write_private(home / "certs" / "agent.pem", agent)
        write_private(home / "certs" / "cafile.pem", certificate.read_text())
        write_private(home / "certs" / "dtls-srtp.pem", agent)  # browsers' media
    own = program.sounds / "music" / "8000" if program.sounds else None
    music = own if own is not None and has_music(own) else write_music(home / "music").parent
    values = {
        "settings": settings,
        "ports": ports,
        "secrets": secrets,
        "bind": _bind(settings.bind),
        "control_host": _CONTROL_HOST,
        "music": music,
        "certificates": home / "certs",
        "modules": present_modules(program.modules),
        "max_sessions": _MAX_SESSIONS,
        "profile": PROFILE,
        "context": CONTEXT,
        "domain": DOMAIN,
        "conference": CONFERENCE,
        "all_codecs": codec_string(list(Codec)),
        "channel_variables": CHANNEL_VARIABLES,
    }
    return environment().get_template("freeswitch.xml.j2").render(values)


def present_modules(folder: Path) -> list[str]:
    """Those of our modules that this installation has; refused when a needed one is missing."""
    have = {path.stem for path in folder.glob("*.so")}
    missing = sorted(REQUIRED - have)
    if missing:
        raise Invalid("this FreeSWITCH lacks modules that calls need", missing=missing)
    return [module for module in MODULES if module in have]


def _bind(address: str) -> str:
    """A profile listens on one address; for all of them the switch's own main one is taken."""
    return "auto" if address in ("0.0.0.0", "::") else address  # noqa: S104 -- a comparison


def _check_version(program: FreeswitchProgram) -> None:
    parts = program.version.split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]) or (int(parts[0]), int(parts[1])) < OLDEST:
        raise Invalid("FreeSWITCH 1.10 or later is needed", found=program.version)


def _ready(link: FreeswitchLink) -> Callable[[], Awaitable[bool]]:
    """Booted, and the SIP profile runs: the event socket answers earlier than that."""

    async def ready() -> bool:
        try:
            async with asyncio.timeout(2.0):
                return await _profile_runs(link)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return False

    return ready


async def _profile_runs(link: FreeswitchLink) -> bool:
    reader, writer = await asyncio.open_connection(link.host, link.port)
    try:
        await reader.readuntil(b"\n\n")
        writer.write(f"auth {link.password}\n\napi sofia status profile {PROFILE}\n\n".encode())
        await reader.readuntil(b"\n\n")
        head = (await reader.readuntil(b"\n\n")).decode()
        length = next((line[15:] for line in head.splitlines() if line.startswith("Content-Length:")), "0")
        return b"Invalid" not in await reader.readexactly(int(length)) and int(length) > 0
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
