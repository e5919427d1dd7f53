"""Malformed SIP, strangers and toll fraud, at the real port of the running platform."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pbx.sip import SipPhone
from tests.support.platform import AGENTS, ENGINE, GATEWAY_HOST, PHONE_PASSWORD, PlatformProcess
from tests.support.stage import Stage, hear_each_other, on_stage

STRANGER = "127.0.0.66"
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"


def _invite(host: str, port: int, body: str = _SDP, **changes: str | None) -> bytes:
    """A well-formed INVITE, but for the changes; a header of None is left out."""
    headers: dict[str, str | None] = {
        "Via": f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{abs(hash((body, str(changes)))):x}",
        "Max-Forwards": "70",
        "From": f"<sip:0990000000@{host}>;tag=x1",
        "To": "<sip:072831900@127.0.0.1>",
        "Call-ID": f"{abs(hash(str(changes) + body)):x}@{host}",
        "CSeq": "1 INVITE",
        "Contact": f"<sip:0990000000@{host}:{port}>",
        "Content-Type": "application/sdp",
        "Content-Length": str(len(body)),
    }
    line = changes.pop("line", None) or "INVITE sip:072831900@127.0.0.1 SIP/2.0"
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape")


def _garbage(host: str, port: int) -> dict[str, bytes]:
    def make(body: str = _SDP, **changes: str | None) -> bytes:
        return _invite(host, port, body, **changes)

    return {
        "nothing": b"",
        "zeros": bytes(1200),
        "all bytes": bytes(range(256)) * 4,
        "half a line": b"INVITE sip:07",
        "not sip": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "no via": make(Via=None),
        "no from": make(From=None),
        "no to": make(To=None),
        "no call-id": make(Call_ID=None),
        "no cseq": make(CSeq=None),
        "cseq of another method": make(CSeq="1 BYE"),
        "cseq out of range": make(CSeq="99999999999999 INVITE"),
        "no contact": make(Contact=None),
        "a bad uri": make(line="INVITE sip:@@@:: SIP/2.0"),
        "a huge uri": make(line=f"INVITE sip:{'9' * 9000}@127.0.0.1 SIP/2.0"),
        "a huge header": make(Subject="x" * 30000),
        "many headers": make(**{f"X_H{n}": "y" * 20 for n in range(800)}),
        "quotes and percents": make(From='"%n%s\\"\x01" <sip:%00%ff@x>;tag=1'),
        "body longer than told": make(Content_Length="5"),
        "body shorter than told": make(Content_Length="9999"),
        "a length below zero": make(Content_Length="-1"),
        "no sdp in the sdp": make("this is no description\r\n"),
        "an sdp without audio": make("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 34\r\n"),
        "an sdp with a port out of range": make(_SDP.replace("40000", "999999")),
        "an sdp with a codec that nobody has": make(_SDP.replace("8 101", "77")),
        "a type that nobody knows": make(Content_Type="application/\x7f"),
        "a dialled number with a path in it": make(line="INVITE sip:..%2f..%2fetc@127.0.0.1 SIP/2.0"),
        "a dialled number with a variable in it": make(line="INVITE sip:0${SHELL(id)}@127.0.0.1 SIP/2.0"),
    }


async def _works(stage: Stage) -> None:
    citizen, leg = await stage.talk()
    await hear_each_other(citizen.call, leg)
    await citizen.call.hangup()
    assert (await citizen.closed())["exit_reason"] == "completed"
    await stage.api.agent_becomes("ana", "ready")


@pytest.mark.parametrize("host", [GATEWAY_HOST, STRANGER], ids=["the trunk's address", "a stranger"])
async def test_malformed_invites(platform: PlatformProcess, host: str) -> None:
    """Before, during and after a call: nothing of it harms anybody."""
    switch = platform.server_pid(ENGINE)
    async with on_stage(platform) as stage:
        citizen, leg = await stage.talk()
        with socket.socket(type=socket.SOCK_DGRAM) as raw:
            raw.bind((host, 0))
            for packet in _garbage(host, raw.getsockname()[1]).values():
                raw.sendto(packet, stage.sip)
            await hear_each_other(citizen.call, leg)
            await citizen.call.hangup()
            assert (await citizen.closed())["exit_reason"] == "completed"
            await stage.api.agent_becomes("ana", "ready")
        await _works(stage)
    assert platform.runs
    assert platform.server_pid(ENGINE) == switch
    log = platform.log.read_text()
    assert "process.uncaught" not in log
    assert "asyncio.uncaught" not in log
    assert "call.broken" not in log


async def test_a_stranger_is_not_heard(platform: PlatformProcess) -> None:
    """A well-formed call from an address that no trunk has: refused or met with silence, and no record of it."""
    async with on_stage(platform, agents=()) as stage:
        async with SipPhone("0990000066", host=STRANGER) as stranger:
            call = await stranger.call("072831900", stage.sip, wait=False)
            answered = await call.poll(lambda: call.answered.is_set() or call.ended.is_set(), 3)
            assert not call.answered.is_set()
            assert not answered or call.status in (401, 403, 407)  # refused, or asked who they are
            call.finish("local", "enough")
            assert await stage.api.find("0990000066") is None
        assert await stage.api.channels() == []


async def test_a_stranger_who_claims_to_be_somebody(platform: PlatformProcess) -> None:
    """The name in From proves nothing: neither a phone's nor the trunk's."""
    async with on_stage(platform) as stage:
        for name in (*AGENTS.values(), "etapa", "trunk-etapa-pasarela"):
            async with SipPhone(name, host=STRANGER, password="guessed") as stranger:
                call = await stranger.call("0991234567", stage.sip, wait=False)
                await call.poll(lambda call=call: call.answered.is_set() or call.ended.is_set(), 1.5)
                assert not call.answered.is_set()
                call.finish("local", "enough")
                assert await stranger.register(stage.sip) in (401, 403, 404)
        await _works(stage)


async def test_a_phone_cannot_dial_out(platform: PlatformProcess) -> None:
    """What a registered phone dials goes to the platform, never past it to the trunk: no call leaves over it."""
    async with on_stage(platform) as stage, SipPhone("gw", host=GATEWAY_HOST, port=platform.gateway_port) as gateway:
        phone = stage.phones["ana"]
        for number in ("0999999999", "+5931900123456", "0019005551234", "911"):
            call = await phone.call(number, stage.sip, wait=False)
            await call.poll(lambda call=call: call.answered.is_set() or call.ended.is_set(), 3)
            await call.hangup()
        with pytest.raises(TimeoutError):
            await gateway.next_call(0.5)
        await stage.api.no_channel_left()


async def test_a_call_through_us_to_another_place(platform: PlatformProcess) -> None:
    """An open relay would carry it: the domain in the request is another's."""
    async with on_stage(platform, agents=()) as stage, SipPhone("victim", host="127.0.0.77") as victim:
        with socket.socket(type=socket.SOCK_DGRAM) as raw:
            raw.bind((STRANGER, 0))
            host, port = victim.address
            raw.sendto(_invite(*raw.getsockname(), line=f"INVITE sip:v@{host}:{port} SIP/2.0"), stage.sip)
        with pytest.raises(TimeoutError):
            await victim.next_call(1.0)


async def test_a_stolen_password_still_takes_no_call_over_the_trunk(platform: PlatformProcess) -> None:
    async with (
        SipPhone("1002", host=STRANGER, password=PHONE_PASSWORD) as thief,
        on_stage(platform, agents=()) as stage,
    ):
        assert await thief.register(stage.sip) == 200
        async with SipPhone("gw", host=GATEWAY_HOST, port=platform.gateway_port) as gateway:
            call = await thief.call("0019005551234", stage.sip, wait=False)
            await asyncio.wait({asyncio.ensure_future(call.ended.wait())}, timeout=2)
            with pytest.raises(TimeoutError):
                await gateway.next_call(0.5)
            await call.hangup()
