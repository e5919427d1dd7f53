"""The demo's caller: baresip, an independent SIP user agent, as a server of ours; real RTP, real RFC 4733 keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import soundfile

from app.place import Place
from app.ports import Ports
from app.provision import Tool
from foundation.errors import Unavailable
from foundation.processes import ServerSpec
from foundation.run_as import RunAs, make_folder, write_for
from pbx.sip.tones import sine

# The customer's voice gateway, as far as the switch can tell: an address of its own on the loopback.
GATEWAY_HOST = "127.0.0.2"
_SETUP = """\
sip_listen {host}:{sip}
net_interface {host}
audio_source aufile,{folder}/tone.wav
audio_player aufile,{folder}/unused.wav
audio_alert aufile,{folder}/unused.wav
audio_srate 8000
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{rtp_last}
module_path {modules}
module cons.so
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app contact.so
module_app menu.so
cons_listen 127.0.0.1:{control}
snd_path {heard}
"""
_RTP_PORTS = 8
_KEY_S = 0.16  # as people press
_KEY_UP = "\x04"  # baresip's code for a released key


class Caller:
    """`spec` runs it; then `dial`, `press`, `hang_up`. What it says is a tone of `hz`."""

    def __init__(self, place: Place, tool: Tool, *, number: str, hz: int) -> None:
        ports = Ports(place)
        self.sip_port = ports.choose("demo-caller")
        self._control = ports.choose("demo-caller-control")
        rtp = ports.choose("demo-caller-rtp", count=_RTP_PORTS)
        self._folder = place.server_folder("caller")
        self._heard = self._folder / "heard"
        self._keys: asyncio.StreamWriter | None = None
        setup = _SETUP.format(
            host=GATEWAY_HOST,
            sip=self.sip_port,
            folder=self._folder,
            rtp=rtp,
            rtp_last=rtp + _RTP_PORTS - 1,
            modules=tool.modules,
            control=self._control,
            heard=self._heard,
        )
        account = f"<sip:{number}@{GATEWAY_HOST}:{self.sip_port}>;regint=0;audio_codecs=pcma;dtmfmode=rtpevent\n"

        async def prepare() -> None:
            await asyncio.to_thread(_write, self._folder, self._heard, setup, account, hz, place.user)

        async def ready() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._control)
            except OSError:
                return False
            writer.close()
            return True

        self.spec = ServerSpec(
            name="caller",
            argv=(str(tool.binary), "-f", str(self._folder)),
            folder=self._folder,
            ready=ready,
            prepare=prepare,
            fingerprint=setup + account,
        )

    async def dial(self, number: str, host: str, port: int) -> None:
        await self._type(f"/dial sip:{number}@{host}:{port}\n")

    async def press(self, key: str) -> None:
        """One telephone key, as RFC 4733 events: down, and up again."""
        await self._type(key)
        await asyncio.sleep(_KEY_S)
        await self._type(_KEY_UP)

    async def hang_up(self) -> None:
        await self._type("/hangup\n")

    async def _type(self, text: str) -> None:
        if self._keys is None or self._keys.is_closing():
            try:
                _, self._keys = await asyncio.open_connection("127.0.0.1", self._control)
            except OSError as error:
                raise Unavailable("the demo's caller does not answer") from error
        self._keys.write(text.encode())
        await self._keys.drain()

    def close(self) -> None:
        if self._keys is not None:
            self._keys.close()

    def heard(self) -> Path | None:
        """The caller's own recording of what came out of its earpiece in the last call."""
        files = sorted(self._heard.glob("*-dec.wav"), key=lambda path: path.stat().st_mtime)
        return files[-1] if files else None


def _write(folder: Path, heard: Path, setup: str, account: str, hz: int, user: RunAs | None) -> None:
    make_folder(heard, user)
    for old in heard.glob("*.wav"):
        old.unlink()
    write_for(folder / "config", setup, user)
    write_for(folder / "accounts", account, user)
    write_for(folder / "contacts", "", user)
    # Five minutes: longer than any call of the demo.
    soundfile.write(folder / "tone.wav", sine(hz, 300_000, rate=8000), 8000, subtype="PCM_16")
    (folder / "tone.wav").chmod(0o644)
