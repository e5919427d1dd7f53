"""The switches that the contract suite can run against: found, started once a session, wrapped in a laboratory."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.ports import switch_ports
from app.provision import ProvisionError, find_asterisk, find_freeswitch, find_speech
from foundation.clock import SystemClock
from foundation.processes import ServerSpec
from foundation.run_as import run_as
from pbx.instance import SwitchFolders
from pbx.sounds import CommandSpeech, SoundLibrary
from pbx.switch import Switch
from tests.support.cut import CutProxy
from tests.support.lab import GATEWAY_HOSTS, SipLab, lab_settings
from tests.support.ports import ports_of

ENGINES = ("memory", "asterisk", "freeswitch")
BIND = "127.0.0.1"
RTP_PORTS = 400
_STOP_S = 10.0
Result = TypeVar("Result")
# How to reach a switch through proxies, given the ports that stand for `SwitchPorts.control` and `.manager`.
MakeSwitch = Callable[[int, int], Switch]


def _apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in a loop of its own, whether or not one runs here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Engine:
    """A server of ours and what belongs to it. `kill` and `start` may be called in mid session."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"rimay-contract-{name}-"))
        self.folder.chmod(0o755)
        self.user = run_as()
        self.folders = SwitchFolders(
            home=self.folder / "home", recordings=self.folder / "recordings", sounds=self.folder / "sounds"
        )
        for part in (self.folders.home, self.folders.recordings, self.folders.sounds):
            part.mkdir()
        if self.user:
            for part in (self.folder, *self.folder.iterdir()):
                os.chown(part, self.user.uid, self.user.gid)
        ports = ports_of(self.folder)
        gateways = {gateway: ports.choose(f"gateway-{gateway}") for gateway in GATEWAY_HOSTS}
        self.settings = lab_settings(gateways, name, bind=BIND, rtp_count=RTP_PORTS)
        self.ports = switch_ports(ports, self.settings)
        self._speech = _apart(find_speech())
        self.spec, self.make_switch = PREPARE[name](self)
        self._process: subprocess.Popen[bytes] | None = None

    def sounds(self) -> SoundLibrary:
        speech = CommandSpeech(self._speech.name, [str(self._speech.binary)])
        return SoundLibrary([self.folders.sounds], self.folders.sounds / "cache", speech)

    def start(self) -> None:
        identity = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folders.home), "LANG": "C.UTF-8", **self.spec.env}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.spec.argv,
                cwd=self.spec.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **identity,
            )
        deadline = time.monotonic() + self.spec.ready_timeout_s
        while not _apart(_ask(self.spec)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: {(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=_STOP_S)

    def _revive(self) -> None:
        """A server that died under a test is that test's failure, and no other's."""
        code = self._process.poll() if self._process else None
        if code is not None:
            self.start()
            tail = (self.folder / "log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"{self.name} died in this test (exit code {code}); its log:\n{tail}")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(self.spec.stop_signal)
        try:
            self._process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def close(self) -> None:
        self.stop()
        if not os.environ.get("RIMAY_KEEP_LABS"):
            shutil.rmtree(self.folder, ignore_errors=True)

    @asynccontextmanager
    async def lab(self) -> AsyncIterator[SipLab]:
        control, manager = CutProxy(BIND, self.ports.control), CutProxy(BIND, self.ports.manager)
        async with control, manager:

            async def cut() -> None:
                await control.cut()
                await manager.cut()

            async def uncut() -> None:
                await control.restore()
                await manager.restore()

            async def restart() -> None:
                await asyncio.to_thread(self.kill)
                await asyncio.to_thread(self.start)

            laboratory = SipLab(
                self.name,
                self.make_switch(control.port, manager.port),
                self.settings,
                self.folders.sounds,
                self.folders.recordings,
                server=(BIND, self.ports.sip),
                cut=cut,
                uncut=uncut,
                restart=restart,
            )
            try:
                async with laboratory:
                    yield laboratory
            finally:
                await asyncio.to_thread(self._revive)


async def _ask(spec: ServerSpec) -> bool:
    return await spec.ready()


def _asterisk(engine: Engine) -> tuple[ServerSpec, MakeSwitch]:
    from pbx.asterisk.instance import AsteriskSecrets, asterisk_link, asterisk_server
    from pbx.asterisk.switch import AsteriskSwitch

    secrets = AsteriskSecrets.make()
    program = _apart(find_asterisk())
    spec = asterisk_server(engine.settings, program, engine.folders, engine.ports, secrets)
    link = asterisk_link(engine.folders, engine.ports, secrets, engine.settings)

    def make(control: int, manager: int) -> Switch:
        through = replace(link, ari_url=f"http://{BIND}:{control}/ari", ami_host=BIND, ami_port=manager)
        return AsteriskSwitch(through, engine.settings, engine.sounds(), SystemClock())

    return spec, make


def _freeswitch(engine: Engine) -> tuple[ServerSpec, MakeSwitch]:
    from pbx.freeswitch.instance import FreeswitchSecrets, freeswitch_link, freeswitch_server
    from pbx.freeswitch.switch import FreeswitchSwitch

    secrets = FreeswitchSecrets.make()
    program = _apart(find_freeswitch())
    assert program is not None
    spec = freeswitch_server(engine.settings, program, engine.folders, engine.ports, secrets)
    link = freeswitch_link(engine.folders, engine.ports, secrets)

    def make(control: int, manager: int) -> Switch:
        return FreeswitchSwitch(replace(link, host=BIND, port=control), engine.settings, engine.sounds(), SystemClock())

    return spec, make


PREPARE: dict[str, Callable[[Engine], tuple[ServerSpec, MakeSwitch]]] = {
    "asterisk": _asterisk,
    "freeswitch": _freeswitch,
}


def why_absent(name: str) -> str:
    """Empty when that switch can be run here."""
    if name == "freeswitch" and _apart(find_freeswitch()) is None:
        return "no freeswitch binary (set RIMAY_FREESWITCH)"
    if name == "asterisk":
        try:
            _apart(find_asterisk())
        except ProvisionError as error:
            return f"no asterisk: {error.message}"
    return ""


@contextmanager
def start_engine(name: str) -> Iterator[Engine]:
    """One for the whole session. Skips the test that asks for one that is not there."""
    reason = why_absent(name)
    if reason:
        pytest.skip(reason)
    engine = Engine(name)
    try:
        engine.start()
        yield engine
    finally:
        engine.close()
