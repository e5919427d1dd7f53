"""Browsers' endpoints: a file each in a folder that FreeSWITCH's directory includes, read anew when one comes or goes.
Files outlive both the switch and us, so that a new life of either begins with what was admitted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pbx.freeswitch.client import EslClient
from pbx.freeswitch.rendering import CONTEXT, PROFILE, environment
from pbx.private_files import write_private
from pbx.settings import PbxSettings
from pbx.terms import DOMAIN, BrowserEndpoint, ChannelGone, CommandRefused, check_endpoint_name

WEBRTC_CODECS = "OPUS,PCMU,PCMA"
_SUFFIX = ".xml"


class Browsers:
    def __init__(self, client: EslClient, folder: Path | None, settings: PbxSettings) -> None:
        self._client = client
        self._folder = folder
        self._phones = {phone.name for phone in settings.phones}
        self._template = environment().get_template("browser.xml.j2")
        self._turn = asyncio.Lock()  # one change of the directory after the other

    def names(self) -> set[str]:
        if self._folder is None or not self._folder.is_dir():
            return set()
        return {path.stem for path in self._folder.glob(f"*{_SUFFIX}")}

    async def admit(self, endpoint: BrowserEndpoint) -> None:
        check_endpoint_name(endpoint.name)
        if endpoint.name in self._phones:
            raise CommandRefused("a phone of the settings has this name", endpoint=endpoint.name)
        if self._folder is None:
            raise CommandRefused("this FreeSWITCH takes no browsers: its settings name no folder for them")
        path = self._path(self._folder, endpoint.name)
        async with self._turn:
            await asyncio.to_thread(
                _write, path, self._template.render(endpoint=endpoint, codecs=WEBRTC_CODECS, context=CONTEXT)
            )
            await self._read_anew()

    async def revoke(self, name: str) -> None:
        check_endpoint_name(name)
        if name in self._phones:
            raise CommandRefused("a phone of the settings has this name", endpoint=name)
        if self._folder is None:
            return
        async with self._turn:
            await asyncio.to_thread(self._path(self._folder, name).unlink, missing_ok=True)
            await self._read_anew()
        try:
            await self._client.api(f"sofia profile {PROFILE} flush_inbound_reg {name}@{DOMAIN}")
        except (CommandRefused, ChannelGone):
            return  # it was not registered

    async def _read_anew(self) -> None:
        await self._client.api("reloadxml")

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{name}{_SUFFIX}"


def _write(path: Path, text: str) -> None:
    """Readable by the switch, who owns the folder."""
    write_private(path, text)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
