"""Which switch, where it comes from, and how it is reached: the one place that knows all three engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.place import Place
from app.ports import Ports, switch_ports
from app.provision import Progress, find_asterisk, find_freeswitch
from app.settings import Settings
from foundation.clock import Clock
from foundation.errors import Invalid
from foundation.processes import ServerSpec
from pbx.instance import SwitchFolders, SwitchPorts
from pbx.memory import MemorySwitch
from pbx.sounds import SoundLibrary
from pbx.switch import Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """`spec` is the server to run, none where the operator runs it; `connect` makes our side of it."""

    engine: str
    version: str
    spec: ServerSpec | None
    sip_port: int | None
    connect: Callable[[SoundLibrary, Clock], Switch]


async def plan_switch(settings: Settings, place: Place, progress: Progress) -> SwitchPlan:
    pbx = settings.pbx
    if pbx.engine == "memory":
        return SwitchPlan(
            engine="memory",
            version="memory",
            spec=None,
            sip_port=None,
            connect=lambda _sounds, clock: MemorySwitch(clock, pbx),
        )
    if pbx.freeswitch is not None and pbx.engine in ("auto", "freeswitch"):
        return _operators_freeswitch(settings)
    if pbx.asterisk is not None and pbx.engine in ("auto", "asterisk"):
        return _operators_asterisk(settings)
    program = await find_freeswitch() if pbx.engine in ("auto", "freeswitch") else None
    if program is None and pbx.engine == "freeswitch":
        raise Invalid("engine is freeswitch, and none was found: put it on the PATH or name it in RIMAY_FREESWITCH")
    ports = switch_ports(Ports(place), pbx)
    if program is not None:
        from pbx.freeswitch.instance import FreeswitchSecrets, freeswitch_link, freeswitch_server
        from pbx.freeswitch.switch import FreeswitchSwitch

        folders = _folders(settings, place, "freeswitch")
        secrets = FreeswitchSecrets(event_socket_password=place.secrets.get("freeswitch"))
        link = freeswitch_link(folders, ports, secrets)
        return SwitchPlan(
            engine="freeswitch",
            version=program.version,
            spec=freeswitch_server(pbx, program, folders, ports, secrets),
            sip_port=ports.sip,
            connect=lambda sounds, clock: FreeswitchSwitch(link, pbx, sounds, clock),
        )
    return await _own_asterisk(settings, place, ports, progress)


async def _own_asterisk(settings: Settings, place: Place, ports: SwitchPorts, progress: Progress) -> SwitchPlan:
    from pbx.asterisk.instance import AsteriskSecrets, asterisk_link, asterisk_server
    from pbx.asterisk.switch import AsteriskSwitch

    program = await find_asterisk(progress)
    folders = _folders(settings, place, "asterisk")
    secrets = AsteriskSecrets(ari_password=place.secrets.get("ari"), ami_password=place.secrets.get("ami"))
    link = asterisk_link(folders, ports, secrets, settings.pbx)
    return SwitchPlan(
        engine="asterisk",
        version=program.version,
        spec=asterisk_server(settings.pbx, program, folders, ports, secrets),
        sip_port=ports.sip,
        connect=lambda sounds, clock: AsteriskSwitch(link, settings.pbx, sounds, clock),
    )


def _operators_asterisk(settings: Settings) -> SwitchPlan:
    from pbx.asterisk.instance import operators_link
    from pbx.asterisk.switch import AsteriskSwitch

    assert settings.pbx.asterisk is not None  # noqa: S101 - asked by the caller
    link = operators_link(settings.pbx.asterisk)
    return SwitchPlan(
        engine="asterisk",
        version="",
        spec=None,
        sip_port=None,
        connect=lambda sounds, clock: AsteriskSwitch(link, settings.pbx, sounds, clock),
    )


def _operators_freeswitch(settings: Settings) -> SwitchPlan:
    from pbx.freeswitch.instance import operators_link
    from pbx.freeswitch.switch import FreeswitchSwitch

    assert settings.pbx.freeswitch is not None  # noqa: S101 - asked by the caller
    link = operators_link(settings.pbx.freeswitch)
    return SwitchPlan(
        engine="freeswitch",
        version="",
        spec=None,
        sip_port=None,
        connect=lambda sounds, clock: FreeswitchSwitch(link, settings.pbx, sounds, clock),
    )


def recordings_folder(settings: Settings, place: Place) -> Path:
    pbx = settings.pbx
    if settings.recording.folder is not None:
        return Path(settings.recording.folder)
    if pbx.asterisk is not None and pbx.engine in ("auto", "asterisk"):
        return Path(pbx.asterisk.recordings)
    if pbx.freeswitch is not None and pbx.engine in ("auto", "freeswitch"):
        return Path(pbx.freeswitch.recordings)
    return place.recordings


def _folders(settings: Settings, place: Place, name: str) -> SwitchFolders:
    return SwitchFolders(
        home=place.server_folder(name), recordings=recordings_folder(settings, place), sounds=place.sounds
    )
