"""Calls that come in: who may, what is told of them, ringing, refusal, answer, and the end from both sides."""

from __future__ import annotations

import pytest

from pbx.events import ChannelAnswered, ChannelArrived, ChannelHungUp
from pbx.terms import HangupCause
from tests.support.calls import SERVICE, arrives, caller, header, hung_up
from tests.support.lab import AGENT_HZ, CALLER, CALLER_HZ, Lab

# Which SIP statuses fit a cause. Where two are right, each is what one of the switches sends.
FITTING = {
    HangupCause.BUSY: {486},
    HangupCause.NO_ANSWER: {480},
    HangupCause.REJECTED: {403, 603},
    HangupCause.UNALLOCATED: {404},
    HangupCause.UNREACHABLE: {480, 404, 502, 503},
    HangupCause.CONGESTION: {503},
    HangupCause.NORMAL: {480, 603},
}


async def test_a_call_over_the_trunk_is_announced(lab: Lab) -> None:
    leg = await arrives(lab, headers={"X-Cliente": "ana"}, caller_name="Ana Lucía")
    event = leg.arrived
    assert event is not None
    assert (event.trunk, event.endpoint) == ("norte", None)
    assert event.from_number.endswith(CALLER[-9:])
    assert event.from_name == "Ana Lucía"
    assert event.to_number.endswith(SERVICE[-7:])
    assert header(event.headers, "X-Cliente") == "ana"
    await lab.never(ChannelAnswered)


async def test_a_call_from_the_second_gateway_is_of_the_same_trunk(lab: Lab) -> None:
    leg = await arrives(lab, lab.second_gateway)
    assert leg.arrived is not None
    assert leg.arrived.trunk == "norte"


async def test_a_call_from_one_of_our_phones_names_the_phone(lab: Lab) -> None:
    phone = await lab.phone("agente1", AGENT_HZ)
    leg = await arrives(lab, phone)
    assert leg.arrived is not None
    assert (leg.arrived.trunk, leg.arrived.endpoint) == (None, "agente1")


async def test_ids_of_inbound_channels_are_unique(lab: Lab) -> None:
    first, second = await arrives(lab), await arrives(lab)
    assert first.channel != second.channel


async def test_ring_is_heard_of_by_the_caller(lab: Lab) -> None:
    leg = await arrives(lab)
    await lab.switch.ring(leg.channel)
    await lab.happens(leg.call.ringing)
    assert not leg.call.answered.is_set()


async def test_answer(lab: Lab) -> None:
    leg = await caller(lab)
    assert leg.call.status == 200
    assert await leg.call.hears_silence()


@pytest.mark.parametrize("cause", FITTING, ids=lambda cause: cause.value)
async def test_reject_tells_the_caller_why(lab: Lab, cause: HangupCause) -> None:
    leg = await arrives(lab)
    await lab.switch.reject(leg.channel, cause)
    end = await hung_up(lab, leg)
    assert (end.cause, end.by_us, end.answered) == (cause, True, False)
    await lab.happens(leg.call.ended)
    assert leg.call.status in FITTING[cause]


async def test_the_caller_gives_up_before_answer(lab: Lab) -> None:
    leg = await arrives(lab)
    await lab.switch.ring(leg.channel)
    await lab.happens(leg.call.ringing)
    await leg.call.cancel()
    end = await hung_up(lab, leg)
    assert (end.cause, end.by_us, end.answered) == (HangupCause.CANCELLED, False, False)


async def test_the_caller_hangs_up(lab: Lab) -> None:
    leg = await caller(lab)
    await leg.call.hangup()
    end = await hung_up(lab, leg)
    assert (end.cause, end.q850, end.by_us, end.answered) == (HangupCause.NORMAL, 16, False, True)
    await lab.never(ChannelHungUp, channel=leg.channel)


@pytest.mark.parametrize("cause", [HangupCause.NORMAL, HangupCause.BUSY, HangupCause.CONGESTION])
async def test_we_hang_up_with_a_cause(lab: Lab, cause: HangupCause) -> None:
    leg = await caller(lab)
    await lab.switch.hangup(leg.channel, cause)
    end = await hung_up(lab, leg)
    assert (end.cause, end.q850, end.by_us, end.answered) == (cause, cause.q850, True, True)
    await lab.happens(leg.call.ended)


async def test_an_unknown_caller_gets_nothing(lab: Lab) -> None:
    stranger = await lab.stranger()
    call = await stranger.call(SERVICE, lab.server, wait=False)
    await lab.never(ChannelArrived, during_s=1.0)
    assert not call.answered.is_set()
    assert call.status in (None, 401, 403, 407)  # silence, no, or a question for a password that it has not


async def test_a_phone_with_a_wrong_password_gets_nothing(lab: Lab) -> None:
    stranger = await lab.stranger()
    assert await stranger.register(lab.server) in (401, 403)


async def test_malformed_invites_are_survived(lab: Lab) -> None:
    start = b"INVITE sip:072345678@127.0.0.1 SIP/2.0\r\n"
    await lab.send_garbage(
        [
            b"\x00\xff\xfe" * 40,
            b"INVITE\r\n\r\n",
            start + b"\r\n",
            start + b"Via: \r\nFrom: <<<\r\nTo: \xff\xff\r\nCall-ID:\r\nCSeq: x y\r\nContent-Length: -7\r\n\r\n",
            start + b"Via: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
            b"Call-ID: roto\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.2>\r\nContent-Type: application/sdp\r\n"
            b"Content-Length: 9999\r\n\r\nv=0\r\nm=audio x RTP\r\n",
            b"A" * 3000,
        ]
    )
    leg = await caller(lab)
    leg.call.play_tone(CALLER_HZ)
    await lab.switch.hangup(leg.channel)
    await hung_up(lab, leg)
