"""The two sides of the comparison: the platform as `rimay up` runs it, and its switch alone with a plain dialplan."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from app.place import CHECKOUT, Place
from app.ports import Ports, switch_ports
from app.provision import find_asterisk
from app.settings import read_settings
from bench._machine import cpu_ms, family
from bench._sipp import CALLERS, PHONES, LoadFailed
from foundation.pid_files import read_pid
from foundation.processes import Server
from pbx.instance import SwitchFolders

_UP_S = 90.0
_DOWN_S = 30.0
QUEUE = "bench"
_FLOW = f"""\
id: bench
name: Medición
description: A call goes to the queue at once.
language: es
entry: cola
nodes:
  cola:
    kind: queue
    name: {QUEUE}
    then: {{talked: fin, timeout: fin}}
  fin: {{kind: hangup}}
"""
# What the platform does with a call, done by Asterisk alone: answer, ring a phone, record both sides of the talk.
# `i`: answered at once, without waiting for audio, as ARI does.
_DIALPLAN = """
[bench]
exten => _X!,1,Answer(0,i)
 same => n,MixMonitor({recordings}/${{UNIQUEID}}.raw,aD)
 same => n,Dial(PJSIP/agent@trunk.phones.bench,20)
 same => n,Hangup()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU milliseconds used so far."""

    switch: float
    python: float = 0.0
    stores: float = 0.0

    def since(self, earlier: Cost) -> Cost:
        return Cost(
            switch=self.switch - earlier.switch,
            python=self.python - earlier.python,
            stores=self.stores - earlier.stores,
        )


def _settings(engine: str, *, phone_port: int, caller_port: int, agents: int, rtp: int, folder: Path) -> dict[str, Any]:
    names = [f"a{n:04}" for n in range(1, agents + 1)]
    return {
        "pbx": {
            "engine": engine,
            "rtp_count": rtp,
            "trunks": [
                _trunk("callers", CALLERS, caller_port),
                _trunk("phones", PHONES, phone_port),
            ],
            "phones": [{"name": name, "password": {"env": "BENCH_PASSWORD"}, "codecs": ["pcma"]} for name in names],
        },
        "ivr_flows": {"folders": [str(folder)], "default": "bench"},
        "queues": [{"name": QUEUE, "offer_s": 20, "wrap_up_s": 0}],
        "agents": [{"id": name, "name": name, "phone": name, "queues": [QUEUE]} for name in names],
    }


def _trunk(name: str, host: str, port: int) -> dict[str, Any]:
    gateway = {"name": "bench", "host": host, "port": port}
    return {"name": name, "gateways": [gateway], "codecs": ["pcma"], "keepalive_s": 0, "max_calls": 10_000}


class Platform:
    """`rimay up` in a process of its own; as a context it is up, and its agents are ready after `agents_ready`."""

    def __init__(self, folder: Path, engine: str, *, phone_port: int, caller_port: int, agents: int, rtp: int) -> None:
        self._engine = engine
        self.password = secrets.token_urlsafe(12)
        self.config, self._log = folder / "rimay.yaml", folder / "up.log"
        flows = folder / "flows"
        flows.mkdir()
        (flows / "bench.yaml").write_text(_FLOW)
        settings = _settings(
            engine, phone_port=phone_port, caller_port=caller_port, agents=agents, rtp=rtp, folder=flows
        )
        self.config.write_text(json.dumps(settings))  # JSON is YAML
        self.place = Place.open(folder / "var", quiet=True)
        self._agents = [agent["id"] for agent in settings["agents"]]
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""

    @property
    def accounts(self) -> Mapping[str, str]:
        return dict.fromkeys(self._agents, self.password)

    @property
    def sip_port(self) -> int:
        return Ports(self.place).known()["sip"]

    @property
    def recordings(self) -> Path:
        return self.place.recordings

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "app", *words, "--var", str(self.place.var), "--config", str(self.config)]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(CHECKOUT), "BENCH_PASSWORD": self.password}

    async def __aenter__(self) -> Platform:
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                self._command("up"),
                cwd=CHECKOUT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            await self._until_up()
            done = await asyncio.to_thread(self._ask_token)
        except BaseException:
            await self.__aexit__()
            raise
        self._token = done
        return self

    def _ask_token(self) -> str:
        argv = self._command("token", "--role", "supervisor", "--name", "bench", "--days", "1")
        done = subprocess.run(
            argv, cwd=CHECKOUT, env=self._environment(), capture_output=True, text=True, check=False, timeout=60
        )
        found = re.search(r"rimay_\S+", done.stdout)
        if found is None:
            raise LoadFailed(f"no token was made: {done.stderr.strip()[-300:]}")
        return found.group()

    async def _until_up(self) -> None:
        assert self._process
        end = time.monotonic() + _UP_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            port = Ports(self.place).known().get("web")
            if port is not None:
                try:
                    async with (
                        aiohttp.ClientSession() as session,
                        session.get(f"http://127.0.0.1:{port}/health/ready") as r,
                    ):
                        if r.status == 200:
                            return
                except (aiohttp.ClientError, OSError):
                    pass
            await asyncio.sleep(0.1)
        raise LoadFailed(f"the platform did not come up: {self._log.read_text(errors='replace')[-1500:]}")

    async def __aexit__(self, *exc: object) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.to_thread(process.wait, 5.0)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # the second one does not wait for calls
        try:
            await asyncio.to_thread(process.wait, _DOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # whatever a killed one left
        await asyncio.to_thread(
            subprocess.run,
            self._command("down"),
            cwd=CHECKOUT,
            env=self._environment(),
            capture_output=True,
            check=False,
            timeout=60,
        )

    # --- its API

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{Ports(self.place).known()['web']}"

    @property
    def token(self) -> str:
        """A supervisor's."""
        return self._token

    def api(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {self._token}"})

    async def agents_ready(self) -> None:
        """Every agent signed in and ready; those whom an earlier load left otherwise are made so again."""
        async with self.api() as api:
            async with api.get("/api/v1/agents") as reply:
                states = {agent["id"]: agent["state"] for agent in (await reply.json())["items"]}
            for agent, state in states.items():
                if state == "signed_out":
                    await self._expect(api.post(f"/api/v1/agents/{agent}/sign-in"))
                if state != "ready":
                    await self._expect(api.put(f"/api/v1/agents/{agent}/state", json={"state": "ready"}))

    async def _expect(self, request: Any) -> None:
        async with request as reply:
            if reply.status >= 300:
                raise LoadFailed(f"the platform refused: {await reply.text()}")

    async def counters(self) -> Counter[str]:
        """The counts of /metrics that tell how calls ended."""
        async with self.api() as api, api.get("/metrics") as reply:
            text = await reply.text()
        wanted = re.compile(r"^(\w*(?:calls_closed|alerts_raised|failed_commands|unexpected_inputs)_total\{.*\}) (\S+)")
        return Counter({m[1]: int(float(m[2])) for m in map(wanted.match, text.splitlines()) if m})

    async def active(self) -> int:
        """Calls that the platform has now."""
        async with self.api() as api, api.get("/metrics") as reply:
            found = re.search(r"^\w*calls_active_calls (\S+)", await reply.text(), re.MULTILINE)
        return int(float(found[1])) if found else -1

    async def quiet(self, seconds: float = 30.0) -> bool:
        """Until no call is open any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if await self.active() == 0:
                return True
            await asyncio.sleep(0.2)
        return False

    def _server(self, name: str) -> list[int]:
        folder = self.place.server_folder(name)
        record = read_pid(folder / f"{name}.pid.json")
        return family(record.process.pid) if record is not None and record.is_alive else []

    def cost(self) -> Cost:
        return Cost(
            switch=cpu_ms(self._server(self._engine)),
            python=cpu_ms([self.pid]),
            stores=cpu_ms([*self._server("postgres"), *self._server("redis")]),
        )


class PlainAsterisk:
    """The same program with the same configuration; only its calls go to a dialplan instead of to the platform."""

    def __init__(self, folder: Path, config: Path, password: str) -> None:
        self._folder, self._config, self._password = folder, config, password
        self._server: Server | None = None
        self.sip_port = 0
        self.version = ""
        self.recordings = folder

    async def __aenter__(self) -> PlainAsterisk:
        from pbx.asterisk.instance import AsteriskSecrets, asterisk_server

        os.environ.setdefault("BENCH_PASSWORD", self._password)
        settings = read_settings(self._config)
        place = Place.open(self._folder / "plain", quiet=True)
        ports = switch_ports(Ports(place), settings.pbx)
        program = await find_asterisk()
        folders = SwitchFolders(home=place.server_folder("asterisk"), recordings=place.recordings, sounds=place.sounds)
        spec = asterisk_server(settings.pbx, program, folders, ports, AsteriskSecrets.make())
        etc = folders.home / "etc"
        _change(etc / "pjsip.conf", lambda text: text.replace("context = rimay-trunk", "context = bench"))
        _change(etc / "modules.conf", lambda text: text + "load = app_dial.so\n")
        _change(etc / "extensions.conf", lambda text: text + _DIALPLAN.format(recordings=folders.recordings.absolute()))
        self._server = Server(spec, user=place.user)
        self.sip_port, self.version, self.recordings = ports.sip, program.version, folders.recordings
        await self._server.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._server:
            await self._server.stop()

    def cost(self) -> Cost:
        assert self._server
        return Cost(switch=cpu_ms(family(self._server.pid) if self._server.pid else []))


def _change(path: Path, how: Any) -> None:
    """In place: its owner, the switch's user, stays."""
    path.write_text(how(path.read_text()))
