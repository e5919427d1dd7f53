"""Calling out: to phones and numbers, every way it can end, and what our own rules forbid."""

from __future__ import annotations

import pytest

from pbx.events import ChannelAnswered, ChannelHungUp, ChannelRinging
from pbx.terms import CommandRefused, DialRefused, HangupCause, NumberDestination, PhoneDestination
from tests.support.calls import MOBILE, Leg, agent, answered, called_number, dial, dials, header, hung_up
from tests.support.lab import AGENT_HZ, CALLER_HZ, SECOND_HZ, Lab

NUMBER = NumberDestination(MOBILE, trunk="norte")
AGENT = PhoneDestination("agente1")


async def test_a_phone_rings_and_answers(lab: Lab) -> None:
    phone = await lab.phone("agente1", AGENT_HZ)
    leg = await dials(lab, phone, AGENT, caller_number="0991234567", caller_name="Ana")
    assert leg.call.number == "0991234567"
    assert leg.call.name == "Ana"
    await lab.eventually(ChannelRinging, channel=leg.channel)
    await lab.never(ChannelAnswered)
    await leg.call.answer()
    await lab.eventually(ChannelAnswered, channel=leg.channel)
    assert await leg.call.hears_silence()


async def test_who_answers_and_hangs_up_at_once_has_answered(lab: Lab) -> None:
    """As the agent's doing, not as a phone that cannot be reached."""
    phone = await lab.phone("agente1", AGENT_HZ)
    for _ in range(4):
        leg = await dials(lab, phone, AGENT)
        await leg.call.answer()
        await leg.call.hangup()
        await lab.eventually(ChannelAnswered, channel=leg.channel)
        over = await hung_up(lab, leg)
        assert (over.cause, over.by_us, over.answered) == (HangupCause.NORMAL, False, True)


async def test_a_number_goes_to_the_first_gateway(lab: Lab) -> None:
    leg = await called_number(lab, caller_number="072345678")
    assert leg.call.to_number.endswith(MOBILE[-9:])
    assert leg.call.number.endswith("2345678")


async def test_the_far_end_hangs_up(lab: Lab) -> None:
    leg = await called_number(lab)
    await leg.call.hangup()
    end = await hung_up(lab, leg)
    assert (end.cause, end.by_us, end.answered) == (HangupCause.NORMAL, False, True)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, HangupCause.BUSY),
        (603, HangupCause.REJECTED),
        (403, HangupCause.REJECTED),
        (404, HangupCause.UNALLOCATED),
        (480, HangupCause.NO_ANSWER),
    ],
)
async def test_a_refusal_tells_why(lab: Lab, status: int, cause: HangupCause) -> None:
    leg = await dials(lab, lab.gateway, NUMBER)
    await leg.call.reject(status)
    end = await hung_up(lab, leg)
    assert (end.cause, end.by_us, end.answered) == (cause, False, False)


async def test_no_answer_in_time(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER, timeout_s=1.0)
    end = await hung_up(lab, leg)
    assert (end.cause, end.answered) == (HangupCause.NO_ANSWER, False)
    await lab.happens(leg.call.ended)


async def test_a_phone_that_is_silent_is_no_answer(lab: Lab) -> None:
    phone = await lab.phone("agente1", AGENT_HZ)
    phone.auto_ring = False
    leg = await dials(lab, phone, AGENT, timeout_s=1.0)
    assert (await hung_up(lab, leg)).cause is HangupCause.NO_ANSWER
    await lab.never(ChannelRinging, channel=leg.channel)


async def test_we_give_up(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER)
    await lab.switch.hangup(leg.channel, HangupCause.CANCELLED)
    end = await hung_up(lab, leg)
    assert (end.cause, end.by_us, end.answered) == (HangupCause.CANCELLED, True, False)
    await lab.happens(leg.call.ended)
    assert leg.call.status == 487


async def test_a_phone_that_is_not_registered_is_unreachable(lab: Lab) -> None:
    channel = await dial(lab, PhoneDestination("agente2"))
    end = await lab.eventually(ChannelHungUp, channel=channel)
    assert (end.cause, end.by_us, end.answered) == (HangupCause.UNREACHABLE, False, False)


async def test_a_phone_that_no_setting_names_is_refused(lab: Lab) -> None:
    with pytest.raises(CommandRefused):
        await dial(lab, PhoneDestination("nadie"))


async def test_own_headers_and_variables(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER, headers={"X-Interaccion": "a,b'{c}"}, variables={"cola": "uno, dos"})
    assert header(leg.call.headers, "X-Interaccion") == "a,b'{c}"
    assert await lab.switch.get_variable(leg.channel, "cola") == "uno, dos"


@pytest.mark.parametrize("headers", [{"Via": "x"}, {"X-A": "b\r\nTo: c"}, {"X-A\r\nTo": "c"}])
async def test_headers_that_are_not_ours_to_set_are_refused(lab: Lab, headers: dict[str, str]) -> None:
    with pytest.raises(CommandRefused):
        await dial(lab, NUMBER, headers=headers)


@pytest.mark.parametrize("number", ["+12025550123", "1900123456", "0052555512345678", "", "abc", "099\r\nX: y"])
async def test_numbers_that_are_not_allowed_are_refused(lab: Lab, number: str) -> None:
    with pytest.raises(DialRefused):
        await dial(lab, NumberDestination(number))
    with pytest.raises(TimeoutError):
        await lab.gateway.next_call(timeout=0.3)


async def test_too_many_calls_to_one_number_are_refused(lab: Lab) -> None:
    for _ in range(lab.settings.dialing.calls_per_minute_per_number):
        leg = await dials(lab, lab.gateway, NUMBER)
        await leg.call.reject(486)
        await hung_up(lab, leg)
    with pytest.raises(DialRefused):
        await dial(lab, NUMBER)


async def test_a_failing_gateway_is_followed_by_the_next(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER)
    await leg.call.reject(503)
    second = Leg(await lab.second_gateway.next_call(), leg.channel)
    await second.call.answer()
    await lab.eventually(ChannelAnswered, channel=leg.channel)
    await lab.never(ChannelHungUp, channel=leg.channel)
    await second.call.hangup()
    await hung_up(lab, leg)


async def test_when_every_gateway_fails_the_call_has(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER)
    await leg.call.reject(503)
    await (await lab.second_gateway.next_call()).reject(503)
    end = await hung_up(lab, leg)
    assert end.cause in (HangupCause.CONGESTION, HangupCause.UNREACHABLE)
    await lab.never(ChannelHungUp, channel=leg.channel)


async def test_busy_is_no_reason_for_the_next_gateway(lab: Lab) -> None:
    leg = await dials(lab, lab.gateway, NUMBER)
    await leg.call.reject(486)
    await hung_up(lab, leg)
    with pytest.raises(TimeoutError):
        await lab.second_gateway.next_call(timeout=0.5)


async def test_both_voices_once_two_originated_legs_are_bridged(lab: Lab) -> None:
    number, desk = await called_number(lab), await agent(lab)
    await lab.switch.bridge(number.channel, desk.channel)
    assert await number.call.hears(AGENT_HZ, absent=[CALLER_HZ])
    assert await desk.call.hears(CALLER_HZ, absent=[AGENT_HZ])


async def test_two_calls_to_different_far_ends_at_once(lab: Lab) -> None:
    first = await called_number(lab)
    second = await answered(lab, await lab.phone("agente2", SECOND_HZ), PhoneDestination("agente2"))
    assert first.channel != second.channel
    assert len(await lab.switch.channels()) == 2
