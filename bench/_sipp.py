"""sipp as the load: callers, agents' phones and their registration; real SIP, real RTP, its own clock."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLERS, PHONES = "127.0.0.2", "127.0.0.3"
TONE_HZ = 440
# A load that does not end by itself is stuck: its own length, and this for the last calls' ends.
_END_S = 45.0
_SDP = """\
v=0
o=bench 1 1 IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
"""
# `[load]` and `[call_number]` together name a call; the phone that rings finds them in the caller's number.
_CALLER = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="caller">
  <nop><action><gettimeofday assign_to="s0,u0"/></action></nop>
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:09[load]0[call_number]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:bench@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{sdp}]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"><action>
    <gettimeofday assign_to="s1,u1"/>
    <log message="09[load]0[call_number] [$s0] [$u0] [$s1] [$u1]"/>
  </action></recv>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:09[load]0[call_number]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
[routes]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <nop><action><exec rtp_stream="{tone},-1,8"/></action></nop>
  <pause/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:09[load]0[call_number]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
[routes]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""
# A switch asks whether a phone is there; scenarios go on here from `next="1"`.
ALIVE = """\
  <label id="1"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]o[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
"""
_PHONE = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="phone">
  <recv request="OPTIONS" optional="true" next="1"/>
  <recv request="INVITE"><action>
    <ereg regexp="sip:(09[0-9]+)@" search_in="hdr" header="From:" assign_to="all,caller"/>
  </action></recv>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]p[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

{sdp}]]></send>
  <recv request="ACK"><action>
    <gettimeofday assign_to="s,u"/>
    <log message="[$caller] [$s] [$u]"/>
  </action></recv>
  <recv request="BYE"/>
  <send next="2"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
{alive}  <label id="2"/>
  <nop><action><assignstr assign_to="all" value=""/><log message="[$all]"/></action></nop>
</scenario>
"""
_REGISTER = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 3600
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
[field1]
Expires: 3600
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""


class LoadFailed(Exception):
    """The load itself could not be run: nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many calls, `rate` new ones a second, each `hold_s` long; together at most `limit`."""

    name: str  # two digits
    calls: int
    rate: float
    hold_s: float
    port: int  # of the switch under test


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`failed` are calls that sipp counts as failed, and calls that reached no agent's phone before the
    caller had gone."""

    calls: int
    failed: int
    setup_ms: Sequence[float]  # INVITE to 200, as the caller sees it
    connect_ms: Sequence[float]  # INVITE of the caller to ACK at the agent's phone
    why: str = ""


class Sipp:
    """`phones` answer for as long as this context is open; `run` is one load."""

    def __init__(self, binary: Path, folder: Path, *, caller_port: int, phone_port: int, media_ports: int) -> None:
        self._binary, self._folder = binary, folder
        self._caller_port, self.phone_port, self._media = caller_port, phone_port, media_ports
        self._phones: subprocess.Popen[bytes] | None = None
        tone = folder / "tone.alaw"
        _write_tone(tone)
        sdp = _SDP.format(port="[rtpstream_audio_port]")
        (folder / "caller.xml").write_text(_CALLER.format(sdp=sdp, tone=tone))
        (folder / "phone.xml").write_text(_PHONE.format(alive=ALIVE, sdp=_SDP.format(port="[media_port]")))
        (folder / "register.xml").write_text(_REGISTER)

    def register(self, port: int, accounts: Mapping[str, str]) -> None:
        """Every account at the phones' address. From that very address, to which the switch will send its calls."""
        lines = [f"{name};[authentication username={name} password={secret}]" for name, secret in accounts.items()]
        file = self._folder / "accounts.csv"
        file.touch(mode=0o600)
        file.write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n")
        done = subprocess.run(
            [
                *self._arguments("register", PHONES, self.phone_port),
                *("-inf", str(file), "-m", str(len(lines)), "-r", "100", "-l", "50", f"127.0.0.1:{port}"),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        file.unlink()
        if done.returncode:
            raise LoadFailed(f"the phones could not register: {self._errors('register')}")

    def _arguments(self, scenario: str, host: str, port: int) -> list[str]:
        return [
            *(str(self._binary), "-nostdin", "-sf", str(self._folder / f"{scenario}.xml")),
            *("-i", host, "-mi", host, "-p", str(port), "-trace_err", "-error_file", f"{scenario}.err"),
            *("-trace_logs", "-log_file", f"{scenario}.log", "-buff_size", "2000000", "-timer_resol", "1"),
            *("-default_behaviors", "all,-abortunexp"),
        ]

    def __enter__(self) -> Sipp:
        self._phones = subprocess.Popen(
            [*self._arguments("phone", PHONES, self.phone_port), "-rtp_echo", "-mp", str(self._media)],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        if self._phones:
            _kill(self._phones)

    async def run(self, load: Load) -> Outcome:
        """All of it, to the end of its last call."""
        for name in ("caller.log", "caller.err", "caller.csv"):
            (self._folder / name).unlink(missing_ok=True)
        argv = [
            *self._arguments("caller", CALLERS, self._caller_port),
            *("-mp", str(self._media + 4), "-s", "072831900", "-key", "load", load.name),
            *("-m", str(load.calls), "-r", str(round(load.rate * 10)), "-rp", "10000", "-l", str(load.calls)),
            *("-d", str(round(load.hold_s * 1000)), "-trace_stat", "-stf", "caller.csv", "-fd", "1"),
            f"127.0.0.1:{load.port}",
        ]
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(load.calls / load.rate + load.hold_s + _END_S):
                await process.wait()
        except TimeoutError:
            pass  # counted: the calls that did not end have failed
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if self._phones is None or self._phones.poll() is not None:
            raise LoadFailed(f"the phones ended: {self._errors('phone')}")
        return self._outcome(load)

    def _outcome(self, load: Load) -> Outcome:
        called = {row[0]: [float(x) for x in row[1:]] for row in _rows(self._folder / "caller.log", 5)}
        if not called and not (self._folder / "caller.csv").exists():
            raise LoadFailed(f"sipp did not start: {self._errors('caller')}")
        reached = {row[0]: [float(x) for x in row[1:]] for row in _rows(self._folder / "phone.log", 3)}
        setup, connect, lost = [], [], 0
        for name, (s0, u0, s1, u1) in called.items():
            setup.append((s1 - s0) * 1e3 + (u1 - u0) / 1e3)
            if name in reached:
                s, u = reached[name]
                connect.append((s - s0) * 1e3 + (u - u0) / 1e3)
                # a phone that answers when the caller has gone has joined nobody
                lost += connect[-1] - setup[-1] >= load.hold_s * 1e3
            else:
                lost += 1
        succeeded = self._succeeded()
        failed = load.calls - succeeded + lost
        why = f"{load.calls - succeeded} failed at the caller ({self._errors('caller')}), {lost} reached no phone"
        return Outcome(calls=load.calls, failed=failed, setup_ms=setup, connect_ms=connect, why=why if failed else "")

    def _succeeded(self) -> int:
        try:
            with (self._folder / "caller.csv").open() as file:
                rows = [row for row in csv.DictReader(file, delimiter=";") if row.get("SuccessfulCall(C)")]
        except OSError:
            return 0
        return int(rows[-1]["SuccessfulCall(C)"]) if rows else 0

    def _errors(self, scenario: str) -> str:
        try:
            text = (self._folder / f"{scenario}.err").read_text(errors="replace")
        except OSError:
            return "sipp says nothing"
        return " ".join(text.split())[:400] or "sipp says nothing"


def _rows(path: Path, width: int) -> list[list[str]]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [row for row in (line.split() for line in lines) if len(row) == width]


def _write_tone(path: Path) -> None:
    """One second of a tone in A-law: its loop has no seam."""
    import numpy as np

    from pbx.sip.g711 import encode

    wave = (8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(8000) / 8000)).astype(np.int16)
    path.write_bytes(encode(wave, "PCMA"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
