"""An Asterisk of our own: its whole configuration rendered from our settings, and how to start and reach it."""

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
from pbx.addresses import own_addresses
from pbx.asterisk.rendering import MODULES, REQUIRED, codec_list, environment, host
from pbx.certificate import make_certificate
from pbx.instance import AsteriskProgram, SwitchFolders, SwitchPorts
from pbx.music import has_music, write_music
from pbx.private_files import give_away, give_away_if_new, write_private
from pbx.settings import AsteriskAddress, PbxSettings

APP = "rimay"
ARI_USER = "rimay"
AMI_USER = "rimay"
OLDEST = 20
# A call whose far end sends nothing for this long is over (a killed browser, a lost link); longer while on hold.
RTP_TIMEOUT_S = 30
RTP_TIMEOUT_HOLD_S = 1800
_FILES = [
    *("asterisk", "modules", "logger", "http", "ari", "manager", "rtp", "musiconhold", "pjproject", "indications"),
    *("extensions", "pjsip", "sorcery"),
]
# Parts of Asterisk's core that we do not use still look for theirs, and complain.
_QUIET = {
    "cdr": "[general]\nenable = no\n",
    "cel": "[general]\nenable = no\n",
    "features": "[general]\n",
    "udptl": "[general]\n",
    "ccss": "[general]\n",
    "acl": "",
    "chan_websocket": "",
    "websocket_client": "",
}
_FOLDERS = ("etc lib keys/keys agi-bin run log spool/monitor spool/recording spool/system spool/tmp").split()  # noqa: SIM905


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSecrets:
    ari_password: str = field(repr=False)
    ami_password: str = field(repr=False)

    @classmethod
    def make(cls) -> AsteriskSecrets:
        return cls(ari_password=random_secrets.token_urlsafe(24), ami_password=random_secrets.token_urlsafe(24))


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskLink:
    """How to reach an Asterisk, ours or the operator's."""

    ari_url: str  # ends with /ari
    ari_user: str
    ari_password: str = field(repr=False)
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str = field(repr=False)
    recordings: Path  # the switch writes, we read
    app: str = APP
    # What browsers' endpoints are given. Without a certificate Asterisk makes one for each.
    certificate: tuple[Path, Path] | None = None
    media_address: str | None = None


def asterisk_link(
    folders: SwitchFolders,
    ports: SwitchPorts,
    secrets: AsteriskSecrets,
    settings: PbxSettings | None = None,
) -> AsteriskLink:
    """The link to our own instance. Without settings it takes no browsers as they should be."""
    return AsteriskLink(
        ari_url=f"http://127.0.0.1:{ports.control}/ari",
        ari_user=ARI_USER,
        ari_password=secrets.ari_password,
        ami_host="127.0.0.1",
        ami_port=ports.manager,
        ami_user=AMI_USER,
        ami_password=secrets.ami_password,
        recordings=folders.recordings,
        certificate=_certificate(folders.home.absolute(), settings) if settings else None,
        media_address=_media_address(host(settings.bind)) if settings else None,
    )


def _certificate(home: Path, settings: PbxSettings) -> tuple[Path, Path]:
    """For SIP over TLS and for browsers' media."""
    return make_certificate(home / "keys", settings.external_address or settings.bind)


def _media_address(bind: str) -> str | None:
    """One address: media is bound to it. All addresses: the system's routing chooses."""
    return None if bind in ("0.0.0.0", "[::]") else bind.strip("[]")  # noqa: S104 -- a comparison


def _ice_candidates(settings: PbxSettings) -> dict[str, str]:
    """Own address to the one that browsers are told instead."""
    loopback = settings.bind.startswith("127.")
    told = settings.bind if loopback else settings.external_address
    if told is None:
        return {}
    more = "" if loopback else ",include_local_address"
    return {own: host(told).strip("[]") + more for own in own_addresses()}


def operators_link(address: AsteriskAddress) -> AsteriskLink:
    """The link to an Asterisk that the operator runs."""
    return AsteriskLink(
        ari_url=address.ari_url.rstrip("/"),
        ari_user=address.ari_user,
        ari_password=address.ari_password.get_secret_value(),
        ami_host=address.ami_host,
        ami_port=address.ami_port,
        ami_user=address.ami_user,
        ami_password=address.ami_password.get_secret_value(),
        recordings=Path(address.recordings),
    )


def asterisk_server(
    settings: PbxSettings,
    program: AsteriskProgram,
    folders: SwitchFolders,
    ports: SwitchPorts,
    secrets: AsteriskSecrets,
) -> ServerSpec:
    """Render the configuration into `folders.home` and say how to start it. Rendering again changes nothing that runs:
    the runner compares fingerprints."""
    _check_version(program)
    home = folders.home.absolute()
    owner = _owner(home)
    for name in _FOLDERS:
        (home / name).mkdir(parents=True, exist_ok=True)
    folders.recordings.mkdir(parents=True, exist_ok=True)
    files = render(settings, program, folders, ports, secrets)
    for name, text in files.items():
        write_private(home / "etc" / name, text)
    give_away(home, owner)
    give_away_if_new(folders.recordings, owner)
    digest = hashlib.sha256(repr((sorted(files.items()), program.version, str(program.binary))).encode())
    return ServerSpec(
        name="asterisk",
        argv=(str(program.binary), "-f", "-C", str(home / "etc" / "asterisk.conf")),
        folder=home,
        ready=_ready(asterisk_link(folders, ports, secrets)),
        fingerprint=digest.hexdigest()[:32],
    )


def render(
    settings: PbxSettings,
    program: AsteriskProgram,
    folders: SwitchFolders,
    ports: SwitchPorts,
    secrets: AsteriskSecrets,
) -> dict[str, str]:
    """Name and text of every file. Makes the certificate and the music that the files name."""
    home = folders.home.absolute()
    bind = host(settings.bind)
    certificate, private_key = _certificate(home, settings)
    music = program.music if has_music(program.music) else write_music(home / "music").parent
    modules = present_modules(program.modules)
    values = {
        "settings": settings,
        "program": program,
        "ports": ports,
        "secrets": secrets,
        "home": home,
        "etc": home / "etc",
        "music": music,
        "modules": modules,
        "app": APP,
        "ari_user": ARI_USER,
        "ami_user": AMI_USER,
        "bind": bind,
        "media_address": _media_address(bind),
        "ice_candidates": _ice_candidates(settings),
        "certificate": certificate,
        "private_key": private_key,
        "rtp_timeout_s": RTP_TIMEOUT_S,
        "rtp_timeout_hold_s": RTP_TIMEOUT_HOLD_S,
        "refer_to_us": tells_of_transfers(program.modules),
        "codecs": lambda codecs: codec_list(codecs, modules),
    }
    env = environment()
    quiet = {f"{name}.conf": text for name, text in _QUIET.items()}
    return quiet | {f"{name}.conf": env.get_template(f"{name}.conf.j2").render(values) for name in _FILES}


def present_modules(folder: Path) -> list[str]:
    """Those of our modules that this installation has; refused when a needed one is missing."""
    have = {path.stem for path in folder.glob("*.so")}
    missing = sorted(REQUIRED - have)
    if missing:
        raise Invalid("this Asterisk lacks modules that calls need", missing=missing)
    return [module for module in MODULES if module in have]


def tells_of_transfers(folder: Path) -> bool:
    """Whether a REFER can be left to us (20.13, 21.8, 22.3 and later); where not, it is refused by the switch."""
    module = folder / "chan_pjsip.so"
    return module.exists() and b"ari-only" in module.read_bytes()


def _check_version(program: AsteriskProgram) -> None:
    major = program.version.split(":")[-1].split(".")[0]
    if not major.isdigit() or int(major) < OLDEST:
        raise Invalid(f"Asterisk {OLDEST} or later is needed", found=program.version)


def _owner(home: Path) -> tuple[int, int]:
    home.mkdir(parents=True, exist_ok=True)
    info = home.stat()
    return info.st_uid, info.st_gid


def _ready(link: AsteriskLink) -> Callable[[], Awaitable[bool]]:
    """Booted, asked over AMI: ARI answers earlier, when half of the modules are not there yet."""

    async def ready() -> bool:
        try:
            async with asyncio.timeout(2.0):
                return await _fully_booted(link)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    return ready


async def _fully_booted(link: AsteriskLink) -> bool:
    reader, writer = await asyncio.open_connection(link.ami_host, link.ami_port)
    try:
        login = f"Action: Login\r\nUsername: {link.ami_user}\r\nSecret: {link.ami_password}\r\nEvents: system\r\n\r\n"
        writer.write(login.encode())
        await writer.drain()
        while line := await reader.readline():
            if line.startswith(b"Event: FullyBooted"):
                return True
        return False
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
