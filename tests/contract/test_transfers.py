"""Transfers: blind and attended by us, and asked for by a phone."""

from __future__ import annotations

import pytest

from pbx.events import Bridged, ChannelAnswered, ChannelHungUp, ChannelRinging, TransferAsked, Unbridged
from pbx.terms import ChannelId, DialRefused, HangupCause, NumberDestination, PhoneDestination
from tests.support.calls import Leg, agent, bridge, caller, hung_up, one_of, pair
from tests.support.lab import AGENT_HZ, CALLER_HZ, SECOND_HZ, Lab


async def transfer(lab: Lab, customer: Leg, timeout_s: float = 8.0) -> Leg:
    """Blind, to the second agent's phone, which rings."""
    phone = await lab.phone("agente2", SECOND_HZ)
    new_leg = ChannelId(lab.id("pierna"))
    await lab.switch.transfer(
        customer.channel, new_leg, PhoneDestination("agente2"), caller_number="0991234567", timeout_s=timeout_s
    )
    await lab.eventually(Unbridged)
    await lab.eventually(ChannelRinging, channel=new_leg)
    return Leg(await phone.next_call(), new_leg)


async def test_blind_and_answered(lab: Lab) -> None:
    customer, desk = await pair(lab)
    second = await transfer(lab, customer)
    assert await lab.sounds(customer.call, absent=[AGENT_HZ, SECOND_HZ])  # that is: ringing
    assert await desk.call.hears_silence()
    await second.call.answer()
    await lab.eventually(ChannelAnswered, channel=second.channel)
    await lab.eventually(Bridged, channel=one_of(customer, second), peer=one_of(customer, second))
    assert await customer.call.hears(SECOND_HZ, absent=[AGENT_HZ])
    assert await second.call.hears(CALLER_HZ)
    await lab.never(ChannelHungUp, channel=desk.channel)


@pytest.mark.parametrize("how", ["refused", "no answer"])
async def test_blind_and_not_answered(lab: Lab, how: str) -> None:
    customer, _ = await pair(lab)
    second = await transfer(lab, customer, timeout_s=1.5)
    if how == "refused":
        await second.call.reject(486)
    end = await hung_up(lab, second)
    assert end.cause is (HangupCause.BUSY if how == "refused" else HangupCause.NO_ANSWER)
    assert await customer.call.hears_silence()
    await lab.never(ChannelHungUp, channel=customer.channel)


async def test_the_caller_leaves_while_it_rings(lab: Lab) -> None:
    customer, _ = await pair(lab)
    second = await transfer(lab, customer, timeout_s=600.0)
    await customer.call.hangup()
    await hung_up(lab, customer)
    end = await hung_up(lab, second)
    assert (end.answered, end.cause is HangupCause.NO_ANSWER) == (False, False)
    await lab.happens(second.call.ended)


async def test_a_forbidden_target_leaves_the_pair_alone(lab: Lab) -> None:
    customer, desk = await pair(lab)
    with pytest.raises(DialRefused):
        await lab.switch.transfer(
            customer.channel,
            ChannelId(lab.id("pierna")),
            NumberDestination("1900123456"),
            caller_number="",
            timeout_s=5.0,
        )
    await lab.never(Unbridged)
    assert await desk.call.hears(CALLER_HZ)


async def test_attended(lab: Lab) -> None:
    customer, desk = await pair(lab)
    second = await agent(lab, "agente2", SECOND_HZ)
    await bridge(lab, desk, second)
    await lab.switch.start_music(customer.channel)
    assert await desk.call.hears(SECOND_HZ)
    assert await lab.hears_music(customer.call)
    await lab.switch.transfer_attended(customer.channel, second.channel)
    await lab.eventually(Bridged, channel=one_of(customer, second), peer=one_of(customer, second))
    assert await customer.call.hears(SECOND_HZ, absent=[AGENT_HZ])
    assert await second.call.hears(CALLER_HZ, absent=[AGENT_HZ])
    assert await desk.call.hears_silence()
    await lab.never(ChannelHungUp, channel=desk.channel)


async def test_a_phone_asks_for_a_blind_transfer(lab: Lab) -> None:
    customer, desk = await pair(lab)
    assert await desk.call.refer("0998887766") == 202
    event = await lab.eventually(TransferAsked, channel=desk.channel)
    assert (event.target, event.consult) == ("0998887766", None)
    await lab.never(ChannelHungUp, channel=customer.channel)
    assert await customer.call.hears(AGENT_HZ)
    with pytest.raises(TimeoutError):
        await lab.gateway.next_call(timeout=0.3)


async def test_a_phone_asks_for_an_attended_transfer(lab: Lab) -> None:
    customer, desk = await pair(lab)
    second = await agent(lab, "agente2", SECOND_HZ)
    consult = await caller(lab, desk.phone)
    await bridge(lab, consult, second)
    assert await desk.call.refer_replaces(consult.call) == 202
    event = await lab.eventually(TransferAsked, channel=desk.channel)
    assert event.consult == consult.channel
    await lab.never(ChannelHungUp, channel=customer.channel)
