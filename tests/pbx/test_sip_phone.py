"""The SIP phone over real sockets: against another one and against sipp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import numpy as np
import pytest

from pbx.sip import CallOver, PhoneCall, SipPhone, tones
from tests.support.ports import free_port
from tests.support.tools import tool

Kind = Literal["udp", "tcp"]
LOCAL = "127.0.0.1"


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), 5)


@pytest.fixture(params=["udp", "tcp"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[SipPhone, SipPhone]]:
    kind: Kind = request.param
    async with (
        SipPhone("100", tone_hz=440, transport=kind) as a,
        SipPhone("200", tone_hz=880, codecs=("PCMA", "PCMU"), transport=kind) as b,
    ):
        yield a, b
    assert [t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith("sip-")] == []


async def connect(a: SipPhone, b: SipPhone) -> tuple[PhoneCall, PhoneCall]:
    b.auto_answer = True
    return await a.call("200", b.address), await b.next_call()


# --- two phones --------------------


async def test_a_call_with_sound_both_ways(pair: tuple[SipPhone, SipPhone]) -> None:
    a, b = pair
    b.auto_answer, b.answer_after_s = True, 0.05
    out = await a.call("+593 7410", b.address, headers={"X-Rimay": "hola"}, caller_name='José "Pepe"')
    into = await b.next_call()
    assert (out.status, out.answered.is_set(), out.ringing.is_set()) == (200, True, True)
    assert (into.number, into.to_number, into.name) == ("100", "+593 7410", 'José "Pepe"')
    assert into.headers["x-rimay"] == "hola"
    assert await out.hears(880, absent=[440])
    assert await into.hears(440, absent=[880])
    assert not await into.hears(440, 0.1, absent=[440])
    assert tones.dominant_hz(into.heard(last_s=0.3)) == pytest.approx(440, abs=2)
    out.silence()
    assert await into.hears_silence()
    out.play_pcm(np.concatenate([tones.sine(1000, 500), tones.sine(1500, 500)]))
    assert await into.hears(1000)
    assert await into.hears(1500)
    assert await into.hears_silence()
    await into.hangup()
    await soon(out.ended)
    assert (out.ended_by, into.ended_by) == ("remote", "local")
    assert a.calls == b.calls == {}
    assert tones.rms(into.heard()) > 0  # kept after the end


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
async def test_digits(pair: tuple[SipPhone, SipPhone], mode: Literal["rfc4733", "info"]) -> None:
    out, into = await connect(*pair)
    await out.send_digits("1223*0#D", mode)
    assert await into.hears_digits("1223*0#D")
    await into.send_digits("7", mode)
    assert await out.hears_digits("7")


async def test_digits_in_the_sound(pair: tuple[SipPhone, SipPhone]) -> None:
    out, into = await connect(*pair)
    begin = into.elapsed()
    await out.send_digits("159D", "inband")
    assert await into.hears(440)
    assert tones.find_dtmf(into.heard(begin)) == "159D"
    assert into.digits_received == []


async def test_hold_and_resume_from_both_sides(pair: tuple[SipPhone, SipPhone]) -> None:
    out, into = await connect(*pair)
    await out.hold()
    assert (out.held_by, into.held_by) == ("local", "remote")
    assert await into.hears_silence()
    await into.hold()
    assert (out.held_by, into.held_by) == ("both", "both")
    await out.resume()
    assert (out.held, into.held, out.held_by) == (True, True, "remote")
    await into.resume()
    assert await out.becomes_held(False)
    assert not into.held
    assert await into.hears(440)
    assert await out.hears(880)


async def test_both_hold_at_once_is_settled(pair: tuple[SipPhone, SipPhone]) -> None:
    out, into = await connect(*pair)
    await asyncio.wait_for(asyncio.gather(out.hold(), into.hold()), 20)
    assert (out.held_by, into.held_by) == ("both", "both")


async def test_reject_cancel_and_late_hangups(pair: tuple[SipPhone, SipPhone]) -> None:
    a, b = pair
    for code in (486, 404, 603):
        out = await a.call("1", b.address, wait=False)
        await (await b.next_call()).reject(code)
        await soon(out.ended)
        assert (out.status, out.ended_by, out.answered.is_set()) == (code, "remote", False)
    out = await a.call("1", b.address, wait=False)
    into = await b.next_call()
    await soon(out.ringing)
    await out.cancel()
    await soon(into.ended)
    assert (out.status, out.ended_by, into.status, into.ended_by) == (487, "local", 487, "remote")
    with pytest.raises(CallOver):
        await into.answer()
    with pytest.raises(CallOver):
        await out.send_digits("1")
    await out.hangup()  # idempotent
    await out.cancel()


async def test_an_answer_that_crosses_a_cancel_is_hung_up(pair: tuple[SipPhone, SipPhone]) -> None:
    a, b = pair
    out = await a.call("1", b.address, wait=False)
    into = await b.next_call()
    await asyncio.gather(out.cancel(), into.answer())
    await soon(into.ended)
    assert (out.ended_by, into.ended_by) == ("local", "remote")


async def test_digits_cut_short_by_the_end_say_so(pair: tuple[SipPhone, SipPhone]) -> None:
    out, into = await connect(*pair)
    sending = asyncio.create_task(out.send_digits("1" * 50))
    assert await into.hears_digits("1")
    await into.hangup()
    with pytest.raises(CallOver):
        await sending


async def test_no_codec_in_common() -> None:
    async with SipPhone("a", codecs=("PCMA",)) as a, SipPhone("b", codecs=("PCMU",)) as b:
        assert (await a.call("b", b.address)).status == 488
        with pytest.raises(TimeoutError):
            await b.next_call(0.05)
    with pytest.raises(ValueError, match="codecs"):
        SipPhone("a", codecs=("opus",))


async def test_leaving_hangs_up_and_vanishing_does_not() -> None:
    async with SipPhone("b") as b:
        b.auto_answer = True
        async with SipPhone("a") as a:
            out, into = await a.call("b", b.address), await b.next_call()
        await soon(into.ended)
        assert (out.ended_by, into.ended_by) == ("local", "remote")
        async with SipPhone("a") as a:
            out, into = await a.call("b", b.address), await b.next_call()
            await a.vanish()
            assert out.ended.is_set()
        assert await into.hears_silence()
        assert not into.ended.is_set()


async def test_pacing_does_not_drift() -> None:
    async with SipPhone("a", tone_hz=440) as a, SipPhone("b") as b:
        b.auto_answer = True
        calls = [(await a.call("b", b.address), await b.next_call()) for _ in range(10)]
        _, into = calls[0]
        before, begin = [c.packets_sent for c, _ in calls], a.time()
        assert await into.hears(440)
        assert not await into.hears(1000, 1.5)
        due = (a.time() - begin) / 0.02
        for (out, _), sent in zip(calls, before, strict=True):
            assert out.packets_sent - sent == pytest.approx(due, abs=4)
        middle = into.heard(into.elapsed() - 1.2)[:8000]
        assert tones.level(middle, 440) == pytest.approx(tones.TONE_LEVEL, rel=0.02)  # one unbroken sine


# --- an independent user agent --------------------


@pytest.fixture
async def phone() -> AsyncIterator[SipPhone]:
    async with SipPhone("100", password="secret") as it:
        yield it


@pytest.fixture
def sipp() -> str:
    return tool("sipp")


async def run_sipp(sipp: str, cwd: object, *arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sipp, *arguments, "-i", LOCAL, "-nostdin", "-timeout", "20s", "-timeout_error",
        cwd=str(cwd), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        stdin=asyncio.subprocess.DEVNULL, env={"TERM": "dumb"},
    )  # fmt: skip
    try:
        return await asyncio.wait_for(process.wait(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_calls_us(sipp: str, transport: Kind, tmp_path: object) -> None:
    async with SipPhone("service", transport=transport) as phone:
        phone.auto_answer = True
        host, port = phone.address
        kind = "u1" if transport == "udp" else "t1"
        arguments = ("-sn", "uac", f"{host}:{port}", "-m", "5", "-r", "20", "-d", "100", "-t", kind)
        code = await run_sipp(sipp, tmp_path, *arguments, "-p", str(free_port()), "-mp", str(free_port(4)))
        assert code == 0
        for _ in range(5):
            call = await phone.next_call()
            assert (call.ended_by, call.number) == ("remote", "sipp")
        assert phone.calls == {}


async def test_we_call_sipp(sipp: str, phone: SipPhone, tmp_path: object) -> None:
    port = free_port()
    arguments = ("-sn", "uas", "-m", "1", "-p", str(port), "-mp", str(free_port(4)))
    answering = asyncio.create_task(run_sipp(sipp, tmp_path, *arguments))
    call = await phone.call("service", (LOCAL, port))  # repeats the INVITE until sipp is up
    assert call.status == 200
    await call.hangup()
    assert call.ended_by == "local"
    assert await answering == 0
